"""Sentences to measure with, and a vocabulary that splits them."""

import collections
from collections.abc import Sequence
import itertools
import re
import string

from data_prep import documents
from data_prep import embedded_corpus

_SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# Of the embedded corpus; more than any benchmark reads.
_NUM_COMMON_SENTENCES = 20_000


def sentences(count: int, text_file: str | None = None) -> list[str]:
    """Sentences of a file, one a line, or of the embedded corpus.

    Raises:
        ValueError: the file has fewer.
    """
    if text_file is None:
        return _embedded(count)
    with open(text_file, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    if len(lines) < count:
        raise ValueError(
            f"{text_file!r} has {len(lines)} lines with text, and {count} are "
            "needed. Lower --num_sentences, or name a longer file."
        )
    return lines[:count]


def vocabulary(size: int) -> list[str]:
    """A made-up vocabulary that splits English about as a learned one does.

    It has characters, and the most frequent words of the embedded corpus;
    what room is left is filled with words that no text has.
    """
    words = collections.Counter()
    for sentence in _embedded(_NUM_COMMON_SENTENCES):
        words.update(re.findall(r"[a-z]+", sentence.lower()))
    single = string.ascii_lowercase + string.digits
    pieces = [*_SPECIAL_TOKENS, *string.punctuation, *single]
    pieces += ["##" + character for character in single]
    pieces += [word for word, count in words.most_common() if count > 2]
    # Learned vocabularies have rare names, too; here they are made up.
    pieces += [f"filler{number}" for number in range(size)]
    return list(dict.fromkeys(pieces))[:size]


def tokens_per_sentence(lengths: Sequence[int]) -> str:
    """`7 sentences: 4 to 61 tokens, 24.3 on average`."""
    mean = sum(lengths) / len(lengths)
    return (
        f"{len(lengths)} sentences: {min(lengths)} to {max(lengths)} tokens, "
        f"{mean:.1f} on average"
    )


def _embedded(count: int) -> list[str]:
    # There is only one unit, and no options are read.
    read = embedded_corpus.read(None, None, documents.CorpusStats())
    lines = itertools.chain.from_iterable(document.lines for document in read)
    return list(itertools.islice(lines, count))
