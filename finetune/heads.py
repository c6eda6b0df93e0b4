"""What a task puts on top of the encoder: `task_specific/<task>/...`.

A head turns the encoder's output into named outputs, and outputs and labels
into one loss for each example.
"""

import tensorflow as tf
import tf_keras

from electra_tf import encoder
from electra_tf import randomness
from finetune import task as task_lib

SCOPE = "task_specific"


class _ClsHead(tf_keras.layers.Layer):
    """One dense layer on the encoder's output at [CLS].

    As in the original (`classification_tasks.py`): dropout, TensorFlow's
    default initialisation, and no hidden layer.

    Args:
        task: what is answered; its name is in the variables' names.
        units: number of scores.
        hidden_size: width of the encoder.
        dropout_prob: on what the dense layer reads.
    """

    def __init__(
        self,
        task: task_lib.Task,
        *,
        units: int,
        hidden_size: int,
        dropout_prob: float,
    ):
        super().__init__(name=task.name)
        self.task = task
        self.dropout_prob = dropout_prob
        self.dense = tf_keras.layers.Dense(units, name="dense", dtype="float32")
        with tf.name_scope(f"{SCOPE}/{task.name}"):
            encoder.build_in_scope(self.dense, [None, hidden_size])
        self.built = True

    def scores(self, encoded: encoder.EncoderOutput, dropout_seed):
        """The dense layer's output: float32 `[batch, units]`."""
        pooled = randomness.dropout(
            encoded.pooled_output, rate=self.dropout_prob, seed=dropout_seed
        )
        return self.dense(pooled)


class ClassificationHead(_ClsHead):
    """One score a label."""

    def __init__(
        self, task: task_lib.Task, *, hidden_size: int, dropout_prob: float
    ):
        super().__init__(
            task,
            units=len(task.labels),
            hidden_size=hidden_size,
            dropout_prob=dropout_prob,
        )

    def call(
        self, encoded: encoder.EncoderOutput, dropout_seed=None
    ) -> dict[str, tf.Tensor]:
        """Outputs for a batch.

        Args:
            encoded: what the encoder computed.
            dropout_seed: int32 `[2]`; None turns dropout off.

        Returns:
            `logits` and `probabilities`, float32 `[batch, labels]`.
        """
        logits = self.scores(encoded, dropout_seed)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    def losses(
        self, outputs: dict[str, tf.Tensor], labels: tf.Tensor
    ) -> tf.Tensor:
        """Negative log likelihoods, in nats: float32 `[batch]`.

        Args:
            outputs: of `call`.
            labels: int32 `[batch]`, ids of the true labels.
        """
        return tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=labels, logits=outputs["logits"]
        )


class RegressionHead(_ClsHead):
    """One number, learned on scores mapped to [0, 1]."""

    def __init__(
        self, task: task_lib.Task, *, hidden_size: int, dropout_prob: float
    ):
        super().__init__(
            task, units=1, hidden_size=hidden_size, dropout_prob=dropout_prob
        )

    def call(
        self, encoded: encoder.EncoderOutput, dropout_seed=None
    ) -> dict[str, tf.Tensor]:
        """Outputs for a batch.

        Args:
            encoded: what the encoder computed.
            dropout_seed: int32 `[2]`; None turns dropout off.

        Returns:
            `predictions`, mapped to [0, 1] as the labels are, and `score`,
            the same in the task's unit; float32 `[batch]`, not clipped.
        """
        predictions = self.scores(encoded, dropout_seed)[:, 0]
        low, high = self.task.score_range
        # Unlike the original: what is reported has the unit of the labels.
        return {
            "predictions": predictions,
            "score": low + (high - low) * predictions,
        }

    def losses(
        self, outputs: dict[str, tf.Tensor], labels: tf.Tensor
    ) -> tf.Tensor:
        """Squared errors of the predictions: float32 `[batch]`.

        Args:
            outputs: of `call`.
            labels: float32 `[batch]`, true scores mapped to [0, 1].
        """
        return tf.math.squared_difference(outputs["predictions"], labels)


_HEADS = {
    "classification": ClassificationHead,
    "regression": RegressionHead,
}


def create(
    task: task_lib.Task, *, hidden_size: int, dropout_prob: float
) -> ClassificationHead | RegressionHead:
    """The head for a task of its kind, with all its variables."""
    return _HEADS[task.kind](
        task, hidden_size=hidden_size, dropout_prob=dropout_prob
    )
