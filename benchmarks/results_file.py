"""Figures of benchmarks, one JSON object a line, with what made them."""

import datetime
from importlib import metadata
import json
import os
import platform
import sys
from typing import Any

_PACKAGES = ("tensorflow", "tensorflow-text", "numpy")


def append(path: str, benchmark: str, figures: dict[str, Any]) -> None:
    """Adds a line: figures, machine, versions, command and date."""
    line = {
        "benchmark": benchmark,
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {name: metadata.version(name) for name in _PACKAGES}
        | {"python": platform.python_version()},
        "command": [os.path.basename(sys.argv[0]), *sys.argv[1:]],
        "figures": figures,
    }
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def machine() -> dict[str, Any]:
    """The processor, how many cores may be used, and the memory in GB."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": models[0].partition(":")[2].strip() if models else "?",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
    }
