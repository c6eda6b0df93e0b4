"""Tests of the order of examples, and of the batches made of them."""

import os
import threading
from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import input_pipeline
from electra_tf import records
from tests import testing

_LENGTH = 6


def _features(numbers):
    """Examples that can be recognised by their numbers."""
    numbers = np.reshape(numbers, [-1, 1])
    columns = (
        ("input_ids", [2, 0, 3, 0, 0, 0] + [0, 1, 0, 0, 0, 0] * numbers),
        ("input_mask", [1, 1, 1, 0, 0, 0] + 0 * numbers),
        ("segment_ids", [0, 0, 0, 0, 0, 0] + 0 * numbers),
    )
    return dict(columns)


def _batches(dataset, num_batches):
    """The numbers of the examples in each batch."""
    return [
        batch["input_ids"][:, 1].numpy().tolist()
        for batch in dataset.take(num_batches)
    ]


def _infos(*sizes):
    return [
        dataset_info.DatasetInfo(max_seq_length=_LENGTH, shards={"a": size})
        for size in sizes
    ]


class PipelineTest(parameterized.TestCase, tf.test.TestCase):
    def write_data(self, sizes, first=100, **fields):
        """A data folder of examples numbered from `first` on."""
        directory = self.create_tempdir().full_path
        shards = dict(zip(records.shard_names(len(sizes)), sizes))
        for name, size in shards.items():
            features = _features(np.arange(first, first + size))
            with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
                for record in records.serialize_examples(features):
                    file.write(record)
            first += size
        info = dataset_info.DatasetInfo(
            **dict(max_seq_length=_LENGTH, shards=shards) | fields
        )
        dataset_info.write(info, directory)
        return directory

    def write_mixture(self):
        """Two folders, of 700 examples from 100 on and 250 from 1000 on."""
        return [
            self.write_data([100] * 7),
            self.write_data([31, 0, 69, 50, 50, 20, 30], first=1000),
        ]


class TrainDatasetTest(PipelineTest):
    def test_every_example_comes_once_an_epoch_in_another_order(self):
        directory = self.write_data([5, 0, 9, 3, 7])
        dataset = input_pipeline.train_dataset(
            [directory], batch_size=6, seed=1
        )
        first, second = np.reshape(_batches(dataset, 8), [2, 24])
        self.assertCountEqual(first, range(100, 124))
        self.assertCountEqual(second, range(100, 124))
        self.assertNotAllEqual(first, second)

    def test_the_order_never_changes(self):
        # As it was when this was written: earlier runs can be continued.
        directory = self.write_data([5, 0, 9, 3, 7])
        dataset = input_pipeline.train_dataset(
            [directory], batch_size=12, seed=1, shards_per_block=2
        )
        self.assertEqual(
            _batches(dataset, 2),
            [
                [109, 113, 112, 114, 110, 108, 107, 115, 106, 116, 111, 105],
                [119, 102, 100, 120, 123, 103, 122, 121, 118, 104, 117, 101],
            ],
        )

    def test_batches_are_int32_of_a_static_shape_and_hold_the_features(self):
        directory = self.write_data([1])
        dataset = input_pipeline.train_dataset(
            [directory], batch_size=3, seed=0
        )
        self.assertEqual(
            dataset.element_spec,
            {
                name: tf.TensorSpec([3, _LENGTH], tf.int32)
                for name in records.FEATURES
            },
        )
        for batch in dataset.take(2):  # Of an epoch of one example.
            for name, values in _features([100] * 3).items():
                self.assertAllEqual(batch[name], values)

    def test_seeds_give_different_orders_and_the_same_seed_the_same(self):
        directory = self.write_data([20, 20])
        first, again, other = (
            _batches(
                input_pipeline.train_dataset(
                    [directory], batch_size=40, seed=seed
                ),
                1,
            )
            for seed in (1, 1, 2**33 + 1)
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)


class ResumeTest(PipelineTest):
    @parameterized.parameters(1, 4, None)
    def test_one_folder_goes_on_as_an_unbroken_run(self, shards_per_block):
        # 38 examples, so 7.6 batches an epoch.
        directory = self.write_data([5, 1, 9, 0, 3, 8, 2, 4, 6])
        self.assert_resumes(
            [directory], batch_size=5, shards_per_block=shards_per_block
        )

    @parameterized.parameters(1, 4, None)
    def test_a_mixture_goes_on_as_an_unbroken_run(self, shards_per_block):
        # 102 batches of 70 examples: 7 cycles, 8 epochs of the first folder.
        self.assert_resumes(
            self.write_mixture(),
            batch_size=70,
            weights=[4, 1],
            shards_per_block=shards_per_block,
        )

    def assert_resumes(self, data_dirs, **arguments):
        """At 20 random steps, the next batches are those of a whole run."""

        def run(start_step, num_batches):
            dataset = input_pipeline.train_dataset(
                data_dirs, seed=5, start_step=start_step, **arguments
            )
            return _batches(dataset, num_batches)

        unbroken = run(0, 103)
        for step in np.random.default_rng(0).integers(100, size=20).tolist():
            self.assertEqual(run(step, 3), unbroken[step : step + 3], step)

    @parameterized.product(
        is_mixture=(False, True),
        shards_per_block=(1, 4),
        step=(3, 10**9),
    )
    def test_a_start_needs_the_files_of_one_block_only(
        self, is_mixture, shards_per_block, step
    ):
        # Blocks of 600 and 2400, or 400 and 1600: cycles do not cut them.
        data_dirs = [self.write_data([600] * 8)]
        if is_mixture:
            data_dirs.append(self.write_data([400] * 8, first=9000))
        num_needed = shards_per_block * len(data_dirs)
        paths, read_file = [], records.read_file
        has_batch, lock = threading.Event(), threading.Lock()

        def read(path):
            with lock:
                paths.append(path)
                is_ahead = len(paths) > num_needed
            if is_ahead:  # Data sets read ahead: wait until that is over.
                self.assertTrue(has_batch.wait(timeout=60))
            return read_file(path)

        with mock.patch.object(records, "read_file", read):
            dataset = input_pipeline.train_dataset(
                data_dirs,
                batch_size=1,
                seed=0,
                weights=[3, 2][: len(data_dirs)],
                start_step=step,
                shards_per_block=shards_per_block,
            )
            self.assertEmpty(paths)
            iterator = iter(dataset)
            next(iterator)
            self.assertGreaterEqual(len(paths), num_needed)
            has_batch.set()
            del iterator


class MixtureTest(PipelineTest):
    def test_every_cycle_has_as_much_of_each_folder_as_the_weights_say(self):
        data_dirs = self.write_mixture()
        dataset = input_pipeline.train_dataset(
            data_dirs, batch_size=1000, seed=3, weights=[3, 1]
        )
        alone = [
            np.concatenate(
                _batches(
                    input_pipeline.train_dataset(
                        [directory], batch_size=count, seed=3
                    ),
                    3,
                )
            )
            for directory, count in zip(data_dirs, (750, 250))
        ]
        cycles = np.array(_batches(dataset, 3))
        for i, cycle in enumerate(cycles):
            first = cycle[cycle < 1000]
            # Three quarters; these the first folder gives alone, too.
            self.assertCountEqual(first, alone[0][750 * i : 750 * (i + 1)])
            # One epoch of the second folder.
            self.assertCountEqual(cycle[cycle >= 1000], range(1000, 1250))
        # About evenly spread, and each time in another way.
        self.assertBetween(np.sum(cycles[0, :500] >= 1000), 100, 150)
        self.assertNotAllEqual(cycles[0] >= 1000, cycles[1] >= 1000)

    def test_by_default_every_example_comes_equally_often(self):
        dataset = input_pipeline.train_dataset(
            self.write_mixture(), batch_size=1000, seed=3
        )
        (cycle,) = np.array(_batches(dataset, 1))
        # 250 / 950 * 1000 = 263.16.
        self.assertEqual(np.sum(cycle >= 1000), 263)

    def test_folders_must_agree(self):
        data_dirs = [
            self.write_data([1], vocab_sha256=value) for value in ("ab", "cd")
        ]
        with self.assertRaisesRegex(
            ValueError, f"{data_dirs[0]} and {data_dirs[1]} .*is ab and cd"
        ):
            input_pipeline.train_dataset(data_dirs, batch_size=1, seed=0)

    @parameterized.parameters(
        ([3, 1], [750, 250]),
        ([0.5, 0.5], [500, 500]),
        # 333.3 each: of equal remainders the first is rounded up.
        ([1, 1, 1], [334, 333, 333]),
        # 1428.6 / 10 = 142.86, three times, and 571.43.
        ([1, 4, 1, 1], [143, 571, 143, 143]),
        ([7], [1000]),
        # 0.9 of 1,000 is rounded to 1.
        ([999.1, 0.9], [999, 1]),
        (None, [250, 500, 250]),
    )
    def test_counts_add_up_to_a_cycle(self, weights, expected):
        sizes = (5, 10, 5) if weights is None else weights
        infos = _infos(*[5, 10, 5, 1][: len(sizes)])
        self.assertEqual(input_pipeline.cycle_counts(infos, weights), expected)

    @parameterized.parameters(
        ([1], "2 folders and 1 weights"),
        ([1, 0], "above 0, got 0"),
        ([1, float("nan")], "above 0, got nan"),
        # 0.4 of 1,000; 999.6 / 999 = 1.0006.
        ([999.6, 0.4], "folder 2 is too small: 0.4 of 1000 .* 1.0006 or more"),
    )
    def test_other_weights_are_refused(self, weights, message):
        with self.assertRaisesRegex(ValueError, message):
            input_pipeline.cycle_counts(_infos(5, 5), weights)

    def test_without_folders_there_is_no_mixture(self):
        with self.assertRaisesRegex(ValueError, "0 folders"):
            input_pipeline.train_dataset([], batch_size=1, seed=0)


class HostsTest(PipelineTest):
    @parameterized.parameters(2, 3, 6)
    def test_together_hosts_see_the_batches_of_one(self, num_pipelines):
        directory = self.write_data([5, 0, 9, 3])

        def run(**arguments):
            dataset = input_pipeline.train_dataset(
                [directory], batch_size=6, seed=2, start_step=1, **arguments
            )
            return list(dataset.take(4))

        parts = [
            run(num_pipelines=num_pipelines, pipeline=i)
            for i in range(num_pipelines)
        ]
        for i, batch in enumerate(run()):
            for name in records.FEATURES:
                self.assertAllEqual(
                    tf.concat([part[i][name] for part in parts], axis=0),
                    batch[name],
                )

    @parameterized.parameters(
        (6, 4, 0, "batch of 6 .* 4 pipelines. .* 4 and 8"),
        (3, 4, 0, "that can are 4"),
        (6, 2, 2, "got 2 of 2"),
        (6, 0, 0, "got 0 of 0"),
    )
    def test_what_cannot_be_divided_is_refused(
        self, batch_size, num_pipelines, pipeline, message
    ):
        with self.assertRaisesRegex(ValueError, message):
            input_pipeline.train_dataset(
                [self.write_data([9])],
                batch_size=batch_size,
                seed=0,
                num_pipelines=num_pipelines,
                pipeline=pipeline,
            )


class EvalDatasetTest(PipelineTest):
    def test_one_pass_in_order_padded_with_zeros(self):
        directory = self.write_data([3, 0, 2])
        dataset = input_pipeline.eval_dataset(directory, batch_size=3)
        self.assertLen(dataset, 2)
        batches = list(dataset)
        self.assertAllEqual(batches[0]["input_ids"][:, 1], [100, 101, 102])
        self.assertAllEqual(batches[1]["input_ids"][:, 1], [103, 104, 0])
        self.assertAllEqual(batches[1]["input_mask"][2], [0] * _LENGTH)

    def test_examples_of_the_original_come_in_its_order(self):
        name = "lines_len64_recorded"
        directory = self.create_tempdir().full_path
        tf.io.gfile.copy(
            testing.golden("pretrain_examples", f"{name}.tfrecord"),
            os.path.join(directory, "pretrain_data.tfrecord-0-of-1"),
        )
        (batch,) = input_pipeline.eval_dataset(directory, batch_size=178)
        path = testing.golden("pretrain_examples", f"{name}.npz")
        with np.load(path) as golden:
            for name in records.FEATURES:
                self.assertAllEqual(batch[name], golden[name])


class DamageTest(PipelineTest):
    def damage(self, directory, shard, change):
        """Changes the bytes of a file of a folder; returns its name."""
        name = sorted(os.listdir(directory))[1 + shard]
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(change(content))
        return name

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
        directory = self.write_data([1, 4])
        name = self.damage(directory, 1, change)
        for dataset in (
            input_pipeline.train_dataset([directory], batch_size=5, seed=0),
            input_pipeline.eval_dataset(directory, batch_size=5),
        ):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, f"{name}.* {message}"
            ):
                list(dataset.take(1))

    @parameterized.parameters(
        (lambda content: content[:-1], 3),
        (lambda content: content[: len(content) * 3 // 4], 3),
        (lambda content: content[: len(content) // 4 + 9], 1),
        (lambda content: b"nothing" * 9, 0),
    )
    def test_skipped_records_change_no_others(self, change, num_readable):
        directory = self.write_data([4, 4, 4, 4])

        def train():
            dataset = input_pipeline.train_dataset(
                [directory],
                batch_size=8,
                seed=0,
                shards_per_block=2,
                skip_corrupt=True,
            )
            return np.array(_batches(dataset, 6))  # Blocks of three epochs.

        before = train()
        name = self.damage(directory, 1, change)  # Of numbers 104 to 107.
        with self.assertLogs("absl", "WARNING") as logs:
            after = train()
        self.assertRegex(
            logs.output[0],
            f"{name}: record {num_readable}, .* {4 - num_readable} of 4",
        )
        is_skipped = (before >= 104 + num_readable) & (before <= 107)
        self.assertEqual(np.sum(is_skipped), 3 * (4 - num_readable))
        self.assertAllEqual(after[~is_skipped], before[~is_skipped])
        for block_before, block_after in zip(before, after):
            self.assertContainsSubset(block_after, block_before)
        self.assertNoCommonElements(after.flatten(), before[is_skipped])

    def test_a_block_without_readable_records_is_an_error(self):
        directory = self.write_data([4, 4])
        name = self.damage(directory, 1, lambda content: b"nothing")
        dataset = input_pipeline.train_dataset(
            [directory],
            batch_size=8,
            seed=0,
            shards_per_block=1,
            skip_corrupt=True,
        )
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, f"no record of {name} can be read"
        ):
            list(dataset.take(1))

    def test_evaluation_has_padding_in_place_of_skipped_records(self):
        directory = self.write_data([4, 3])
        self.damage(directory, 0, lambda content: content[:-1])
        dataset = input_pipeline.eval_dataset(
            directory, batch_size=5, skip_corrupt=True
        )
        self.assertEqual(
            _batches(dataset, 9),
            [[100, 101, 102, 0, 104], [105, 106, 0, 0, 0]],
        )
        for batch in dataset:
            is_padding = batch["input_ids"][:, 1] == 0
            self.assertAllEqual(
                tf.reduce_sum(batch["input_mask"], axis=1),
                tf.where(is_padding, 0, 3),
            )

    def test_more_records_than_described_are_never_skipped(self):
        directory = self.write_data([4])
        self.damage(directory, 0, lambda content: content * 2)
        dataset = input_pipeline.eval_dataset(
            directory, batch_size=4, skip_corrupt=True
        )
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "holds 8 records, .* says 4"
        ):
            list(dataset)


if __name__ == "__main__":
    tf.test.main()
