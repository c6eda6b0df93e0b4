"""Which devices train."""

from absl import logging
import tensorflow as tf

STRATEGIES = ("one_device", "mirrored")


def create(name: str) -> tf.distribute.Strategy:
    """A strategy by name; logs its devices.

    Args:
        name: "one_device" (the first GPU, or the CPU) or "mirrored" (every
            GPU of this machine, or every logical CPU device).
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"Unknown distribution strategy {name!r}. Strategies: "
            f"{', '.join(STRATEGIES)}."
        )
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Otherwise TensorFlow takes the memory of all GPUs at once.
        tf.config.experimental.set_memory_growth(gpu, True)
    kind = "GPU" if gpus else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if name == "one_device":
        devices = devices[:1]
        strategy = tf.distribute.get_strategy()
    else:
        strategy = tf.distribute.MirroredStrategy(devices)
    logging.info("Training on %s", ", ".join(devices))
    return strategy


def check_batch_size(strategy: tf.distribute.Strategy, batch_size: int):
    """Raises ValueError unless all replicas get equally many examples."""
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        below = batch_size - batch_size % replicas
        raise ValueError(
            f"The batch of {batch_size} examples cannot be divided evenly "
            f"among {replicas} devices. The nearest that can are "
            f"{' and '.join(str(b) for b in (below, below + replicas) if b)}."
        )
