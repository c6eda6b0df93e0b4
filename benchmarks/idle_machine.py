"""Whether the machine does nothing else, which benchmarks need."""

import os

# Of the cores; idle machines are a little above 0.
_LARGEST_SHARE = 0.25


def warn_if_busy(consequence: str = "The times below mean little.") -> float:
    """Prints a warning if other programs work, too.

    Args:
        consequence: what a busy machine does to the figures: a sentence.

    Returns:
        How many processes ran in the last minute, on average.
    """
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > cores * _LARGEST_SHARE:
        print(
            f"WARNING: the load is {load:.1f} on {cores} cores. {consequence}",
            flush=True,
        )
    return load
