"""What a task puts on top of the encoder: `task_specific/<task>/...`.

A head turns the encoder's output into named outputs, and, with the targets of
a batch, into one loss for each row. `span_heads` has those that find answers
in a context.
"""

from collections.abc import Mapping

import tensorflow as tf
import tf_keras

from electra_tf import encoder
from electra_tf import fused
from finetune import features
from finetune import finetune_config
from finetune import task as task_lib

SCOPE = "task_specific"


class Head(tf_keras.layers.Layer):
    """What all heads are to the model.

    Args:
        task: what is answered; its name is in the variables' names.

    Attributes:
        TOKEN_OUTPUTS: Names of the outputs `[batch, length, ...]`.
    """

    TOKEN_OUTPUTS: tuple[str, ...] = ()

    def __init__(self, task: task_lib.Task):
        super().__init__(name=task.name)
        self.task = task

    def add_dense(
        self, units: int, *, name: str, input_size: int, activation=None
    ) -> tf_keras.layers.Dense:
        """A float32 dense layer, with TensorFlow's default initialisation.

        Its variables are `task_specific/<task>/<name>/kernel` and `bias`.
        """
        layer = tf_keras.layers.Dense(
            units, name=name, activation=activation, dtype="float32"
        )
        with tf.name_scope(f"{SCOPE}/{self.task.name}"):
            encoder.build_in_scope(layer, [None, input_size])
        return layer

    def call(
        self, encoded: encoder.EncoderOutput, inputs: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The outputs for a batch, without dropout.

        Args:
            encoded: what the encoder computed of `inputs`.
            inputs: `input_ids`, `input_mask` and `segment_ids`, each int32
                `[batch, length]`.
        """
        raise NotImplementedError

    def losses(
        self,
        encoded: encoder.EncoderOutput,
        inputs: Mapping[str, tf.Tensor],
        targets: Mapping[str, tf.Tensor],
        dropout_seed: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """One loss a row: float32 `[batch]`.

        Args:
            encoded: as for `call`.
            inputs: as for `call`.
            targets: of the batch, see `features.batches`.
            dropout_seed: int32 `[2]`; None turns dropout off.
        """
        raise NotImplementedError


class _DenseHead(Head):
    """One dense layer, as in the original, and no hidden one.

    Args:
        task: what is answered.
        units: number of scores.
        hidden_size: width of the encoder.
        dropout_prob: on what the dense layer reads, in training.
    """

    def __init__(
        self,
        task: task_lib.Task,
        *,
        units: int,
        hidden_size: int,
        dropout_prob: float,
    ):
        super().__init__(task)
        self.dropout_prob = dropout_prob
        self.dense = self.add_dense(units, name="dense", input_size=hidden_size)
        self.built = True

    def scores(self, vectors: tf.Tensor, dropout_seed=None) -> tf.Tensor:
        """The dense layer's output: float32 `[..., units]`."""
        return self.dense(
            fused.dropout(vectors, rate=self.dropout_prob, seed=dropout_seed)
        )


class ClassificationHead(_DenseHead):
    """One score a label, from the encoder's output at [CLS]."""

    def __init__(
        self,
        task: task_lib.Task,
        *,
        run_config: finetune_config.FinetuneConfig,
        hidden_size: int,
    ):
        super().__init__(
            task,
            units=len(task.labels),
            hidden_size=hidden_size,
            dropout_prob=run_config.dropout_prob,
        )

    def call(self, encoded, inputs) -> dict[str, tf.Tensor]:
        """`logits` and `probabilities`, float32 `[batch, labels]`."""
        logits = self.scores(encoded.pooled_output)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    def losses(self, encoded, inputs, targets, dropout_seed=None) -> tf.Tensor:
        """Negative log likelihoods of int32 `labels` `[batch]`, in nats."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=targets["labels"],
            logits=self.scores(encoded.pooled_output, dropout_seed),
        )


class RegressionHead(_DenseHead):
    """One number, learned on scores mapped to [0, 1]."""

    def __init__(
        self,
        task: task_lib.Task,
        *,
        run_config: finetune_config.FinetuneConfig,
        hidden_size: int,
    ):
        super().__init__(
            task,
            units=1,
            hidden_size=hidden_size,
            dropout_prob=run_config.dropout_prob,
        )

    def call(self, encoded, inputs) -> dict[str, tf.Tensor]:
        """Outputs for a batch.

        Returns:
            `predictions`, mapped to [0, 1] as the labels are, and `score`,
            the same in the task's unit; float32 `[batch]`, not clipped.
        """
        predictions = self.scores(encoded.pooled_output)[:, 0]
        low, high = self.task.score_range
        # Unlike the original: what is reported has the unit of the labels.
        return {
            "predictions": predictions,
            "score": low + (high - low) * predictions,
        }

    def losses(self, encoded, inputs, targets, dropout_seed=None) -> tf.Tensor:
        """Squared errors; `labels` are float32 `[batch]`, in [0, 1]."""
        predictions = self.scores(encoded.pooled_output, dropout_seed)[:, 0]
        return tf.math.squared_difference(predictions, targets["labels"])


class TaggingHead(_DenseHead):
    """One score a tag at every token; those at words' first tokens count.

    As in the original no dropout comes before the dense layer.
    """

    TOKEN_OUTPUTS = ("logits",)

    def __init__(
        self,
        task: task_lib.Task,
        *,
        run_config: finetune_config.FinetuneConfig,
        hidden_size: int,
    ):
        del run_config  # Nothing of it matters here.
        super().__init__(
            task,
            units=len(task.labels),
            hidden_size=hidden_size,
            dropout_prob=0.0,
        )

    def call(self, encoded, inputs) -> dict[str, tf.Tensor]:
        """`logits`, float32 `[batch, length, tags]`."""
        return {"logits": self.scores(encoded.sequence_output)}

    def losses(self, encoded, inputs, targets, dropout_seed=None) -> tf.Tensor:
        """Sums over words of negative log likelihoods, in nats.

        `labels` are int32 `[batch, length]`: ids of tags at words' first
        tokens, `features.NO_TARGET` elsewhere.
        """
        labels = targets["labels"]
        is_word = labels != features.NO_TARGET
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.where(is_word, labels, 0),
            logits=self.scores(encoded.sequence_output),
        )
        return tf.reduce_sum(tf.where(is_word, losses, 0.0), axis=-1)
