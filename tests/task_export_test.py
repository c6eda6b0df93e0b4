"""Tests of what exported fine-tuned models answer."""

import dataclasses
import json
import os

import numpy as np
import tensorflow as tf

from electra_tf import checkpointing
from electra_tf import config
from electra_tf import export
from electra_tf import model_folder
from electra_tf import optimization
from finetune import classification_features
from finetune import finetune_config
from finetune import finetuned
from finetune import finetuning_model
from finetune import registry
from finetune import served_labels
from finetune import served_tags
from finetune import served_tasks
from finetune import task as task_lib
from finetune import task_export
from tests import export_checks
from tests import export_test
from tests import random_finetuned
from tests import shared_tokenizers
from tests import testing

_PAIRS = [
    ("The time, then!", "Thé 👍🏽 שלום"),
    ("one of them " * 9, "the other " * 9),
    ("No second text.", ""),
    ("", ""),
]


def _model(task_name: str) -> finetuning_model.FinetuningModel:
    return finetuning_model.FinetuningModel(
        finetune_config.FinetuneConfig(task=task_name, max_seq_length=24),
        tasks=[registry.get(task_name)],
        encoder_config=testing.tiny_config().encoder,
    )


def _task(model: finetuning_model.FinetuningModel) -> task_lib.Task:
    return registry.get(model.config.task)


def _served(
    model: finetuning_model.FinetuningModel, **settings
) -> served_tasks.ServedTask:
    return served_tasks.ServedTask(
        model=model,
        tokenizer=shared_tokenizers.tiny(),
        task=_task(model),
        **settings,
    )


def _write_model(model_dir: str, model: finetuning_model.FinetuningModel):
    """A model folder as a fine-tuning run leaves it."""
    model_folder.start(
        model_dir,
        kind="finetuning",
        run_config=model.config,
        extra={
            "tasks": [_task(model).to_dict()],
            "encoder": config.to_dict(model.encoder.config),
        },
    )
    shared_tokenizers.tiny().save(model_dir)
    model.compile(optimizer=optimization.create(testing.tiny_config()))
    checkpointing.Checkpointer(
        model_folder.checkpoints(model_dir), model=model, keep=1
    ).save(0)


def _export(model_dir: str) -> export.Exported:
    with export_checks.in_this_process():
        return task_export.export_finetuned(
            model_dir, output_dir=os.path.join(model_dir, "served")
        )


def _predict(model: finetuning_model.FinetuningModel) -> dict[str, np.ndarray]:
    """What evaluation makes of the texts."""
    examples = [
        task_lib.Example(id=number, text_a=text_a, text_b=text_b)
        for number, (text_a, text_b) in enumerate(_PAIRS)
    ]
    rows = classification_features.make_features(
        examples,
        task=_task(model),
        tokenizer=shared_tokenizers.tiny(),
        run_config=model.config,
        is_training=False,
    )
    return finetuned.predict(model, rows, task=_task(model), batch_size=4)


class TaskExportTest(tf.test.TestCase):
    def test_an_exported_model_answers_as_in_evaluation(self):
        model_dir = self.create_tempdir().full_path
        model = _model("rte")
        _write_model(model_dir, model)

        exported = _export(model_dir)

        loaded = tf.saved_model.load(exported.path)
        self.assertCountEqual(
            loaded.signatures, ["serving_default", "serve_ids"]
        )
        text_a, text_b = map(tf.constant, zip(*_PAIRS))
        answer = loaded.signatures["serving_default"](
            text_a=text_a, text_b=text_b
        )
        expected = _predict(model)
        for name in ("logits", "probabilities"):
            self.assertAllClose(answer[name], expected[name], rtol=0, atol=1e-5)
        indices = expected["logits"].argmax(axis=-1)
        self.assertAllEqual(answer["label_index"], indices)
        labels = [_task(model).labels[index].encode() for index in indices]
        self.assertAllEqual(answer["label"], labels)
        self.assertEmpty(export_test.unexpected_operations(exported.path))
        info = os.path.join(exported.path, "assets.extra", "model_info.json")
        with open(info, encoding="utf-8") as file:
            self.assertEqual(
                json.load(file)["labels"], list(_task(model).labels)
            )

    def test_an_exported_tagging_model_has_words_and_entities(self):
        model_dir = self.create_tempdir().full_path
        task = dataclasses.replace(
            registry.get("chunk"), labels=("O", "B-X", "I-X", "E-X", "S-Y")
        )
        served = random_finetuned.create(task)
        random_finetuned.write(model_dir, served)

        exported = _export(model_dir)

        loaded = tf.saved_model.load(exported.path)
        texts = tf.constant(["Thé  time was\tover", ""])
        answer = loaded.signatures["serving_default"](text=texts)
        self.assertAllEqual(
            answer["words"],
            [["Thé".encode(), b"time", b"was", b"over"], [b""] * 4],
        )
        expected = served_tags.TaggingFunctions(served).serve_text(texts)
        for name in ("tags", "span_texts", "span_types", "span_starts"):
            self.assertAllEqual(answer[name], expected[name])
        self.assertEmpty(export_test.unexpected_operations(exported.path))

    def test_a_score_has_the_unit_of_the_task(self):
        model = _model("sts")
        functions = served_labels.LabelFunctions(_served(model))
        answer = functions.serve_texts(*map(tf.constant, zip(*_PAIRS)))
        # STS-B has scores from 0 to 5; the model learns fifths of them.
        self.assertAllClose(
            answer["score"], 5 * _predict(model)["predictions"], atol=1e-5
        )

    def test_a_task_of_one_text_takes_one(self):
        model = _model("cola")
        functions = served_labels.LabelFunctions(_served(model))
        default = functions.all_signatures()["serving_default"]
        self.assertCountEqual(default.inputs, ["text_a"])
        answer = functions.serve_texts(tf.constant(["the time", ""]))
        self.assertEqual(answer["logits"].shape, [2, 2])


if __name__ == "__main__":
    tf.test.main()
