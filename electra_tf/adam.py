"""The original's Adam (`model/optimization.py`) for tf_keras."""

from collections.abc import Sequence
import math
import re
from typing import NamedTuple

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
        # Keras's own decay, even one of 0, would be a pass over all variables.
        super().__init__(
            name=name,
            **{"jit_compile": False, "weight_decay": None} | kwargs,
        )
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

    def apply_gradients(self, grads_and_vars, *args, **kwargs):
        """Takes one step; arguments and result are those of Keras."""
        pairs = list(grads_and_vars)
        self._coefficients = _Coefficients(
            self, [gradient for gradient, _ in pairs if gradient is not None]
        )
        return super().apply_gradients(pairs, *args, **kwargs)

    def update_step(self, gradient, variable):
        """Updates one variable and its moments."""
        m, v = self.moments(variable)
        coefficients = self._coefficients.of(variable.name)
        if self.is_decayed(variable.name):
            # By the variable before the update, as in one sum of both.
            variable.assign_sub(coefficients.decay * variable)
        # One pass over memory.
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.handle,
            v=v.handle,
            grad=self._coefficients.admitted(gradient),
            **coefficients.kernel,
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
        for start, _ in self.stages_of(name):
            count -= start
        return tf.cast(tf.maximum(count, 1), tf.float32)

    def scale_rate(self, rate: tf.Tensor, name: str) -> tf.Tensor:
        """The learning rate of that variable, from that of all: `[]`."""
        rate = rate * self.rate_factor(name)
        for start, stop in self.stages_of(name):
            is_active = (start <= self.iterations) & (self.iterations < stop)
            rate *= tf.cast(is_active, rate.dtype)
        return rate

    def stages_of(self, name: str) -> tuple[tuple[int, int], ...]:
        """First step of each stage of that variable, and the one after it."""
        return tuple(
            (start, stop)
            for pattern, start, stop in self.active_steps
            if re.search(pattern, name)
        )

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


class _VariableCoefficients(NamedTuple):
    """Those of variables whose rate is the same.

    Attributes:
        decay: float32 `[]`, share of a variable that is subtracted.
        kernel: arguments of TensorFlow's Adam, float32 `[]`.
    """

    decay: tf.Tensor
    kernel: dict[str, tf.Tensor]


class _Coefficients:
    """Numbers of one step, computed once and not for each variable.

    Hundreds of variables with their own took a third of the time to the first
    step. A step that is held back has numbers that change nothing.

    Args:
        optimizer: whose step it is.
        gradients: of all variables that have one.
    """

    def __init__(self, optimizer: AdamWeightDecay, gradients):
        self._optimizer = optimizer
        self._is_good = tf.constant(True)
        if gradients:
            # All bear the mark, or none.
            self._is_good = ~guards.is_withheld(
                tf.convert_to_tensor(gradients[0])
            )
        self._zero = tf.zeros([])
        self._known = {}

    def admitted(self, gradient) -> tf.Tensor:
        """The gradient; zeros in a step that is held back."""
        gradient = tf.convert_to_tensor(gradient)  # Densifies a sparse one.
        return tf.where(self._is_good, gradient, self._zero)

    def of(self, name: str) -> _VariableCoefficients:
        """Those of the variable of that name."""
        optimizer = self._optimizer
        key = (optimizer.rate_factor(name), optimizer.stages_of(name))
        if key not in self._known:
            self._known[key] = self._compute(name)
        return self._known[key]

    def _compute(self, name: str) -> _VariableCoefficients:
        optimizer = self._optimizer
        # Keras computes the rate of a step before it updates variables.
        rate = optimizer.scale_rate(
            tf.where(self._is_good, optimizer.learning_rate, 0.0), name
        )
        left_1 = left_2 = tf.zeros([])
        if optimizer.bias_correction:
            t = optimizer.num_updates(name)
            left_1 = tf.pow(optimizer.beta_1, t)
            left_2 = tf.pow(optimizer.beta_2, t)
        root = math.sqrt(_kept_share(optimizer.beta_2))
        return _VariableCoefficients(
            decay=rate * optimizer.weight_decay_rate,
            kernel={
                "beta1": tf.where(self._is_good, optimizer.beta_1, 1.0),
                "beta2": tf.where(self._is_good, optimizer.beta_2, 1.0),
                "beta1_power": left_1,
                "beta2_power": left_2,
                "lr": rate * (root / _kept_share(optimizer.beta_1)),
                # TensorFlow adds it to the root before the second moment is
                # corrected, not after it.
                "epsilon": optimizer.epsilon * root * tf.sqrt(1.0 - left_2),
            },
        )


def _kept_share(beta: float) -> float:
    """How much of a moment TensorFlow's Adam computes.

    It subtracts beta from 1 in float32, where `1 - 0.999` is smaller than
    0.001 by a share of 1.3e-5, and so is the moment.
    """
    return float(np.float32(1.0) - np.float32(beta)) / (1.0 - beta)
