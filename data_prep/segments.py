"""Documents become training examples of one or two segments of token ids.

The original's `ExampleBuilder` (`build_pretraining_dataset.py`): lines of a
document are gathered until an example is full; the lines then go to the first
or to the second segment, by length and by chance. All random choices come
from a generator with `random()` and `randint(low, high)` that the caller
gives, such as `random.Random`. No TensorFlow is imported here.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import itertools
import random
from typing import NamedTuple

# [CLS] first [SEP] second [SEP].
_NUM_SPECIAL = 3
# As in the original: the shortest random target.
_MIN_TARGET_LENGTH = 5
# What is tokenized at once; fewer characters would be slower.
_BATCH_CHARACTERS = 1 << 20


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
    """The token ids of one example, without special tokens.

    Attributes:
        first: Never empty.
        second: Empty in an example of one segment.
    """

    first: list[int]
    second: list[int]


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

    def add_sentence(self, ids: list[int]) -> list[Segments]:
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

    def _add(self, ids: list[int], full: int) -> list[Segments]:
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
        length = self._options.max_seq_length
        if self._rng.random() < self._options.one_segment_prob:
            first_length = float("inf")
        else:
            first_length = (self._target_length - _NUM_SPECIAL) // 2
        first, second = [], []
        for sentence in self._sentences:
            # As in the original: the line that overflows the first segment
            # joins it half of the time, and a short line may do so even after
            # another one went to the second.
            if (
                not first
                or len(first) + len(sentence) < first_length
                or (
                    not second
                    and len(first) < first_length
                    and self._rng.random() < 0.5
                )
            ):
                first += sentence
            else:
                second += sentence
        first = first[: length - 2]
        return Segments(first, second[: max(0, length - 3 - len(first))])


def draw_target_length(options: SegmentOptions, rng: random.Random) -> int:
    """How many tokens make the next example full."""
    if rng.random() < options.short_seq_prob:
        return rng.randint(_MIN_TARGET_LENGTH, options.max_seq_length)
    return options.max_seq_length


def document_examples(
    sentences: Iterable[list[int]],
    options: SegmentOptions,
    rng: random.Random,
) -> Iterator[Segments]:
    """Yields the examples of one document, given as token ids of its lines."""
    # Unlike the original: a document does not inherit the target length that
    # was drawn at the end of the one before, so that documents can be made
    # into examples in any order, and in parallel.
    builder = ExampleBuilder(
        options, rng, target_length=draw_target_length(options, rng)
    )
    for sentence in sentences:
        yield from builder.add_sentence(sentence)
    yield from builder.end_document()


def pack(
    segments: Segments, *, max_seq_length: int, cls_id: int, sep_id: int
) -> dict[str, list[int]]:
    """The features of an example: `[CLS] first [SEP]` or with `second [SEP]`.

    Returns:
        `input_ids`, `input_mask` (1 for tokens, 0 for padding) and
        `segment_ids` (1 for the second segment and its [SEP]), each a list of
        `max_seq_length` ints.
    """
    first = [cls_id, *segments.first, sep_id]
    second = [*segments.second, sep_id] if segments.second else []
    length = len(first) + len(second)
    padding = [0] * (max_seq_length - length)
    return {
        "input_ids": first + second + padding,
        "input_mask": [1] * length + padding,
        "segment_ids": [0] * len(first) + [1] * len(second) + padding,
    }


def document_features(
    sentences: Iterable[list[int]],
    options: SegmentOptions,
    *,
    index: int,
    seed: int,
    cls_id: int,
    sep_id: int,
) -> Iterator[dict[str, list[int]]]:
    """Yields the features of each example of a document, as `pack` does.

    The document's number in the corpus and the seed decide all random
    choices, so that documents can be worked on in any order and place.
    """
    rng = random.Random(f"{seed}:{index}")
    for example in document_examples(sentences, options, rng):
        yield pack(
            example,
            max_seq_length=options.max_seq_length,
            cls_id=cls_id,
            sep_id=sep_id,
        )


def tokenize_documents(
    documents: Iterable[list[str]], tokenizer
) -> Iterator[tuple[list[str], list[list[int]]]]:
    """Yields each document with the token ids of its lines.

    Args:
        documents: Lists of lines.
        tokenizer: A `tokenization.Tokenizer`, or what has its `tokenize`.
    """
    for batch in _batches(documents):
        ids = tokenizer.tokenize([line for lines in batch for line in lines])
        flat, splits = ids.values.numpy().tolist(), ids.row_splits.numpy()
        sentences = (flat[a:b] for a, b in itertools.pairwise(splits.tolist()))
        for document in batch:
            yield document, list(itertools.islice(sentences, len(document)))


def _batches(documents: Iterable[list[str]]) -> Iterator[list[list[str]]]:
    batch, size = [], 0
    for document in documents:
        batch.append(document)
        size += sum(map(len, document))
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
