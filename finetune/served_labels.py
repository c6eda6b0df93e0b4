"""What an exported model answers about a text or two: a label, or a score."""

import tensorflow as tf

from electra_tf import signatures
from finetune import served_tasks


class LabelFunctions:
    """A classification or regression model's answers to texts and to ids.

    Texts are cut as in training.

    Args:
        served: the model, of a task of these kinds.
    """

    def __init__(self, served: served_tasks.ServedTask):
        self._served = served
        self._task = served.task

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        num_texts = len(self._task.text_columns)
        return {
            signatures.DEFAULT: signatures.of_texts(
                self.serve_texts, ["text_a", "text_b"][:num_texts]
            ),
            "serve_ids": self._served.ids_signature(self.serve_ids),
        }

    def serve_texts(
        self, text_a: tf.Tensor, text_b: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """The answers to texts, string `[batch]`: as of `serve_ids`."""
        texts = [text_a] if text_b is None else [text_a, text_b]
        ids = map(self._served.tokenizer.tokenize, texts)
        return self.serve_ids(**self._served.pack(*ids))

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
        outputs = self._served.outputs(inputs)
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
