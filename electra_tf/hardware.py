"""The machine that a run is on, in words."""

import os
import platform

import tensorflow as tf

_CPU_INFO = "/proc/cpuinfo"


def describe() -> str:
    """Such as `1 x NVIDIA H100 80GB HBM3; 16 CPU cores, AMD EPYC 9534`.

    Accelerators are those that TensorFlow sees on this host.
    """
    counts: dict[str, int] = {}
    for device in tf.config.list_physical_devices():
        if device.device_type in ("CPU", "TPU_SYSTEM"):
            continue
        details = tf.config.experimental.get_device_details(device)
        name = details.get("device_name", device.device_type)
        counts[name] = counts.get(name, 0) + 1
    parts = [f"{count} x {name}" for name, count in counts.items()]
    return "; ".join([*parts, f"{os.cpu_count()} CPU cores, {_cpu_name()}"])


def _cpu_name() -> str:
    """The processor's name on Linux; elsewhere its architecture."""
    if os.path.exists(_CPU_INFO):
        with open(_CPU_INFO, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    return platform.machine()
