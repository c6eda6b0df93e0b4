"""Tests of the folder of a run."""

import os

from absl.testing import absltest

from electra_tf import model_folder
from tests import testing


class ModelFolderTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = os.path.join(self.create_tempdir().full_path, "run")

    def _start(self, kind="pretraining", **overrides):
        model_folder.start(
            self.directory,
            kind=kind,
            run_config=testing.tiny_config(**overrides),
            extra={"labels": ["0", "1"]},
        )

    def test_what_is_written_is_read(self):
        self._start(seed=3)
        contents = model_folder.read(self.directory)
        self.assertEqual(contents["kind"], "pretraining")
        self.assertEqual(contents["config"]["seed"], 3)
        self.assertEqual(contents["labels"], ["0", "1"])
        self.assertEqual(os.listdir(self.directory), ["config.json"])

    def test_the_same_run_may_start_again(self):
        self._start(seed=3)
        self._start(seed=3, log_steps=7)
        contents = model_folder.read(self.directory)
        self.assertEqual(contents["config"]["log_steps"], 7)

    def test_another_configuration_is_refused_with_the_difference(self):
        self._start(mask_prob=0.15)
        with self.assertRaisesRegex(
            ValueError,
            r"(?s)another configuration:\n  mask_prob: 0.15 -> 0.25\n"
            r"  seed: 0 -> 1\n",
        ):
            self._start(mask_prob=0.25, seed=1)
        contents = model_folder.read(self.directory)
        self.assertEqual(contents["config"]["mask_prob"], 0.15)

    def test_a_run_of_another_kind_is_refused(self):
        self._start()
        with self.assertRaisesRegex(ValueError, "holds a pretraining run"):
            self._start(kind="finetuning")

    def test_a_folder_with_other_files_is_refused(self):
        os.makedirs(os.path.join(self.directory, "photos"))
        with self.assertRaisesRegex(ValueError, "is not empty"):
            self._start()

    def test_a_folder_that_cannot_be_made_is_an_error(self):
        with open(self.directory, "w") as file:
            file.write("a file")
        with self.assertRaisesRegex(ValueError, "Cannot write to"):
            self._start()

    def test_a_folder_without_configuration_is_no_model_folder(self):
        with self.assertRaisesRegex(ValueError, "is no model folder"):
            model_folder.read(self.directory)


if __name__ == "__main__":
    absltest.main()
