"""Tests of documents that become examples, with any text."""

import collections
import functools
import os

import hypothesis
from hypothesis import strategies as st
import numpy as np
import tensorflow as tf

from data_prep import corpora
from data_prep import examples
from data_prep import segments
from electra_tf import tokenization
from tests import testing


@functools.cache
def _tokenizer():
    return tokenization.Tokenizer(testing.tiny_vocab())


def _maker(seed=0, eval_fraction=0.0, **options):
    return examples.ExampleMaker(
        tokenizer=_tokenizer(),
        options=segments.SegmentOptions(**{"max_seq_length": 16} | options),
        seed=seed,
        eval_fraction=eval_fraction,
    )


def _make(documents, weight=1.0, **settings):
    """Examples and counts, to train on and held out."""
    batches = list(_maker(**settings).batches(documents, weight))
    return [
        (
            examples.concatenate(part.examples for part in parts),
            sum((part.counts for part in parts), examples.Counts()),
        )
        for parts in zip(*batches)
    ]


def _document(*lines):
    return corpora.Document(list(lines))


def _rows(made):
    """The token ids of each example, without padding."""
    ends = np.cumsum(made.lengths)
    return [
        made.ids[end - length : end].tolist()
        for end, length in zip(ends, made.lengths)
    ]


def _texts(made):
    return [" ".join(_tokenizer().tokens(row)) for row in _rows(made)]


class ExamplesTest(tf.test.TestCase):
    def test_features_have_special_tokens_segments_and_padding(self):
        # The first segment's target is (16 - 3) // 2 = 6 tokens.
        (made, _), _ = _make(
            [_document("a b c d e f", "g h")],
            one_segment_prob=0.0,
            short_seq_prob=0.0,
        )
        self.assertEqual(_texts(made), ["[CLS] a b c d e f [SEP] g h [SEP]"])
        features = made.features(16)
        self.assertAllEqual(
            features["input_ids"], [_rows(made)[0] + [_tokenizer().pad_id] * 5]
        )
        self.assertAllEqual(features["input_mask"], [[1] * 11 + [0] * 5])
        self.assertAllEqual(
            features["segment_ids"], [[0] * 8 + [1] * 3 + [0] * 5]
        )

    def test_counts_are_those_of_the_text(self):
        # "\u4e00" is not in the vocabulary; U+FFFD is dropped from a text.
        documents = [
            _document("a b \u4e00", "\ufffd"),
            _document(" ".join("abcdefghij" * 3)),
        ]
        ((made, counts), _) = _make(
            documents, one_segment_prob=1.0, short_seq_prob=0.0
        )
        # 16 - 3 = 13 tokens an example: 3, and 30 as 13 + 13 + 4.
        self.assertEqual(made.lengths.tolist(), [5, 15, 15, 6])
        self.assertEqual(
            counts,
            examples.Counts(
                documents=2,
                lines=3,
                lines_without_tokens=1,
                tokens=33,
                unknown_tokens=1,
                examples=4,
                example_tokens=41,
            ),
        )

    def test_the_original_way_drops_the_rest_of_a_long_line(self):
        (made, counts), _ = _make(
            [_document(" ".join("a" * 30))],
            split_long_lines=False,
            short_seq_prob=0.0,
        )
        self.assertEqual(made.lengths.tolist(), [16])
        self.assertEqual(counts.dropped_tokens, 30 - (16 - 2))

    def test_bytes_hold_all_of_it(self):
        (made, _), _ = _make([_document("a b c"), _document("d", "e f")])
        again = examples.Examples.from_bytes(made.to_bytes())
        for ours, theirs in zip(made, again):
            self.assertAllEqual(ours, theirs)
            self.assertEqual(ours.dtype, theirs.dtype)

    def test_a_slice_is_some_of_them(self):
        (made, _), _ = _make([_document(c) for c in "abcdef"])
        self.assertEqual(_texts(made[2:4]), ["[CLS] c [SEP]", "[CLS] d [SEP]"])

    def test_their_order_depends_on_the_documents_texts_only(self):
        documents = [_document(a + " " + b) for a in "abcde" for b in "abcd"]
        (made, _), _ = _make(documents)
        (other, _), _ = _make(reversed(documents))
        self.assertNotEqual(_texts(made), _texts(other))
        self.assertEqual(_texts(made.sorted()), _texts(other.sorted()))
        (seeded, _), _ = _make(documents, seed=1)
        self.assertNotEqual(_texts(made.sorted()), _texts(seeded.sorted()))

    def test_equal_keys_are_ordered_by_what_they_stand_for(self):
        (made, _), _ = _make([_document(c) for c in "abc"])
        made = made._replace(orders=np.array([7, 3, 7], np.uint64))
        swapped = examples.concatenate([made[2:3], made[1:2], made[0:1]])
        expected = ["[CLS] b [SEP]", "[CLS] a [SEP]", "[CLS] c [SEP]"]
        self.assertEqual(_texts(made.sorted()), expected)
        self.assertEqual(_texts(swapped.sorted()), expected)
        self.assertEqual(made.sorted().num_repeated, 1)


class WeightTest(tf.test.TestCase):
    documents = [
        _document(f"{a} {b} {c}")
        for a in "abcdefgh"
        for b in "abcdefgh"
        for c in "abcde"
    ]  # 320 of one example each.

    def test_documents_are_used_as_often_as_the_weight_says(self):
        (made, counts), _ = _make(self.documents, weight=2.5)
        uses = collections.Counter(_texts(made)).values()
        self.assertLen(uses, 320)
        self.assertEqual(set(uses), {2, 3})
        # Of 320 coin flips; the standard deviation is 8.9.
        self.assertBetween(sum(uses) - 640, 160 - 40, 160 + 40)
        self.assertEqual(counts.documents, 320)
        self.assertEqual(counts.examples, sum(uses))
        self.assertLen(set(made.orders.tolist()), sum(uses))

    def test_a_weight_below_one_leaves_documents_out_and_counts_them(self):
        (made, counts), _ = _make(self.documents, weight=0.25)
        self.assertLen(set(_texts(made)), counts.documents)
        self.assertEqual(counts.documents + counts.unused_documents, 320)
        # The standard deviation is 7.7.
        self.assertBetween(counts.documents, 80 - 35, 80 + 35)

    def test_held_out_documents_are_used_once(self):
        (train, _), (held_out, counts) = _make(
            self.documents, weight=3.0, eval_fraction=0.5
        )
        held_out = _texts(held_out)
        self.assertLen(set(held_out), len(held_out))
        self.assertEqual(counts.documents, len(held_out))
        self.assertEmpty(set(held_out) & set(_texts(train)))
        self.assertLen(train.lengths, 3 * (320 - len(held_out)))

    def test_a_document_in_parts_is_on_one_side_and_one_document(self):
        parts = [
            corpora.Document(["a b"], ends=False),
            corpora.Document(["c d"], starts=False, ends=False),
            corpora.Document(["e f"], starts=False),
        ]
        for seed in range(4):
            for part, counts in _make(
                parts, weight=2.0, seed=seed, eval_fraction=0.5
            ):
                self.assertIn(len(part.lengths), (0, 3, 6))
                self.assertEqual(counts.documents, int(len(part.lengths) > 0))


class AnyTextTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.special = {_tokenizer().cls_id, _tokenizer().sep_id}

    def read(self, text):
        path = os.path.join(self.create_tempdir().full_path, "text.txt")
        with open(path, "wb") as file:
            file.write(text.encode())
        return list(corpora.read_documents([path]))

    @hypothesis.settings(max_examples=150, deadline=None, derandomize=True)
    @hypothesis.given(
        lines=st.lists(
            st.one_of(
                st.just(""),
                st.text(max_size=60),
                st.text("ab .", max_size=200),
            ),
            max_size=12,
        ),
        length=st.integers(5, 20),
        short_seq_prob=st.sampled_from([0.0, 0.05, 1.0]),
        seed=st.integers(0, 2**40),
    )
    def test_no_token_is_lost_doubled_or_with_another_document(
        self, lines, length, short_seq_prob, seed
    ):
        documents = self.read("\n".join(["a", *lines]))
        settings = dict(
            max_seq_length=length, short_seq_prob=short_seq_prob, seed=seed
        )
        (together, _), _ = _make(documents, **settings)
        alone = [_make([document], **settings)[0] for document in documents]
        self.assertEqual(
            _rows(together), sum((_rows(made) for made, _ in alone), [])
        )
        for document, (made, counts) in zip(documents, alone):
            tokens = _tokenizer().tokenize(document.lines).values.numpy()
            kept = [
                i for row in _rows(made) for i in row if i not in self.special
            ]
            self.assertCountEqual(kept, tokens.tolist())
            self.assertEqual(counts.tokens, len(tokens))
            self.assertEqual(counts.dropped_tokens, 0)
            self.check_form(made, length)

    def check_form(self, made, length):
        """[CLS] first [SEP], or that and second [SEP]; then padding."""
        features = made.features(length)
        for row, mask, second in zip(
            features["input_ids"].tolist(),
            features["input_mask"].tolist(),
            features["segment_ids"].tolist(),
        ):
            size, num_second = sum(mask), sum(second)
            padding = [0] * (length - size)
            self.assertEqual(mask, [1] * size + padding)
            first = size - num_second
            self.assertEqual(second, [0] * first + [1] * num_second + padding)
            self.assertEqual(row[size:], padding)
            specials = [i for i in range(size) if row[i] in self.special]
            self.assertEqual(row[0], _tokenizer().cls_id)
            ends = [first - 1, size - 1] if num_second else [first - 1]
            self.assertEqual(specials, [0, *ends])
            self.assertGreater(first, 2)
            self.assertNotEqual(num_second, 1)


if __name__ == "__main__":
    tf.test.main()
