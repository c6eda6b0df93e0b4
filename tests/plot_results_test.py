"""Tests of the program that draws results, as a user runs it."""

import json
import os
import tempfile

from absl.testing import absltest

from benchmarks import results_file
from tests import forked

_PNG = b"\x89PNG\r\n\x1a\n"


def _run(**flags):
    arguments = (f"--{name}={value}" for name, value in flags.items())
    return forked.run("benchmarks.plot_results", *arguments)


class PlotResultsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.results = os.path.join(self.directory, "results.jsonl")

    def test_figures_are_written_into_the_folder(self):
        row = {
            "implementation": "own",
            "examples_per_s": 10.0,
            "times_as_fast": None,
        }
        results_file.append(self.results, "peers", {"rows": [row]})
        results_file.append(self.results, "serving", {})
        output_dir = os.path.join(self.directory, "new", "reports")
        result = _run(results=self.results, output_dir=output_dir)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(os.listdir(output_dir), ["peers.png"])
        path = os.path.join(output_dir, "peers.png")
        with open(path, "rb") as file:
            self.assertEqual(file.read(len(_PNG)), _PNG)
        self.assertEqual(
            result.stdout.splitlines(),
            ["Not drawn: serving, for there is no figure of it.", path],
        )

    def test_nothing_to_draw_is_an_error(self):
        results_file.append(self.results, "serving", {})
        result = _run(results=self.results, output_dir=self.directory)
        self.assertEqual(result.returncode, 1)
        self.assertIn(
            f"Error: {self.results} has nothing to draw.", result.stderr
        )

    def test_a_broken_line_is_an_error_that_tells_its_number(self):
        with open(self.results, "w") as file:
            file.write(json.dumps([]) + "\n")
        result = _run(results=self.results, output_dir=self.directory)
        self.assertEqual(result.returncode, 1)
        (line,) = [
            line
            for line in result.stderr.splitlines()
            if line.startswith("Error:")
        ]
        self.assertStartsWith(line, f"Error: {self.results}, line 1 is no")


if __name__ == "__main__":
    absltest.main()
