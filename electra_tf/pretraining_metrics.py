"""What is measured while a model is pre-trained, over many batches."""

from typing import TYPE_CHECKING

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import objectives

if TYPE_CHECKING:
    from electra_tf import pretraining


class PretrainingMetrics:
    """Means over all batches since the last reset.

    Args:
        run_config: decides which metrics there are.

    Attributes:
        metrics: tf_keras metrics by name.
    """

    def __init__(self, run_config: config.PretrainConfig):
        self._scales = objectives.loss_scales(run_config)
        means = [*self._scales, "gradient_norm", "masked_lm_accuracy"]
        if "masked_lm_loss" not in means:
            means.append("masked_lm_loss")
        if run_config.has_discriminator:
            means += ["sampled_masked_lm_accuracy", "replaced_share"]
        if "token_loss" in means:
            means.append("token_accuracy")
        if "disc_loss" in means:
            means.append("disc_accuracy")
        self.metrics = {
            name: tf_keras.metrics.Mean(name=name) for name in means
        }
        if "disc_loss" in means:
            self.metrics |= {
                "disc_precision": tf_keras.metrics.Precision(),
                "disc_recall": tf_keras.metrics.Recall(),
                # As many thresholds as the original's tf.metrics.auc.
                "disc_auc": tf_keras.metrics.AUC(num_thresholds=200),
            }

    def update(self, output: "pretraining.PretrainingOutput"):
        """Counts a batch in."""
        metrics, masked = self.metrics, output.masked
        for name, term in output.terms.items():
            metrics[name].update_state(term.values, term.weights)
        if "masked_lm_loss" not in output.terms:
            metrics["masked_lm_loss"].update_state(
                output.masked_lm_losses, masked.weights
            )
        predictions = tf.argmax(
            output.masked_lm_logits, axis=-1, output_type=tf.int32
        )
        metrics["masked_lm_accuracy"].update_state(
            tf.equal(predictions, masked.ids), masked.weights
        )
        if output.verdict is not None:
            self._update_discriminator(output)

    def _update_discriminator(self, output: "pretraining.PretrainingOutput"):
        metrics, verdict = self.metrics, output.verdict
        metrics["sampled_masked_lm_accuracy"].update_state(
            tf.equal(output.corruption.sampled_ids, output.masked.ids),
            output.masked.weights,
        )
        metrics["replaced_share"].update_state(
            output.corruption.is_replaced, output.corruption.input_mask
        )
        is_right = tf.equal(verdict.predictions, verdict.labels)
        if verdict.logits is None:
            metrics["token_accuracy"].update_state(is_right, verdict.weights)
            return
        metrics["disc_accuracy"].update_state(is_right, verdict.weights)
        # Unlike the original: padding does not count, not in the AUC either.
        probs = tf.nn.sigmoid(verdict.logits)
        # These metrics stop the program at NaN, before the guard can.
        probs = tf.where(tf.math.is_nan(probs), 0.0, probs)
        for name in ("disc_precision", "disc_recall", "disc_auc"):
            metrics[name].update_state(verdict.labels, probs, verdict.weights)

    @property
    def sums(self) -> list[tf.Variable]:
        """What all metrics are computed from."""
        return [v for m in self.metrics.values() for v in m.variables]

    def loss_sums(self) -> dict[str, tf.Tensor]:
        """The sum of each part of the loss: finite if all batches were."""
        return {name: self.metrics[name].total for name in self._scales}

    def results(self) -> dict[str, tf.Tensor]:
        """All metrics, and `loss`, the scaled sum: float32 `[]` each."""
        results = {name: m.result() for name, m in self.metrics.items()}
        loss = tf.add_n(
            [scale * results[name] for name, scale in self._scales.items()]
        )
        return {"loss": loss} | results
