"""ELECTRA as one Keras model that holds generator and discriminator."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import discrimination
from electra_tf import encoder
from electra_tf import generators
from electra_tf import guards
from electra_tf import masked_batches
from electra_tf import masking
from electra_tf import micro_batches
from electra_tf import objectives
from electra_tf import optimization
from electra_tf import precision
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
        return self.terms[name].share


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
        self._masker = masked_batches.Masker(
            run_config, special_ids, continues_word
        )
        with precision.layers_of(run_config.precision):
            self._make_networks()
        self.built = True
        # Results of metrics are alike on all replicas; Keras would add up the
        # total loss, which is computed from them.
        self.distribute_reduction_method = "first"
        self._metrics_so_far = pretraining_metrics.PretrainingMetrics(
            run_config
        )
        self.guard = guards.Guard(
            [*objectives.loss_scales(run_config), "gradient_norm"],
            max_skipped=run_config.skip_nonfinite_steps,
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
                1, use_bias=False, name="generator_baseline", dtype="float32"
            )
            encoder.build_in_scope(
                self.baseline, [None, run_config.generator_encoder.hidden_size]
            )

    def compute_losses(
        self,
        inputs,
        *,
        masked: masking.MaskedTokens,
        masked_ids,
        uniform,
        dropout_seed=None,
        step=None,
        total_weights: dict[str, tf.Tensor] | None = None,
    ) -> PretrainingOutput:
        """One pass through both networks, given the masked tokens.

        The first arguments are those of a `masked_batches.MaskedBatch`.

        Args:
            inputs: a batch.
            masked: the tokens to predict.
            masked_ids: int32 `[batch, length]`, what the generator reads.
            uniform: float32 `[batch, masked]` draws for the replacements.
            dropout_seed: int32 `[2]`; None turns dropout off.
            step: of training, from 0; None for evaluation.
            total_weights: float32 `[]` for each part of the loss, the sum of
                the weights of the global batch; None to take it for one.
        """
        weights = self._loss_weights(inputs, masked)
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
            verdict = self.heads(
                encoded.sequence_output,
                corruption,
                weights[objectives.kept_loss(self.config)],
            )
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
        scales = stages.loss_scales(self.config, step)
        if total_weights is None:
            total_weights = _sums(weights)
        terms = {
            name: objectives.LossTerm(
                losses, weights[name], total_weights[name], scales[name]
            )
            for name, losses in self._token_losses(output, proposal).items()
        }
        return output._replace(terms=terms)

    def _loss_weights(self, inputs, masked) -> dict[str, tf.Tensor]:
        """Which tokens count in each part of the total loss."""
        return objectives.loss_weights(
            self.config,
            input_mask=inputs["input_mask"],
            masked=masked,
            maskable=self._masker.maskable(inputs),
        )

    def _token_losses(
        self, output: PretrainingOutput, proposal: generators.Proposal
    ) -> dict[str, tf.Tensor]:
        """Those of each token, for each part of the total loss."""
        if self.baseline is not None:
            losses = self._policy_losses(output, proposal)
        elif proposal.cloze_logits is not None:
            losses = {
                "cloze_loss": objectives.masked_lm_losses(
                    proposal.cloze_logits, output.corruption.original_ids
                )
            }
        else:
            losses = {"masked_lm_loss": output.masked_lm_losses}
        if output.verdict is not None:
            losses[objectives.kept_loss(self.config)] = output.verdict.losses
        return losses

    def _policy_losses(self, output, proposal) -> dict[str, tf.Tensor]:
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
        return {"policy_loss": policy_losses, "baseline_loss": baseline_losses}

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
        batch = self._masker(inputs, draws_seed)
        return self.compute_losses(
            **batch._asdict(),
            dropout_seed=randomness.replica_seed(dropout_seed)
            if training
            else None,
            step=step,
        )

    def make_train_function(self, force=False):
        """Keras's, with an optimizer that has its variables.

        Were they made when the step is first traced, it would be traced again.
        """
        if isinstance(self.optimizer, tf_keras.optimizers.Optimizer):
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
        return super().make_train_function(force)

    # AutoGraph would look for branches on tensors, of which there are none, for
    # seconds.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs):
        """One step on a batch; returns the metrics since their last reset."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        precision.check_optimizer(self.optimizer, self.config.precision)
        earlier = [tf.identity(v) for v in self._metrics_so_far.sums]

        def admit(norm):
            is_good = self.guard.admit(
                self.optimizer.iterations,
                self._metrics_so_far.loss_sums()
                | {
                    "gradient_norm": guards.excuse(
                        norm, precision.loss_scale(self.optimizer)
                    )
                },
            )
            guards.undo_unless(is_good, self._metrics_so_far.sums, earlier)
            return is_good

        with precision.compiled_chains(self.config.jit_compile):
            gradients = self._scaled_gradients(inputs)
        gradient_norm = optimization.apply_gradients(
            self.optimizer,
            gradients=precision.unscale_gradients(self.optimizer, gradients),
            variables=self._learning_variables(),
            clip_norm=self.config.clip_norm,
            clip_per_replica=self.config.clip_per_replica,
            admit=admit,
        )
        self._metrics_so_far.metrics["gradient_norm"].update_state(
            *guards.if_finite(gradient_norm)
        )
        return self._metrics_so_far.results()

    def _scaled_gradients(self, inputs) -> list[micro_batches.Gradient]:
        """Of a batch, as one or in parts, which are counted as metrics."""
        step = self.optimizer.iterations
        seed = randomness.step_seed(self.config.seed, step)
        if self.config.num_micro_batches == 1:
            return self._backpropagate(
                lambda: self(inputs, training=True, seed=seed, step=step)
            )
        draws_seed, dropout_seed = randomness.split(seed, 2)
        dropout_seed = randomness.replica_seed(dropout_seed)
        # Masks are those of the whole batch, whatever its parts, and so are
        # the sums of weights, for which replicas wait here, not in each part.
        batch = self._masker(inputs, draws_seed)
        total_weights = _sums(self._loss_weights(batch.inputs, batch.masked))
        return micro_batches.sum_gradients(
            lambda part, index: self._backpropagate(
                lambda: self.compute_losses(
                    **part._asdict(),
                    dropout_seed=randomness.part_seed(dropout_seed, index),
                    step=step,
                    total_weights=total_weights,
                )
            ),
            batch,
            variables=self._learning_variables(),
            num_micro_batches=self.config.num_micro_batches,
        )

    def _backpropagate(
        self, compute: Callable[[], PretrainingOutput]
    ) -> list[micro_batches.Gradient]:
        """Gradients of what is computed, scaled; counts it as metrics."""
        with tf.GradientTape() as tape:
            output = compute()
            loss = precision.scale_loss(self.optimizer, output.loss)
        self._metrics_so_far.update(output)
        return tape.gradient(loss, self._learning_variables())

    def _learning_variables(self) -> list[tf.Variable]:
        """Not an attribute, which Keras would track."""
        return optimization.unfrozen(
            self.trainable_variables, self.config.freeze
        )

    @tf.autograph.experimental.do_not_convert
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


def _sums(weights: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Over the global batch: float32 `[]` for each part of the loss."""
    return {name: objectives.global_sum(w) for name, w in weights.items()}
