import json
import os

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import model_folder
from electra_tf import run_record
from tests import testing

_ENTRIES = (
    {"kind": "train", "step": 5, "loss": 8.0, "examples_per_second": 2.0},
    {"kind": "eval", "step": 5, "loss": 9.0},
    {"kind": "train", "step": 10, "loss": 6.0, "examples_per_second": 4.0},
    {"kind": "train", "step": 11, "loss": 5.0, "examples_per_second": 0.0},
)


def _run(*entries, **contents) -> run_record.Run:
    contents = {"kind": "pretraining", "config": {"train_batch_size": 4}} | (
        contents
    )
    return run_record.Run(path="a/b/", contents=contents, entries=entries)


class RunRecordTest(parameterized.TestCase):
    def test_metrics_have_points_and_last_values(self):
        run = _run(*_ENTRIES)
        self.assertEqual(run.name, "b")
        self.assertEqual(run.metrics, ["loss", "examples_per_second"])
        self.assertEqual(run.step, 11)
        self.assertEqual(
            run.points("train", "loss"), [(5, 8.0), (10, 6.0), (11, 5.0)]
        )
        self.assertEqual(run.last("train", "loss"), 5.0)
        self.assertIsNone(run.last("eval", "examples_per_second"))

    def test_held_out_data_goes_before_training(self):
        run = _run(*_ENTRIES)
        self.assertEqual(run.final("loss"), 9.0)
        self.assertEqual(run.final("examples_per_second"), 0.0)
        self.assertIsNone(run.final("disc_auc"))

    def test_time_follows_from_the_logged_rates(self):
        run = _run(*_ENTRIES)
        # 5 steps of 4 examples at 2 a second, then 5 at 4 a second; a rate of
        # 0 is unknown.
        self.assertEqual(run.training_seconds, 10.0 + 5.0)
        self.assertEqual(run.examples_per_second, 3.0)

    def test_nothing_is_known_of_a_run_that_has_not_begun(self):
        run = _run()
        self.assertEqual(run.step, 0)
        self.assertIsNone(run.training_seconds)
        self.assertIsNone(run.examples_per_second)

    @parameterized.parameters(
        (["x.py", "--preset=small"], "small"),
        (["x.py", "-preset", "small", "--seed=1"], "small"),
        (["x.py", "--presets=small", "preset=small"], None),
        (["x.py", "--preset"], None),
    )
    def test_flags_are_found_in_the_command(self, command, expected):
        self.assertEqual(_run(command=command).flag("preset"), expected)

    def test_a_folder_is_read_with_its_trials(self):
        root = self.create_tempdir().full_path
        for folder in ("", "trial_0", "trial_1"):
            path = os.path.join(root, folder)
            model_folder.start(
                path, kind="finetuning", run_config=testing.tiny_config()
            )
        with open(os.path.join(root, "trial_1", "metrics.jsonl"), "w") as file:
            file.write(json.dumps(_ENTRIES[0]) + '\n{"kind": "tr')
        trials = [{"folder": f"trial_{number}"} for number in range(3)]
        model_folder.write_json(
            os.path.join(root, run_record.RESULTS_FILE), {"trials": trials}
        )
        run = run_record.load(root)
        self.assertEqual(run.kind, "finetuning")
        self.assertEqual(run.results, {"trials": trials})
        # The third is there no more.
        self.assertEqual([t.name for t in run.trials], ["trial_0", "trial_1"])
        self.assertEqual(run.trials[1].entries, [_ENTRIES[0]])

    def test_what_is_no_model_folder_is_refused(self):
        root = self.create_tempdir().full_path
        with self.assertRaisesRegex(ValueError, "no model folder"):
            run_record.load(root)
        model_folder.write_json(os.path.join(root, "config.json"), {"a": 1})
        with self.assertRaisesRegex(ValueError, "not one of a run"):
            run_record.load(root)


if __name__ == "__main__":
    absltest.main()
