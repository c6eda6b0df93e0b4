"""Tests of entities in tags as a graph, against `tag_schemes`."""

import itertools

import numpy as np
import tensorflow as tf

from finetune import graph_entities
from finetune import tag_schemes

_LABELS = ("O", "B-PER", "I-PER", "E-PER", "S-PER", "B-X", "L-X", "U-X")


def _find(tags: np.ndarray, text: str) -> list[list[tuple]]:
    """Start, end, type and text of the entities of each row of tags.

    The words of the text have one letter each, and a space between.
    """
    num_rows, num_words = tags.shape
    places = np.tile(2 * np.arange(num_words, dtype=np.int32), [num_rows, 1])
    found = graph_entities.find(
        tf.constant(tags, tf.int32),
        of=graph_entities.meanings(_LABELS),
        is_seen=tf.ones(tags.shape, tf.bool),
        starts=tf.constant(places),
        ends=tf.constant(places + 1),
        text=tf.constant([text] * num_rows),
    )
    names = ("span_starts", "span_ends", "span_types", "span_texts")
    rows = [found[name].numpy().tolist() for name in names]
    counts = found["span_mask"].numpy().sum(axis=-1)
    return [
        list(zip(*parts))[:count]
        for *parts, count in zip(*rows, counts, strict=True)
    ]


class FindTest(tf.test.TestCase):
    def test_any_tags_are_read_as_the_scheme_says(self):
        # All sentences of three words.
        tags = np.array(list(itertools.product(range(len(_LABELS)), repeat=3)))
        words = "abc"
        for row, found in zip(tags, _find(tags, "a b c"), strict=True):
            spans = tag_schemes.spans([_LABELS[tag] for tag in row])
            expected = [
                (
                    2 * span.start,
                    2 * span.end + 1,
                    span.type.encode(),
                    " ".join(words[span.start : span.end + 1]).encode(),
                )
                for span in spans
            ]
            self.assertEqual(found, expected)

    def test_words_that_are_not_seen_are_outside(self):
        graph = graph_entities.find(
            tf.constant([[1, 2, 2]]),
            of=graph_entities.meanings(_LABELS),
            is_seen=tf.constant([[True, False, True]]),
            starts=tf.constant([[0, 2, 4]]),
            ends=tf.constant([[1, 3, 5]]),
            text=tf.constant(["a b c"]),
        )
        self.assertAllEqual(graph["span_texts"], [[b"a", b"c"]])


if __name__ == "__main__":
    tf.test.main()
