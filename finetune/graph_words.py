"""The words of texts as a graph, as `str.split` finds them."""

from typing import NamedTuple

import tensorflow as tf

# What divides words for Python.
SPACES = (
    *range(0x09, 0x0E),
    *range(0x1C, 0x21),
    *(0x85, 0xA0, 0x1680),
    *range(0x2000, 0x200B),
    *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
)
_SPACES_PATTERN = "[" + "".join(f"\\x{{{space:x}}}" for space in SPACES) + "]+"


class Words(NamedTuple):
    """The words of a batch of texts; all `[batch, (words)]`.

    Attributes:
        words: string.
        starts: int32, where each word starts in the UTF-8 bytes of its text.
        ends: int32, where each word ends (exclusive).
    """

    words: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def split(texts: tf.Tensor) -> Words:
    """Splits string `[batch]` at spaces."""
    characters, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8")
    rows = characters.value_rowids()
    offsets = tf.cast(offsets.values, tf.int32)
    is_space = tf.reduce_any(
        characters.values[:, tf.newaxis] == tf.constant(SPACES), axis=-1
    )
    has_previous = _previous(rows, -1) == rows
    has_next = _next(rows, -1) == rows
    is_first = ~is_space & ~(has_previous & ~_previous(is_space, True))
    is_last = ~is_space & ~(has_next & ~_next(is_space, True))
    ends = tf.where(
        has_next,
        _next(offsets, 0),
        tf.strings.length(tf.gather(texts, rows)),
    )
    rows = tf.boolean_mask(rows, is_first)
    starts = tf.boolean_mask(offsets, is_first)
    ends = tf.boolean_mask(ends, is_last)
    words = tf.strings.substr(tf.gather(texts, rows), starts, ends - starts)
    return Words(
        *(
            tf.RaggedTensor.from_value_rowids(
                values, rows, tf.size(texts, tf.int64), validate=False
            )
            for values in (words, starts, ends)
        )
    )


def with_single_spaces(texts: tf.Tensor) -> tf.Tensor:
    """Texts with one space between two words, whatever was there."""
    return tf.strings.regex_replace(texts, _SPACES_PATTERN, " ")


def _previous(values: tf.Tensor, fill) -> tf.Tensor:
    return tf.concat([[tf.cast(fill, values.dtype)], values], axis=0)[:-1]


def _next(values: tf.Tensor, fill) -> tf.Tensor:
    return tf.concat([values, [tf.cast(fill, values.dtype)]], axis=0)[1:]
