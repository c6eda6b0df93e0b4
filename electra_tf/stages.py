"""Two-stage training: the generator alone, then the discriminator alone.

Section 3.2 of the ELECTRA paper. Each stage takes half of the steps, with its
own rise and fall of the learning rate; the discriminator starts from the
generator's weights, which then stay as they are.
"""

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import objectives

_DISCRIMINATOR = r"^(electra|discriminator_predictions)/"
_GENERATOR = r"^(generator|generator_predictions)/"


def first_of_second(num_train_steps: int) -> int:
    """The step that the second stage begins with."""
    return (num_train_steps + 1) // 2


def active_steps(
    run_config: config.PretrainConfig,
) -> tuple[tuple[str, int, int], ...]:
    """Which variables learn when, for `adam.AdamWeightDecay`."""
    if run_config.generator_training != "two_stage":
        return ()
    start = first_of_second(run_config.num_train_steps)
    return (
        (_GENERATOR, 0, start),
        (_DISCRIMINATOR, start, run_config.num_train_steps),
    )


def loss_scales(
    run_config: config.PretrainConfig, step
) -> dict[str, float | tf.Tensor]:
    """What each part of the total loss is multiplied by.

    Args:
        run_config: of the run.
        step: of training, from 0; None for evaluation, where all parts count.
    """
    scales = objectives.loss_scales(run_config)
    if run_config.generator_training != "two_stage" or step is None:
        return scales
    is_second = tf.cast(
        step >= first_of_second(run_config.num_train_steps), tf.float32
    )
    return {
        "masked_lm_loss": scales["masked_lm_loss"] * (1.0 - is_second),
        "disc_loss": scales["disc_loss"] * is_second,
    }


class StartDiscriminator(tf_keras.callbacks.Callback):
    """Gives the discriminator the generator's weights at the second stage.

    For `fit` of a `pretraining.ElectraPretrainer`.
    """

    def on_train_begin(self, logs=None):
        """Finds out at which step training begins."""
        self._step = int(self.model.optimizer.iterations.numpy())
        self._start = first_of_second(self.model.config.num_train_steps)

    def on_train_batch_begin(self, batch, logs=None):
        """Copies the weights, before the first step of the second stage."""
        if self._step == self._start:
            generator = self.model.generator.encoder.trainable_variables
            discriminator = self.model.discriminator.trainable_variables
            for target, source in zip(discriminator, generator, strict=True):
                target.assign(source)
        self._step += 1
