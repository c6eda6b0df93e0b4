"""Tests of the files of checkpoints, whole and torn."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoint_files
from electra_tf import checkpoints
from tests import torn_files


class CheckpointFilesTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path
        self.prefixes = {}
        for step in (5, 10):
            checkpoint = tf.train.Checkpoint(
                model={"x": tf.Variable(np.arange(1000.0) + step)}
            )
            path = checkpoint_files.prefix(self.directory, step)
            self.prefixes[step] = checkpoint.write(path)
        checkpoint_files.write_state(self.directory, [5, 10])

    def test_tensorflow_finds_the_newest(self):
        self.assertEqual(
            tf.train.latest_checkpoint(self.directory), self.prefixes[10]
        )
        self.assertEqual(
            tf.train.get_checkpoint_state(
                self.directory
            ).all_model_checkpoint_paths,
            [self.prefixes[5], self.prefixes[10]],
        )
        self.assertEqual(
            checkpoint_files.newest(self.directory), self.prefixes[10]
        )

    def test_whole_ones_are_undamaged(self):
        self.assertEqual(checkpoint_files.steps(self.directory), [5, 10])
        for path in self.prefixes.values():
            self.assertIsNone(checkpoint_files.damage(path))

    @parameterized.named_parameters(*torn_files.VARIANTS.items())
    def test_damage_is_found(self, tear):
        tear(self.prefixes[10])
        self.assertEqual(checkpoint_files.steps(self.directory), [5, 10])
        self.assertIsInstance(checkpoint_files.damage(self.prefixes[10]), str)
        self.assertIsNone(checkpoint_files.damage(self.prefixes[5]))

    @parameterized.named_parameters(
        (name, tear)
        for name, tear in torn_files.VARIANTS.items()
        if name != "garbage_in_data"  # Which keeps its size.
    )
    def test_who_reads_weights_gets_the_newest_whole_one(self, tear):
        tear(self.prefixes[10])
        with self.assertLogs(level="WARNING") as logs:
            values = checkpoints.read_variables(self.directory)
        self.assertIn("ckpt-10", logs.output[0])
        self.assertEqual(values["x"][0], 5.0)

    @parameterized.parameters(None, b"", b"\xff\xfe", b"model: ckpt-5 {")
    def test_without_a_readable_state_numbers_tell(self, content):
        path = os.path.join(self.directory, "checkpoint")
        os.remove(path)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        self.assertEqual(
            checkpoint_files.newest(self.directory), self.prefixes[10]
        )

    def test_all_parts_are_deleted_and_no_others(self):
        for name in ("ckpt-10_temp/part.index", "ckpt-100.index", "best/x"):
            path = os.path.join(self.directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w"):
                pass
        checkpoint_files.delete(self.directory, 10)
        self.assertSameElements(
            os.listdir(self.directory),
            [
                "best",
                "checkpoint",
                "ckpt-100.index",
                "ckpt-5.data-00000-of-00001",
                "ckpt-5.index",
            ],
        )

    def test_a_folder_that_is_not_there_has_none(self):
        directory = os.path.join(self.directory, "nowhere")
        self.assertEqual(checkpoint_files.steps(directory), [])
        self.assertIsNone(checkpoint_files.newest(directory))


if __name__ == "__main__":
    tf.test.main()
