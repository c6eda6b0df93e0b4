"""Entities in the tags of words as a graph: `tag_schemes` for serving."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from finetune import graph_words
from finetune import tag_schemes


class TagMeanings(NamedTuple):
    """What the tags of a task mean; all `[tags]`, in the order of their ids.

    Attributes:
        names: string.
        types: string, of entities; "" for `tag_schemes.OUTSIDE`.
        starts_entity: bool, whether an entity starts there, whatever the tag
            before.
    """

    names: tf.Tensor
    types: tf.Tensor
    starts_entity: tf.Tensor


def meanings(names: Sequence[str]) -> TagMeanings:
    """Those of tags with these names."""
    alone = [tag_schemes.spans((name,)) for name in names]
    # Twice in a row a tag makes two entities, or it goes on with one.
    twice = [tag_schemes.spans((name, name)) for name in names]
    return TagMeanings(
        names=tf.constant(list(names)),
        types=tf.constant([spans[0].type if spans else "" for spans in alone]),
        starts_entity=tf.constant([len(spans) == 2 for spans in twice]),
    )


def find(
    tags: tf.Tensor,
    *,
    of: TagMeanings,
    is_seen: tf.Tensor,
    starts: tf.Tensor,
    ends: tf.Tensor,
    text: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """The entities that `tag_schemes.spans` finds.

    Args:
        tags: int32 `[batch, words]`, ids of tags.
        of: what these mean.
        is_seen: bool `[batch, words]`; other words are outside.
        starts: int32 `[batch, words]`, where words start in the UTF-8 bytes
            of the text.
        ends: int32 `[batch, words]`, where they end (exclusive).
        text: string `[batch]`.

    Returns:
        `[batch, entities]`, 0 or empty on padding: `span_starts` and
        `span_ends`, int32, places in the text; `span_types`, string;
        `span_texts`, string, with one space between words; `span_mask`,
        int32, 1 for entities.
    """
    types = tf.gather(of.types, tags)
    is_inside = is_seen & (types != "")
    is_first = is_inside & (
        tf.gather(of.starts_entity, tags) | ~_of_previous(is_inside)
    )
    is_last = is_inside & (~_of_next(is_inside) | _of_next(is_first))
    # Every entity has one first word and one last, in this order.
    first, last = tf.where(is_first), tf.where(is_last)
    rows = first[:, 0]
    start, end = tf.gather_nd(starts, first), tf.gather_nd(ends, last)
    texts = tf.strings.substr(tf.gather(text, rows), start, end - start)
    found = {
        "span_starts": start,
        "span_ends": end,
        "span_types": tf.gather_nd(types, last),
        "span_texts": graph_words.with_single_spaces(texts),
        "span_mask": tf.ones_like(start),
    }
    return {
        name: tf.RaggedTensor.from_value_rowids(
            values, rows, tf.size(text, tf.int64), validate=False
        ).to_tensor()
        for name, values in found.items()
    }


def _of_previous(values: tf.Tensor) -> tf.Tensor:
    """Of bool `[batch, words]` those of the word before; False if none."""
    return tf.pad(values, [[0, 0], [1, 0]])[:, :-1]


def _of_next(values: tf.Tensor) -> tf.Tensor:
    return tf.pad(values, [[0, 0], [0, 1]])[:, 1:]
