"""Learning a WordPiece vocabulary from text.

Words are counted as the tokenizer will see them; the pieces are learned by
tensorflow_text's WordPiece learner; the five special tokens come first.
"""

import collections
from collections.abc import Iterable
import contextlib
import itertools
import os
import unicodedata

from absl import logging
import tensorflow as tf
from tensorflow_text.tools.wordpiece_vocab import (
    wordpiece_tokenizer_learner_lib as learner,
)

from electra_tf import tokenization

_BATCH_LINES = 1000
# A vocabulary up to this much too large is accepted and cut to its size.
_SLACK = 0.05
_MAX_STEPS = 12


def count_words(
    lines: Iterable[str], tokenizer: tokenization.Tokenizer
) -> collections.Counter[str]:
    """Counts the words and punctuation marks of normalised lines."""
    chunks = collections.Counter()
    lines = iter(lines)
    while batch := list(itertools.islice(lines, _BATCH_LINES)):
        for text in tokenizer.normalize(batch).numpy():
            chunks.update(text.decode("utf-8").split())
    words = collections.Counter()
    for chunk, count in chunks.items():
        for word in split_punctuation(chunk):
            words[word] += count
    return words


def split_punctuation(text: str) -> list[str]:
    """Splits a text without spaces at punctuation and Chinese characters."""
    if text.isascii() and text.isalnum():
        return [text]
    return "".join(
        f" {char} " if _is_word(char) else char for char in text
    ).split()


def _is_word(char: str) -> bool:
    """Whether a character is a word by itself, as in the original."""
    if char.isascii():
        return not char.isalnum() and char.isprintable()
    return (
        unicodedata.category(char).startswith("P")
        or "CJK UNIFIED" in unicodedata.name(char, "")
        or "CJK COMPATIBILITY IDEO" in unicodedata.name(char, "")
    )


def learn_vocab(
    word_counts: collections.Counter[str], vocab_size: int
) -> list[str]:
    """Learns `vocab_size` pieces, or as many as the words have.

    The learner takes a number of occurrences that makes a piece worth an
    entry. It is searched for here: the size is about inverse to it.
    """
    counts = sorted(word_counts.values(), reverse=True)
    # Words that occur that often are pieces, so it gives at least the size.
    lower = counts[min(vocab_size, len(counts)) - 1]
    upper = counts[0]
    threshold = max(lower, counts[min(vocab_size * 7 // 10, len(counts) - 1)])
    # Every character takes two entries, one of them with "##".
    max_characters = max(100, min(1000, vocab_size // 30))
    best = []
    for step in range(_MAX_STEPS):
        vocab = learner.learn(
            word_counts,
            vocab_size,
            list(tokenization.SPECIAL_TOKENS),
            lower_thresh=threshold,
            upper_thresh=threshold,
            max_unique_chars=max_characters,
        )
        logging.info(
            "learn | step %d | pieces that occur %d times | %d entries",
            step + 1,
            threshold,
            len(vocab),
        )
        best = max(best, vocab, key=lambda v: _fit(len(v), vocab_size))
        enough = len(vocab) >= vocab_size
        if enough and len(vocab) <= (1 + _SLACK) * vocab_size:
            break
        if enough:
            lower = threshold + 1
        else:
            upper = threshold - 1
        if lower > upper:
            break
        target = (1 + _SLACK / 2) * vocab_size
        guess = round(threshold * len(vocab) / target)
        threshold = min(max(guess, lower), upper)
    return _cut(best, vocab_size)


def _cut(vocab: list[str], vocab_size: int) -> list[str]:
    """Leaves out the rarest pieces, which the learner lists last.

    Characters stay, or words that have them would become unknown.
    """
    removable = [
        piece
        for piece in vocab[len(tokenization.SPECIAL_TOKENS) :]
        if len(piece.removeprefix("##")) > 1
    ]
    excess = max(0, len(vocab) - vocab_size)
    if excess > len(removable):
        raise ValueError(
            f"vocab_size must be at least {len(vocab) - len(removable)} for "
            f"the special tokens and the characters, got {vocab_size}."
        )
    removed = set(removable[len(removable) - excess :])
    return [piece for piece in vocab if piece not in removed]


def _fit(size: int, vocab_size: int) -> tuple[bool, int]:
    """Orders sizes: the smallest that suffices is best, else the largest."""
    return (True, -size) if size >= vocab_size else (False, size)


def coverage(
    word_counts: collections.Counter[str], tokenizer: tokenization.Tokenizer
) -> tuple[float, float]:
    """The share of words that are [UNK], and pieces per word, in a corpus."""
    words = list(word_counts)
    ids = tokenizer.tokenize(words)
    counts = tf.constant(list(word_counts.values()), tf.float64)
    unknown = tf.reduce_any(ids == tokenizer.unk_id, axis=1)
    pieces = tf.cast(ids.row_lengths(), tf.float64)
    total = tf.reduce_sum(counts)
    return (
        float(tf.reduce_sum(tf.boolean_mask(counts, unknown)) / total),
        float(tf.reduce_sum(counts * pieces) / total),
    )


@contextlib.contextmanager
def output(path: str, *, overwrite: bool):
    """A temporary name, of a file that gets its own if all goes well.

    Raises:
        ValueError: At once, if it is there or cannot be written.
    """
    if tf.io.gfile.exists(path) and not overwrite:
        raise ValueError(f"{path} exists. Pass --overwrite to replace it.")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with tf.io.gfile.GFile(temporary, "w") as file:
            file.write("")
    except (tf.errors.OpError, OSError) as error:
        raise ValueError(f"{path} cannot be written: {error}") from error
    try:
        yield temporary
        tf.io.gfile.rename(temporary, path, overwrite=True)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.remove(temporary)


def write(tokenizer: tokenization.Tokenizer, path: str) -> None:
    """Writes a vocabulary, and reads it to see that it is one."""
    with tf.io.gfile.GFile(path, "w") as file:
        file.write("".join(f"{token}\n" for token in tokenizer.vocab))
    tokenization.Tokenizer.from_vocab_file(path)


def build_vocab(
    lines: Iterable[str],
    *,
    vocab_size: int,
    min_frequency: int,
    settings: dict[str, bool],
) -> tokenization.Tokenizer:
    """A tokenizer with a vocabulary that was learned from lines."""
    # Only normalises; a tokenizer needs some piece beside the special ones.
    plain = tokenization.Tokenizer(
        (*tokenization.SPECIAL_TOKENS, "a"), **settings
    )
    word_counts = count_words(lines, plain)
    frequent = collections.Counter(
        {w: count for w, count in word_counts.items() if count >= min_frequency}
    )
    if not frequent:
        raise ValueError(
            f"None of the {len(word_counts)} distinct words occurs "
            f"{min_frequency} times; use more text or a lower --min_frequency."
        )
    logging.info(
        "count | %d words, %d distinct, %d of them at least %d times",
        word_counts.total(),
        len(word_counts),
        len(frequent),
        min_frequency,
    )
    vocab = learn_vocab(frequent, vocab_size)
    tokenizer = tokenization.Tokenizer(vocab, **settings)
    unknown, pieces = coverage(word_counts, tokenizer)
    logging.info(
        "vocabulary | %d entries | %.4f%% of the words are [UNK] | "
        "%.3f pieces per word",
        tokenizer.vocab_size,
        100 * unknown,
        pieces,
    )
    return tokenizer
