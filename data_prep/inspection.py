"""What is counted in the examples of a data set, in plain NumPy."""

from collections.abc import Mapping
import dataclasses
import hashlib

import numpy as np

from data_prep import data_folder
from data_prep import progress
from electra_tf import tokenization

# Special tokens that do not stand for any text, unlike [UNK].
_NO_TEXT = (
    tokenization.PAD,
    tokenization.CLS,
    tokenization.SEP,
    tokenization.MASK,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Statistics:
    """What was counted.

    Tokens are those that are not padding; pieces, of them, those of the
    text, without [CLS] and [SEP].

    Attributes:
        num_in_folder: Examples of the whole data set.
        length_counts: How many examples have 0, 1, 2, ... tokens: int64
            `[max_seq_length + 1]`.
        num_two_segments: Examples with a second segment.
        first_segment_tokens: Tokens of their first segments, with [CLS] and
            [SEP], all together.
        id_counts: How often each id is a token: int64 `[ids]`; `[vocab]` if
            the vocabulary is known.
        num_with_unknown: Examples with an [UNK]; 0 if the vocabulary is not
            known.
        num_distinct: Examples with different ids.
        vocab: All pieces by their ids; None if they are not known.
    """

    num_in_folder: int
    length_counts: np.ndarray
    num_two_segments: int
    first_segment_tokens: int
    id_counts: np.ndarray
    num_with_unknown: int
    num_distinct: int
    vocab: tuple[str, ...] | None

    @property
    def num_examples(self) -> int:
        return int(self.length_counts.sum())

    @property
    def is_sample(self) -> bool:
        return self.num_examples < self.num_in_folder

    @property
    def num_tokens(self) -> int:
        return int(self.id_counts.sum())

    @property
    def padding_share(self) -> float:
        """Of all places in the examples."""
        max_seq_length = len(self.length_counts) - 1
        return 1 - self.num_tokens / (self.num_examples * max_seq_length)

    @property
    def first_segment_mean(self) -> float:
        """Mean length, in tokens, of first segments that a second follows."""
        return self.first_segment_tokens / max(1, self.num_two_segments)

    @property
    def num_duplicates(self) -> int:
        """Examples that are equal to an earlier one."""
        return self.num_examples - self.num_distinct

    @property
    def special_counts(self) -> dict[str, int]:
        """How often there is each special token that is no padding."""
        if self.vocab is None:
            return {}
        return {
            token: int(self.id_counts[self.vocab.index(token)])
            for token in tokenization.SPECIAL_TOKENS
            if token != tokenization.PAD
        }

    @property
    def piece_counts(self) -> np.ndarray:
        """How often each id is a piece of the text; 0 for special tokens.

        [UNK] is a piece. Without a vocabulary all ids are.
        """
        counts = self.id_counts.copy()
        if self.vocab is not None:
            counts[[self.vocab.index(token) for token in _NO_TEXT]] = 0
        return counts

    @property
    def num_pieces(self) -> int:
        return int(self.piece_counts.sum())

    @property
    def num_continuations(self) -> int:
        """Pieces that go on with the word of the piece before."""
        continues = [piece.startswith("##") for piece in self.vocab]
        return int(self.piece_counts[continues].sum())

    @property
    def num_seen(self) -> int:
        """Different pieces of the text."""
        return int(np.count_nonzero(self.piece_counts))

    @property
    def num_unseen(self) -> int:
        """Entries of the vocabulary that are not special and never occur."""
        num_special = len(tokenization.SPECIAL_TOKENS)
        num_seen = self.num_seen - bool(self.special_counts[tokenization.UNK])
        return len(self.vocab) - num_special - num_seen

    def most_frequent(self, count: int) -> list[tuple[int, int]]:
        """Ids and counts of the most frequent pieces; [UNK] is apart."""
        counts = self.piece_counts
        if self.vocab is not None:
            counts[self.vocab.index(tokenization.UNK)] = 0
        # Stable, so that equal counts stay in the order of the ids.
        ids = np.argsort(-counts, kind="stable")[:count]
        return [(int(i), int(counts[i])) for i in ids if counts[i]]


def count(folder: data_folder.DataFolder, sample_size: int = 0) -> Statistics:
    """Counts what is in examples, and logs how far it is.

    Args:
        folder: of the data.
        sample_size: number of examples; 0 for all.
    """
    numbers = folder.spread(sample_size)
    counter = _Counter(folder)
    advance = progress.Progress("count", total=len(numbers), unit="examples")
    for batch in data_folder.read(folder, numbers):
        counter.add(batch.features)
        advance(counter.num_examples)
    return counter.statistics()


class _Counter:
    """Counts batch by batch."""

    def __init__(self, folder: data_folder.DataFolder):
        self._folder = folder
        self._lengths = np.zeros(folder.info.max_seq_length + 1, np.int64)
        self._ids = np.zeros(len(folder.vocab or ()), np.int64)
        self._num_two_segments = 0
        self._first_segment_tokens = 0
        self._num_with_unknown = 0
        self._hashes = []
        self.num_examples = 0

    def add(self, features: Mapping[str, np.ndarray]):
        ids, segments = features["input_ids"], features["segment_ids"]
        is_token = features["input_mask"].astype(bool)
        self._lengths += np.bincount(
            is_token.sum(1), minlength=len(self._lengths)
        )
        self._ids = _added(self._ids, np.bincount(ids[is_token]))
        has_two = (segments * is_token).any(1)
        in_first = is_token & (segments == 0) & has_two[:, np.newaxis]
        self._num_two_segments += int(has_two.sum())
        self._first_segment_tokens += int(in_first.sum())
        if self._folder.tokenizer is not None:
            is_unknown = is_token & (ids == self._folder.tokenizer.unk_id)
            self._num_with_unknown += int(is_unknown.any(1).sum())
        self._hashes.append(_hashes(ids))
        self.num_examples += len(ids)

    def statistics(self) -> Statistics:
        return Statistics(
            num_in_folder=self._folder.info.num_examples,
            length_counts=self._lengths,
            num_two_segments=self._num_two_segments,
            first_segment_tokens=self._first_segment_tokens,
            id_counts=self._ids,
            num_with_unknown=self._num_with_unknown,
            num_distinct=len(np.unique(np.concatenate(self._hashes))),
            vocab=self._folder.vocab,
        )


def _added(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The sum of counts, of which one may be longer than the other."""
    total = np.zeros(max(len(one), len(other)), np.int64)
    total[: len(one)] += one
    total[: len(other)] += other
    return total


def _hashes(ids: np.ndarray) -> np.ndarray:
    """A hash of each row of 64 bits: uint64 `[batch]`.

    Two of 60 million different rows are taken for equal with a probability
    of (6e7)**2 / 2 / 2**64 = 0.0001.
    """
    digests = [hashlib.blake2b(row, digest_size=8).digest() for row in ids]
    return np.frombuffer(b"".join(digests), np.uint64)
