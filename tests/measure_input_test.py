"""Tests of the program that measures the input pipeline, as a user runs it."""

import json
import os
import tempfile

from absl.testing import absltest

from tests import forked
from tests import tiny_data


def _run(**flags):
    arguments = (f"--{name}={value}" for name, value in flags.items())
    return forked.run("benchmarks.measure_input", *arguments)


class MeasureInputTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        path = os.path.join(cls.directory, "results.jsonl")
        cls.result = _run(
            num_examples=20,
            num_folders=2,
            max_seq_length=16,
            batch_sizes=8,
            start_steps=1001,
            num_read=30,
            turns=1,
            examples_per_s=500,
            results=path,
        )
        if cls.result.returncode:
            raise RuntimeError(cls.result.stderr)
        with open(path) as file:
            (line,) = file.read().splitlines()
        cls.line = json.loads(line)
        cls.figures = cls.line["figures"]

    def test_the_line_says_what_was_read(self):
        self.assertEqual(self.line["benchmark"], "input")
        self.assertEqual(self.figures["num_folders"], 2)
        self.assertEqual(self.figures["num_examples"], 20)
        self.assertEqual(self.figures["max_seq_length"], 16)
        self.assertEqual(self.figures["target_examples_per_s"], 500)
        self.assertEqual(
            [(r["batch_size"], r["start_step"]) for r in self.figures["rows"]],
            [(8, 1001)],
        )

    def test_figures_of_a_row_agree_with_each_other(self):
        megabytes_per_example = self.figures["megabytes"] / 20
        # Three features of 16 values, of 1 to 3 bytes, and their names.
        self.assertBetween(megabytes_per_example, 48e-6, 300e-6)
        (row,) = self.figures["rows"]
        rate = row["examples_per_s"]
        self.assertAlmostEqual(row["times_target"], rate / 500)
        self.assertAlmostEqual(row["mb_per_s"], rate * megabytes_per_example)
        self.assertAlmostEqual(
            row["cores_at_target"], 500e-6 * row["cpu_us_per_example"]
        )
        self.assertGreater(row["first_batch_s"], 0.0)
        self.assertGreater(row["added_memory_gb"], 0.0)
        # Python and TensorFlow alone take hundreds of megabytes.
        self.assertGreater(row["peak_memory_gb"], row["added_memory_gb"] + 0.1)

    def test_the_table_shows_the_same_figures(self):
        table = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in self.result.stdout.splitlines()
            if line.startswith("|")
        ]
        titles, _, cells = table  # And a rule below the titles.
        shown = dict(zip(titles, cells, strict=True))
        (row,) = self.figures["rows"]
        self.assertEqual(shown["batch"], "8")
        self.assertEqual(shown["first step"], "1,001")
        self.assertEqual(shown["examples/s"], f"{row['examples_per_s']:,.0f}")
        self.assertEqual(shown["memory, GB"], f"{row['peak_memory_gb']:.2f}")

    def test_flags_of_random_data_do_not_go_with_a_folder(self):
        data_dir = os.path.join(self.directory, "data")
        os.mkdir(data_dir)
        tiny_data.write(data_dir)
        result = _run(data_dir=data_dir, num_folders=2)
        self.assertEqual(result.returncode, 1)
        self.assertEndsWith(
            result.stderr.strip(),
            "Error: --num_folders is of random data, and --data_dir has been "
            "given. Leave one of them out.",
        )


if __name__ == "__main__":
    absltest.main()
