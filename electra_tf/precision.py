"""Precision and speed of a training step: half precision and XLA.

In half precision products of matrices, and what layers hand on, have 16 bits.
Variables and their optimizer, statistics of normalisation, softmax, scores,
losses and random draws stay float32.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import contextlib

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import fused

_POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
}


@contextlib.contextmanager
def layers_of(precision: config.Precision) -> Iterator[None]:
    """Layers that are made meanwhile compute in that precision.

    But for those that are given a `dtype` of their own. Layers that are made
    later are as before.
    """
    before = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy(_POLICIES[precision])
    try:
        yield
    finally:
        tf_keras.mixed_precision.set_global_policy(before)


def wrap_optimizer(
    optimizer: tf_keras.optimizers.Optimizer, precision: config.Precision
) -> tf_keras.optimizers.Optimizer:
    """The optimizer, with dynamic loss scaling where that is needed.

    Small gradients are 0 in float16, so the loss is multiplied by a scale
    before they are computed, and they are divided by it. If they are too
    large for float16, the step changes no weight and the scale is halved;
    after 2000 steps without that it is doubled. A step that changes nothing
    counts in `iterations` all the same: learning rate, masks and dropout are
    those of the next step then, and so is the batch.

    To be called in the scope of the strategy.
    """
    check_strategy(tf.distribute.get_strategy(), precision)
    if precision != "float16":
        return optimizer
    return tf_keras.mixed_precision.LossScaleOptimizer(optimizer)


def _has_loss_scale(optimizer: tf_keras.optimizers.Optimizer) -> bool:
    # Its class is another one than that of the name, but derived from it.
    return hasattr(optimizer, "get_scaled_loss")


def loss_scale_variables(
    optimizer: tf_keras.optimizers.Optimizer,
) -> list[tf.Variable]:
    """What a checkpoint needs beside `optimizer.variables`; often nothing."""
    if not _has_loss_scale(optimizer) or not optimizer.dynamic:
        return []
    state = optimizer._loss_scale
    return [state.current_loss_scale, state.counter]


def check_optimizer(
    optimizer: tf_keras.optimizers.Optimizer, precision: config.Precision
):
    """Raises ValueError for float16 without loss scaling."""
    if precision == "float16" and not _has_loss_scale(optimizer):
        raise ValueError(
            "precision='float16' needs an optimizer with loss scaling: "
            "compile with precision.wrap_optimizer(optimizer, 'float16')."
        )


def check_strategy(
    strategy: tf.distribute.Strategy, precision: config.Precision
):
    """Raises ValueError for float16 on TPUs, which multiply in bfloat16."""
    if precision == "float16" and isinstance(
        strategy, tf.distribute.TPUStrategy
    ):
        raise ValueError(
            "precision='float16' is for GPUs; on a TPU use 'bfloat16', which "
            "needs no loss scaling, or 'float32'."
        )


def loss_scale(
    optimizer: tf_keras.optimizers.Optimizer,
) -> tf.Tensor | None:
    """What the loss is multiplied by: float32 `[]`; None without scaling."""
    return optimizer.loss_scale if _has_loss_scale(optimizer) else None


def scale_loss(
    optimizer: tf_keras.optimizers.Optimizer, loss: tf.Tensor
) -> tf.Tensor:
    """The loss whose gradients are to be computed: float32 `[]`."""
    if not _has_loss_scale(optimizer):
        return loss
    return optimizer.get_scaled_loss(loss)


def unscale_gradients(
    optimizer: tf_keras.optimizers.Optimizer,
    gradients: Sequence[tf.Tensor | tf.IndexedSlices | None],
) -> Sequence[tf.Tensor | tf.IndexedSlices | None]:
    """The gradients of the loss, from those of the scaled one."""
    if not _has_loss_scale(optimizer):
        return gradients
    return optimizer.get_unscaled_gradients(gradients)


def compiled_chains(jit_compile: bool | None):
    """In it chains of element-wise operations are compiled, on a CPU.

    By default, unless XLA compiles the whole step. To be entered in a step of
    training.

    Args:
        jit_compile: as for `should_jit_compile`.
    """
    return fused.compiled(jit_compile is None and not should_jit_compile(None))


def should_jit_compile(jit_compile: bool | None) -> bool:
    """Whether XLA compiles the training step.

    By default where a GPU or a TPU trains: on a CPU the step of `small` takes
    minutes to compile and is slower then. To be asked in the scope of the
    strategy.

    Args:
        jit_compile: the answer, or None for the default.
    """
    if jit_compile is not None:
        return jit_compile
    if tf.distribute.has_strategy():
        devices = tf.distribute.get_strategy().extended.worker_devices
    else:
        devices = [d.name for d in tf.config.list_logical_devices()]
    types = {
        tf.DeviceSpec.from_string(device).device_type for device in devices
    }
    return bool(types & {"GPU", "TPU"})
