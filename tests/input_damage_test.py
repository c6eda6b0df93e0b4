"""Tests of data folders with files that cannot be read to their end."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import input_pipeline
from tests import numbered_data


class DamageTest(parameterized.TestCase, tf.test.TestCase):
    def write_data(self, sizes):
        return numbered_data.write(self.create_tempdir().full_path, sizes)

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
            return np.array(
                numbered_data.batches(dataset, 6)
            )  # Blocks of three epochs.

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
            numbered_data.batches(dataset, 9),
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
