"""The original's learning rate as a function of the step."""

import tensorflow as tf
import tf_keras


class WarmupPolynomialDecay(tf_keras.optimizers.schedules.LearningRateSchedule):
    """Polynomial decay to 0 over the whole run, times a linear warm-up.

    As in the original the two factors are multiplied, so that the decay
    begins at step 0 and the first step has learning rate 0.

    Args:
        learning_rate: the rate of which the factors take their share.
        num_train_steps: where the decay reaches 0.
        warmup_steps: where the warm-up factor reaches 1; may be fractional.
        power: of the polynomial; 1 is linear.
        repeats: whether all begins again after `num_train_steps`.
    """

    def __init__(
        self,
        learning_rate: float,
        *,
        num_train_steps: int,
        warmup_steps: float = 0,
        power: float = 1.0,
        repeats: bool = False,
    ):
        super().__init__()
        self.repeats = repeats
        self.learning_rate = learning_rate
        self.num_train_steps = num_train_steps
        self.warmup_steps = warmup_steps
        self.power = power

    def __call__(self, step) -> tf.Tensor:
        """The learning rate of a step, counted from 0: float32 `[]`."""
        if self.repeats:
            step %= self.num_train_steps
        step = tf.cast(step, tf.float32)
        done = tf.minimum(step / self.num_train_steps, 1.0)
        rate = self.learning_rate * (1.0 - done) ** self.power
        # Unlike the original: without a warm-up, step 0 is no 0 / 0.
        if self.warmup_steps > 0:
            rate *= tf.minimum(step / self.warmup_steps, 1.0)
        return rate

    def get_config(self):
        """The constructor's arguments, for Keras."""
        return {
            "learning_rate": self.learning_rate,
            "num_train_steps": self.num_train_steps,
            "warmup_steps": self.warmup_steps,
            "power": self.power,
            "repeats": self.repeats,
        }
