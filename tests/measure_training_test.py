"""Tests of the program that measures training steps, from end to end."""

import json
import os
import pathlib
import tempfile

from absl.testing import absltest

from tests import forked

_BATCH_SIZE, _LENGTH = 2, 16


def _run(*arguments):
    return forked.run("benchmarks.measure_training", *arguments)


class MeasureTrainingTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        path = os.path.join(cls.directory, "results.jsonl")
        cls.process = _run(
            "--preset=tiny",
            f"--batch_size={_BATCH_SIZE}",
            f"--max_seq_length={_LENGTH}",
            "--steps=3",
            "--warmup_steps=0",
            "--phase_turns=1",
            f"--profile_dir={cls.directory}/profile",
            f"--results={path}",
        )
        if cls.process.returncode:
            raise AssertionError(cls.process.stderr)
        (cls.line,) = pathlib.Path(path).read_text().splitlines()

    def test_figures_agree_with_each_other(self):
        line = json.loads(self.line)
        self.assertEqual(line["benchmark"], "training")
        figures = line["figures"]
        self.assertAlmostEqual(
            figures["examples_per_s"] * figures["step_s"], _BATCH_SIZE
        )
        self.assertAlmostEqual(
            figures["tokens_per_s"] / figures["examples_per_s"], _LENGTH
        )
        self.assertAlmostEqual(
            figures["gflops_per_s"],
            figures["examples_per_s"] * figures["gflop_per_example"],
        )
        self.assertAlmostEqual(
            figures["share_of_ceiling"] * figures["ceiling_gflops_per_s"],
            figures["gflops_per_s"],
        )
        self.assertBetween(
            figures["step_s"],
            figures["fastest_step_s"],
            figures["slowest_step_s"],
        )
        phases = figures["phases"]
        self.assertAlmostEqual(
            phases["forward"] + phases["backward"] + phases["optimizer"],
            phases["step"],
        )
        self.assertGreater(figures["first_step_s"], figures["step_s"])

    def test_tables_have_the_same_figures(self):
        figures = json.loads(self.line)["figures"]
        rate = f"{figures['examples_per_s']:.2f}"
        self.assertIn(
            f"| pretraining, tiny, float32 | {rate} |", self.process.stdout
        )
        costliest = figures["operations"][0]
        self.assertIn(
            f"| {costliest['kind']} | {1e3 * costliest['seconds']:,.2f} |",
            self.process.stdout,
        )

    def test_phases_of_several_devices_are_refused_at_once(self):
        process = _run("--num_devices=2")
        self.assertEqual(process.returncode, 1)
        self.assertIn("Error: Phases are measured on one dev", process.stderr)


if __name__ == "__main__":
    absltest.main()
