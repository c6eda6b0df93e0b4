from absl.testing import absltest

from electra_tf import run_record
from electra_tf import task_sections
from tests import page_reading


def _statistics(*values):
    names = ("median", "mean", "std", "min", "max")
    return dict(zip(names, values, strict=True))


def _trial(seed, accuracy):
    return {
        "seed": seed,
        "folder": f"trial_{seed}",
        "metrics": {"dev": {"accuracy": accuracy}},
        "failure": "",
    }


_RESULTS = {
    "task": "rte",
    "main_metrics": {"dev": "accuracy"},
    "num_train_examples": {"rte": 2490},
    "num_train_steps": 77,
    "ensemble": None,
    "num_failed_trials": 0,
    "summary": {"dev": {"accuracy": _statistics(61.5, 61.0, 0.7, 60.5, 61.5)}},
    "best_trial": "trial_1",
    "trials": [_trial(0, 60.5), _trial(1, 61.5)],
}


def _run(results) -> run_record.Run:
    contents = {"kind": "finetuning", "config": {}}
    return run_record.Run(
        path="run", contents=contents, entries=(), results=results
    )


class TaskSectionsTest(absltest.TestCase):
    def test_results_have_statistics_and_trials(self):
        page = page_reading.read(task_sections.results(_run(_RESULTS)))
        self.assertEqual(
            page.tables,
            [
                [
                    ["split", "metric", "median", "mean", "std", "min", "max"],
                    ["dev", "accuracy", "61.5", "61", "0.7", "60.5", "61.5"],
                ],
                [
                    ["trial", "seed", "accuracy, dev"],
                    ["trial_0", "0", "60.5"],
                    ["trial_1 (best)", "1", "61.5"],
                ],
            ],
        )

    def test_one_trial_has_no_deviation(self):
        trial = _trial(0, 60.5) | {"folder": ""}
        values = _statistics(60.5, 60.5, None, 60.5, 60.5)
        results = _RESULTS | {
            "summary": {"dev": {"accuracy": values}},
            "trials": [trial],
            "best_trial": "",
        }
        page = page_reading.read(task_sections.results(_run(results)))
        self.assertEqual(page.tables[0][1][4], "–")
        self.assertEqual(page.tables[1][1], ["the only trial", "0", "60.5"])

    def test_tiles_have_the_main_metric(self):
        text = task_sections.tiles(_run(_RESULTS))
        for number, label in (
            ("61.5", "accuracy, dev, median"),
            ("2", "trials"),
            ("2,490", "training examples"),
        ):
            self.assertIn(f"<b>{number}</b><span>{label}</span>", text)

    def test_medians_are_compared(self):
        runs = [_run(_RESULTS), _run(None)]
        page = page_reading.read(task_sections.comparison(runs, ["a", "b"]))
        self.assertEqual(
            page.tables,
            [[["metric", "a", "b"], ["accuracy, dev", "61.5", "–"]]],
        )

    def test_unfinished_runs_have_no_results(self):
        run = _run(None)
        self.assertIsNone(task_sections.results(run))
        self.assertIsNone(task_sections.tiles(run))
        self.assertIsNone(task_sections.comparison([run, run], ["a", "b"]))


if __name__ == "__main__":
    absltest.main()
