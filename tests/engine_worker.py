"""A process that trains a small model, for tests of several of them.

Its only argument is JSON: the folders, the strategy, the number of logical CPU
devices, and fields of the configuration.
"""

import json
import sys

import tensorflow as tf

from electra_tf import distribution
from electra_tf import pretraining_run
from tests import testing


def main():
    arguments = json.loads(sys.argv[1])
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu,
        [tf.config.LogicalDeviceConfiguration()] * arguments["num_devices"],
    )
    strategy = distribution.create(arguments["strategy"])
    pretraining_run.pretrain(
        testing.tiny_config(**arguments["fields"]),
        data_dirs=[arguments["data_dir"]],
        eval_data_dir=arguments["data_dir"],
        model_dir=arguments["model_dir"],
        strategy=strategy,
    )


if __name__ == "__main__":
    main()
