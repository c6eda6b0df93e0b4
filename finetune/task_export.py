"""Exporting a fine-tuned model: its answers to texts, and to ids."""

import os
import tempfile

import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import export
from electra_tf import signatures
from electra_tf import tokenization
from finetune import finetuned
from finetune import finetuning_model
from finetune import task as task_lib


class TaskFunctions:
    """A fine-tuned model's answers to texts and to ids.

    Texts are cut as in training, and a batch padded to its longest example.

    Args:
        model: fine-tuned.
        tokenizer: the one that it was trained with.
        task: one that it has learned, classification or regression.
    """

    def __init__(
        self,
        model: finetuning_model.FinetuningModel,
        tokenizer: tokenization.Tokenizer,
        task: task_lib.Task,
    ):
        if task.kind not in ("classification", "regression"):
            raise ValueError(
                f"Task {task.name!r} is {task.kind}; only classification and "
                "regression can be exported. finetune.predict answers others."
            )
        self._model = model
        self._task = task
        self._tokenizer = tokenizer
        self._max_seq_length = model.config.max_seq_length

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        num_texts = len(self._task.text_columns)
        return {
            signatures.DEFAULT: signatures.of_texts(
                self.serve_texts, ["text_a", "text_b"][:num_texts]
            ),
            "serve_ids": signatures.of_ids(
                self.serve_ids,
                self._tokenizer,
                max_seq_length=self._max_seq_length,
            ),
        }

    def serve_texts(
        self, text_a: tf.Tensor, text_b: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """The answers to texts, string `[batch]`: as of `serve_ids`."""
        first = self._tokenizer.tokenize(text_a)
        second = None if text_b is None else self._tokenizer.tokenize(text_b)
        inputs = self._tokenizer.pack(
            first, second, max_seq_length=self._max_seq_length, pad=False
        )
        return self.serve_ids(**inputs)

    def serve_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """The answers to ids.

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`.

        Returns:
            For classification `label` (string `[batch]`), `label_index`
            (int32 `[batch]`), `probabilities` and `logits` (float32
            `[batch, labels]`, in the order of the task's labels); for
            regression `score` (float32 `[batch]`), in the task's unit.
        """
        max_length = self._model.encoder.config.max_position_embeddings
        outputs = self._model(
            signatures.check_length(inputs, max_length=max_length),
            task_name=self._task.name,
        )
        if self._task.kind == "regression":
            return {"score": outputs["score"]}
        label_index = tf.argmax(
            outputs["logits"], axis=-1, output_type=tf.int32
        )
        labels = tf.constant(self._task.labels)
        return {
            "label": tf.gather(labels, label_index),
            "label_index": label_index,
            "probabilities": outputs["probabilities"],
            "logits": outputs["logits"],
        }


def export_finetuned(
    model_dir: str,
    *,
    output_dir: str,
    version: int | None = None,
    task_name: str | None = None,
) -> export.Exported:
    """Exports the model of a fine-tuning run.

    Args:
        model_dir: folder of the run; of several trials, the best is taken.
        output_dir: folder that gets the numbered version.
        version: the next one if None.
        task_name: one of its tasks; None for the only one.
    """
    loaded = finetuned.load(model_dir)
    model, tokenizer = loaded.model, loaded.tokenizer
    task = loaded.task(task_name)
    with tempfile.TemporaryDirectory() as directory:
        tokenizer.save(directory)
        vocab_file = os.path.join(directory, tokenization.VOCAB_FILE)
        return export.save(
            TaskFunctions(model, tokenizer, task).all_signatures(),
            resources={
                "weights": checkpoints.by_name(model.trainable_variables),
                "vocab": tf.saved_model.Asset(vocab_file),
            },
            info={
                "kind": task.kind,
                "task": task.name,
                "labels": list(task.labels),
                "config": config.to_dict(model.config),
                "encoder": config.to_dict(model.encoder.config),
                "max_seq_length": model.config.max_seq_length,
                "tokenizer": tokenizer.settings(),
                "vocab_sha256": tokenizer.vocab_sha256,
            },
            output_dir=output_dir,
            version=version,
        )
