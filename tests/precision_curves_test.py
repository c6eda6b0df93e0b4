"""Tests of how curves of several precisions are compared."""

import json
import os

from absl.testing import absltest

from benchmarks import precision_curves


def _run(losses, auc=0.5):
    """A point every 10 steps; all losses alike."""
    values = {10 * (i + 1): loss for i, loss in enumerate(losses)}
    curves = {name: values for name in precision_curves.METRICS} | {
        "disc_auc": {step: auc for step in values}
    }
    return {"train": curves, "eval": curves}


class PrecisionCurvesTest(absltest.TestCase):
    def test_curves_are_smoothed_over_the_last_steps(self):
        self.assertEqual(
            precision_curves.smooth({10: 1.0, 20: 3.0, 30: 8.0}, 20),
            {10: 1.0, 20: 2.0, 30: 5.5},
        )

    def test_losses_are_compared_as_shares_and_the_auc_is_not(self):
        figures = precision_curves.compare(
            _run([4.0, 4.0, 4.0, 3.0], auc=0.25),
            _run([4.0, 4.0, 2.0, 4.0]),
            smoothed_steps=10,
        )
        # 0, 0, +1 and -1/4.
        self.assertEqual(figures["loss_mean"], 0.3125)
        self.assertEqual(figures["loss_largest"], 1.0)
        self.assertEqual(figures["loss_held_out"], 3.0)
        self.assertEqual(figures["disc_auc_mean"], 0.25)
        # Of 40 steps those after step 30: 3 against 4.
        self.assertEqual(figures["last_quarter"], -0.25)

    def test_curves_are_read_by_kind_and_step(self):
        directory = self.create_tempdir().full_path
        path = os.path.join(directory, "metrics.jsonl")
        metrics = dict.fromkeys(precision_curves.METRICS, 2.0)
        with open(path, "w") as file:
            for kind, step in (("train", 5), ("train", 10), ("eval", 10)):
                file.write(json.dumps({"kind": kind, "step": step} | metrics))
                file.write("\n")
        run = precision_curves.read(path)
        self.assertEqual(run["train"]["loss"], {5: 2.0, 10: 2.0})
        self.assertEqual(run["eval"]["disc_auc"], {10: 2.0})

    def test_they_are_drawn(self):
        path = os.path.join(self.create_tempdir().full_path, "precision.png")
        precision_curves.draw(
            {"float32": _run([4.0, 3.0]), "float16": _run([4.0, 3.1])},
            path,
            smoothed_steps=10,
        )
        with open(path, "rb") as file:
            self.assertEqual(file.read(4), b"\x89PNG")


if __name__ == "__main__":
    absltest.main()
