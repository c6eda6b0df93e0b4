"""Schemes by which the tags of words tell where entities are.

A tag is "O", for no entity, or a prefix and the entity's type: "B-NP". In IOB2
(also called BIO) an entity's first word has B and the others I; in IOB1 the
first has B only where another entity of its type ends just before; in IO no
word has B; in BIOES the last word has E, and the only word of an entity S.
BILOU is BIOES with the letters L and U.
"""

import collections
from collections.abc import Iterable
from collections.abc import Sequence
import functools
from typing import NamedTuple

OUTSIDE = "O"
# IO is IOB1 without B, and means the same.
SCHEMES = ("IOB2", "BIOES", "IOB1")
_AS_IN_BIOES = {"L": "E", "U": "S"}
_PREFIXES = "BIESLU"


class Span(NamedTuple):
    """Words that make up an entity.

    Attributes:
        start: Index of its first word.
        end: Index of its last word.
        type: What the tags of these words call it.
    """

    start: int
    end: int
    type: str


class _Tag(NamedTuple):
    prefix: str
    type: str


_OUTSIDE = _Tag(OUTSIDE, "")


@functools.cache
def _parse(tag: str) -> _Tag:
    """The two parts of a tag; the prefix as in BIOES.

    Raises:
        ValueError: it is no tag.
    """
    if tag == OUTSIDE:
        return _OUTSIDE
    prefix, _, entity_type = tag.partition("-")
    if not entity_type or len(prefix) != 1 or prefix not in _PREFIXES:
        raise ValueError(
            f"{tag!r} is no tag; tags are {OUTSIDE!r}, or one of the letters "
            f"{', '.join(_PREFIXES)}, a hyphen and the type of an entity"
        )
    return _Tag(_AS_IN_BIOES.get(prefix, prefix), entity_type)


def check_tag(tag: str):
    """Raises ValueError, without a full stop, if a text is no tag."""
    _parse(tag)


def detect(sentences: Iterable[Sequence[str]]) -> str:
    """The scheme that the tags of sentences are in, or almost all of them.

    One sentence with an entity is enough to tell: with B or with S at its
    start it is not IOB1, and with I it is nothing else.
    """
    pairs = collections.Counter()
    for tags in sentences:
        pairs.update(_pairs(tags))
    return min(
        SCHEMES,
        key=lambda scheme: sum(
            count
            for pair, count in pairs.items()
            if not _may_follow(*pair, scheme)
        ),
    )


def first_misfit(tags: Sequence[str], scheme: str) -> int | None:
    """Index of the first tag that is not in a scheme; None if all are.

    It is the number of tags if the sentence must not end after the last.
    """
    for index, pair in enumerate(_pairs(tags)):
        if not _may_follow(*pair, scheme):
            return index
    return None


def _pairs(tags: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Each tag after the one before it; before and after all is an "O"."""
    return zip([OUTSIDE, *tags], [*tags, OUTSIDE], strict=True)


def _may_follow(previous_tag: str, tag: str, scheme: str) -> bool:
    previous, current = _parse(previous_tag), _parse(tag)
    same_type = previous.type == current.type  # That of "O" is none.
    if scheme == "BIOES":
        goes_on = previous.prefix in "BI"
        return goes_on == (current.prefix in "IE") and (
            same_type or not goes_on
        )
    if current.prefix not in "OBI":
        return False
    needs_entity_before = "I" if scheme == "IOB2" else "B"
    return current.prefix != needs_entity_before or same_type


def to_bioes(tags: Sequence[str]) -> tuple[str, ...]:
    """The same entities in BIOES, from tags without misfits in any scheme.

    In every scheme an entity starts at B, at S, and where the type changes.

    Unlike the original: that reads each scheme as `spans` does, so that
    entities in IOB1 or IO that follow one another without B become one.
    """
    found = []
    for index, pair in enumerate(_pairs(tags)):
        previous, current = map(_parse, pair)
        starts = current.prefix in "BS" or current.type != previous.type
        if starts and previous != _OUTSIDE:
            found[-1] = found[-1]._replace(end=index - 1)
        if starts and current != _OUTSIDE:
            found.append(Span(index, index, current.type))
    return from_spans(found, len(tags))


def spans(tags: Sequence[str]) -> list[Span]:
    """The entities in BIOES tags, which may follow one another at random.

    As in the original (`get_span_labels`): an entity starts at B, at S, and
    at any tag after "O". It goes on until the next one starts or "O" comes,
    also after E and when the type changes; its type is that of its last word.
    """
    found = []
    previous = _OUTSIDE
    for index, current in enumerate(map(_parse, tags)):
        if current != _OUTSIDE:
            if current.prefix in "BS" or previous == _OUTSIDE:
                found.append(Span(index, index, current.type))
            found[-1] = Span(found[-1].start, index, current.type)
        previous = current
    return found


def from_spans(entities: Iterable[Span], num_words: int) -> tuple[str, ...]:
    """The BIOES tags of so many words with these entities."""
    tags = [OUTSIDE] * num_words
    for start, end, entity_type in entities:
        if start == end:
            tags[start] = f"S-{entity_type}"
            continue
        tags[start] = f"B-{entity_type}"
        tags[start + 1 : end] = [f"I-{entity_type}"] * (end - start - 1)
        tags[end] = f"E-{entity_type}"
    return tuple(tags)
