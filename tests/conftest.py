"""Settings of all tests: slow ones, TensorFlow's noise and devices."""

import os
import sys

from absl import flags
import pytest

import electra_tf  # noqa: F401  Its settings, before TensorFlow is imported.
from tests import forked  # noqa: F401  Before another process is started.

# What XLA compiles here runs for a few steps of a few numbers, so LLVM's
# optimisations would only cost time.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0"
    " --xla_llvm_disable_expensive_passes=true",
)

_NUM_CPU_DEVICES = 2
_OPTIONAL_MARKS = ("slow", "interop", "browser")
# They wait for processes more than they compute: first, so that other tests
# run meanwhile, and none of them is what all wait for in the end.
_FIRST = (
    "worker_failure_test",
    "interruption_test",
    "exactness_test",
    "programs_test",
    "own_trainer_test",
    "scaling_test",
    "measure_training_test",
)


def pytest_addoption(parser):
    for mark in _OPTIONAL_MARKS:
        parser.addoption(
            f"--run_{mark}",
            action="store_true",
            help=f"Run tests marked {mark}, too.",
        )


def pytest_configure(config):
    # absltest's create_tempdir reads flags, which pytest does not parse.
    flags.FLAGS.mark_as_parsed()


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: item.path.stem not in _FIRST)
    for mark in _OPTIONAL_MARKS:
        if config.getoption(f"--run_{mark}"):
            continue
        skip = pytest.mark.skip(reason=f"{mark}: needs --run_{mark}")
        for item in items:
            if mark in item.keywords:
                item.add_marker(skip)


def pytest_collection_finish(session):
    """Divides the CPU into several devices, so that replicas can be tested.

    Devices are set before TensorFlow's first operation. Tests of modules
    without TensorFlow do not import it, and must not wait for it here.

    Graphs run as they were written: to optimise them would take 7 % of all
    time. Those of programs, which tests start as processes, are optimised.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return
    tf.config.optimizer.set_experimental_options(
        {"disable_meta_optimizer": True}
    )
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * _NUM_CPU_DEVICES
    )


@pytest.fixture(autouse=True)
def _new_collective_keys():
    """Lets every test make its own MirroredStrategy.

    All strategies of a process number their collective operations alike, and
    TensorFlow takes operations of equal numbers for one. Its own tests set
    this attribute, too.
    """
    tf = sys.modules.get("tensorflow")
    if tf is not None:
        tf.distribute.MirroredStrategy._collective_key_base += 1000
