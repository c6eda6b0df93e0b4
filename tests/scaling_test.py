"""Tests of the program that measures how cost grows, from end to end."""

import json
import os
import pathlib
import tempfile

from absl.testing import absltest
from absl.testing import parameterized

from tests import forked


def _run(*arguments):
    return forked.run("benchmarks.scaling", *arguments)


class ScalingTest(parameterized.TestCase):
    def test_two_workers_share_a_batch(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "results.jsonl")
            process = _run(
                "--preset=tiny",
                "--sections=workers",
                "--workers=2",
                "--batch_size=4",
                "--max_seq_length=16",
                "--steps=2",
                f"--results={path}",
            )
            self.assertEqual(process.returncode, 0, process.stderr)
            (line,) = pathlib.Path(path).read_text().splitlines()
        (row,) = json.loads(line)["figures"]["sections"]["workers"]
        self.assertEqual(row["value"], 2)
        # Of both together.
        self.assertAlmostEqual(row["examples_per_s"] * row["step_s"], 4)
        self.assertAlmostEqual(row["ms_per_example"] * 4 / 1e3, row["step_s"])
        self.assertIn(
            f"| 2 | 4 | {row['examples_per_s']:,.2f} |", process.stdout
        )

    @parameterized.parameters(
        ("--sections=lengths,widths", "some of lengths, batches"),
        ("--depths=2,0", "--depths are numbers of 1 and above, got '2,0'"),
        ("--lengths=48", "not divided evenly by length 48"),
    )
    def test_mistakes_are_told_before_anything_is_measured(self, flag, message):
        process = _run("--sections=lengths,depths", flag)
        self.assertEqual(process.returncode, 1)
        self.assertIn(message, process.stdout + process.stderr)


if __name__ == "__main__":
    absltest.main()
