"""Tests of the program that writes configuration files."""

import os
import subprocess
import sys

from absl.testing import absltest


class WriteServingConfigsTest(absltest.TestCase):
    def run_program(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "electra_tf.serving.write_serving_configs"]
            + [f"--output_dir={self.output_dir}", *arguments],
            capture_output=True,
            text=True,
        )

    def setUp(self):
        super().setUp()
        folder = self.create_tempdir().full_path
        self.output_dir = os.path.join(folder, "deploy")
        self.base_path = os.path.join(folder, "sst")
        os.makedirs(os.path.join(self.base_path, "1"))

    def test_files_are_written_and_told(self):
        result = self.run_program(
            f"--model_base_path={self.base_path}",
            "--allowed_batch_sizes=1,8",
            "--max_batch_size=8",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        told = [os.path.basename(path) for path in result.stdout.split()]
        self.assertLen(told, 4)
        self.assertCountEqual(told, os.listdir(self.output_dir))
        path = os.path.join(self.output_dir, "batching_parameters.txt")
        with open(path) as file:
            self.assertIn("allowed_batch_sizes: 8\n", file.read())

    def test_a_mistake_ends_it_with_one_line(self):
        result = self.run_program(
            f"--model_base_path={self.base_path}", "--allowed_batch_sizes=1,x"
        )
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "^Error: .*such as 1,8,32, got '1,x'")
        self.assertFalse(os.path.exists(self.output_dir))


if __name__ == "__main__":
    absltest.main()
