"""Tests of the example builder, with the original's numbers where they are."""

import json
import random

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from data_prep import segments
from tests import testing

_CLS, _SEP = 101, 102


class _Draws:
    """A generator that answers with the values of a list, in order."""

    def __init__(self, *values):
        self._values = list(values)

    def random(self):
        return self._values.pop(0)

    def randint(self, low, high):
        value = self._values.pop(0)
        assert low <= value <= high
        return value

    def __len__(self):
        return len(self._values)


class _Recorded:
    """Repeats the draws of an original run and checks that they are asked."""

    def __init__(self, draws):
        self._draws = iter(draws)

    def random(self):
        kind, value = next(self._draws)
        assert kind == "random"
        return value

    def randint(self, low, high):
        *question, value = next(self._draws)
        assert question == ["randint", low, high], question
        return value


class _Constant:
    """The golden sets' constant draws: see their README."""

    def __init__(self, value):
        self._value = value

    def random(self):
        return self._value

    def randint(self, low, high):
        return min(max(37, low), high)


_CONSTANTS = {
    "const07": _Constant(0.7),
    "const03": _Constant(0.3),
    "const001": _Constant(0.01),
}


def _build(sentences, draws, **options):
    """All examples of one document, as the original makes them by default."""
    options = {"split_long_lines": False} | options
    builder = segments.ExampleBuilder(segments.SegmentOptions(**options), draws)
    return _examples(builder, sentences)


def _build_document(sentences, options, rng):
    """The examples of one document that does not depend on others."""
    builder = segments.ExampleBuilder.for_document(options, rng)
    return _examples(builder, sentences)


def _examples(builder, sentences):
    examples = []
    for sentence in sentences:
        examples += builder.add_sentence(sentence)
    return [_tokens(e) for e in examples + builder.end_document()]


def _tokens(example):
    """The tokens of both segments."""
    return sum(example.first, []), sum(example.second, [])


class DivisionTest(parameterized.TestCase):
    # Length 11: the first segment should get (11 - 3) // 2 = 4 tokens. The
    # draws are: one segment?, (joins the first?), short next example?

    def test_short_lines_fill_the_first_segment_to_just_below_its_target(self):
        examples = _build(
            [[1, 1], [2], [3, 3, 3], [4, 4]],
            _Draws(0.5, 0.9, 0.5),
            max_seq_length=11,
        )
        # 2 + 1 < 4 joins; 3 + 3 does not, and the draw of 0.9 sends it to the
        # second segment; 3 + 2 does not, and there is no draw any more.
        self.assertEqual(examples, [([1, 1, 2], [3, 3, 3, 4, 4])])

    def test_a_line_that_overflows_joins_the_first_segment_half_the_time(self):
        examples = _build(
            [[1, 1], [2], [3, 3, 3], [4, 4]],
            _Draws(0.5, 0.49, 0.5),
            max_seq_length=11,
        )
        self.assertEqual(examples, [([1, 1, 2, 3, 3, 3], [4, 4])])

    def test_a_short_line_joins_the_first_even_after_the_second_began(self):
        examples = _build(
            [[1, 1], [2, 2, 2], [3]], _Draws(0.5, 0.9, 0.5), max_seq_length=11
        )
        self.assertEqual(examples, [([1, 1, 3], [2, 2, 2])])

    def test_one_example_in_ten_has_one_segment(self):
        examples = _build(
            [[1, 1], [2, 2, 2], [3, 3]],
            _Draws(0.09, 0.5),
            max_seq_length=11,
        )
        self.assertEqual(examples, [([1, 1, 2, 2, 2, 3, 3], [])])

    @parameterized.parameters((0.0, 0), (1.0, 200))
    def test_the_share_of_one_segment_is_an_option(self, prob, expected):
        options = segments.SegmentOptions(
            max_seq_length=13, one_segment_prob=prob, short_seq_prob=0.0
        )
        # Two lines of 5 tokens fill an example of 13; the first segment's
        # target is 5, so the first line fills it and the second never joins.
        examples = _build_document([[7] * 5] * 400, options, random.Random(0))
        self.assertLen(examples, 200)
        self.assertLen([e for e in examples if not e[1]], expected)

    def test_a_short_target_ends_the_next_example_early(self):
        examples = _build(
            [[1] * 11, [2] * 3, [3] * 3, [4] * 3],
            # 0.04 < 0.05: the next example ends at 6 tokens, then no more.
            _Draws(0.5, 0.04, 6, 0.5, 0.9, 0.5, 0.5, 0.5),
            max_seq_length=11,
        )
        self.assertEqual(
            examples,
            [([1] * 9, []), ([2] * 3, [3] * 3), ([4] * 3, [])],
        )


class LongLinesTest(parameterized.TestCase):
    def test_the_original_way_drops_what_overflows(self):
        draws = _Draws(0.5, 0.5)
        examples = _build([[*range(20)]], draws, max_seq_length=11)
        self.assertEqual(examples, [([*range(9)], [])])  # 11 - [CLS] - [SEP].
        self.assertEmpty(draws)

    def test_by_default_it_starts_the_next_example(self):
        examples = _build(
            [[*range(20)], [20, 21]],
            _Draws(*[0.5] * 7),
            max_seq_length=11,
            split_long_lines=True,
        )
        # 11 - 3 = 8 tokens an example, since it may have two [SEP]. Of the
        # last one, 4 tokens reach the first segment's target: (11 - 3) // 2.
        self.assertEqual(
            examples,
            [
                ([*range(8)], []),
                ([*range(8, 16)], []),
                ([16, 17, 18, 19], [20, 21]),
            ],
        )

    @parameterized.product(
        max_seq_length=(5, 6, 16, 64), short_seq_prob=(0.0, 0.05, 1.0)
    )
    def test_no_token_is_lost_or_doubled(self, max_seq_length, short_seq_prob):
        rng = random.Random(max_seq_length)
        lengths = [rng.choice((0, 1, 3, 10, 63, 200)) for _ in range(200)]
        tokens = iter(range(sum(lengths)))
        document = [[next(tokens) for _ in range(n)] for n in lengths]
        options = segments.SegmentOptions(
            max_seq_length=max_seq_length, short_seq_prob=short_seq_prob
        )
        seen = []
        for first, second in _build_document(document, options, rng):
            self.assertNotEmpty(first)
            num_special = 3 if second else 2
            self.assertLessEqual(
                len(first) + len(second) + num_special, max_seq_length
            )
            seen += sorted(first + second)
        # An example may exchange the lines in it; examples are in order.
        self.assertEqual(seen, [*range(sum(lengths))])


class DocumentTest(absltest.TestCase):
    def test_a_document_depends_on_its_own_generator_only(self):
        document = [[i] * (i % 7) for i in range(100)]
        options = segments.SegmentOptions(max_seq_length=16)
        first, again, other = (
            _build_document(document, options, random.Random(seed))
            for seed in (1, 1, 2)
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_a_document_without_tokens_has_no_examples(self):
        examples = _build_document(
            [[], []], segments.SegmentOptions(), random.Random(0)
        )
        self.assertEmpty(examples)

    def test_numbers_of_tokens_are_divided_like_tokens(self):
        options = segments.SegmentOptions(max_seq_length=16)
        ends = [3, 3, 9, 40, 41, 60]
        ranges = [range(a, b) for a, b in zip([0, *ends], ends)]
        tokens = _build_document(
            [list(r) for r in ranges], options, random.Random(5)
        )
        builder = segments.ExampleBuilder.for_document(
            options, random.Random(5)
        )
        numbers = []
        for sentence in ranges:
            numbers += builder.add_sentence(sentence)
        numbers += builder.end_document()
        self.assertEqual(
            [
                ([i for r in first for i in r], [i for r in second for i in r])
                for first, second in numbers
            ],
            tokens,
        )

    def test_options_that_make_no_sense_are_refused(self):
        with self.assertRaisesRegex(ValueError, "at least 5, got 4"):
            segments.SegmentOptions(max_seq_length=4)
        with self.assertRaisesRegex(ValueError, r"short_seq_prob .* got 1\.5"):
            segments.SegmentOptions(short_seq_prob=1.5)


class GoldenTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vocab_file = testing.real_data("vocab", "vocab.txt")
        _golden("lines.txt")  # Skips these tests before TensorFlow is loaded.
        from electra_tf import tokenization

        tokenizer = tokenization.Tokenizer.from_vocab_file(vocab_file)
        cls.lines, cls.ids = {}, {}
        for name in ("lines", "sentences"):
            with open(_golden(f"{name}.txt"), encoding="utf-8") as file:
                cls.lines[name] = [line.strip() for line in file]
            cls.ids[name] = tokenizer.tokenize(cls.lines[name]).to_list()

    @parameterized.parameters(
        *(
            ("lines", length, mode)
            for length in (64, 128)
            for mode in ("const07", "const03", "const001", "recorded")
        ),
        *(
            ("sentences", length, mode)
            for length in (64, 128)
            for mode in ("const03", "recorded")
        ),
    )
    def test_examples_equal_the_original(self, name, length, mode):
        stem = f"{name}_len{length}_{mode}"
        builder = segments.ExampleBuilder(
            segments.SegmentOptions(
                max_seq_length=length, split_long_lines=False
            ),
            _CONSTANTS.get(mode) or _Recorded(_golden_draws(stem)),
        )
        examples = []
        for line, ids in zip(self.lines[name], self.ids[name]):
            examples += (
                builder.add_sentence(ids) if line else builder.end_document()
            )
        examples += builder.end_document()
        features = [_features(*_tokens(e), length) for e in examples]
        with np.load(_golden(f"{stem}.npz")) as golden:
            for i, key in enumerate(("input_ids", "input_mask", "segment_ids")):
                np.testing.assert_array_equal(
                    [example[i] for example in features], golden[key]
                )


def _features(first, second, length):
    """Ids, mask and segment ids of an example."""
    first = [_CLS, *first, _SEP]
    second = [*second, _SEP] if second else []
    num_tokens = len(first) + len(second)
    padding = [0] * (length - num_tokens)
    return (
        first + second + padding,
        [1] * num_tokens + padding,
        [0] * len(first) + [1] * len(second) + padding,
    )


def _golden(name):
    return testing.golden("pretrain_examples", name)


def _golden_draws(stem):
    with open(_golden(f"{stem}.draws.json")) as file:
        return json.load(file)


if __name__ == "__main__":
    absltest.main()
