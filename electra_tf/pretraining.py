"""ELECTRA as one Keras model that holds generator and discriminator."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import discrimination
from electra_tf import encoder
from electra_tf import generators
from electra_tf import masking
from electra_tf import objectives
from electra_tf import optimization
from electra_tf import pretraining_metrics
from electra_tf import randomness
from electra_tf import stages
from electra_tf import tokenization


class PretrainingOutput(NamedTuple):
    """What one forward pass computes.

    Attributes:
        terms: the parts of the total loss, by the names that metrics have.
        masked: the tokens that the generator predicts.
        masked_lm_logits: float32 `[batch, masked, vocab]`.
        masked_lm_losses: float32 `[batch, masked]`, in nats.
        corruption: what the discriminator reads; None for "mlm".
        verdict: what it says; None for "mlm".
    """

    terms: dict[str, objectives.LossTerm]
    masked: masking.MaskedTokens
    masked_lm_logits: tf.Tensor
    masked_lm_losses: tf.Tensor
    corruption: discrimination.Corruption | None = None
    verdict: discrimination.Verdict | None = None

    @property
    def loss(self) -> tf.Tensor:
        """This replica's share of the total loss of the global batch."""
        return objectives.total(self.terms)

    def mean(self, name: str) -> tf.Tensor:
        """Likewise, of one part of it, such as "disc_loss", not scaled."""
        return objectives.global_mean(*self.terms[name][:2])


class ElectraPretrainer(tf_keras.Model):
    """Generator and discriminator, trained together by `compile` and `fit`.

    A batch is a dictionary of `input_ids`, `input_mask` and `segment_ids`,
    each int32 `[batch, length]`, unmasked: masks are drawn on the device, new
    ones at every step. Every draw is a function of the seed and the step.

    Args:
        run_config: what to compute.
        special_ids: tokens that are never masked.
        continues_word: for whole-word masking, whether each word piece goes
            on with the word of the piece before: bool `[vocab]`.

    Attributes:
        generator: one of `generators`; the usual one has an `encoder` and a
            `head`.
        discriminator: the `encoder.Encoder` that people keep.
        heads: the `discrimination.Heads` on it; None if the objective is
            "mlm".
        baseline: what an adversarial generator's reward is compared with.
    """

    def __init__(
        self,
        run_config: config.PretrainConfig,
        special_ids: masking.SpecialIds,
        *,
        continues_word: Sequence[bool] | None = None,
    ):
        super().__init__(name="electra_pretrainer")
        self.config = run_config
        self.special_ids = special_ids
        if run_config.masking == "whole_words" and continues_word is None:
            raise ValueError("masking='whole_words' needs continues_word.")
        self._continues_word = continues_word
        self._make_networks()
        self.built = True
        # Results of metrics are alike on all replicas; Keras would add up the
        # total loss, which is computed from them.
        self.distribute_reduction_method = "first"
        self._metrics_so_far = pretraining_metrics.PretrainingMetrics(
            run_config
        )
        self._num_evaluated = tf.Variable(
            0,
            trainable=False,
            dtype=tf.int64,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    @classmethod
    def for_tokenizer(
        cls,
        run_config: config.PretrainConfig,
        tokenizer: tokenization.Tokenizer,
    ) -> "ElectraPretrainer":
        """The model for texts of that tokenizer."""
        return cls(
            run_config,
            masking.SpecialIds(
                cls=tokenizer.cls_id,
                sep=tokenizer.sep_id,
                mask=tokenizer.mask_id,
            ),
            continues_word=[t.startswith("##") for t in tokenizer.vocab],
        )

    def _make_networks(self):
        run_config = self.config
        if run_config.tying == "gdes":
            self.generator = generators.with_own_embeddings(run_config)
            self.discriminator = encoder.Encoder(
                run_config.encoder,
                base_embeddings=self.generator.encoder.embeddings,
            )
        else:
            self.discriminator = encoder.Encoder(run_config.encoder)
            self.generator = generators.create(run_config, self.discriminator)
        self.heads = self.baseline = None
        if run_config.has_discriminator:
            self.heads = discrimination.Heads(
                run_config, self.discriminator.embeddings
            )
        if run_config.generator_training == "adversarial":
            self.baseline = tf_keras.layers.Dense(
                1, use_bias=False, name="generator_baseline"
            )
            encoder.build_in_scope(
                self.baseline, [None, run_config.generator_encoder.hidden_size]
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
        masked = self._choose_tokens(inputs, uniform[:, :length])
        hidden_ids = masking.hide_tokens(
            uniform[:, length:],
            input_ids=inputs["input_ids"],
            masked=masked,
            mask_id=self.special_ids.mask,
        )
        return masked, hidden_ids

    def _choose_tokens(self, inputs, uniform) -> masking.MaskedTokens:
        max_predictions = self.config.max_predictions_per_seq
        arguments = dict(
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
        if self.config.masking == "with_replacement":
            return masking.choose_tokens_with_replacement(
                uniform[:, :max_predictions], **arguments
            )
        if self.config.masking == "whole_words":
            continues_word = tf.gather(
                tf.constant(self._continues_word), inputs["input_ids"]
            )
            return masking.choose_whole_words(
                uniform, continues_word=continues_word, **arguments
            )
        return masking.choose_tokens(uniform, **arguments)

    def compute_losses(
        self,
        inputs,
        *,
        masked: masking.MaskedTokens,
        masked_ids,
        uniform,
        dropout_seed=None,
        step=None,
    ) -> PretrainingOutput:
        """One pass through both networks, given the masked tokens.

        Args:
            inputs: a batch.
            masked: the tokens to predict, from `mask`.
            masked_ids: int32 `[batch, length]` from `mask`.
            uniform: float32 `[batch, masked]` draws for the replacements.
            dropout_seed: int32 `[2]`; None turns dropout off.
            step: of training, from 0; None for evaluation.
        """
        generator_seed, disc_seed = randomness.split(dropout_seed, 2)
        proposal = self.generator(
            inputs, masked, masked_ids, dropout_seed=generator_seed
        )
        corruption = verdict = None
        if self.config.has_discriminator:
            corruption = self._corrupt(inputs, masked, proposal, uniform)
            encoded = self.discriminator(
                inputs | {"input_ids": corruption.ids}, dropout_seed=disc_seed
            )
            verdict = self.heads(encoded.sequence_output, corruption)
        output = PretrainingOutput(
            terms={},
            masked=masked,
            masked_lm_logits=proposal.logits,
            masked_lm_losses=objectives.masked_lm_losses(
                proposal.logits, masked.ids
            ),
            corruption=corruption,
            verdict=verdict,
        )
        return output._replace(terms=self._terms(output, proposal, step))

    def _terms(
        self, output: PretrainingOutput, proposal: generators.Proposal, step
    ) -> dict[str, objectives.LossTerm]:
        """The parts of the total loss."""
        verdict = output.verdict
        if self.baseline is not None:
            terms = self._policy_terms(output, proposal)
        elif proposal.cloze_logits is not None:
            terms = {"cloze_loss": self._cloze_term(output, proposal)}
        else:
            terms = {
                "masked_lm_loss": (
                    output.masked_lm_losses,
                    output.masked.weights,
                )
            }
        if verdict is not None:
            name = "token_loss" if verdict.logits is None else "disc_loss"
            terms[name] = (verdict.losses, verdict.weights)
        scales = stages.loss_scales(self.config, step)
        return {
            name: objectives.LossTerm(*values, scale=scales[name])
            for name, values in terms.items()
        }

    def _cloze_term(self, output, proposal) -> tuple[tf.Tensor, tf.Tensor]:
        """As in the original every token that may be masked counts."""
        ids = output.corruption.original_ids
        candidates = masking.maskable(
            ids, output.corruption.input_mask, self.special_ids
        )
        return (
            objectives.masked_lm_losses(proposal.cloze_logits, ids),
            tf.cast(candidates, tf.float32),
        )

    def _policy_terms(self, output, proposal) -> dict[str, tuple]:
        masked, corruption = output.masked, output.corruption
        policy_losses, baseline_losses = objectives.policy_losses(
            -objectives.masked_lm_losses(
                proposal.logits / self.config.temperature,
                corruption.sampled_ids,
            ),
            rewards=masking.gather_positions(
                output.verdict.losses, masked.positions
            ),
            baseline_logits=tf.squeeze(
                self.baseline(tf.stop_gradient(proposal.hidden)), axis=-1
            ),
        )
        return {
            "policy_loss": (policy_losses, masked.weights),
            "baseline_loss": (baseline_losses, masked.weights),
        }

    def _corrupt(
        self, inputs, masked, proposal: generators.Proposal, uniform
    ) -> discrimination.Corruption:
        # No gradient flows from the discriminator into the generator.
        sampled_ids = masking.sample(
            uniform,
            logits=tf.stop_gradient(tf.cast(proposal.logits, tf.float32)),
            temperature=self.config.temperature,
            disallowed_ids=masked.ids if self.config.disallow_correct else None,
        )
        ids = masking.replace_tokens(
            inputs["input_ids"], masked=masked, updates=sampled_ids
        )
        is_replaced = tf.not_equal(ids, inputs["input_ids"])
        return discrimination.Corruption(
            original_ids=inputs["input_ids"],
            input_mask=inputs["input_mask"],
            masked=masked,
            sampled_ids=sampled_ids,
            ids=ids,
            is_replaced=tf.cast(is_replaced, tf.int32),
            cloze_logits=proposal.cloze_logits,
        )

    def call(self, inputs, training=False, seed=(0, 0), step=None):
        """Masks a batch, and computes all losses: `PretrainingOutput`.

        Args:
            inputs: a batch.
            training: whether dropout is on.
            seed: int32 `[2]`; equal seeds give equal masks, replacements and
                dropout.
            step: of training, from 0; None for evaluation.
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
            step=step,
        )

    def train_step(self, inputs):
        """One step on a batch; returns the metrics since their last reset."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        step = self.optimizer.iterations
        seed = randomness.step_seed(self.config.seed, step)
        with tf.GradientTape() as tape:
            output = self(inputs, training=True, seed=seed, step=step)
            loss = output.loss
        gradient_norm = optimization.apply_gradients(
            self.optimizer,
            gradients=tape.gradient(loss, self.trainable_variables),
            variables=self.trainable_variables,
            clip_norm=self.config.clip_norm,
        )
        self._metrics_so_far.metrics["gradient_norm"].update_state(
            gradient_norm
        )
        self._metrics_so_far.update(output)
        return self._metrics_so_far.results()

    def test_step(self, inputs):
        """Evaluates a batch; every evaluation draws the same masks."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        # Steps count from 0; so evaluation's draws are never training's.
        seed = randomness.step_seed(self.config.seed, -1 - self._num_evaluated)
        self._num_evaluated.assign_add(1)
        self._metrics_so_far.update(self(inputs, seed=seed))
        results = self._metrics_so_far.results()
        del results["gradient_norm"]
        return results

    @property
    def metrics(self):
        """Keras resets these at the start of an epoch or evaluation."""
        return list(self._metrics_so_far.metrics.values())

    @property
    def metric_names(self) -> list[str]:
        """What `fit` and `evaluate` report."""
        return ["loss", *self._metrics_so_far.metrics]

    def reset_metrics(self):
        """Forgets all batches, so that an evaluation starts its draws anew."""
        super().reset_metrics()
        self._num_evaluated.assign(0)

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
