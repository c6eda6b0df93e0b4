"""Documents become examples, many at once, each with a place in the order.

All that is random about the examples of a document, and the order key that
decides their file and their place in it, comes from the seed and from the
document's text. So examples can be made in any order, in any process and on
any machine, and always end as the same records.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import itertools
import random
from typing import NamedTuple

import numpy as np

from data_prep import documents as documents_lib
from data_prep import segments
from electra_tf import tokenization

# What is tokenized at once; fewer characters would be slower.
_BATCH_CHARACTERS = 1 << 20
_LINE_CHARACTERS = 50


class Examples(NamedTuple):
    """Examples with their special tokens, without padding.

    Attributes:
        orders: uint64 `[examples]`; random, decide the examples' places.
        lengths: int32 `[examples]`; tokens of each.
        first_lengths: int32 `[examples]`; tokens of [CLS] first [SEP].
        ids: uint16 or uint32 `[sum(lengths)]`; one example after the other.
    """

    orders: np.ndarray
    lengths: np.ndarray
    first_lengths: np.ndarray
    ids: np.ndarray

    def __getitem__(self, place: slice) -> "Examples":
        """Some neighbouring examples."""
        start, stop, _ = place.indices(len(self.orders))
        first_id = self.lengths[:start].sum()
        num_ids = self.lengths[start:stop].sum()
        return Examples(
            self.orders[start:stop],
            self.lengths[start:stop],
            self.first_lengths[start:stop],
            self.ids[first_id : first_id + num_ids],
        )

    def sorted(self) -> "Examples":
        """The examples by their order keys, equal ones by their ids."""
        indices = np.argsort(self.orders, kind="stable")
        orders = self.orders[indices]
        # Equal documents give equal examples. Different ones with equal keys
        # are as good as impossible, but must not depend on who came first.
        equal = np.flatnonzero(orders[1:] == orders[:-1])
        if len(equal):
            tied = np.union1d(equal, equal + 1)
            ends = np.cumsum(self.lengths)

            def key(i):
                ids = self.ids[ends[i] - self.lengths[i] : ends[i]]
                return self.orders[i], ids.tobytes()

            indices[tied] = sorted(indices[tied], key=key)
        return self._take(indices)

    @property
    def num_repeated(self) -> int:
        """How many have the same key as the one before them."""
        return int(np.count_nonzero(self.orders[1:] == self.orders[:-1]))

    def features(self, max_seq_length: int) -> dict[str, np.ndarray]:
        """The features of records: int32 `[examples, max_seq_length]` each.

        `input_ids` of `[CLS] first [SEP]` or of that and `second [SEP]`,
        `input_mask` (1 for tokens, 0 for padding) and `segment_ids` (1 for
        the second segment and its [SEP]).
        """
        positions = np.arange(max_seq_length, dtype=np.int32)
        is_token = positions < self.lengths[:, np.newaxis]
        is_second = is_token & (positions >= self.first_lengths[:, np.newaxis])
        input_ids = np.zeros(is_token.shape, np.int32)
        input_ids[is_token] = self.ids
        return {
            "input_ids": input_ids,
            "input_mask": is_token.astype(np.int32),
            "segment_ids": is_second.astype(np.int32),
        }

    def to_bytes(self) -> bytes:
        """All of it; `from_bytes` is the inverse."""
        sizes = [len(self.orders), len(self.ids), self.ids.itemsize]
        return b"".join(a.tobytes() for a in (np.array(sizes, np.int64), *self))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Examples":
        num_examples, num_ids, itemsize = np.frombuffer(content, np.int64, 3)
        arrays, start = [], 24
        for dtype, size in (
            ("u8", num_examples),
            ("i4", num_examples),
            ("i4", num_examples),
            (f"u{itemsize}", num_ids),
        ):
            arrays.append(np.frombuffer(content, dtype, size, start))
            start += arrays[-1].nbytes
        return cls(*arrays)

    def _take(self, indices: np.ndarray) -> "Examples":
        lengths = self.lengths[indices]
        starts = (np.cumsum(self.lengths) - self.lengths)[indices]
        return Examples(
            self.orders[indices],
            lengths,
            self.first_lengths[indices],
            self.ids[_positions(starts, lengths)],
        )


def concatenate(parts: Iterable[Examples]) -> Examples:
    """The examples of all parts, of which there must be one."""
    return Examples(*map(np.concatenate, zip(*parts)))


@dataclasses.dataclass
class Counts:
    """What examples were made of, without and with special tokens."""

    documents: int = 0
    unused_documents: int = 0
    lines: int = 0
    lines_without_tokens: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    dropped_tokens: int = 0
    examples: int = 0
    example_tokens: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        ours, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return Counts(*map(sum, zip(ours, theirs)))

    def __str__(self) -> str:
        parts = [
            f"{self.documents:,} documents",
            f"{self.lines:,} lines",
            f"{self.tokens:,} tokens, {self.unknown_share:.3%} of them [UNK]",
            f"{self.examples:,} examples of "
            f"{self.example_tokens / max(1, self.examples):.1f} tokens",
        ]
        parts += [
            f"{count:,} {what}"
            for count, what in (
                (self.unused_documents, "documents not used, by weight"),
                (self.lines_without_tokens, "lines without a token"),
                (self.dropped_tokens, "tokens dropped from long lines"),
            )
            if count
        ]
        return ", ".join(parts)

    @property
    def unknown_share(self) -> float:
        return self.unknown_tokens / max(1, self.tokens)


class Part(NamedTuple):
    """What some documents gave, to train on or held out."""

    examples: Examples
    counts: Counts


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleMaker:
    """Turns documents into examples.

    Attributes:
        tokenizer: Gives the ids.
        options: How the lines of a document become examples.
        seed: Decides all random choices, with the documents' texts.
        eval_fraction: Share of the documents that is held out.
    """

    tokenizer: tokenization.Tokenizer
    options: segments.SegmentOptions
    seed: int
    eval_fraction: float = 0.0

    def batches(
        self, documents: Iterable[documents_lib.Document], weight: float = 1.0
    ) -> Iterator[tuple[Part, Part]]:
        """Yields about a megabyte of text at a time, to train on and held out.

        Args:
            documents: What to make examples of.
            weight: How often each is used: 2.5 means twice, and half of them,
                chosen at random, a third time, with new random choices each
                time. Held-out documents are used once.
        """
        is_held_out, copies = False, 0
        for batch in _batches(documents):
            tokens = _Tokens(self.tokenizer, batch)
            uses = []
            for document, sentences in zip(batch, tokens.sentences()):
                digest = documents_lib.digest(document.lines)
                rng = random.Random(self.seed << 256 | digest)
                extra = rng.random() < weight % 1
                if document.starts:
                    position = documents_lib.digest_position(digest)
                    is_held_out = position < self.eval_fraction
                    copies = 1 if is_held_out else int(weight) + extra
                uses.append(_Use(document, sentences, rng, is_held_out, copies))
            # One copy after the other, so that memory does not depend on how
            # many there are.
            for copy in range(max(1, *(use.copies for use in uses))):
                yield self._copy(tokens, uses, copy)

    def _copy(
        self, tokens: "_Tokens", uses: list["_Use"], copy: int
    ) -> tuple[Part, Part]:
        """The examples of the copy of that number of all that have one."""
        train, held_out = _Collector(tokens), _Collector(tokens)
        for document, sentences, rng, is_held_out, copies in uses:
            collector = held_out if is_held_out else train
            if copy < copies:
                first_order = rng.getrandbits(64)
                collector.add(
                    sentences,
                    self._segments(sentences, rng),
                    first_order=first_order,
                    is_new=document.starts and not copy,
                )
            elif not copies and not copy:
                collector.counts.unused_documents += document.starts
        return train.part(), held_out.part()

    def _segments(
        self, sentences: list[range], rng: random.Random
    ) -> list[segments.Segments]:
        builder = segments.ExampleBuilder.for_document(self.options, rng)
        examples = []
        for sentence in sentences:
            examples += builder.add_sentence(sentence)
        return examples + builder.end_document()


class _Use(NamedTuple):
    """A document, and how many copies of it are made into examples."""

    document: documents_lib.Document
    sentences: list[range]
    rng: random.Random
    is_held_out: bool
    copies: int


class _Tokens:
    """The token ids of documents, one after the other.

    Attributes:
        ids: uint16 or uint32 `[tokens + 2]`; the last two are [CLS], [SEP].
        cls, sep: The numbers of these two.
        num_unknown: How many [UNK] there are before each, `[tokens + 1]`.
    """

    def __init__(
        self,
        tokenizer: tokenization.Tokenizer,
        documents: list[documents_lib.Document],
    ):
        self._documents = documents
        lines = [line for document in documents for line in document.lines]
        ragged = tokenizer.tokenize(lines)
        ids, self._splits = ragged.values.numpy(), ragged.row_splits.numpy()
        dtype = np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32
        special_ids = [tokenizer.cls_id, tokenizer.sep_id]
        self.ids = np.concatenate([ids, special_ids]).astype(dtype)
        self.cls = range(len(ids), len(ids) + 1)
        self.sep = range(len(ids) + 1, len(ids) + 2)
        is_unknown = ids == tokenizer.unk_id
        self.num_unknown = np.concatenate([[0], np.cumsum(is_unknown)])

    def sentences(self) -> Iterator[list[range]]:
        """The numbers of each line's tokens, by document."""
        pairs = itertools.pairwise(self._splits.tolist())
        ranges = itertools.starmap(range, pairs)
        for document in self._documents:
            yield list(itertools.islice(ranges, len(document.lines)))


class _Collector:
    """Gathers the examples of documents, and counts."""

    def __init__(self, tokens: _Tokens):
        self._tokens = tokens
        self.counts = Counts()
        # Of all examples, what numbers of tokens they consist of.
        self._ranges = []
        # Of each example, how many of these, and in [CLS] first [SEP].
        self._sizes, self._first_sizes = [], []
        # Of each document, its order key and number of examples.
        self._first_orders, self._num_examples = [], []

    def add(
        self,
        sentences: list[range],
        examples: list[segments.Segments],
        *,
        first_order: int,
        is_new: bool,
    ) -> None:
        """Adds the examples of a document or of a part of one."""
        cls, sep = self._tokens.cls, self._tokens.sep
        for first, second in examples:
            end = [*second, sep] if second else second
            self._ranges += [cls, *first, sep, *end]
            self._first_sizes.append(len(first) + 2)
            self._sizes.append(len(first) + 2 + len(end))
        self._first_orders.append(first_order)
        self._num_examples.append(len(examples))
        start, stop = sentences[0].start, sentences[-1].stop
        unknown = self._tokens.num_unknown
        self.counts.documents += is_new
        self.counts.lines += len(sentences)
        self.counts.lines_without_tokens += sentences.count(range(0))
        self.counts.tokens += stop - start
        self.counts.unknown_tokens += int(unknown[stop] - unknown[start])

    def part(self) -> Part:
        """All that was added."""
        starts = np.array([r.start for r in self._ranges], np.int64)
        sizes = np.array([len(r) for r in self._ranges], np.int64)
        is_special = starts >= self._tokens.cls.start
        num_examples = np.array(self._num_examples, np.int64)
        # Where examples and their second segments begin, in ranges; tokens
        # before each range.
        begins = np.cumsum([0, *self._sizes])
        middles = begins[:-1] + np.array(self._first_sizes, np.int64)
        before = np.cumsum([0, *sizes])
        keys = np.repeat(np.array(self._first_orders, np.uint64), num_examples)
        numbers = _positions(np.zeros_like(num_examples), num_examples)
        counts = self.counts
        counts.examples = len(self._sizes)
        counts.example_tokens = int(before[-1])
        counts.dropped_tokens = counts.tokens - int(sizes[~is_special].sum())
        examples = Examples(
            _mix(keys + numbers.astype(np.uint64)),
            np.diff(before[begins]).astype(np.int32),
            (before[middles] - before[begins[:-1]]).astype(np.int32),
            self._tokens.ids[_positions(starts, sizes)],
        )
        return Part(examples, counts)


def _positions(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """All of the ranges that begin at `starts`, one after the other."""
    moves = starts - (np.cumsum(sizes) - sizes)
    return np.arange(sizes.sum()) + np.repeat(moves, sizes)


def _mix(values: np.ndarray) -> np.ndarray:
    """Turns neighbouring uint64 numbers into unrelated ones, one to one.

    The last steps of the SplitMix64 generator (Steele, Lea and Flood, 2014).
    """
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(
        0xBF58476D1CE4E5B9
    )
    values = (values ^ (values >> np.uint64(27))) * np.uint64(
        0x94D049BB133111EB
    )
    return values ^ (values >> np.uint64(31))


def _batches(
    documents: Iterable[documents_lib.Document],
) -> Iterator[list[documents_lib.Document]]:
    batch, size = [], 0
    for document in documents:
        batch.append(document)
        size += sum(map(len, document.lines))
        # What Python needs for many short ones.
        size += _LINE_CHARACTERS * len(document.lines)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
