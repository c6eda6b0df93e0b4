"""Flags of all programs that train: which devices do it."""

from absl import flags
import tensorflow as tf

from electra_tf import distribution

_STRATEGY = flags.DEFINE_enum(
    "distribution_strategy",
    "one_device",
    distribution.STRATEGIES,
    distribution.HELP,
)
_TPU = flags.DEFINE_string(
    "tpu", "", "Name or address of the TPU; 'local' on its own machine."
)
_NUM_GPUS = flags.DEFINE_integer(
    "num_gpus",
    None,
    "How many GPUs 'mirrored' takes; all, if not given.",
    lower_bound=1,
)


def create_strategy() -> tf.distribute.Strategy:
    """The strategy that the flags ask for."""
    return distribution.create(
        _STRATEGY.value, tpu=_TPU.value, num_gpus=_NUM_GPUS.value
    )
