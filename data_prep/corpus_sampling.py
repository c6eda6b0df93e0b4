"""Text of a corpus up to a budget, drawn from all over it."""

from collections.abc import Iterator
from collections.abc import Sequence
import random

from data_prep import corpora
from data_prep import progress

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
    return _lines(
        units,
        sources,
        options,
        max_bytes,
        progress.Progress("read", total=goal / 1e6, unit="MB"),
    )


def _lines(units, sources, options, max_bytes, advance) -> Iterator[str]:
    stats = corpora.CorpusStats()
    for unit in units:
        for document in corpora.read_unit(unit, options, stats):
            yield from document.lines
            advance(stats.bytes / 1e6)
            if stats.bytes >= max_bytes:
                return
    stats.check_text(sources)
