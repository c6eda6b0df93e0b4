"""How much memory this process has needed."""

import re


def peak_gb() -> float:
    """The most that it has had resident at once so far, in GB.

    Not `ru_maxrss`, which begins with that of the process that started it.
    """
    with open("/proc/self/status", encoding="utf-8") as file:
        kilobytes = re.search(r"VmHWM:\s+(\d+) kB", file.read())
    return int(kilobytes[1]) * 1024 / 1e9
