"""Steps whose loss or gradient is not finite: held back, counted and named.

All of it happens on the device. A step that is held back marks its gradients
with NaN; the optimizer takes the mark for "change nothing". No value has to
travel to the host for that, and nothing depends on a branch of the graph.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf


class NonFiniteError(ValueError):
    """More steps were not finite than a run allows."""


class Report(NamedTuple):
    """What a guard has seen since the run began.

    Attributes:
        count: steps that were not finite; after one too many it stays.
        step: the last of them, counted from 1; 0 if there was none.
        names: what was not finite in it.
        num_allowed: how many may be skipped.
    """

    count: int
    step: int
    names: list[str]
    num_allowed: int


class Guard:
    """Decides in each step whether it may change anything.

    After `max_skipped` steps that were not finite, the next one ends the run:
    from then on all steps are held back, until the host looks at `report`.

    Args:
        names: of the values that have to be finite.
        max_skipped: how many steps may be skipped.

    Attributes:
        variables: the counters, by name, for checkpoints.
    """

    def __init__(self, names: Sequence[str], *, max_skipped: int = 0):
        self._names = tuple(names)
        self._max_skipped = max_skipped
        self.variables = {
            "count": _counter(0),
            "step": _counter(0),
            "is_bad": _counter([0] * len(self._names)),
        }

    def admit(self, step, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Whether this step may change anything: bool `[]`.

        To be called once a step, on each replica. What is not finite on one
        of them is so for all.

        Args:
            step: of training, from 0.
            values: float `[]` of each name, of this replica.
        """
        is_bad = tf.stack([~tf.math.is_finite(values[n]) for n in self._names])
        is_bad = _any_replica(is_bad)
        count, last_step, last_bad = self.variables.values()
        was_open = count <= self._max_skipped
        is_finite = ~tf.reduce_any(is_bad)
        is_news = was_open & ~is_finite
        last_step.assign(
            tf.where(is_news, tf.cast(step, tf.int64) + 1, last_step)
        )
        last_bad.assign(tf.where(is_news, tf.cast(is_bad, tf.int64), last_bad))
        count.assign_add(tf.cast(is_news, tf.int64))
        return was_open & is_finite

    def report(self) -> Report:
        """Reads the counters, for which the host waits for the device."""
        count, step, is_bad = (v.numpy() for v in self.variables.values())
        names = [n for n, bad in zip(self._names, is_bad, strict=True) if bad]
        return Report(
            count=int(count),
            step=int(step),
            names=names,
            num_allowed=self._max_skipped,
        )


def mark(scale: tf.Tensor, is_good: tf.Tensor) -> tf.Tensor:
    """A factor of all gradients that is NaN if the step is held back.

    Args:
        scale: float32 `[]`, what they are multiplied by otherwise.
        is_good: bool `[]`, from `Guard.admit`.
    """
    return tf.where(is_good, scale, float("nan"))


def is_withheld(gradient: tf.Tensor) -> tf.Tensor:
    """Whether the gradient of a variable bears the mark: bool `[]`.

    It does either everywhere or nowhere, so its first value tells.

    Args:
        gradient: of any shape, with at least one value.
    """
    return tf.math.is_nan(tf.reshape(gradient, [-1])[0])


def excuse(norm: tf.Tensor, loss_scale: tf.Tensor | None) -> tf.Tensor:
    """The norm for `Guard.admit`, where float16 may need a smaller scale.

    Loss scaling finds its scale by steps whose gradient is too large for
    float16, and holds them back itself. Only where the scale is as small as
    it gets, such a gradient means that something is wrong.

    Args:
        norm: float32 `[]`, of the gradient.
        loss_scale: float32 `[]`; None without loss scaling.
    """
    if loss_scale is None:
        return norm
    return tf.where(loss_scale > 1.0, 0.0, norm)


def undo_unless(
    is_good: tf.Tensor,
    variables: Sequence[tf.Variable],
    earlier: Sequence[tf.Tensor],
):
    """Gives variables their earlier values if the step is held back.

    For the few numbers that metrics are computed from: one NaN in them would
    be in all results until they are reset.

    Args:
        is_good: bool `[]`, from `Guard.admit`.
        variables: what the step has changed.
        earlier: their values before the step.
    """
    for variable, value in zip(variables, earlier, strict=True):
        variable.assign(tf.where(is_good, variable, value))


def if_finite(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A value and its weight for a metric; zeros if it is not finite.

    Args:
        value: float32 of any shape.
    """
    is_finite = tf.math.is_finite(value)
    return tf.where(is_finite, value, 0.0), tf.cast(is_finite, tf.float32)


def _counter(value) -> tf.Variable:
    """Alike on all replicas, each of which counts for itself."""
    return tf.Variable(
        value,
        trainable=False,
        dtype=tf.int64,
        synchronization=tf.VariableSynchronization.ON_READ,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _any_replica(flags: tf.Tensor) -> tf.Tensor:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return flags
    # Not all devices can add up integers of others.
    counts = context.all_reduce(
        tf.distribute.ReduceOp.SUM, tf.cast(flags, tf.float32)
    )
    return counts > 0.0
