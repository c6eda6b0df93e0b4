"""Tests of records, their description and the order in which they come."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import records
from tests import testing

_LENGTH = 6


def _features(number):
    """An example that can be recognised by its number."""
    return {
        "input_ids": [2, number, 3, 0, 0, 0],
        "input_mask": [1, 1, 1, 0, 0, 0],
        "segment_ids": [0, 0, 0, 0, 0, 0],
    }


def _golden(name):
    return testing.golden("pretrain_examples", name)


def _numbers(dataset, num_batches):
    """The numbers of the examples in each batch."""
    return [
        batch["input_ids"][:, 1].numpy().tolist()
        for batch in dataset.take(num_batches)
    ]


class RecordsTest(parameterized.TestCase, tf.test.TestCase):
    def write_folder(self, sizes, names=None):
        """A data folder of numbered examples; returns its path."""
        directory = self.create_tempdir().full_path
        names = names or records.shard_names(len(sizes))
        number = 100
        for name, size in zip(names, sizes):
            with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
                for _ in range(size):
                    file.write(records.serialize_example(_features(number)))
                    number += 1
        return directory

    def write_data(self, sizes, **info):
        """The same with a description."""
        directory = self.write_folder(sizes)
        shards = dict(zip(records.shard_names(len(sizes)), sizes))
        records.write_info(
            records.DatasetInfo(max_seq_length=_LENGTH, shards=shards, **info),
            directory,
        )
        return directory


class FormatTest(RecordsTest):
    def test_bytes_are_those_of_a_tensorflow_example(self):
        # Values of one, two, three and six bytes.
        features = {
            "input_ids": [127, 128, 16_384, 2**40],
            "input_mask": [1, 1, 1, 0],
            "segment_ids": [0, 1, 1, 0],
        }
        expected = tf.train.Example(
            features=tf.train.Features(
                feature={
                    name: tf.train.Feature(
                        int64_list=tf.train.Int64List(value=values)
                    )
                    for name, values in features.items()
                }
            )
        )
        self.assertEqual(
            tf.train.Example.FromString(records.serialize_example(features)),
            expected,
        )

    def test_a_negative_value_is_refused(self):
        with self.assertRaises(ValueError):
            records.serialize_example(
                _features(0) | {"input_ids": [200, -1, 0, 0, 0, 0]}
            )

    def test_a_file_of_the_original_is_made_of_the_same_features(self):
        with np.load(_golden("lines_len64_recorded.npz")) as golden:
            expected = [
                tf.train.Example.FromString(
                    records.serialize_example(
                        {name: golden[name][i].tolist() for name in golden}
                    )
                )
                for i in range(len(golden["input_ids"]))
            ]
        written = tf.data.TFRecordDataset(
            _golden("lines_len64_recorded.tfrecord")
        )
        self.assertEqual(
            [tf.train.Example.FromString(r.numpy()) for r in written], expected
        )


class InfoTest(RecordsTest):
    def test_what_was_written_is_read(self):
        directory = self.write_data([2, 1], vocab_size=9, counts={"tokens": 3})
        info = records.load_info(directory)
        self.assertEqual(info.num_examples, 3)
        self.assertEqual(info.vocab_size, 9)
        self.assertEqual(info.counts, {"tokens": 3})
        self.assertEqual(list(info.shards.values()), [2, 1])

    def test_files_of_the_original_are_counted_once(self):
        names = [f"pretrain_data.tfrecord-{i}-of-1000" for i in (0, 10, 9)]
        directory = self.write_folder([2, 0, 3], names)
        info = records.load_info(directory)
        self.assertEqual(info.max_seq_length, _LENGTH)
        self.assertEqual(
            list(info.shards.items()),
            [(names[0], 2), (names[2], 3), (names[1], 0)],
        )
        self.assertIsNone(info.vocab_size)
        self.assertIn(records.INFO_FILE, os.listdir(directory))
        self.assertEqual(records.load_info(directory), info)

    def test_files_of_ours_without_description_are_no_data_set(self):
        directory = self.write_folder([2])
        with self.assertRaisesRegex(ValueError, "holds no data set"):
            records.load_info(directory)

    def test_a_missing_file_is_named(self):
        directory = self.write_data([2, 1, 1])
        missing = records.shard_names(3)[1]
        os.remove(os.path.join(directory, missing))
        with self.assertRaisesRegex(ValueError, f"1 of the 3 .* {missing}"):
            records.load_info(directory)

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
        directory.create_file(records.INFO_FILE, text)
        with self.assertRaisesRegex(ValueError, message):
            records.load_info(directory.full_path)

    def test_all_differences_from_a_run_are_in_one_error(self):
        info = records.DatasetInfo(
            max_seq_length=128,
            shards={"a": 1},
            vocab_size=30522,
            vocab_sha256="ab",
        )
        settings = dict(max_seq_length=128, vocab_size=30522, vocab_sha256="ab")
        records.check(info, data_dir="data", **settings)
        with self.assertRaisesRegex(
            ValueError,
            "data cannot be used: max_seq_length is 128 in the data, 512 in "
            "the run; vocab_sha256 is ab in the data, cd in the run",
        ):
            settings |= dict(max_seq_length=512, vocab_sha256="cd")
            records.check(info, data_dir="data", **settings)

    def test_what_the_data_does_not_know_is_not_compared(self):
        info = records.DatasetInfo(max_seq_length=128, shards={"a": 1})
        records.check(
            info, data_dir="data", max_seq_length=128, vocab_sha256="cd"
        )


class TrainDatasetTest(RecordsTest):
    def test_every_example_comes_once_an_epoch_in_another_order(self):
        directory = self.write_data([5, 0, 9, 3, 7])
        dataset = records.train_dataset(directory, batch_size=6, seed=1)
        first, second = np.reshape(_numbers(dataset, 8), [2, 24])
        self.assertCountEqual(first, range(100, 124))
        self.assertCountEqual(second, range(100, 124))
        self.assertNotAllEqual(first, second)

    def test_batches_are_int32_of_a_static_shape_and_hold_the_features(self):
        directory = self.write_data([1])
        dataset = records.train_dataset(directory, batch_size=3, seed=0)
        self.assertEqual(
            dataset.element_spec,
            {
                name: tf.TensorSpec([3, _LENGTH], tf.int32)
                for name in records.FEATURES
            },
        )
        for batch in dataset.take(2):  # Of an epoch of one example.
            for name, values in _features(100).items():
                self.assertAllEqual(batch[name], [values] * 3)

    @parameterized.parameters(1, 4, None)
    def test_resuming_gives_the_batches_of_an_unbroken_run(
        self, shards_per_block
    ):
        sizes = [5, 1, 9, 0, 3, 8, 2, 4, 6]  # 38 examples, 7.6 batches of 5.
        directory = self.write_data(sizes)

        def run(start_step):
            dataset = records.train_dataset(
                directory,
                batch_size=5,
                seed=5,
                start_step=start_step,
                shards_per_block=shards_per_block,
            )
            return _numbers(dataset, 20 - start_step)

        unbroken = run(0)
        for step in (1, 7, 8, 11, 19):
            self.assertEqual(run(step), unbroken[step:], f"step {step}")

    def test_resuming_reads_no_file_before_the_block(self):
        directory = self.write_data([4] * 8)

        def run(start_step):
            dataset = records.train_dataset(
                directory,
                batch_size=4,
                seed=0,
                start_step=start_step,
                shards_per_block=1,
            )
            return _numbers(dataset, 1)[0]

        before, after = run(3), run(4)
        # Shards have 4 numbers from 100 on; step 3 reads only this one:
        unread = records.shard_names(8)[(before[0] - 100) // 4]
        with open(os.path.join(directory, unread), "wb") as file:
            file.write(b"broken")
        self.assertEqual(run(4), after)
        with self.assertRaises(tf.errors.InvalidArgumentError):
            run(3)

    def test_seeds_give_different_orders_and_the_same_seed_the_same(self):
        directory = self.write_data([20, 20])
        first, again, other = (
            _numbers(
                records.train_dataset(directory, batch_size=40, seed=seed), 1
            )
            for seed in (1, 1, 2**33 + 1)
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)


class EvalDatasetTest(RecordsTest):
    def test_one_pass_in_order_padded_with_zeros(self):
        directory = self.write_data([3, 0, 2])
        dataset = records.eval_dataset(directory, batch_size=3)
        self.assertLen(dataset, 2)
        batches = list(dataset)
        self.assertAllEqual(batches[0]["input_ids"][:, 1], [100, 101, 102])
        self.assertAllEqual(batches[1]["input_ids"][:, 1], [103, 104, 0])
        self.assertAllEqual(batches[1]["input_mask"][2], [0] * _LENGTH)

    def test_examples_of_the_original_come_in_its_order(self):
        directory = self.create_tempdir().full_path
        tf.io.gfile.copy(
            _golden("lines_len64_recorded.tfrecord"),
            os.path.join(directory, "pretrain_data.tfrecord-0-of-1"),
        )
        (batch,) = records.eval_dataset(directory, batch_size=178)
        with np.load(_golden("lines_len64_recorded.npz")) as golden:
            for name in records.FEATURES:
                self.assertAllEqual(batch[name], golden[name])


class DamageTest(RecordsTest):
    def damage(self, change):
        """A folder whose second file of four records is changed."""
        directory = self.write_data([1, 4])
        path = os.path.join(directory, records.shard_names(2)[1])
        with open(path, "rb") as file:
            content = bytearray(file.read())
        with open(path, "wb") as file:
            file.write(change(content))
        return directory

    @parameterized.named_parameters(
        ("cut_off", lambda content: content[:-1], "record 3"),
        (
            "one_bit",
            # In the middle of the third of four records of equal size.
            lambda content: bytes(
                byte ^ (i == len(content) * 5 // 8)
                for i, byte in enumerate(content)
            ),
            "record 2",
        ),
        ("no_records_at_all", lambda content: b"nothing" * 9, "record 0"),
        (
            "last_record_missing",
            lambda content: content[: len(content) * 3 // 4],
            "holds 3 records, dataset_info.json says 4",
        ),
    )
    def test_the_error_names_file_and_record(self, change, message):
        directory = self.damage(change)
        expected = f"{records.shard_names(2)[1]}.* {message}"
        for dataset in (
            records.train_dataset(directory, batch_size=5, seed=0),
            records.eval_dataset(directory, batch_size=5),
        ):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, expected
            ):
                list(dataset.take(1))


if __name__ == "__main__":
    tf.test.main()
