"""Tests of the files that leaderboards want."""

import io
import json
import os
import zipfile

from absl.testing import absltest

from electra_tf import model_folder
from finetune import finetune_config
from finetune import registry
from finetune import submissions


def _predictions(task_name: str, records, split="test"):
    return submissions.Predictions(
        registry.get(task_name), split, records, f"{task_name}/{split}.jsonl"
    )


def _labels(*labels: str) -> list[dict]:
    return [{"id": number, "label": name} for number, name in enumerate(labels)]


def _files(content: bytes) -> dict[str, list[str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {
            name: archive.read(name).decode().splitlines()
            for name in archive.namelist()
        }


class GlueZipTest(absltest.TestCase):
    def _zip(self, *predictions):
        return submissions.glue_zip(
            predictions, fill_missing=True, check_counts=False
        )

    def test_files_have_the_official_names_headers_and_labels(self):
        content, filled = self._zip(
            _predictions("rte", _labels("entailment", "not_entailment")),
            _predictions("cola", _labels("1", "0", "1")),
            _predictions("sts", [{"id": 0, "score": 5.2}]),
        )
        files = _files(content)
        self.assertEqual(
            files["RTE.tsv"],
            ["index\tprediction", "0\tentailment", "1\tnot_entailment"],
        )
        self.assertEqual(files["CoLA.tsv"][1:], ["0\t1", "1\t0", "2\t1"])
        # Scores are from 0 to 5.
        self.assertEqual(files["STS-B.tsv"][1:], ["0\t5.000"])
        self.assertLen(files, 11)
        self.assertLen(filled, 8)

    def test_filled_files_have_the_number_of_official_rows(self):
        files = _files(self._zip()[0])
        self.assertLen(files["WNLI.tsv"], 1 + 146)
        self.assertLen(files["MNLI-m.tsv"], 1 + 9796)
        self.assertEqual(files["AX.tsv"][1], "0\tcontradiction")
        self.assertEqual(files["STS-B.tsv"][1], "0\t0.000")

    def test_the_same_predictions_are_the_same_bytes(self):
        self.assertEqual(self._zip(), self._zip())

    def test_missing_tasks_and_other_counts_are_errors(self):
        part = _predictions("rte", _labels("entailment"))
        with self.assertRaisesRegex(ValueError, "1 predictions.*has 3000"):
            submissions.glue_zip([part])
        with self.assertRaisesRegex(ValueError, "No predictions for AX.tsv"):
            submissions.glue_zip([part], check_counts=False)
        with self.assertRaisesRegex(ValueError, "RTE.tsv twice"):
            self._zip(part, part)

    def test_rows_that_were_left_out_are_an_error(self):
        records = [{"id": 0, "label": "1"}, {"id": 2, "label": "1"}]
        with self.assertRaisesRegex(ValueError, "one prediction for each row"):
            self._zip(_predictions("cola", records))


class ReadTest(absltest.TestCase):
    def test_predictions_are_found_in_the_folder_of_a_run(self):
        folder = self.create_tempdir().full_path
        model_folder.start(
            folder,
            kind="finetuning",
            run_config=finetune_config.FinetuneConfig(task="cola"),
            extra={"tasks": [registry.get("cola").to_dict()]},
        )
        with self.assertRaisesRegex(ValueError, "No predictions in"):
            submissions.read_predictions(folder)
        os.makedirs(os.path.join(folder, "predictions"))
        with open(os.path.join(folder, "predictions", "test.jsonl"), "w") as f:
            f.write(json.dumps({"id": 0, "label": "1"}) + "\n")
        (found,) = submissions.read_predictions(folder)
        self.assertEqual(found.task, registry.get("cola"))
        self.assertEqual(found.split, "test")
        self.assertEqual(found.records, [{"id": 0, "label": "1"}])
        with self.assertRaisesRegex(ValueError, "one trial, no ensemble"):
            submissions.read_predictions(folder, use_ensemble=True)


class SquadTest(absltest.TestCase):
    def test_unanswerable_questions_have_empty_answers(self):
        records = [
            {"id": "a", "answer": "x", "is_answerable": True, "null_score": -3},
            {"id": "b", "answer": "y", "is_answerable": False, "null_score": 1},
        ]
        answers, null_scores = submissions.squad_json(
            _predictions("squad", records, "dev")
        )
        self.assertEqual(answers, {"a": "x", "b": ""})
        self.assertEqual(null_scores, {"a": -3, "b": 1})

    def test_labels_are_no_answers(self):
        with self.assertRaisesRegex(ValueError, "is classification"):
            submissions.squad_json(_predictions("cola", _labels("1")))


if __name__ == "__main__":
    absltest.main()
