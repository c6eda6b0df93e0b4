"""Tests of what a fine-tuning run reports."""

from absl.testing import absltest
import numpy as np

from finetune import registry
from finetune import results
from finetune import task as task_lib

_LOGITS = np.log([[0.75, 0.25], [0.5, 0.5], [0.1, 0.9]])
_OUTPUTS = {
    "logits": _LOGITS,
    "probabilities": np.exp(_LOGITS),
    "losses": np.array([1.0, 2.0, 6.0]),
}


def _trial(folder: str, mcc: float) -> dict:
    return {"seed": 0, "folder": folder, "metrics": {"dev": {"mcc": mcc}}}


class ResultsTest(absltest.TestCase):
    def test_metrics_are_of_the_likeliest_labels(self):
        examples = [
            task_lib.Example(i, "a", "b", label)
            for i, label in enumerate([0, 1, 1])
        ]
        metrics = results.metrics(registry.get("rte"), examples, _OUTPUTS)
        self.assertEqual(metrics["loss"], 3.0)
        # The tie goes to label 0, which is wrong.
        self.assertAlmostEqual(metrics["accuracy"], 100.0 * 2 / 3)

    def test_predictions_name_labels(self):
        examples = [task_lib.Example(7, "a", "b", 1)]
        outputs = {name: value[:1] for name, value in _OUTPUTS.items()}
        (record,) = results.prediction_records(
            registry.get("rte"), examples, outputs
        )
        self.assertEqual(record["id"], 7)
        self.assertEqual(record["label"], "entailment")
        self.assertEqual(record["target"], "not_entailment")
        self.assertAlmostEqual(record["probabilities"]["entailment"], 0.75)

    def test_predicted_scores_have_the_task_s_unit(self):
        examples = [task_lib.Example(7, "a", "b", None)]
        outputs = {"score": np.array([3.5]), "losses": np.array([0.0])}
        self.assertEqual(
            list(
                results.prediction_records(
                    registry.get("sts"), examples, outputs
                )
            ),
            [{"id": 7, "score": 3.5}],
        )

    def test_a_summary_describes_all_trials(self):
        trials = [_trial("a", 10.0), _trial("b", 40.0), _trial("c", 16.0)]
        summary = results.summarise(registry.get("cola"), trials, num_steps=3)
        self.assertEqual(summary["best_trial"], "b")
        self.assertEqual(summary["num_steps"], 3)
        statistics = summary["summary"]["dev"]["mcc"]
        # Deviations from 22: -12, 18, -6; (144 + 324 + 36) / 2 = 252.
        self.assertAlmostEqual(statistics.pop("std"), 252**0.5)
        self.assertEqual(
            statistics, {"median": 16.0, "mean": 22.0, "min": 10.0, "max": 40.0}
        )

    def test_the_table_shows_no_deviation_of_one_trial(self):
        summary = results.summarise(registry.get("cola"), [_trial("", 12.345)])
        self.assertEqual(
            results.format_table(summary).splitlines()[-1].split(),
            ["dev", "mcc", "12.35", "12.35", "-", "12.35", "12.35"],
        )


if __name__ == "__main__":
    absltest.main()
