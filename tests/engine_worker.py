"""A process that trains a small model, for tests of several of them.

Its only argument is JSON: the folders, the strategy, the number of logical CPU
devices, and fields of the configuration. Tests that fork it from a process
that has loaded TensorFlow call `run_pretraining`, the whole program.
"""

from collections.abc import Sequence
import json
import os
import sys

import tensorflow as tf

from electra_tf import distribution
from electra_tf import pretraining_run
from tests import small_run
from tests import testing


def main():
    arguments = json.loads(sys.argv[1])
    _divide_cpu(arguments["num_devices"])
    strategy = distribution.create(arguments["strategy"])
    pretraining_run.pretrain(
        testing.tiny_config(**arguments["fields"]),
        data_dirs=[arguments["data_dir"]],
        eval_data_dir=arguments["data_dir"],
        model_dir=arguments["model_dir"],
        strategy=strategy,
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
    with open(output_path, "a") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
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


if __name__ == "__main__":
    main()
