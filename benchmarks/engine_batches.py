"""What engines of inference are given, and how they are timed."""

from collections.abc import Callable
from collections.abc import Iterable
import time
from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Some sentences, as texts and as a model's inputs.

    Attributes:
        texts: the sentences.
        ids: `input_ids`, `input_mask` and `segment_ids`, int32
            `[batch, length]`; the length is that of the longest sentence.
    """

    texts: list[str]
    ids: dict[str, np.ndarray]

    @property
    def num_tokens(self) -> int:
        """Without padding."""
        return int(self.ids["input_mask"].sum())


def lengths(batches: list[Batch]) -> list[int]:
    """Tokens of each sentence, without padding."""
    return [
        int(length)
        for batch in batches
        for length in batch.ids["input_mask"].sum(axis=1)
    ]


def timed(function: Callable, inputs: Iterable) -> list[float]:
    """Seconds that each call takes."""
    seconds = []
    for item in inputs:
        start = time.perf_counter()
        function(item)
        seconds.append(time.perf_counter() - start)
    return seconds


def largest_difference(
    one: list[np.ndarray], other: list[np.ndarray], batches: list[Batch]
) -> float:
    """Of float `[batch, length]` for each batch, where there are tokens."""
    differences = [
        np.max(np.abs(a - b) * batch.ids["input_mask"])
        for a, b, batch in zip(one, other, batches, strict=True)
    ]
    return float(np.max(differences))  # Not a number if one of them is none.
