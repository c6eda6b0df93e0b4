"""Tests of the order of examples, and of the batches made of them."""

import os
from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import input_pipeline
from electra_tf import records
from tests import numbered_data
from tests import testing


def _infos(*sizes):
    return [
        dataset_info.DatasetInfo(
            max_seq_length=numbered_data.LENGTH, shards={"a": size}
        )
        for size in sizes
    ]


class PipelineTest(parameterized.TestCase, tf.test.TestCase):
    def write_data(self, sizes, first=100, **fields):
        directory = self.create_tempdir().full_path
        return numbered_data.write(directory, sizes, first, **fields)

    def write_mixture(self):
        """Two folders, of 750 examples from 100 on and 250 from 1000 on."""
        return [
            self.write_data([150] * 5),
            self.write_data([31, 0, 69, 50, 80, 20], first=1000),
        ]


class TrainDatasetTest(PipelineTest):
    def test_every_example_comes_once_an_epoch_in_another_order(self):
        directory = self.write_data([5, 0, 9, 3, 7])
        dataset = input_pipeline.train_dataset(
            [directory], batch_size=6, seed=1
        )
        first, second = np.reshape(numbered_data.batches(dataset, 8), [2, 24])
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
            numbered_data.batches(dataset, 2),
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
                name: tf.TensorSpec([3, numbered_data.LENGTH], tf.int32)
                for name in records.FEATURES
            },
        )
        for batch in dataset.take(2):  # Of an epoch of one example.
            for name, values in numbered_data.features([100] * 3).items():
                self.assertAllEqual(batch[name], values)

    def test_seeds_give_different_orders_and_the_same_seed_the_same(self):
        directory = self.write_data([20, 20])
        first, again, other = (
            numbered_data.batches(
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
    @parameterized.parameters(1, 4)
    def test_one_folder_goes_on_as_an_unbroken_run(self, shards_per_block):
        # 38 examples, so 7.6 batches an epoch: the batch of step 7 has some
        # of two, and step 38 begins the sixth.
        directory = self.write_data([5, 1, 9, 0, 3, 8, 2, 4, 6])
        self.assert_resumes(
            [directory],
            edges=[7, 38],
            batch_size=5,
            shards_per_block=shards_per_block,
        )

    @parameterized.parameters(1, 4)
    def test_a_mixture_goes_on_as_an_unbroken_run(self, shards_per_block):
        # 100 batches of 70 examples are 7 cycles, of 800 and 200 examples;
        # that of step 14 has some of two.
        self.assert_resumes(
            self.write_mixture(),
            edges=[14, 100],
            batch_size=70,
            weights=[4, 1],
            shards_per_block=shards_per_block,
        )

    def assert_resumes(self, data_dirs, *, edges, **arguments):
        """There and at random steps, the next batches are a whole run's."""

        def run(start_step, num_batches):
            dataset = input_pipeline.train_dataset(
                data_dirs, seed=5, start_step=start_step, **arguments
            )
            return numbered_data.batches(dataset, num_batches)

        unbroken = run(0, 103)
        some = np.random.default_rng(0).integers(100, size=4).tolist()
        for step in [*edges, *some]:
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
        paths = {directory: [] for directory in data_dirs}
        read_file = records.read_file

        def read(path):
            of_folder = paths[os.path.dirname(path)]
            of_folder.append(path)
            if len(of_folder) > shards_per_block:
                # By reading ahead. A batch that needed it would not come.
                raise ValueError("This is not needed.")
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
            self.assertFalse(any(paths.values()))
            self.assertLen(numbered_data.batches(dataset, 1), 1)
        for of_folder in paths.values():
            self.assertGreaterEqual(len(of_folder), shards_per_block)


class MixtureTest(PipelineTest):
    def test_every_cycle_has_as_much_of_each_folder_as_the_weights_say(self):
        data_dirs = self.write_mixture()
        dataset = input_pipeline.train_dataset(
            data_dirs, batch_size=1000, seed=3, weights=[1, 3]
        )
        alone = input_pipeline.train_dataset(
            data_dirs[:1], batch_size=250, seed=3
        )
        cycles = np.array(numbered_data.batches(dataset, 3))
        for cycle, first in zip(cycles, numbered_data.batches(alone, 3)):
            # A quarter, those that the first folder gives alone, too.
            self.assertCountEqual(cycle[cycle < 1000], first)
            # Three epochs of the second folder.
            self.assertCountEqual(
                cycle[cycle >= 1000], [*range(1000, 1250)] * 3
            )
        # About evenly spread, and each time in another way.
        self.assertBetween(np.sum(cycles[0, :500] < 1000), 95, 155)
        self.assertNotAllEqual(cycles[0] < 1000, cycles[1] < 1000)

    def test_by_default_every_example_comes_equally_often(self):
        dataset = input_pipeline.train_dataset(
            self.write_mixture(), batch_size=1000, seed=3
        )
        (cycle,) = numbered_data.batches(dataset, 1)
        self.assertCountEqual(cycle, [*range(100, 850), *range(1000, 1250)])

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
        infos = _infos(5, 10, 5, 1)[: len(expected)]
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
        self.assertAllEqual(
            batches[1]["input_mask"][2], [0] * numbered_data.LENGTH
        )

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


if __name__ == "__main__":
    tf.test.main()
