"""Tests of tasks that flags describe."""

import os

from absl.testing import absltest
from absl.testing import parameterized

from finetune import custom_task
from finetune import finetune_config
from finetune import task_data


def _create(**fields):
    values = dict(
        name="custom",
        kind="classification",
        files={"train": "/x/train.csv", "dev": "/x/dev.csv", "test": None},
        text_columns=["title"],
        label_column="topic",
        labels=["a", "b"],
    )
    return custom_task.create(**values | fields)


class CustomTaskTest(parameterized.TestCase):
    def test_the_format_is_that_of_the_ending(self):
        self.assertEqual(_create().format, "csv")
        self.assertEqual(_create().files["dev"], "/x/dev.csv")
        self.assertNotIn("test", _create().files)

    def test_labels_and_examples_are_read_from_files(self):
        folder = self.create_tempdir().full_path
        files = {}
        for split, rows in (("train", "1,z\n2,y\n"), ("dev", "3,y\n")):
            files[split] = os.path.join(folder, f"{split}.csv")
            with open(files[split], "w") as file:
                file.write("title,topic\n" + rows)
        task = _create(files=files, labels=())
        self.assertEqual(task.labels, ("y", "z"))
        data = task_data.Source(custom=task).read(
            "custom", run_config=finetune_config.FinetuneConfig(task="custom")
        )
        self.assertEqual(
            [(e.text_a, e.label) for e in data.examples["train"]],
            [("1", 1), ("2", 0)],
        )
        self.assertEqual(data.examples["dev"][0].label, 0)

    def test_questions_without_answers_have_their_metric(self):
        task = _create(
            kind="question_answering",
            files={"train": "train.json", "dev": "dev.json"},
            has_impossible=True,
        )
        self.assertEqual(task.format, "squad")
        self.assertEqual(task.metrics, ("squad_v2",))
        self.assertEqual(task.max_seq_length, 512)

    @parameterized.parameters(
        ({"kind": "poetry"}, "Unknown kind 'poetry'. Kinds: classification,"),
        ({"files": {"train": "x.csv"}}, "needs a --dev_file or a --dev_share"),
        ({"dev_share": 0.1}, "a --dev_share of the .* and not both"),
        (
            {"files": {"train": "x.csv"}, "dev_share": 1.0},
            r"--dev_share is in \(0, 1\), got 1.0",
        ),
        ({"files": {"dev": "x.csv"}}, "needs a --train_file"),
        ({"tfds_name": "a", "file_format": "csv"}, "is for files, not for"),
        ({"files": {"train": "x", "dev": "y"}}, "'x' does not tell its format"),
        ({"file_format": "conll"}, "classification are tsv, csv, jsonl, got"),
        ({"text_columns": []}, "one or two --text_columns"),
        ({"label_column": ""}, "one or two --text_columns and a"),
        ({"score_range": (1.0, 1.0)}, "lowest and the highest score"),
        ({"name": "a/b"}, "letters, digits"),
        ({"labels": (), "files": {"train": "/no.csv", "dev": "d"}}, "No file"),
    )
    def test_what_does_not_fit_together_is_an_error(self, fields, message):
        with self.assertRaisesRegex(ValueError, message):
            _create(**fields)


if __name__ == "__main__":
    absltest.main()
