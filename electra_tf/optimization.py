"""The original's optimizer (`model/optimization.py`) for tf_keras."""

from collections.abc import Sequence
import re

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import stages


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
        index = self._index_dict[self._var_key(variable)]
        m, v = self._first_moments[index], self._second_moments[index]
        gradient = tf.convert_to_tensor(gradient)  # Densifies a sparse one.
        m.assign(self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1.0 - self.beta_2) * tf.square(gradient))
        update = m / (tf.sqrt(v) + self.epsilon)
        if self.is_decayed(variable.name):
            update += self.weight_decay_rate * variable
        rate = self.learning_rate * self.rate_factor(variable.name)
        for pattern, start, stop in self.active_steps:
            if re.search(pattern, variable.name):
                is_active = (start <= self.iterations) & (
                    self.iterations < stop
                )
                rate *= tf.cast(is_active, tf.float32)
        variable.assign_sub(tf.cast(rate, variable.dtype) * update)

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
            "exclude_from_weight_decay": self.decay_exclusions,
            "rate_factors": self.rate_factors,
            "active_steps": self.active_steps,
        }


def create(run_config: config.PretrainConfig) -> AdamWeightDecay:
    """The optimizer of a pre-training run."""
    num_steps = run_config.num_train_steps
    has_stages = run_config.generator_training == "two_stage"
    return AdamWeightDecay(
        WarmupPolynomialDecay(
            run_config.learning_rate,
            num_train_steps=stages.first_of_second(num_steps)
            if has_stages
            else num_steps,
            warmup_steps=run_config.warmup_steps,
            power=run_config.lr_decay_power,
            repeats=has_stages,
        ),
        active_steps=stages.active_steps(run_config),
        weight_decay_rate=run_config.weight_decay_rate,
        beta_1=run_config.adam_beta_1,
        beta_2=run_config.adam_beta_2,
        epsilon=run_config.adam_epsilon,
    )


def layerwise_rate_factors(
    decay: float, num_hidden_layers: int
) -> tuple[tuple[str, float], ...]:
    """The original's layer-wise learning rates, as `rate_factors`.

    As in the original (`_get_layer_lrs`) a task's head has factor 1 and layer
    `i` of `n` has `decay ** (n + 1 - i)`: the top layer is decayed twice, and
    the embeddings `n + 2` times.
    """
    n = num_hidden_layers
    layers = [(f"encoder/layer_{i}/", decay ** (n + 1 - i)) for i in range(n)]
    return (
        ("/embeddings/", decay ** (n + 2)),
        ("/embeddings_project/", decay ** (n + 2)),
        *layers,
        ("task_specific/", 1.0),
    )


def apply_gradients(
    optimizer: tf_keras.optimizers.Optimizer,
    *,
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
    variables: Sequence[tf.Variable],
    clip_norm: float | None = None,
) -> tf.Tensor:
    """Sums gradients over replicas, clips them, and takes one step.

    Unlike the original: the norm is that of the summed gradient, of all
    replicas and of all rows that look up the same embedding. The original
    clips on each replica and counts repeated rows one by one.

    Args:
        optimizer: a tf_keras optimizer.
        gradients: of this replica's share of the loss; None for a variable
            that the loss does not depend on, which is left as it is.
        variables: in the same order.
        clip_norm: largest global norm; None for no clipping.

    Returns:
        float32 `[]`, the global norm before clipping.
    """
    pairs = [
        (tf.convert_to_tensor(gradient), variable)
        for gradient, variable in zip(gradients, variables, strict=True)
        if gradient is not None
    ]
    gradients, variables = zip(*pairs, strict=True)
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync > 1:
        gradients = context.all_reduce(
            tf.distribute.ReduceOp.SUM, list(gradients)
        )
    norm = tf.linalg.global_norm(gradients)
    if clip_norm is not None:
        gradients, _ = tf.clip_by_global_norm(
            gradients, clip_norm, use_norm=norm
        )
    optimizer.apply_gradients(
        zip(gradients, variables), skip_gradients_aggregation=True
    )
    return norm
