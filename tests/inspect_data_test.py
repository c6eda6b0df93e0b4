"""Tests of the program that shows a data set, as a user runs it."""

import json
import os

from absl.testing import absltest

from tests import forked
from tests import testing
from tests import tiny_data


class InspectDataTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        self.data_dir = os.path.join(self.root, "data")
        os.mkdir(self.data_dir)
        tiny_data.write(self.data_dir)

    def run_program(self, **flags) -> str:
        """Returns what it prints."""
        flags = {"data_dir": self.data_dir, "color": "never"} | flags
        arguments = (f"--{name}={value}" for name, value in flags.items())
        result = forked.run("data_prep.inspect_data", *arguments)
        if result.returncode:
            raise ValueError(result.stderr)
        return result.stdout

    def titles(self, output):
        return [
            line.split("──")[1].strip(" ─")
            for line in output.splitlines()
            if line.startswith("──")
        ]

    def test_it_shows_data_statistics_and_examples(self):
        output = self.run_program(num_examples=2, seed=1)
        data, statistics, *examples = self.titles(output)
        self.assertEqual(data, "Data set")
        self.assertEqual(statistics, "Statistics of all 4 examples")
        self.assertLen(examples, 2)
        self.assertNotIn("\x1b", output)
        self.assertIn("\x1b", self.run_program(color="always"))

    def test_it_runs_a_model(self):
        model_dir = os.path.join(self.root, "model")
        testing.write_model_folder(
            model_dir, testing.tiny_config(max_seq_length=tiny_data.LENGTH)
        )
        output = self.run_program(model_dir=model_dir, threshold=0.4)
        self.assertEqual(self.titles(output)[-1], "All 4 examples together")
        self.assertIn("false alarms", output)
        # The seed decides all of it.
        self.assertEqual(
            self.run_program(model_dir=model_dir, threshold=0.4), output
        )

    def test_it_writes_the_counts(self):
        path = os.path.join(self.root, "new", "counts.json")
        self.run_program(json=path, sample_size=2)
        with open(path) as file:
            self.assertEqual(json.load(file)["num_examples"], 2)
        self.assertEqual(os.listdir(os.path.dirname(path)), ["counts.json"])

    def test_a_mistake_ends_it_with_one_line(self):
        with self.assertRaisesRegex(ValueError, "Error: There is no folder"):
            self.run_program(data_dir="/nowhere")


if __name__ == "__main__":
    absltest.main()
