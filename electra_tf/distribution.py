"""Which devices train, on one host or on many, and which rows each reads."""

from collections.abc import Callable
import json
import os

from absl import logging
import tensorflow as tf

STRATEGIES = ("one_device", "mirrored", "multi_worker_mirrored", "tpu")
HELP = (
    "one_device: the first GPU, or the CPU; mirrored: every GPU of this "
    "machine, or --num_gpus of them; multi_worker_mirrored: those of all "
    "machines that TF_CONFIG names; tpu: all cores of --tpu."
)

_TF_CONFIG_EXAMPLE = (
    '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def create(
    name: str, *, tpu: str = "", num_gpus: int | None = None
) -> tf.distribute.Strategy:
    """A strategy by name; logs its devices.

    With several hosts it has to be made before anything else is done with
    TensorFlow, on all of them.

    Args:
        name: one of STRATEGIES, see HELP. Without a GPU, "mirrored" takes
            every logical CPU device.
        tpu: name or address of a TPU; "local" on a TPU's own machine.
        num_gpus: how many GPUs of this machine "mirrored" takes, if not all.

    Raises:
        ValueError: there are no such devices, or TF_CONFIG is wrong.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"Unknown distribution strategy {name!r}. Strategies: "
            f"{', '.join(STRATEGIES)}."
        )
    if tpu and name != "tpu":
        raise ValueError(f"A TPU is for strategy 'tpu', not {name!r}.")
    if num_gpus is not None and name != "mirrored":
        raise ValueError(
            f"A number of GPUs is for strategy 'mirrored', not {name!r}."
        )
    if name == "tpu":
        strategy = _create_tpu(tpu)
    elif name == "multi_worker_mirrored":
        strategy = _create_multi_worker()
    else:
        strategy = _create_on_this_host(name, num_gpus)
    logging.info("Running on %s", _describe(strategy))
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


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this host writes the run's files: one of all does."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    cluster = resolver.cluster_spec().as_dict()
    if "chief" in cluster:
        return resolver.task_type == "chief"
    return resolver.task_type == "worker" and resolver.task_id == 0


def distribute(
    strategy: tf.distribute.Strategy,
    make_dataset: Callable[[int, int], tf.data.Dataset],
    *,
    batch_size: int,
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """What `fit` and `evaluate` read, on any strategy.

    Every host makes only its rows of each batch, and every device of it gets
    the next ones of these: replica `i` has the rows from `i * batch_size /
    replicas` on.

    Args:
        strategy: decides which hosts and devices there are.
        make_dataset: given the number of hosts and this one's number, from 0
            on, this one's rows of all batches.
        batch_size: of all hosts together.
    """
    if strategy.num_replicas_in_sync == 1:
        return make_dataset(1, 0)

    def make_for_host(context: tf.distribute.InputContext) -> tf.data.Dataset:
        dataset = make_dataset(
            context.num_input_pipelines, context.input_pipeline_id
        )
        size = context.get_per_replica_batch_size(batch_size)
        rows = dataset.rebatch(size, drop_remainder=True)
        if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
            # It gets lost; without it, shapes would not be static.
            rows = rows.apply(
                tf.data.experimental.assert_cardinality(
                    tf.data.INFINITE_CARDINALITY
                )
            )
        return rows

    return strategy.distribute_datasets_from_function(make_for_host)


def _create_on_this_host(
    name: str, num_gpus: int | None
) -> tf.distribute.Strategy:
    gpus = _grow_memory()
    if num_gpus is not None and not 1 <= num_gpus <= len(gpus):
        raise ValueError(
            f"num_gpus must be in 1 to {len(gpus)}, the GPUs that TensorFlow "
            f"finds, got {num_gpus}."
        )
    kind = "GPU" if gpus else "CPU"
    devices = [device.name for device in tf.config.list_logical_devices(kind)]
    if name == "one_device":
        return tf.distribute.get_strategy()
    return tf.distribute.MirroredStrategy(devices[:num_gpus])


def _create_multi_worker() -> tf.distribute.Strategy:
    text = os.environ.get("TF_CONFIG", "")
    try:
        tf_config = json.loads(text)
        num_workers = sum(
            len(tf_config["cluster"].get(kind, ()))
            for kind in ("chief", "worker")
        )
        _ = tf_config["task"]["type"], tf_config["task"]["index"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"multi_worker_mirrored needs the environment variable TF_CONFIG "
            f"on every host, such as TF_CONFIG='{_TF_CONFIG_EXAMPLE}', got "
            f"{text!r} ({error!r})."
        ) from error
    if num_workers < 1:
        raise ValueError(f"TF_CONFIG names no worker: {text!r}.")
    gpus = _grow_memory()
    implementation = tf.distribute.experimental.CommunicationImplementation
    return tf.distribute.MultiWorkerMirroredStrategy(
        communication_options=tf.distribute.experimental.CommunicationOptions(
            implementation=implementation.NCCL if gpus else implementation.RING
        )
    )


def _create_tpu(tpu: str) -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(
            f"There is no TPU {tpu!r}: {error}. Give its name, its address, "
            "or 'local' on its own machine, with --tpu."
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def _grow_memory() -> list:
    """The GPUs of this host; their memory is taken as it is needed."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Otherwise TensorFlow takes the memory of all GPUs at once.
        tf.config.experimental.set_memory_growth(gpu, True)
    return gpus


def _describe(strategy: tf.distribute.Strategy) -> str:
    if not tf.distribute.has_strategy() and strategy.num_replicas_in_sync == 1:
        kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
        return tf.config.list_logical_devices(kind)[0].name
    devices = strategy.extended.worker_devices
    names = ", ".join(devices)
    if strategy.num_replicas_in_sync > len(devices):
        return (
            f"{strategy.num_replicas_in_sync} devices of several hosts, "
            f"here {names}"
        )
    return names
