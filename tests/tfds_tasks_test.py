"""Tests of tasks that are read from tensorflow_datasets."""

import json
import os

from absl.testing import absltest
import numpy as np
import tensorflow_datasets as tfds

from finetune import custom_task
from finetune import finetune_config
from finetune import registry
from finetune import task as task_lib
from finetune import task_data
from finetune import tfds_tasks

_TEXT = tfds.features.Text()


def _write(data_dir, name, features, splits):
    """Writes a prepared data set; `name` may have a configuration."""
    name, _, config = name.partition("/")
    folder = os.path.join(
        data_dir, name, *([config] if config else []), "1.0.0"
    )
    os.makedirs(folder)
    identity = tfds.core.DatasetIdentity(
        name=name,
        config_name=config or None,
        version=tfds.core.Version("1.0.0"),
        data_dir=folder,
        module_name="",
    )
    info = tfds.core.DatasetInfo(
        builder=identity, features=tfds.features.FeaturesDict(features)
    )
    writer = tfds.core.SequentialWriter(info, max_examples_per_shard=100)
    writer.initialize_splits(list(splits))
    writer.add_examples(splits)
    writer.close_all()


class TfdsTasksTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.data_dir = self.create_tempdir().full_path
        self.options = tfds_tasks.Options(self.data_dir)

    def read(self, name="custom", custom=None, **fields):
        source = task_data.Source(tfds=self.options, custom=custom)
        return source.read(
            name, run_config=finetune_config.FinetuneConfig(task=name, **fields)
        )

    def test_labels_get_the_names_of_the_files_and_rows_their_order(self):
        row = {"sentence1": "a", "sentence2": "b", "label": 0, "idx": 1}
        other = row | {"sentence1": "\tc", "label": 1, "idx": 0}
        _write(
            self.data_dir,
            "glue/wnli",
            {
                "sentence1": _TEXT,
                "sentence2": _TEXT,
                "label": tfds.features.ClassLabel(
                    names=["not_entailment", "entailment"]
                ),
                "idx": np.int32,
            },
            {
                "train": [row, other],
                "validation": [row],
                "test": [row | {"label": -1}, other | {"label": -1}],
            },
        )
        data = self.read("wnli")
        self.assertIs(data.task, registry.get("wnli"))
        expected = [
            task_lib.Example(0, "\tc", "b", 1),
            task_lib.Example(1, "a", "b", 0),
        ]
        self.assertEqual(data.examples["train"], expected)
        self.assertEqual(
            data.examples["test"],
            [example._replace(label=None) for example in expected],
        )
        self.assertNotIn("test", self.read("wnli", predict_test=False).examples)

    def test_columns_are_found_under_their_other_names(self):
        features = {
            "sentence1": _TEXT,
            "sentence2": _TEXT,
            "label": np.float32,
            "idx": np.int32,
        }
        row = {"sentence1": "a", "sentence2": "b", "label": 3.8, "idx": 0}
        splits = {"train": [row], "validation": [row]}
        _write(self.data_dir, "glue/stsb", features, splits)
        examples = self.read("sts").examples
        # Both ways around, as every source.
        self.assertEqual(
            examples["train"],
            [
                task_lib.Example(0, "a", "b", 3.8),
                task_lib.Example(1, "b", "a", 3.8),
            ],
        )
        self.assertEqual(examples["dev"], examples["train"][:1])

    def test_questions_of_squad(self):
        features = {
            "id": _TEXT,
            "title": _TEXT,
            "context": _TEXT,
            "question": _TEXT,
            "answers": tfds.features.Sequence(
                {"text": _TEXT, "answer_start": np.int32}
            ),
            "is_impossible": np.bool_,
        }
        row = {
            "id": "1",
            "title": "T",
            "context": "Ein Haus é",
            "question": "What?",
            "answers": {"text": ["Haus", "é"], "answer_start": [4, 9]},
            "is_impossible": False,
        }
        none = row | {
            "id": "2",
            "answers": {"text": [], "answer_start": []},
            "is_impossible": True,
        }
        splits = {"train": [row, none], "validation": [none]}
        _write(self.data_dir, "squad/v2.0", features, splits)
        self.assertEqual(
            self.read("squad").examples["train"],
            [
                task_lib.Question(
                    "1",
                    "What?",
                    "Ein Haus é",
                    (task_lib.Answer("Haus", 4), task_lib.Answer("é", 9)),
                ),
                task_lib.Question(
                    "2", "What?", "Ein Haus é", is_impossible=True
                ),
            ],
        )

    def test_questions_of_mrqa(self):
        features = {
            "context": _TEXT,
            "qid": _TEXT,
            "question": _TEXT,
            "detected_answers": tfds.features.Sequence(
                {
                    "text": _TEXT,
                    "char_spans": tfds.features.Sequence(
                        {"start": np.int32, "end": np.int32}
                    ),
                }
            ),
            "answers": tfds.features.Sequence(_TEXT),
        }
        row = {
            "context": "x y x",
            "qid": "q",
            "question": "What?",
            "detected_answers": [
                {
                    "text": "x",
                    "char_spans": [
                        {"start": 4, "end": 4},
                        {"start": 0, "end": 0},
                    ],
                },
                {"text": "y", "char_spans": [{"start": 2, "end": 2}]},
            ],
            "answers": ["x", "z"],
        }
        splits = {"train": [row], "validation": [row]}
        _write(self.data_dir, "mrqa/news_qa", features, splits)
        examples = self.read("newsqa").examples
        self.assertEqual(
            examples["train"][0].answers,
            (task_lib.Answer("x", 4), task_lib.Answer("y", 2)),
        )
        self.assertEqual(
            examples["dev"][0].answers,
            (task_lib.Answer("x", 4), task_lib.Answer("z", -1)),
        )

    def test_tags_of_words(self):
        features = {
            "tokens": tfds.features.Sequence(_TEXT),
            "ner": tfds.features.Sequence(
                tfds.features.ClassLabel(names=["O", "B-PER", "I-PER"])
            ),
        }
        row = {"tokens": ["Ada", "Byron", "sang"], "ner": [1, 2, 0]}
        splits = {"train": [row], "dev": [row], "test": [row]}
        _write(self.data_dir, "conll2003/conll2003", features, splits)
        data = self.read("conll2003")
        self.assertEqual(
            data.examples["dev_test"],
            [
                task_lib.Sentence(
                    0, ("Ada", "Byron", "sang"), ("B-PER", "E-PER", "O")
                )
            ],
        )
        self.assertEqual(data.task.labels, ("B-PER", "E-PER", "O"))

    def test_any_data_set_is_a_custom_task(self):
        features = {
            "review": _TEXT,
            "stars": tfds.features.ClassLabel(names=["z", "a"]),
        }
        rows = [{"review": f"r{i}", "stars": i % 2} for i in range(10)]
        _write(self.data_dir, "films", features, {"train": rows})
        task = custom_task.create(
            name="custom",
            kind="classification",
            files={"train": "train[:8]", "dev": "train[8:]"},
            tfds_name="films",
            tfds=self.options,
            text_columns=["review"],
            label_column="stars",
        )
        # As the data set orders them, and JSON keeps the row.
        self.assertEqual(task.labels, ("z", "a"))
        row = json.loads(json.dumps(task.to_dict()))
        self.assertEqual(task_lib.Task.from_dict(row), task)
        examples = self.read(custom=task).examples
        self.assertLen(examples["train"], 8)
        self.assertEqual(
            [(e.text_a, e.label) for e in examples["dev"]],
            [("r8", 0), ("r9", 1)],
        )

    def test_what_is_not_there_is_an_error(self):
        for name, message in (
            ("chunk", "no data set for task 'chunk'; it has cola"),
            ("cola", "'glue/cola' is not prepared in .*--tfds_data_dir"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                self.read(name)
        _write(
            self.data_dir,
            "films",
            {"review": _TEXT},
            {"train": [{"review": "x"}]},
        )
        fields = dict(
            name="custom",
            kind="regression",
            tfds_name="films",
            text_columns=["review"],
            label_column="stars",
        )
        for split, message in (
            ("train", "split 'train': no feature 'stars'; there are review"),
            ("trian", "has no split 'trian'. Its splits are train"),
        ):
            task = custom_task.create(
                files={"train": split, "dev": split}, **fields
            )
            with self.assertRaisesRegex(ValueError, message):
                self.read(custom=task)


if __name__ == "__main__":
    absltest.main()
