"""Text of a corpus up to a budget, drawn from all over it."""

from collections.abc import Iterator
from collections.abc import Sequence
import datetime
import random
import time

from absl import logging

from data_prep import corpora

_SECONDS_BETWEEN_LOGS = 10.0
# So many parts of the corpus make the sample, if files can be divided.
_NUM_PARTS = 100
_MIN_PART_BYTES, _MAX_PART_BYTES = 1 << 16, 8 << 20


def sample_lines(
    sources: Sequence[str],
    *,
    options: corpora.CorpusOptions,
    max_bytes: int,
    seed: int,
) -> Iterator[str]:
    """Yields all lines of a corpus, or of random parts of it; logs progress.

    Args:
        sources: See `corpora.plan`.
        options: How documents are found in them.
        max_bytes: About how much text is read.
        seed: Decides which parts of a larger corpus are read.

    Raises:
        ValueError: A source cannot be read, or there is no text.
    """
    part_bytes = max_bytes // _NUM_PARTS
    part_bytes = min(max(part_bytes, _MIN_PART_BYTES), _MAX_PART_BYTES)
    units = corpora.plan(sources, options, unit_bytes=part_bytes)
    num_bytes = sum(unit.size for unit in units)
    if num_bytes > max_bytes or not all(unit.size for unit in units):
        random.Random(seed).shuffle(units)
    goal = min(num_bytes, max_bytes) if num_bytes else max_bytes
    return _lines(units, sources, options, max_bytes, _Progress(goal))


def _lines(units, sources, options, max_bytes, progress) -> Iterator[str]:
    stats = corpora.CorpusStats()
    for unit in units:
        for document in corpora.read_unit(unit, options, stats):
            yield from document.lines
            progress(stats.bytes)
            if stats.bytes >= max_bytes:
                return
    stats.check_text(sources)


class _Progress:
    def __init__(self, goal: int):
        self._goal = goal
        self._start = self._last = time.monotonic()

    def __call__(self, num_bytes: int) -> None:
        now = time.monotonic()
        if now - self._last < _SECONDS_BETWEEN_LOGS:
            return
        self._last = now
        rate = num_bytes / (now - self._start)
        left = max(0.0, self._goal - num_bytes) / rate
        logging.info(
            "read | %.1f/%.1f MB | %.2f MB/s | ETA %s",
            num_bytes / 1e6,
            self._goal / 1e6,
            rate / 1e6,
            datetime.timedelta(seconds=round(left)),
        )
