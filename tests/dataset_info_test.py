"""Tests of the description of data folders."""

import json
import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import records
from tests import numbered_data


def _info(**fields):
    return dataset_info.DatasetInfo(
        **dict(max_seq_length=128, shards={"a": 1}) | fields
    )


class InfoTest(parameterized.TestCase, tf.test.TestCase):
    def write_files(self, sizes):
        directory = self.create_tempdir().full_path
        numbered_data.write_files(directory, sizes)
        return directory

    def write_data(self, sizes, **fields):
        directory = self.create_tempdir().full_path
        return numbered_data.write(directory, sizes, **fields)

    def test_what_was_written_is_read(self):
        directory = self.write_data(
            [2, 1],
            vocab_size=9,
            counts={"tokens": 3},
            length_counts={"1-3": 1, "4-6": 2},
        )
        info = dataset_info.load(directory)
        self.assertEqual(info.num_examples, 3)
        self.assertEqual(info.vocab_size, 9)
        self.assertEqual(info.counts, {"tokens": 3})
        self.assertEqual(info.length_counts, {"1-3": 1, "4-6": 2})
        self.assertEqual(list(info.shards.values()), [2, 1])

    def test_a_description_without_lengths_is_read(self):
        directory = self.write_data([1])
        path = os.path.join(directory, dataset_info.INFO_FILE)
        with open(path) as file:
            fields = json.load(file)
        self.assertIsNone(fields.pop("length_counts"))
        with open(path, "w") as file:
            json.dump(fields, file)
        self.assertIsNone(dataset_info.load(directory).length_counts)

    def test_a_missing_file_is_named(self):
        directory = self.write_data([2, 1, 1])
        missing = records.shard_names(3)[1]
        os.remove(os.path.join(directory, missing))
        with self.assertRaisesRegex(ValueError, f"1 of the 3 .* {missing}"):
            dataset_info.load(directory)

    @parameterized.parameters(
        ("{", "Expecting"),
        ("{}", "max_seq_length"),
        ('{"max_seq_length": 8, "shards": {}}', "no examples"),
        ('{"max_seq_length": 8, "shards": {"a": 1}, "new": 2}', "new"),
        (
            '{"max_seq_length": 8, "shards": {"a": 1}, "format_version": 2}',
            "version 1 .*is 2",
        ),
    )
    def test_a_description_that_is_none_is_refused(self, text, message):
        directory = self.create_tempdir()
        directory.create_file(dataset_info.INFO_FILE, text)
        with self.assertRaisesRegex(ValueError, message):
            dataset_info.load(directory.full_path)

    def test_fingerprints_tell_data_sets_apart(self):
        infos = (
            _info(),
            _info(seed=1),
            _info(vocab_sha256="ab"),
            _info(shards={"a": 1, "b": 1}),
            _info(shards={"b": 1, "a": 1}),
        )
        self.assertLen({info.fingerprint for info in infos}, len(infos))
        self.assertEqual(infos[0].fingerprint, _info(source=[]).fingerprint)


class OriginalTest(InfoTest):
    def test_files_of_the_original_are_counted_once(self):
        names = [f"pretrain_data.tfrecord-{i}-of-1000" for i in (0, 10, 9)]
        directory = self.write_files(dict(zip(names, [2, 0, 3])))
        info = dataset_info.load(directory)
        self.assertEqual(info.max_seq_length, numbered_data.LENGTH)
        self.assertEqual(
            list(info.shards.items()),
            [(names[0], 2), (names[2], 3), (names[1], 0)],
        )
        self.assertIsNone(info.vocab_size)
        self.assertIn(dataset_info.INFO_FILE, os.listdir(directory))
        self.assertEqual(dataset_info.load(directory), info)

    def test_files_of_ours_without_description_are_no_data_set(self):
        directory = self.write_files({records.shard_names(1)[0]: 2})
        with self.assertRaisesRegex(ValueError, "holds no data set"):
            dataset_info.load(directory)

    def test_a_damaged_file_is_counted_up_to_the_damage_on_request(self):
        names = [f"pretrain_data.tfrecord-{i}-of-2" for i in range(2)]
        directory = self.write_files(dict.fromkeys(names, 4))
        path = os.path.join(directory, names[1])
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) - 1)
        message = f"{names[1]}: record 3, counted from 0, is corrupt"
        with self.assertRaisesRegex(ValueError, message):
            dataset_info.load(directory)
        with self.assertLogs("absl", "WARNING") as logs:
            info = dataset_info.load(directory, skip_corrupt=True)
        self.assertRegex(logs.output[0], message)
        self.assertEqual(info.shards, {names[0]: 4, names[1]: 3})


class CheckTest(parameterized.TestCase):
    def test_all_differences_from_a_run_are_in_one_error(self):
        info = _info(vocab_size=30522, vocab_sha256="ab")
        settings = dict(max_seq_length=128, vocab_size=30522, vocab_sha256="ab")
        dataset_info.check(info, data_dir="data", **settings)
        with self.assertRaisesRegex(
            ValueError,
            "data cannot be used: max_seq_length is 128 in the data, 512 in "
            "the run; vocab_sha256 is ab in the data, cd in the run",
        ):
            settings |= dict(max_seq_length=512, vocab_sha256="cd")
            dataset_info.check(info, data_dir="data", **settings)

    def test_what_the_data_does_not_know_is_not_compared(self):
        dataset_info.check(
            _info(), data_dir="data", max_seq_length=128, vocab_sha256="cd"
        )

    def test_data_sets_that_agree_may_be_mixed(self):
        known, unknown = _info(vocab_sha256="ab"), _info()
        dataset_info.check_agreement([unknown, known, known], ["a", "b", "c"])

    @parameterized.parameters(
        (dict(max_seq_length=64), "max_seq_length is 128 and 64"),
        (dict(vocab_sha256="cd"), "vocab_sha256 is ab and cd"),
    )
    def test_others_may_not(self, fields, message):
        infos = [
            _info(),
            _info(vocab_sha256="ab"),
            _info(**dict(vocab_sha256="ab") | fields),
        ]
        with self.assertRaisesRegex(ValueError, rf"in \w and Z .*: {message}"):
            dataset_info.check_agreement(infos, ["X", "Y", "Z"])


class CountLengthsTest(parameterized.TestCase):
    def test_eight_ranges_of_equal_width(self):
        lengths = [1, 16, 17, 128, 128, 113]
        self.assertEqual(
            dataset_info.count_lengths(np.bincount(lengths), 128),
            {
                "1-16": 2,
                "17-32": 1,
                "33-48": 0,
                "49-64": 0,
                "65-80": 0,
                "81-96": 0,
                "97-112": 0,
                "113-128": 3,
            },
        )

    @parameterized.parameters(
        # 100 / 8 = 12.5, so 13.
        (100, "1-13 14-26 27-39 40-52 53-65 66-78 79-91 92-100"),
        (9, "1-2 3-4 5-6 7-8 9-9"),
        (3, "1-1 2-2 3-3"),
    )
    def test_the_last_range_ends_with_the_longest(self, longest, ranges):
        one_of_each = np.array([0] + [1] * longest)
        counts = dataset_info.count_lengths(one_of_each, longest)
        self.assertEqual(list(counts), ranges.split())
        self.assertEqual(sum(counts.values()), longest)

    @parameterized.parameters(([1, 2],), ([0] * 9 + [1],))
    def test_impossible_lengths_are_refused(self, counts):
        with self.assertRaisesRegex(ValueError, "must have 1 to 8 tokens"):
            dataset_info.count_lengths(np.array(counts), 8)


if __name__ == "__main__":
    tf.test.main()
