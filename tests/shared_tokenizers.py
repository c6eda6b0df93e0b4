"""Tokenizers for all tests: one traces its graphs once, which takes seconds."""

import functools

from electra_tf import tokenization
from tests import testing


@functools.cache
def tiny() -> tokenization.Tokenizer:
    """The one of `testing.tiny_vocab`."""
    return tokenization.Tokenizer(testing.tiny_vocab())


@functools.cache
def real() -> tokenization.Tokenizer:
    """The one of the original's vocabulary; without it the test is skipped."""
    return tokenization.Tokenizer.from_vocab_file(
        testing.real_data("vocab", "vocab.txt")
    )
