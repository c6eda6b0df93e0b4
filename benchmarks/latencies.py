"""What is reported of how long requests took: percentiles, and rates."""

from collections.abc import Sequence
import statistics

import numpy as np

_PERCENTILES = (50, 90, 99)


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Percentiles `p50_ms`, `p90_ms`, `p99_ms`, and `max_ms`."""
    values = np.percentile(seconds, _PERCENTILES)
    names = [f"p{percentile}_ms" for percentile in _PERCENTILES]
    figures = {name: 1e3 * float(v) for name, v in zip(names, values)}
    return figures | {"max_ms": 1e3 * max(seconds)}


def rates(blocks: Sequence[float], counts: dict[str, int]) -> dict[str, float]:
    """How many of each a second, by the median block.

    Args:
        blocks: seconds of blocks of the same work.
        counts: what a block did, such as `{"sentences": 100}`.
    """
    median = statistics.median(blocks)
    return {f"{name}_per_s": count / median for name, count in counts.items()}


def speedup(blocks: Sequence[float], peer_blocks: Sequence[float]) -> float:
    """How many times as fast as a peer, by the median of all turns.

    Args:
        blocks: seconds of each turn.
        peer_blocks: seconds of the peer, for the same work in the same turns.
    """
    return statistics.median(
        peer / own for own, peer in zip(blocks, peer_blocks, strict=True)
    )
