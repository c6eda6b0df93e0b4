"""The optimizer of a pre-training run, and one step of any optimizer."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
import re

import tensorflow as tf
import tf_keras

from electra_tf import adam
from electra_tf import config
from electra_tf import guards
from electra_tf import lamb
from electra_tf import learning_rates
from electra_tf import schedules
from electra_tf import stages

_OPTIMIZERS = {"adam": adam.AdamWeightDecay, "lamb": lamb.Lamb}


def create(run_config: config.PretrainConfig) -> adam.AdamWeightDecay:
    """The optimizer of a pre-training run."""
    num_steps = run_config.num_train_steps
    has_stages = run_config.generator_training == "two_stage"
    averages = {}
    if run_config.ema_momentum > 0.0:
        averages = {"use_ema": True, "ema_momentum": run_config.ema_momentum}
    return _OPTIMIZERS[run_config.optimizer](
        schedules.WarmupPolynomialDecay(
            run_config.learning_rate,
            num_train_steps=stages.first_of_second(num_steps)
            if has_stages
            else num_steps,
            warmup_steps=run_config.warmup_steps,
            power=run_config.lr_decay_power,
            repeats=has_stages,
        ),
        rate_factors=learning_rates.pretraining(run_config),
        active_steps=stages.active_steps(run_config),
        weight_decay_rate=run_config.weight_decay_rate,
        beta_1=run_config.adam_beta_1,
        beta_2=run_config.adam_beta_2,
        epsilon=run_config.adam_epsilon,
        bias_correction=run_config.bias_correction,
        **averages,
    )


def unfrozen(
    variables: Iterable[tf.Variable], freeze: str
) -> list[tf.Variable]:
    """The variables that learn; the others get no gradient and no decay.

    Args:
        variables: of a model.
        freeze: regular expression that is found in the names of the others;
            empty for none.

    Raises:
        ValueError: it is found in no name, or in all of them.
    """
    variables = list(variables)
    if not freeze:
        return variables
    learning = [v for v in variables if not re.search(freeze, v.name)]
    if len(learning) in (0, len(variables)):
        names = [v.name.partition(":")[0] for v in variables]
        examples = ", ".join(names[:: max(1, len(names) // 5)])
        raise ValueError(
            f"freeze {freeze!r} matches {'none' if learning else 'all'} of the "
            f"{len(names)} variables, some of which are {examples}."
        )
    return learning


def apply_gradients(
    optimizer: tf_keras.optimizers.Optimizer,
    *,
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
    variables: Sequence[tf.Variable],
    clip_norm: float | None = None,
    clip_per_replica: bool = False,
    admit: Callable[[tf.Tensor], tf.Tensor] | None = None,
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
        clip_per_replica: whether replicas clip before the sum, as in the
            original.
        admit: from the global norm to whether this step may change anything,
            bool `[]`.

    Returns:
        float32 `[]`, the global norm before clipping; with
        `clip_per_replica` the mean of the replicas' norms.
    """
    pairs = [
        (tf.convert_to_tensor(gradient), variable)
        for gradient, variable in zip(gradients, variables, strict=True)
        if gradient is not None
    ]
    gradients, variables = zip(*pairs, strict=True)
    if clip_per_replica:
        gradients, norm = _clip_shares(gradients, clip_norm)
        scale = tf.ones([])
    else:
        gradients = _sum_over_replicas(gradients)
        norm = tf.linalg.global_norm(gradients)
        scale = _clip_scale(norm, clip_norm)
    if admit is not None:
        scale = guards.mark(scale, admit(norm))
    # Clipped and marked in one pass over memory.
    gradients = [gradient * scale for gradient in gradients]
    optimizer.apply_gradients(
        zip(gradients, variables), skip_gradients_aggregation=True
    )
    return norm


def _clip_shares(
    gradients: Sequence[tf.Tensor], clip_norm: float | None
) -> tuple[list[tf.Tensor], tf.Tensor]:
    """The sum of the clipped gradients of all replicas, and the mean norm.

    The original clips the gradient of the mean loss of a replica's own
    examples and averages over the `R` replicas. A share of the loss of the
    whole batch is the `R`-th part of that mean loss where replicas have
    equally many tokens, and so are gradient and limit: the sum is the
    original's mean.
    """
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    limit = None if clip_norm is None else clip_norm / replicas
    norm = tf.linalg.global_norm(gradients)
    scale = _clip_scale(norm, limit)
    *gradients, norm = _sum_over_replicas(
        [*(gradient * scale for gradient in gradients), norm]
    )
    return gradients, norm


def _clip_scale(norm: tf.Tensor, clip_norm: float | None) -> tf.Tensor:
    """What gradients of that norm are multiplied by: float32 `[]`."""
    if clip_norm is None:
        return tf.ones([])
    scale = clip_norm / tf.maximum(norm, clip_norm)
    return tf.where(tf.math.is_finite(norm), scale, float("nan"))


def _sum_over_replicas(tensors: Sequence[tf.Tensor]) -> Sequence[tf.Tensor]:
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tensors
    return context.all_reduce(tf.distribute.ReduceOp.SUM, list(tensors))
