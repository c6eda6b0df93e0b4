"""Tests of what a fine-tuning run reports."""

import dataclasses

from absl.testing import absltest

from electra_tf import config
from electra_tf import presets
from finetune import registry
from finetune import results

_TINY = presets.get("tiny").encoder


def _trial(folder: str, mcc: float | None, failure: str = "") -> dict:
    metrics = None if mcc is None else {"dev": {"mcc": mcc, "accuracy": 1.0}}
    return {
        "seed": 0,
        "folder": folder,
        "metrics": metrics,
        "failure": failure,
    }


def _summarise(*trials, tasks=("cola",), encoder=_TINY, ensemble=None):
    return results.summarise(
        [registry.get(name) for name in tasks],
        trials,
        encoder=encoder,
        ensemble=ensemble,
        num_train_steps=3,
    )


class LabelsTest(absltest.TestCase):
    def test_labels_of_one_task_are_its_splits(self):
        mnli = registry.get("mnli")
        self.assertEqual(
            list(results.splits([mnli])),
            [
                ("dev", "mnli", "dev"),
                ("dev_mismatched", "mnli", "dev_mismatched"),
            ],
        )

    def test_labels_of_several_tasks_begin_with_their_names(self):
        tasks = [registry.get("rte"), registry.get("cola")]
        labels = [label for label, _, _ in results.splits(tasks)]
        self.assertEqual(labels, ["rte/dev", "cola/dev"])
        with_test = results.splits(tasks, with_test=True)
        self.assertIn(("cola/test", "cola", "test"), with_test)

    def test_an_evaluation_of_several_tasks_has_the_mean_of_main_metrics(self):
        metrics = results.evaluation_metrics(
            [registry.get("rte"), registry.get("cola")],
            {
                "rte/dev": {"accuracy": 60.0},
                "cola/dev": {"mcc": 10.0, "accuracy": 70.0},
            },
        )
        self.assertEqual(
            metrics,
            {
                "rte/accuracy": 60.0,
                "cola/mcc": 10.0,
                "cola/accuracy": 70.0,
                "mean": 35.0,
            },
        )


class SummariseTest(absltest.TestCase):
    def test_a_summary_describes_all_trials(self):
        summary = _summarise(
            _trial("a", 10.0), _trial("b", 40.0), _trial("c", 16.0)
        )
        self.assertEqual(summary["best_trial"], "b")
        self.assertEqual(summary["num_train_steps"], 3)
        values = summary["summary"]["dev"]["mcc"]
        self.assertEqual(values["median"], 16.0)
        self.assertEqual(values["mean"], 22.0)
        # (-12, 18, -6): (144 + 324 + 36) / 2 = 252.
        self.assertAlmostEqual(values["std"], 252**0.5)
        self.assertEqual((values["min"], values["max"]), (10.0, 40.0))

    def test_one_trial_has_no_deviation(self):
        summary = _summarise(_trial("", 12.345))
        self.assertIsNone(summary["summary"]["dev"]["mcc"]["std"])
        self.assertIn(" - ", results.format_table(summary))

    def test_failed_trials_are_counted_and_told(self):
        summary = _summarise(
            _trial("a", 0.0, "all answers are 1"),
            _trial("b", None, "loss is not finite"),
            _trial("c", 30.0),
        )
        self.assertEqual(summary["num_failed_trials"], 2)
        # Of the trials with metrics.
        self.assertEqual(summary["summary"]["dev"]["mcc"]["median"], 15.0)
        table = results.format_table(summary)
        self.assertIn("a failed: all answers are 1", table)
        self.assertIn("b failed: loss is not finite", table)

    def test_the_table_has_statistics_and_the_ensemble(self):
        table = results.format_table(
            _summarise(
                _trial("a", 10.0),
                _trial("b", 20.0),
                ensemble={"dev": {"mcc": 33.25}},
            )
        )
        row = next(line for line in table.splitlines() if "mcc" in line)
        self.assertEqual(
            row.split(),
            ["dev", "mcc", "15", "15", "7.071", "10", "20", "33.25"],
        )

    def test_published_figures_are_of_models_of_that_size(self):
        small = presets.get("small").encoder
        summary = _summarise(_trial("", 50.0), encoder=small)
        self.assertEqual(summary["published"]["dev"]["value"], 57.0)
        self.assertIn(
            "Published, dev: mcc 57 (ELECTRA-Small",
            results.format_table(summary),
        )
        other = dataclasses.replace(small, num_hidden_layers=6)
        self.assertIsInstance(other, config.EncoderConfig)
        summary = _summarise(_trial("", 50.0), encoder=other)
        self.assertEmpty(summary["published"])


if __name__ == "__main__":
    absltest.main()
