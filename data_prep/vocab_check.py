"""What an existing vocabulary is, and how it fits a corpus."""

import collections
from collections.abc import Sequence
import itertools

import tensorflow as tf

from data_prep import vocab_learning
from electra_tf import tokenization

_NUM_SHOWN = 10


def load(path: str, settings: dict[str, bool]) -> tokenization.Tokenizer:
    """The tokenizer of a vocabulary file.

    Raises:
        ValueError: The file is no vocabulary; all that is wrong is listed.
    """
    try:
        pieces = tokenization.read_vocab(path)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no vocabulary: {error}.") from error
    places = collections.defaultdict(list)
    for number, piece in enumerate(pieces, 1):
        places[piece].append(number)
    problems = [
        f"it lacks {token}"
        for token in tokenization.SPECIAL_TOKENS
        if token not in places
    ]
    empty = places.pop("", None)
    if empty:
        problems.append(f"empty: {_lines(empty)}")
    problems += [
        f"{piece!r} stands in {_lines(numbers)}"
        for piece, numbers in places.items()
        if len(numbers) > 1
    ]
    if problems:
        more = len(problems) - _NUM_SHOWN
        raise ValueError(
            f"{path} is no vocabulary: {'; '.join(problems[:_NUM_SHOWN])}"
            + (f"; and {more} more." if more > 0 else ".")
        )
    return tokenization.Tokenizer(pieces, **settings)


def describe(tokenizer: tokenization.Tokenizer) -> list[str]:
    """Lines about a vocabulary, without any text."""
    kinds = collections.Counter(map(_kind, tokenizer.vocab))
    lines = [
        f"{tokenizer.vocab_size:,} entries: "
        + ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()),
        "special tokens: "
        + ", ".join(
            f"{token} {index}"
            for token, index in zip(
                tokenization.SPECIAL_TOKENS, tokenizer.special_ids
            )
        ),
    ]
    if tokenizer.pad_id != 0:
        lines.append(
            "WARNING: [PAD] is not the first entry; records are padded with "
            "zeros, as the original's are, whatever that entry is"
        )
    unreachable = _unreachable(tokenizer)
    if unreachable:
        shown = ", ".join(map(repr, unreachable[:_NUM_SHOWN]))
        lines.append(
            f"WARNING: {len(unreachable):,} word(s) can never be found in a "
            f"text, with {tokenizer.settings()}: {shown}"
            + (", ..." if len(unreachable) > _NUM_SHOWN else "")
        )
    return lines


def compare(
    tokenizer: tokenization.Tokenizer,
    word_counts: collections.Counter[str],
) -> list[str]:
    """Lines about how a vocabulary fits the words of a text."""
    unknown, pieces = vocab_learning.coverage(word_counts, tokenizer)
    words = list(word_counts)
    ids = tokenizer.tokenize(words)
    seen = set(tf.unique(ids.values).y.numpy().tolist())
    is_unknown = tf.reduce_any(ids == tokenizer.unk_id, axis=1).numpy()
    unknown_words = collections.Counter(
        {
            word: word_counts[word]
            for word in itertools.compress(words, is_unknown)
        }
    )
    unused = 1 - len(seen) / tokenizer.vocab_size
    lines = [
        f"text: {word_counts.total():,} words, {len(words):,} different ones",
        f"[UNK]: {unknown:.4%} of the words",
        f"pieces per word: {pieces:.3f}",
        f"never used: {unused:.1%} of the entries",
    ]
    if unknown_words:
        most = unknown_words.most_common(_NUM_SHOWN)
        lines.append(
            "most frequent unknown words: "
            + ", ".join(f"{word} ({count:,})" for word, count in most)
        )
    return lines


def _kind(piece: str) -> str:
    if piece in tokenization.SPECIAL_TOKENS:
        return "special tokens"
    if piece.startswith("[unused") and piece.endswith("]"):
        return "unused"
    if len(piece.removeprefix("##")) == 1:
        return "single characters"
    return "continuations" if piece.startswith("##") else "words"


def _unreachable(tokenizer: tokenization.Tokenizer) -> list[str]:
    """Words that are not what the tokenizer makes of them."""
    words = [
        piece
        for piece in tokenizer.vocab
        if not piece.startswith("##")
        and _kind(piece) not in ("special tokens", "unused")
    ]
    ids = tokenizer.tokenize(words)
    firsts = ids.to_tensor(-1, shape=[None, 2]).numpy().tolist()
    return [
        word
        for word, (first, second) in zip(words, firsts)
        if second != -1 or first == -1 or tokenizer.vocab[first] != word
    ]


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_NUM_SHOWN]))
    more = ", ..." if len(numbers) > _NUM_SHOWN else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more}"
