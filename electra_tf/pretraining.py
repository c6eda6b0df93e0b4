"""ELECTRA as one Keras model that holds generator and discriminator."""

from typing import NamedTuple

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import encoder
from electra_tf import masking
from electra_tf import objectives
from electra_tf import optimization
from electra_tf import pretraining_heads
from electra_tf import randomness


class PretrainingOutput(NamedTuple):
    """What one forward pass computes.

    Losses are this replica's share of the mean over the global batch.

    Attributes:
        loss: float32 `[]`, the weighted sum of the two losses.
        masked_lm_loss: float32 `[]`, the generator's, in nats a masked token.
        disc_loss: float32 `[]`, the discriminator's, in nats a token.
        masked: the tokens that the generator predicts.
        masked_lm_logits: float32 `[batch, masked, vocab]`.
        masked_lm_losses: float32 `[batch, masked]`, in nats.
        sampled_ids: int32 `[batch, masked]`, the generator's samples.
        corrupted_ids: int32 `[batch, length]`, what the discriminator reads.
        is_replaced: int32 `[batch, length]`; 1 where a corrupted id is not
            the original id.
        disc_logits: float32 `[batch, length]`; positive means "replaced".
        disc_losses: float32 `[batch, length]`, in nats.
    """

    loss: tf.Tensor
    masked_lm_loss: tf.Tensor
    disc_loss: tf.Tensor
    masked: masking.MaskedTokens
    masked_lm_logits: tf.Tensor
    masked_lm_losses: tf.Tensor
    sampled_ids: tf.Tensor
    corrupted_ids: tf.Tensor
    is_replaced: tf.Tensor
    disc_logits: tf.Tensor
    disc_losses: tf.Tensor


class ElectraPretrainer(tf_keras.Model):
    """Generator and discriminator, trained together by `compile` and `fit`.

    A batch is a dictionary of `input_ids`, `input_mask` and `segment_ids`,
    each int32 `[batch, length]`, unmasked: masks are drawn on the device, new
    ones at every step. Every draw is a function of the seed and the step.

    Args:
        run_config: what to compute.
        special_ids: tokens that are never masked.

    Attributes:
        generator: the small `encoder.Encoder` that reads masked text.
        generator_head: its `pretraining_heads.MaskedLanguageModelHead`.
        discriminator: the `encoder.Encoder` that people keep.
        discriminator_head: its `pretraining_heads.ReplacedTokenHead`.
    """

    def __init__(
        self,
        run_config: config.PretrainConfig,
        special_ids: masking.SpecialIds,
    ):
        super().__init__(name="electra_pretrainer")
        self.config = run_config
        self.special_ids = special_ids
        self.discriminator = encoder.Encoder(run_config.encoder)
        if run_config.tying == "all":
            self.generator = self.discriminator
        else:
            self.generator = encoder.Encoder(
                run_config.generator_encoder,
                name="generator",
                embeddings=self.discriminator.embeddings,
            )
        self.generator_head = pretraining_heads.MaskedLanguageModelHead(
            run_config.generator_encoder, self.discriminator.embeddings
        )
        self.discriminator_head = pretraining_heads.ReplacedTokenHead(
            run_config.encoder
        )
        encoder.build_in_scope(
            self.generator_head,
            [None, None, run_config.generator_encoder.hidden_size],
        )
        encoder.build_in_scope(
            self.discriminator_head, [None, None, run_config.hidden_size]
        )
        self.built = True
        # Results of metrics are alike on all replicas; Keras would add up the
        # total loss, which is computed from them.
        self.distribute_reduction_method = "first"
        self._batch_metrics = _make_metrics()
        self._num_evaluated = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def mask(self, inputs, uniform) -> tuple[masking.MaskedTokens, tf.Tensor]:
        """Chooses and hides tokens.

        Args:
            inputs: a batch.
            uniform: float32 `[batch, length + masked]` draws.

        Returns:
            The chosen tokens, and int32 `[batch, length]` for the generator.
        """
        length = self.config.max_seq_length
        max_predictions = self.config.max_predictions_per_seq
        masked = masking.choose_tokens(
            uniform[:, :length],
            input_ids=inputs["input_ids"],
            candidates=masking.maskable(
                inputs["input_ids"], inputs["input_mask"], self.special_ids
            ),
            counts=masking.num_to_predict(
                inputs["input_mask"],
                mask_prob=self.config.mask_prob,
                max_predictions=max_predictions,
            ),
            max_predictions=max_predictions,
        )
        hidden_ids = masking.hide_tokens(
            uniform[:, length:],
            input_ids=inputs["input_ids"],
            masked=masked,
            mask_id=self.special_ids.mask,
        )
        return masked, hidden_ids

    def masked_lm_logits(self, inputs, positions, dropout_seed=None):
        """The generator's scores at the positions of (masked) inputs.

        Args:
            inputs: a batch whose `input_ids` are masked.
            positions: int32 `[batch, masked]`.
            dropout_seed: int32 `[2]`; None turns dropout off.

        Returns:
            float32 `[batch, masked, vocab]`.
        """
        output = self.generator(inputs, dropout_seed=dropout_seed)
        return self.generator_head(
            masking.gather_positions(output.sequence_output, positions)
        )

    def replaced_logits(self, inputs, dropout_seed=None):
        """The discriminator's scores: float32 `[batch, length]`."""
        output = self.discriminator(inputs, dropout_seed=dropout_seed)
        return self.discriminator_head(output.sequence_output)

    def compute_losses(
        self, inputs, *, masked, masked_ids, uniform, dropout_seed=None
    ) -> PretrainingOutput:
        """One pass through both networks, given the masked tokens.

        Args:
            inputs: a batch.
            masked: the tokens to predict, from `mask`.
            masked_ids: int32 `[batch, length]` from `mask`.
            uniform: float32 `[batch, masked]` draws for the replacements.
            dropout_seed: int32 `[2]`; None turns dropout off.
        """
        generator_seed, disc_seed = randomness.split(dropout_seed, 2)
        logits = self.masked_lm_logits(
            inputs | {"input_ids": masked_ids},
            masked.positions,
            dropout_seed=generator_seed,
        )
        masked_lm_losses = objectives.masked_lm_losses(logits, masked.ids)
        masked_lm_loss = objectives.global_mean(
            masked_lm_losses, masked.weights
        )
        # No gradient flows from the discriminator into the generator.
        sampled_ids = masking.sample(
            uniform,
            logits=tf.stop_gradient(tf.cast(logits, tf.float32)),
            temperature=self.config.temperature,
        )
        corrupted_ids = masking.replace_tokens(
            inputs["input_ids"], masked=masked, updates=sampled_ids
        )
        is_replaced = tf.cast(
            tf.not_equal(corrupted_ids, inputs["input_ids"]), tf.int32
        )
        disc_logits = self.replaced_logits(
            inputs | {"input_ids": corrupted_ids}, dropout_seed=disc_seed
        )
        disc_losses = objectives.replaced_token_losses(disc_logits, is_replaced)
        disc_loss = objectives.global_mean(
            disc_losses, tf.cast(inputs["input_mask"], tf.float32)
        )
        return PretrainingOutput(
            loss=self.config.gen_weight * masked_lm_loss
            + self.config.disc_weight * disc_loss,
            masked_lm_loss=masked_lm_loss,
            disc_loss=disc_loss,
            masked=masked,
            masked_lm_logits=logits,
            masked_lm_losses=masked_lm_losses,
            sampled_ids=sampled_ids,
            corrupted_ids=corrupted_ids,
            is_replaced=is_replaced,
            disc_logits=disc_logits,
            disc_losses=disc_losses,
        )

    def call(self, inputs, training=False, seed=(0, 0)):
        """Masks a batch, and computes all losses: `PretrainingOutput`.

        Args:
            inputs: a batch.
            training: whether dropout is on.
            seed: int32 `[2]`; equal seeds give equal masks, replacements and
                dropout.
        """
        draws_seed, dropout_seed = randomness.split(seed, 2)
        uniform = self._draws(draws_seed, tf.shape(inputs["input_ids"])[0])
        max_predictions = self.config.max_predictions_per_seq
        masked, masked_ids = self.mask(inputs, uniform[:, max_predictions:])
        return self.compute_losses(
            inputs,
            masked=masked,
            masked_ids=masked_ids,
            uniform=uniform[:, :max_predictions],
            dropout_seed=randomness.replica_seed(dropout_seed)
            if training
            else None,
        )

    def train_step(self, inputs):
        """One step on a batch; returns the metrics since their last reset."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        seed = randomness.step_seed(self.config.seed, self.optimizer.iterations)
        with tf.GradientTape() as tape:
            output = self(inputs, training=True, seed=seed)
        gradient_norm = optimization.apply_gradients(
            self.optimizer,
            gradients=tape.gradient(output.loss, self.trainable_variables),
            variables=self.trainable_variables,
            clip_norm=self.config.clip_norm,
        )
        self._batch_metrics["gradient_norm"].update_state(gradient_norm)
        self._update_metrics(inputs, output)
        return self.metric_results()

    def test_step(self, inputs):
        """Evaluates a batch; every evaluation draws the same masks."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        # Steps count from 0; so evaluation's draws are never training's.
        seed = randomness.step_seed(self.config.seed, -1 - self._num_evaluated)
        self._num_evaluated.assign_add(1)
        self._update_metrics(inputs, self(inputs, seed=seed))
        results = self.metric_results()
        del results["gradient_norm"]
        return results

    @property
    def metrics(self):
        """Keras resets these at the start of an epoch or evaluation."""
        return list(self._batch_metrics.values())

    def reset_metrics(self):
        """Forgets all batches, so that an evaluation starts its draws anew."""
        super().reset_metrics()
        self._num_evaluated.assign(0)

    def metric_results(self) -> dict[str, tf.Tensor]:
        """Metrics of all batches since the last reset, float32 `[]` each."""
        results = {
            name: metric.result()
            for name, metric in self._batch_metrics.items()
        }
        loss = (
            self.config.gen_weight * results["masked_lm_loss"]
            + self.config.disc_weight * results["disc_loss"]
        )
        return {"loss": loss} | results

    def _update_metrics(self, inputs, output: PretrainingOutput):
        metrics = self._batch_metrics
        masked, weights = output.masked, output.masked.weights
        metrics["masked_lm_loss"].update_state(output.masked_lm_losses, weights)
        predictions = tf.argmax(
            output.masked_lm_logits, axis=-1, output_type=tf.int32
        )
        metrics["masked_lm_accuracy"].update_state(
            tf.equal(predictions, masked.ids), weights
        )
        metrics["sampled_masked_lm_accuracy"].update_state(
            tf.equal(output.sampled_ids, masked.ids), weights
        )
        # Unlike the original: padding does not count, not in the AUC either.
        labels, is_token = output.is_replaced, inputs["input_mask"]
        metrics["disc_loss"].update_state(output.disc_losses, is_token)
        metrics["replaced_share"].update_state(labels, is_token)
        probs = tf.nn.sigmoid(tf.cast(output.disc_logits, tf.float32))
        is_predicted = tf.cast(probs > 0.5, tf.int32)
        metrics["disc_accuracy"].update_state(
            tf.equal(is_predicted, labels), is_token
        )
        for name in ("disc_precision", "disc_recall", "disc_auc"):
            metrics[name].update_state(labels, probs, is_token)

    def _draws(self, seed, batch_size) -> tf.Tensor:
        """This replica's rows of the global batch's uniform draws.

        The global batch is drawn on every replica, so that an example's masks
        do not depend on the number of replicas.
        """
        width = self.config.max_seq_length
        width += 2 * self.config.max_predictions_per_seq
        replica, num_replicas = randomness.replica()
        draws = randomness.uniform([batch_size * num_replicas, width], seed)
        start = tf.cast(replica, tf.int32) * batch_size
        return draws[start : start + batch_size]


def _make_metrics() -> dict[str, tf_keras.metrics.Metric]:
    means = (
        "masked_lm_loss",
        "masked_lm_accuracy",
        "sampled_masked_lm_accuracy",
        "disc_loss",
        "disc_accuracy",
        "replaced_share",
        "gradient_norm",
    )
    return {name: tf_keras.metrics.Mean(name=name) for name in means} | {
        "disc_precision": tf_keras.metrics.Precision(name="disc_precision"),
        "disc_recall": tf_keras.metrics.Recall(name="disc_recall"),
        # As many thresholds as the original's tf.metrics.auc.
        "disc_auc": tf_keras.metrics.AUC(num_thresholds=200, name="disc_auc"),
    }
