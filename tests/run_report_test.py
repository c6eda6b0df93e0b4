import json
import os
import re

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import config
from electra_tf import dataset_info
from electra_tf import model_folder
from electra_tf import run_report
from tests import page_reading
from tests import testing
from tests import tiny_data

_EVIL = """<script>alert("'")</script>"""
_ENTRIES = (
    {"kind": "train", "step": 10, "loss": 12.5, "examples_per_second": 8.0},
    {"kind": "train", "step": 20, "loss": 11.25, "examples_per_second": 8.0},
    {"kind": "eval", "step": 20, "loss": 11.75, "disc_auc": 0.625},
)


class RunReportTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path

    def _pretrained(self, name="run", entries=_ENTRIES, **fields) -> str:
        """A model folder with weights and data, 20 steps long."""
        model_dir = os.path.join(self.root, name)
        run_config = testing.tiny_config(
            max_seq_length=tiny_data.LENGTH, **fields
        )
        testing.write_model_folder(model_dir, run_config)
        data_dir = os.path.join(self.root, "data")
        if not os.path.exists(data_dir):
            os.makedirs(data_dir)
            tiny_data.write(data_dir, source=[_EVIL])
        entry = {
            "data_dir": data_dir,
            "num_examples": 4,
            "fingerprint": dataset_info.load(data_dir).fingerprint,
            "examples_per_thousand": 1000,
        }
        model_folder.write(
            model_dir,
            "pretraining",
            {
                "config": config.to_dict(run_config),
                "data": [entry],
                "hardware": _EVIL,
            },
        )
        self._write_metrics(model_dir, entries)
        return model_dir

    def _write_metrics(self, model_dir, entries):
        with open(os.path.join(model_dir, "metrics.jsonl"), "w") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in entries)

    def _finetuned(self, name: str, *, num_trials: int) -> str:
        """A folder of fine-tuning with the results of all trials."""
        folders = [f"trial_{number}" for number in range(num_trials)]
        root = os.path.join(self.root, name)
        contents = {
            "config": {"init_checkpoint": _EVIL},
            "tasks": [{"name": "rte"}],
        }
        for folder in ["", *folders]:
            path = os.path.join(root, folder)
            model_folder.write(path, "finetuning", contents)
            if folder:
                self._write_metrics(path, [_ENTRIES[0]])
        statistics = dict.fromkeys(("median", "mean", "std", "min", "max"), 60)
        results = {
            "main_metrics": {"dev": "accuracy"},
            "num_train_examples": {"rte": 2490},
            "num_train_steps": 778,
            "ensemble": None,
            "num_failed_trials": 0,
            "summary": {"dev": {"accuracy": statistics}},
            "best_trial": "trial_0",
            "trials": [
                {
                    "seed": number,
                    "folder": folder,
                    "metrics": {"dev": {"accuracy": 60}},
                    "failure": "",
                }
                for number, folder in enumerate(folders)
            ],
        }
        model_folder.write_json(os.path.join(root, "results.json"), results)
        return root

    def _read(self, path: str) -> tuple[str, page_reading.Page]:
        """A page, after the checks that every page must pass."""
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertEmpty(page_reading.loads(text))
        page = page_reading.read(text)
        self.assertEqual(page.elements.count("script"), 1)
        # One file, written in one piece.
        self.assertFalse(os.path.exists(path + ".tmp"))
        return text, page

    def test_a_run_has_all_its_sections(self):
        model_dir = self._pretrained()
        path = run_report.write(model_dir)
        self.assertEqual(path, os.path.join(model_dir, "report.html"))
        text, page = self._read(path)
        self.assertEqual(
            re.findall("<h2>(.*?)</h2>", text),
            [
                "Against expectations",
                "Curves",
                "What the networks do to text",
                "Data",
                "Size and compute",
                "Configuration",
                "Where it comes from",
            ],
        )
        self.assertIn("finished: 20 steps", page.text)
        # 20 steps of 4 examples, 8 a second.
        self.assertIn("<b>10 s</b><span>of training steps</span>", text)
        row = page_reading.rows(page, "metric")["loss"]
        self.assertEqual(row[:2], ["11.25", "11.75"])
        for evil in ("sources" + _EVIL, "hardware" + _EVIL):
            self.assertIn(evil, page.text)

    def test_an_unfinished_run_says_so(self):
        model_dir = self._pretrained(num_train_steps=1000)
        _, page = self._read(run_report.write(model_dir))
        self.assertIn("at step 20 of 1,000", page.text)

    @parameterized.parameters(
        ["metrics.jsonl"], ["vocab.txt"], ["checkpoints"], ["../data"]
    )
    def test_what_is_missing_is_left_out(self, name):
        model_dir = self._pretrained()
        os.rename(os.path.join(model_dir, name), os.path.join(self.root, "x"))
        text, _ = self._read(run_report.write(model_dir))
        has_metrics = name != "metrics.jsonl"
        self.assertEqual("<h2>Curves</h2>" in text, has_metrics)
        self.assertEqual("What the networks do" in text, not has_metrics)

    def test_only_a_configuration_is_needed(self):
        model_dir = os.path.join(self.root, "new")
        model_folder.start(
            model_dir, kind="pretraining", run_config=testing.tiny_config()
        )
        text, page = self._read(run_report.write(model_dir))
        self.assertIn("at step 0 of 20", page.text)
        self.assertNotIn("<h2>Data</h2>", text)

    def test_fine_tuning_has_a_page(self):
        root = self._finetuned("rte", num_trials=2)
        text, page = self._read(run_report.write(root))
        self.assertIn("Fine-tuning on rte, from " + _EVIL, page.text)
        self.assertEqual(
            page_reading.rows(page, "trial"),
            {"trial_0 (best)": ["0", "60"], "trial_1": ["1", "60"]},
        )
        # Each trial has its colour in the charts.
        self.assertIn(
            "loss by step; at the end trial_0, training 12.5, "
            "trial_1, training 12.5",
            page.text,
        )
        self.assertNotIn("<h2>Data</h2>", text)

    def test_runs_are_compared(self):
        first = self._pretrained("a")
        second = self._pretrained("b", entries=_ENTRIES[:1], seed=3)
        path = os.path.join(self.root, "c.html")
        self.assertEqual(
            run_report.write_comparison([first, second], output=path), path
        )
        _, page = self._read(path)
        self.assertEqual(
            page_reading.rows(page, "setting"), {"seed": ["0", "3"]}
        )
        self.assertEqual(
            page_reading.rows(page, "metric"),
            {
                "loss, held out": ["11.75", "–"],
                "loss": ["11.25", "12.5"],
                "disc_auc, held out": ["0.625", "–"],
                "examples_per_second": ["8", "8"],
            },
        )
        self.assertEqual(page.elements.count("figure"), 3)

    def test_fine_tuned_runs_are_compared(self):
        paths = [self._finetuned(name, num_trials=2) for name in ("a", "b")]
        output = os.path.join(self.root, "c.html")
        run_report.write_comparison(paths, output=output)
        _, page = self._read(output)
        self.assertEqual(
            page_reading.rows(page, "metric"), {"accuracy, dev": ["60", "60"]}
        )

    def test_equal_names_are_told_apart_by_their_folders(self):
        paths = [self._pretrained("x/run"), self._pretrained("y/run", seed=1)]
        output = os.path.join(self.root, "c.html")
        run_report.write_comparison(paths, output=output)
        _, page = self._read(output)
        self.assertIn(["setting", "x/run", "y/run"], page.tables[1])

    def test_what_cannot_be_compared_is_refused(self):
        path = self._pretrained()
        with self.assertRaisesRegex(ValueError, "compared with itself"):
            run_report.write_comparison([path, path + "/"])
        for count in (1, 9):
            with self.assertRaisesRegex(ValueError, f"2 to 8 .* got {count}"):
                run_report.write_comparison([path] * count)

    def test_what_was_not_trained_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no model folder"):
            run_report.write(self.root)
        model_folder.write(self.root, "encoder", {"config": {}})
        with self.assertRaisesRegex(ValueError, "nothing to report"):
            run_report.write(self.root)

    def test_a_finished_run_does_not_fail_for_want_of_space(self):
        model_dir = self._pretrained()
        run_report.write_at_the_end(model_dir)
        self._read(os.path.join(model_dir, run_report.PAGE))
        os.remove(os.path.join(model_dir, run_report.PAGE))
        # A folder of the name of the file that it is to be written to first.
        os.makedirs(os.path.join(model_dir, run_report.PAGE + ".tmp"))
        run_report.write_at_the_end(model_dir)
        self.assertFalse(
            os.path.exists(os.path.join(model_dir, run_report.PAGE))
        )


if __name__ == "__main__":
    tf.test.main()
