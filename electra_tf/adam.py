"""The original's Adam (`model/optimization.py`) for tf_keras."""

from collections.abc import Sequence
import math
import re

import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import guards


class AdamWeightDecay(tf_keras.optimizers.Optimizer):
    """Adam with decoupled weight decay and without bias correction.

    As in the original: epsilon is added outside the root, decay skips biases
    and layer normalisation, and there is no bias correction, which makes the
    first few hundred steps several times larger than those of tf_keras's
    AdamW.

    Args:
        learning_rate: a number or a schedule.
        weight_decay_rate: share of `learning_rate * variable` subtracted.
        beta_1: decay rate of the first moment.
        beta_2: decay rate of the second moment.
        epsilon: added to the root of the second moment.
        bias_correction: whether the moments are divided by `1 - beta ** t` at
            update `t`, counted from 1, as in the paper of Adam.
        exclude_from_weight_decay: regular expressions; a variable in whose
            name one is found is not decayed.
        rate_factors: (regular expression, factor) pairs; the first one that
            is found in a variable's name scales its learning rate. Empty for
            one rate everywhere; otherwise a variable without a match is a
            ValueError.
        active_steps: (regular expression, start, stop); a variable in whose
            name it is found only changes in the steps [start, stop).
    """

    def __init__(
        self,
        learning_rate,
        *,
        weight_decay_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        bias_correction: bool = False,
        exclude_from_weight_decay: Sequence[str] = (
            "LayerNorm",
            "layer_norm",
            "bias",
        ),
        rate_factors: Sequence[tuple[str, float]] = (),
        active_steps: Sequence[tuple[str, int, int]] = (),
        name: str = "AdamWeightDecay",
        **kwargs,
    ):
        super().__init__(name=name, **{"jit_compile": False} | kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.weight_decay_rate = weight_decay_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.bias_correction = bias_correction
        self.decay_exclusions = tuple(exclude_from_weight_decay)
        self.rate_factors = tuple(rate_factors)
        self.active_steps = tuple(active_steps)

    def build(self, var_list):
        """Makes both moments of each variable."""
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._first_moments = [
            self.add_variable_from_reference(variable, "adam_m")
            for variable in var_list
        ]
        self._second_moments = [
            self.add_variable_from_reference(variable, "adam_v")
            for variable in var_list
        ]
        self._built = True

    def update_step(self, gradient, variable):
        """Updates one variable and its moments."""
        m, v = self.moments(variable)
        gradient = tf.convert_to_tensor(gradient)  # Densifies a sparse one.
        # With these a step that is held back changes nothing.
        is_good = ~guards.is_withheld(gradient)
        rate = tf.where(is_good, self.rate(variable.name), 0.0)
        beta_1 = tf.where(is_good, self.beta_1, 1.0)
        beta_2 = tf.where(is_good, self.beta_2, 1.0)
        if self.is_decayed(variable.name):
            # By the variable before the update, as the sum of both would.
            variable.assign_sub(rate * self.weight_decay_rate * variable)
        first_left, second_left = 0.0, 0.0
        if self.bias_correction:
            t = self.num_updates(variable.name)
            first_left = tf.pow(self.beta_1, t)
            second_left = tf.pow(self.beta_2, t)
        # One pass over memory. TensorFlow's Adam adds epsilon to the root
        # before the second moment is corrected, not after it.
        m_share, v_share = _kept_share(self.beta_1), _kept_share(self.beta_2)
        root = math.sqrt(v_share)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.handle,
            v=v.handle,
            beta1_power=first_left,
            beta2_power=second_left,
            lr=rate * (root / m_share),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=self.epsilon * root * tf.sqrt(1.0 - second_left),
            grad=tf.where(is_good, gradient, 0.0),
        )

    def finalize_variable_values(self, var_list):
        """Gives variables their moving averages, if `use_ema` is set.

        Keras calls it at the end of `fit` with all variables; those that have
        never been trained have no average, and stay.
        """
        if self.use_ema:
            super().finalize_variable_values(
                [v for v in var_list if self._var_key(v) in self._index_dict]
            )

    def moments(self, variable) -> tuple[tf.Variable, tf.Variable]:
        """The first and the second moment of a variable's gradient."""
        index = self._index_dict[self._var_key(variable)]
        return self._first_moments[index], self._second_moments[index]

    def num_updates(self, name: str) -> tf.Tensor:
        """How often that variable has changed after this step: float32 `[]`."""
        count = self.iterations + 1
        for pattern, start, _ in self.active_steps:
            if re.search(pattern, name):
                count -= start
        return tf.cast(tf.maximum(count, 1), tf.float32)

    def rate(self, name: str) -> tf.Tensor:
        """The learning rate of that variable at this step: float32 `[]`."""
        rate = self.learning_rate * self.rate_factor(name)
        for pattern, start, stop in self.active_steps:
            if re.search(pattern, name):
                is_active = (start <= self.iterations) & (
                    self.iterations < stop
                )
                rate *= tf.cast(is_active, tf.float32)
        return rate

    def is_decayed(self, name: str) -> bool:
        """Whether weight decay applies to the variable of that name."""
        return self.weight_decay_rate > 0 and not any(
            re.search(pattern, name) for pattern in self.decay_exclusions
        )

    def rate_factor(self, name: str) -> float:
        """What the learning rate is multiplied by for that variable."""
        if not self.rate_factors:
            return 1.0
        for pattern, factor in self.rate_factors:
            if re.search(pattern, name):
                return factor
        raise ValueError(
            f"No learning rate for variable {name!r}: none of the patterns "
            f"{[pattern for pattern, _ in self.rate_factors]} matches."
        )

    def get_config(self):
        """The constructor's arguments, for Keras."""
        return super().get_config() | {
            "learning_rate": self._serialize_hyperparameter(
                self._learning_rate
            ),
            "weight_decay_rate": self.weight_decay_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "bias_correction": self.bias_correction,
            "exclude_from_weight_decay": self.decay_exclusions,
            "rate_factors": self.rate_factors,
            "active_steps": self.active_steps,
        }


def _kept_share(beta: float) -> float:
    """How much of a moment TensorFlow's Adam computes.

    It subtracts beta from 1 in float32, where `1 - 0.999` is smaller than
    0.001 by a share of 1.3e-5, and so is the moment.
    """
    return float(np.float32(1.0) - np.float32(beta)) / (1.0 - beta)
