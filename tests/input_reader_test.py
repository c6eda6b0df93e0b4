"""Tests of how the reading of a data set is measured."""

import os
from unittest import mock

from absl.testing import absltest
import tensorflow as tf

from benchmarks import input_reader
from electra_tf import input_pipeline
from electra_tf import records
from tests import numbered_data


class InputReaderTest(tf.test.TestCase):
    def write(self, sizes):
        return numbered_data.write(self.create_tempdir().full_path, sizes)

    def test_a_summary_is_of_medians(self):
        readings = [
            input_reader.Reading(
                first_batch_s=first, seconds=seconds, cpu_seconds=cpu
            )
            for first, seconds, cpu in (
                (0.5, 4.0, 0.002),
                (0.1, 1.0, 0.006),
                (0.2, 2.0, 0.004),
            )
        ]
        self.assertAllClose(
            input_reader.summary(readings, num_examples=100),
            {
                "first_batch_s": 0.2,
                "examples_per_s": 50.0,  # 100 in 2 s.
                "cpu_us_per_example": 40.0,  # 4 ms for 100.
            },
        )

    def test_it_reads_the_batches_of_a_run_that_goes_on(self):
        data_dir = self.write([6, 6])
        taken = []
        train_dataset = input_pipeline.train_dataset

        def spy(*args, **kwargs):
            return train_dataset(*args, **kwargs).map(note)

        def note(batch):
            numbers = batch["input_ids"][:, 1]
            tf.numpy_function(lambda x: taken.append(x.tolist()), [numbers], [])
            return batch

        with mock.patch.object(input_pipeline, "train_dataset", spy):
            input_reader.read(
                [data_dir], batch_size=4, start_step=2, num_batches=3
            )
        # A run from the beginning has seen two batches before these.
        run = train_dataset([data_dir], batch_size=4, seed=0)
        self.assertEqual(taken, numbered_data.batches(run, 6)[2:])

    def test_every_turn_makes_a_data_set_anew(self):
        data_dir = self.write([8])
        reading = input_reader.Reading(
            first_batch_s=1.0, seconds=2.0, cpu_seconds=1.0
        )
        with mock.patch.object(
            input_reader, "read", return_value=reading
        ) as read:
            row = input_reader.measure(
                [data_dir], batch_size=4, start_step=3, num_batches=5, turns=2
            )
        self.assertEqual(read.call_count, 2)
        self.assertEqual((row["batch_size"], row["start_step"]), (4, 3))
        self.assertEqual(row["examples_per_s"], 10.0)  # 5 * 4 in 2 s.

    def test_damaged_data_is_an_error_in_plain_words(self):
        data_dir = self.write([4])
        (name,) = records.shard_names(1)
        path = os.path.join(data_dir, name)
        os.truncate(path, os.path.getsize(path) - 1)
        with self.assertRaisesRegex(ValueError, "^[^\n]*record 3, [^\n]*$"):
            input_reader.measure(
                [data_dir], batch_size=2, start_step=0, num_batches=1, turns=1
            )


if __name__ == "__main__":
    absltest.main()
