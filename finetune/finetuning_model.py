"""An encoder and the heads of tasks as one Keras model."""

from collections.abc import Sequence
import dataclasses

import tensorflow as tf
import tf_keras

from electra_tf import adam
from electra_tf import config
from electra_tf import encoder
from electra_tf import guards
from electra_tf import learning_rates
from electra_tf import micro_batches
from electra_tf import objectives
from electra_tf import optimization
from electra_tf import precision
from electra_tf import randomness
from electra_tf import schedules
from finetune import finetune_config
from finetune import kinds
from finetune import task as task_lib


class FinetuningModel(tf_keras.Model):
    """Learns one task, or several at once, by `compile` and `fit`.

    A batch is what `features.batches` makes. Every draw of dropout is a
    function of the seed and the step.

    Args:
        run_config: what to compute.
        tasks: what is learned.
        encoder_config: shape of the encoder; its dropout is that of
            `run_config`.

    Attributes:
        encoder: the `encoder.Encoder`.
        heads: one of `heads.Head` for each task, by its name.
    """

    def __init__(
        self,
        run_config: finetune_config.FinetuneConfig,
        *,
        tasks: Sequence[task_lib.Task],
        encoder_config: config.EncoderConfig,
    ):
        super().__init__(name="finetuning_model")
        self.config = run_config
        with precision.layers_of(run_config.precision):
            self.encoder = encoder.Encoder(
                dataclasses.replace(
                    encoder_config,
                    hidden_dropout_prob=run_config.dropout_prob,
                    attention_probs_dropout_prob=run_config.dropout_prob,
                )
            )
            self.heads = {
                task.name: kinds.of(task).head(
                    task,
                    run_config=run_config,
                    hidden_size=encoder_config.hidden_size,
                )
                for task in tasks
            }
        self.built = True
        # Keras otherwise adds up what replicas return, also their metrics.
        self.distribute_reduction_method = "first"
        self._batch_metrics = {
            name: tf_keras.metrics.Mean(name=name)
            for name in ("loss", "gradient_norm")
        }
        self.guard = guards.Guard(
            ("loss", "gradient_norm"),
            max_skipped=run_config.skip_nonfinite_steps,
        )

    def call(self, inputs, task_name: str | None = None) -> dict:
        """The outputs of a head for a batch, without dropout.

        Args:
            inputs: `input_ids`, `input_mask` and `segment_ids`, each int32
                `[batch, length]`.
            task_name: whose head; may be None if there is one.
        """
        if task_name is None:
            (task_name,) = self.heads
        return self.heads[task_name](self.encoder(inputs), inputs)

    # AutoGraph would look for branches on tensors, of which there are none, for
    # seconds.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, inputs):
        """One step on a batch; returns the metrics since their last reset."""
        inputs, _, _ = tf_keras.utils.unpack_x_y_sample_weight(inputs)
        precision.check_optimizer(self.optimizer, self.config.precision)
        loss_sums = self._batch_metrics["loss"].variables
        earlier = [tf.identity(v) for v in loss_sums]

        def admit(norm):
            is_good = self.guard.admit(
                self.optimizer.iterations,
                {
                    "loss": self._batch_metrics["loss"].total,
                    "gradient_norm": guards.excuse(
                        norm, precision.loss_scale(self.optimizer)
                    ),
                },
            )
            guards.undo_unless(is_good, loss_sums, earlier)
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
        self._batch_metrics["gradient_norm"].update_state(
            *guards.if_finite(gradient_norm)
        )
        return {m.name: m.result() for m in self.metrics}

    def _scaled_gradients(self, inputs) -> list[micro_batches.Gradient]:
        """Of a batch, as one or in parts, which are counted in the loss."""
        seed = randomness.replica_seed(
            randomness.step_seed(self.config.seed, self.optimizer.iterations)
        )
        total_weight = objectives.global_sum(_row_weights(inputs))

        def compute(part, index):
            weights = _row_weights(part)
            with tf.GradientTape() as tape:
                losses = self._row_losses(
                    part, randomness.part_seed(seed, index)
                )
                if self.config.loss_reduction == "mean":
                    # Unlike the original: the size of the batch does not
                    # decide whether gradients are clipped.
                    loss = objectives.mean_share(losses, weights, total_weight)
                else:
                    loss = tf.reduce_sum(losses * weights)
                loss = precision.scale_loss(self.optimizer, loss)
            self._batch_metrics["loss"].update_state(losses, weights)
            return tape.gradient(loss, self._learning_variables())

        return micro_batches.sum_gradients(
            compute,
            inputs,
            variables=self._learning_variables(),
            num_micro_batches=self.config.num_micro_batches,
        )

    def _row_losses(self, inputs, dropout_seed) -> tf.Tensor:
        """Each row's loss by the head of its own task: float32 `[batch]`.

        As in the original every head reads every row of the batch.
        """
        targets = inputs["targets"]
        encoder_seed, *head_seeds = randomness.split(
            dropout_seed, 1 + len(targets)
        )
        encoded = self.encoder(inputs, dropout_seed=encoder_seed)
        losses = 0.0
        for (name, own), seed in zip(targets.items(), head_seeds, strict=True):
            own_losses = self.heads[name].losses(
                encoded, inputs, own, dropout_seed=seed
            )
            losses += own_losses * own["weights"]
        return losses

    def _learning_variables(self) -> list[tf.Variable]:
        """Not an attribute, which Keras would track."""
        return optimization.unfrozen(
            self.trainable_variables, self.config.freeze
        )

    @tf.autograph.experimental.do_not_convert
    def predict_step(self, inputs):
        """The outputs for a batch of one task, and `losses`.

        Losses are float32 `[batch]`. Outputs for tokens are padded with zeros
        to `max_seq_length`, so that batches of many lengths can be joined.
        """
        ((name, targets),) = inputs["targets"].items()
        head, encoded = self.heads[name], self.encoder(inputs)
        outputs = head(encoded, inputs)
        for token_output in head.TOKEN_OUTPUTS:
            outputs[token_output] = self._padded(outputs[token_output])
        return outputs | {"losses": head.losses(encoded, inputs, targets)}

    def _padded(self, output: tf.Tensor) -> tf.Tensor:
        rest = self.config.max_seq_length - tf.shape(output)[1]
        return tf.pad(
            output, [[0, 0], [0, rest], *[[0, 0]] * (output.shape.rank - 2)]
        )

    @property
    def metrics(self):
        """Keras resets these at the start of an epoch."""
        return list(self._batch_metrics.values())


def _row_weights(inputs) -> tf.Tensor:
    """1 for each row that is an example of any task: float32 `[batch]`."""
    return tf.add_n([own["weights"] for own in inputs["targets"].values()])


def make_optimizer(
    run_config: finetune_config.FinetuneConfig,
    *,
    num_steps: int,
    num_hidden_layers: int,
) -> adam.AdamWeightDecay:
    """The optimizer of a run: linear decay, and a rate for each layer.

    Args:
        run_config: with no None in it.
        num_steps: of the run.
        num_hidden_layers: of the encoder.
    """
    return adam.AdamWeightDecay(
        schedules.WarmupPolynomialDecay(
            run_config.learning_rate,
            num_train_steps=num_steps,
            warmup_steps=run_config.warmup_proportion * num_steps,
        ),
        weight_decay_rate=run_config.weight_decay_rate,
        bias_correction=run_config.bias_correction,
        rate_factors=learning_rates.layerwise(
            run_config.layerwise_lr_decay,
            num_hidden_layers,
            rule=run_config.layerwise_rule,
        ),
    )
