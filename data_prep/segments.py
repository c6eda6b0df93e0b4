"""Documents become training examples of one or two segments of token ids.

The original's `ExampleBuilder` (`build_pretraining_dataset.py`): lines of a
document are gathered until an example is full; the lines then go to the first
or to the second segment, by length and by chance. All random choices come
from a generator with `random()` and `randint(low, high)` that the caller
gives, such as `random.Random`. No TensorFlow is imported here.
"""

from collections.abc import Sequence
import dataclasses
import random
from typing import NamedTuple

# [CLS] first [SEP] second [SEP].
_NUM_SPECIAL = 3
# As in the original: the shortest random target.
_MIN_TARGET_LENGTH = 5

# Token ids, or the `range` of their numbers in some array: nothing but its
# length and slices are asked for.
Sentence = Sequence[int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SegmentOptions:
    """How examples are made of sentences.

    Attributes:
        max_seq_length: Tokens an example, with [CLS] and [SEP].
        split_long_lines: Whether what does not fit into an example starts the
            next one. If not, it is dropped, as the original does.
        one_segment_prob: Share of the examples that get one segment only.
        short_seq_prob: Share of the examples that are made as soon as they
            reach a random length.
    """

    max_seq_length: int = 128
    split_long_lines: bool = True
    one_segment_prob: float = 0.1
    short_seq_prob: float = 0.05

    def __post_init__(self):
        if self.max_seq_length < _MIN_TARGET_LENGTH:
            raise ValueError(
                f"max_seq_length must be at least {_MIN_TARGET_LENGTH}, got "
                f"{self.max_seq_length}."
            )
        for name in ("one_segment_prob", "short_seq_prob"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(
                    f"{name} must be in [0, 1], got {getattr(self, name)}."
                )


class Segments(NamedTuple):
    """What the lines of one example gave, without special tokens.

    Attributes:
        first: Sentences, or what of them is in the example; never empty.
        second: Likewise; empty in an example of one segment.
    """

    first: list[Sentence]
    second: list[Sentence]


class ExampleBuilder:
    """Gathers sentences and returns an example whenever one is full.

    Args:
        options: How examples are made.
        rng: Source of all random choices.
        target_length: Tokens, without special ones, that make the first
            example full; `max_seq_length` if not given. Later ones are drawn.
    """

    def __init__(
        self,
        options: SegmentOptions,
        rng: random.Random,
        *,
        target_length: int | None = None,
    ):
        self._options = options
        self._rng = rng
        self._target_length = target_length or options.max_seq_length
        self._sentences = []
        self._length = 0

    @classmethod
    def for_document(
        cls, options: SegmentOptions, rng: random.Random
    ) -> "ExampleBuilder":
        """A builder for one document."""
        # Unlike the original: a document does not inherit the target length
        # that was drawn at the end of the one before, so that documents can
        # be made into examples in any order, and in parallel.
        return cls(options, rng, target_length=draw_target_length(options, rng))

    def add_sentence(self, ids: Sentence) -> list[Segments]:
        """Adds one line of a document; returns the examples that it fills."""
        if not self._options.split_long_lines:
            # As in the original: the length that counts as full has no room
            # for [CLS] and [SEP], and what overflows will be cut off.
            return self._add(ids, full=self._target_length)
        # Unlike the original: a line is split where the example is full, so
        # that no token is lost.
        examples = []
        room = self._options.max_seq_length - _NUM_SPECIAL
        while ids:
            free = room - self._length
            examples += self._add(
                ids[:free], full=min(self._target_length, room)
            )
            ids = ids[free:]
        return examples

    def end_document(self) -> list[Segments]:
        """Returns the example that the document's last lines make, if any."""
        return [self._make_example()] if self._length else []

    def _add(self, ids: Sentence, full: int) -> list[Segments]:
        self._sentences.append(ids)
        self._length += len(ids)
        return [self._make_example()] if self._length >= full else []

    def _make_example(self) -> Segments:
        segments = self._divide()
        self._sentences, self._length = [], 0
        self._target_length = draw_target_length(self._options, self._rng)
        return segments

    def _divide(self) -> Segments:
        """Distributes the sentences over two segments."""
        if self._rng.random() < self._options.one_segment_prob:
            first_target = float("inf")
        else:
            first_target = (self._target_length - _NUM_SPECIAL) // 2
        first, second = [], []
        first_length = second_length = 0
        for sentence in self._sentences:
            # As in the original: the line that overflows the first segment
            # joins it half of the time, and a short line may do so even after
            # another one went to the second.
            if (
                not first_length
                or first_length + len(sentence) < first_target
                or (
                    not second_length
                    and first_length < first_target
                    and self._rng.random() < 0.5
                )
            ):
                first.append(sentence)
                first_length += len(sentence)
            else:
                second.append(sentence)
                second_length += len(sentence)
        length = self._options.max_seq_length
        first_length = min(first_length, length - 2)
        return Segments(
            _cut(first, first_length), _cut(second, length - 3 - first_length)
        )


def _cut(sentences: list[Sentence], length: int) -> list[Sentence]:
    """The sentences up to so many tokens, without empty ones."""
    kept = []
    for sentence in sentences:
        if part := sentence[: max(0, length)]:
            kept.append(part)
            length -= len(part)
    return kept


def draw_target_length(options: SegmentOptions, rng: random.Random) -> int:
    """How many tokens make the next example full."""
    if rng.random() < options.short_seq_prob:
        return rng.randint(_MIN_TARGET_LENGTH, options.max_seq_length)
    return options.max_seq_length
