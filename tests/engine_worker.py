"""Processes that pre-train, for tests of several of them."""

from collections.abc import Sequence
import os
import sys

import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import pretraining_run  # noqa: F401  Before it forks.
from electra_tf import records
from electra_tf import tokenization
from tests import forked
from tests import small_run
from tests import testing


def write_data(directory: str, num_examples: int = 60):
    """A data folder of random examples."""
    tokenizer = tokenization.Tokenizer(testing.tiny_vocab())
    tokenizer.save(directory)
    run_config = testing.tiny_config()
    (name,) = records.shard_names(1)
    batch = testing.random_batch(run_config, num_examples)
    with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
        for record in records.serialize_examples(batch):
            file.write(record)
    dataset_info.write(
        dataset_info.DatasetInfo(
            max_seq_length=run_config.max_seq_length,
            shards={name: num_examples},
            vocab_size=tokenizer.vocab_size,
            vocab_sha256=tokenizer.vocab_sha256,
        ),
        directory,
    )


def run_pretraining(
    output_path: str,
    arguments: Sequence[str],
    *,
    tf_config: str | None = None,
    num_devices: int = 1,
    slow_writes: bool = False,
):
    """Runs the program with these arguments; to be called in a process.

    Args:
        output_path: what it prints is added to this file.
        arguments: flags.
        tf_config: which of several hosts it is.
        num_devices: logical CPU devices.
        slow_writes: whether checkpoints are written slowly.
    """
    for stream in (sys.stdout, sys.stderr):
        forked.redirect(stream, output_path)
    sys.argv = ["run_pretraining", *arguments]
    if tf_config is not None:
        os.environ["TF_CONFIG"] = tf_config
    else:
        _divide_cpu(num_devices)
    if slow_writes:
        small_run.slow_down()
    # Here, because it defines flags.
    from electra_tf import run_pretraining as the_program

    the_program.run()


def _divide_cpu(num_devices: int):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * num_devices
    )
