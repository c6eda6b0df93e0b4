"""Tests of the way from scores to parts of a context, by hand."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from finetune import span_decoding

_CONTEXT = "The  (red) house."
# [CLS] who [SEP] The ( red ) house . [SEP]
_SPANS = [(-1, -1)] * 3 + [(0, 3), (5, 6), (6, 9), (9, 10)]
_SPANS += [(11, 16), (16, 17), (-1, -1)]
_WORDS = [-1, -1, -1, 0, 1, 1, 1, 2, 2, -1]
_PIECES = "[CLS] who [SEP] the ( red ) house . [SEP]".split()


def _window(is_max_context=None) -> span_decoding.Window:
    words = np.array(_WORDS, np.int32)
    if is_max_context is None:
        is_max_context = words >= 0
    return span_decoding.Window(
        token_spans=np.array(_SPANS, np.int32),
        word_index=words,
        is_max_context=np.array(is_max_context, bool),
        pieces=_PIECES,
    )


def _scores(*rows) -> span_decoding.WindowScores:
    """Of tuples of a start, its score, and pairs of an end and its score."""
    starts, start_scores, *ends = zip(*rows, strict=True)
    ends = np.array(ends, np.float32).transpose(1, 0, 2)
    return span_decoding.WindowScores(
        starts=np.array(starts, np.int32),
        start_scores=np.array(start_scores, np.float32),
        ends=ends[..., 0].astype(np.int32),
        end_scores=ends[..., 1],
    )


def _pairs(spans: span_decoding.Spans) -> list[tuple[int, ...]]:
    return [
        tuple(map(int, span))
        for span in zip(spans.window, spans.start, spans.end, strict=True)
    ]


class WindowScoresTest(absltest.TestCase):
    def test_padding_takes_no_place_of_independent_scores(self):
        # Zeros beyond the three tokens are higher than all of their scores.
        outputs = {
            "start_logits": np.array([[-3.0, -1.0, -2.0, 0.0, 0.0]]),
            "end_logits": np.array([[-1.0, -1.0, -0.5, 0.0, 0.0]]),
        }
        scores = span_decoding.window_scores(outputs, 0, length=3, n_best=2)
        np.testing.assert_array_equal(scores.starts, [1, 2])
        np.testing.assert_array_equal(scores.start_scores, [-1.0, -2.0])
        # The first of equal ones is the better.
        np.testing.assert_array_equal(scores.ends, [[2, 0], [2, 0]])
        np.testing.assert_array_equal(scores.end_scores, [[-0.5, -1.0]] * 2)


class SpansTest(parameterized.TestCase):
    def test_the_best_sum_comes_first(self):
        spans = span_decoding.spans(
            [_window()],
            [
                _scores(
                    (3, -1.0, (3, -4.0), (5, -1.0)), (5, -2.0, (5, -1), (7, 0))
                )
            ],
            max_answer_length=30,
        )
        # Sums: 3-5 has -2, 5-7 -2, 5-5 -3, 3-3 -5; of equal ones the first.
        self.assertEqual(
            _pairs(spans), [(0, 3, 5), (0, 5, 7), (0, 5, 5), (0, 3, 3)]
        )
        np.testing.assert_array_equal(spans.start_score, [-1, -2, -2, -1])
        np.testing.assert_array_equal(spans.end_score, [-1, 0, -1, -4])

    @parameterized.named_parameters(
        ("start_in_the_question", 1, 5),
        ("start_at_cls", 0, 5),
        ("end_in_the_question", 3, 1),
        ("end_at_sep", 7, 9),
        ("end_before_the_start", 5, 3),
        ("too_long", 3, 6),
        ("end_in_the_padding", 7, 10),
        ("start_in_the_padding", 10, 10),
    )
    def test_no_span_has_its(self, start, end):
        spans = span_decoding.spans(
            [_window()],
            [_scores((start, 0.0, (end, 0.0)))],
            max_answer_length=3,
        )
        self.assertEmpty(_pairs(spans))

    def test_the_longest_answer_has_so_many_tokens(self):
        spans = span_decoding.spans(
            [_window()], [_scores((3, 0.0, (5, 0.0)))], max_answer_length=3
        )
        self.assertEqual(_pairs(spans), [(0, 3, 5)])

    def test_starts_count_only_in_the_window_with_the_best_context(self):
        is_first = np.arange(10) < 5
        one = _scores((3, -1.0, (7, 0.0)), (5, 0.0, (7, 0.0)))
        spans = span_decoding.spans(
            [_window(is_first), _window(~is_first)],
            [one, one],
            max_answer_length=30,
        )
        # An end may lie in any window.
        self.assertEqual(_pairs(spans), [(1, 5, 7), (0, 3, 7)])

    def test_scores_that_are_not_finite_are_none(self):
        scores = _scores(
            (3, np.nan, (5, 0.0), (7, 0.0)), (5, 0.0, (5, 0), (7, -np.inf))
        )
        spans = span_decoding.spans([_window()], [scores], max_answer_length=30)
        self.assertEqual(_pairs(spans), [(0, 5, 5)])

    def test_no_windows_have_no_spans(self):
        spans = span_decoding.spans([], [], max_answer_length=30)
        self.assertEmpty(_pairs(spans))


class NBestTest(absltest.TestCase):
    def _n_best(self, scores, *, size=20, windows=None):
        windows = windows or [_window()]
        return span_decoding.n_best(
            span_decoding.spans(
                windows, [scores] * len(windows), max_answer_length=30
            ),
            windows,
            find=span_decoding.offset_finder(_CONTEXT),
            size=size,
        )

    def test_probabilities_are_among_the_best(self):
        scores = _scores(
            (3, 0.0, (3, np.log(3)), (5, -9.0)), (5, 0.0, (5, 0.0), (7, -8.0))
        )
        best, both = self._n_best(scores, size=2)
        # exp(log 3) : exp(0).
        self.assertEqual(
            [found[:3] for found in best], [("The", 0, 3), ("red", 6, 9)]
        )
        np.testing.assert_allclose(
            [found.probability for found in best], [0.75, 0.25], rtol=1e-6
        )
        np.testing.assert_allclose(both, [[0, np.log(3)], [0, 0]], rtol=1e-6)

    def test_a_text_counts_once(self):
        # In two windows that both, wrongly, call their context the best.
        best, _ = self._n_best(
            _scores((5, 0.0, (5, 0.0))), windows=[_window(), _window()]
        )
        self.assertEqual([found.text for found in best], ["red"])
        self.assertEqual(best[0].probability, 1.0)

    def test_no_spans_give_no_answers(self):
        best, scores = self._n_best(_scores((0, 0.0, (0, 0.0))))
        self.assertEmpty(best)
        self.assertEqual(scores.shape, (0, 2))


class NullScoreTest(absltest.TestCase):
    def test_a_question_without_rows_has_none_even_if_there_are_no_outputs(
        self,
    ):
        scores = span_decoding.null_scores({}, np.zeros([0], np.int32))
        self.assertEmpty(scores)
        self.assertEqual(
            span_decoding.null_score(scores, best=None), span_decoding.NO_WINDOW
        )

    def test_the_lowest_of_the_rows_counts(self):
        scores = np.array([2.0, -1.0, 3.0], np.float32)
        self.assertEqual(span_decoding.null_score(scores, best=None), -1.0)

    def test_it_may_be_compared_with_the_best_answer(self):
        scores = np.array([2.0, -1.0], np.float32)
        best = np.array([[-3.0, -0.5]], np.float32)
        # -1 - (-3) - (-0.5)
        self.assertEqual(span_decoding.null_score(scores, best=best), 2.5)
        self.assertEqual(span_decoding.null_score(scores, best=best[:0]), -1.0)

    def test_a_question_without_rows_has_no_answer(self):
        none = np.zeros([0], np.float32)
        self.assertEqual(span_decoding.null_score(none, best=None), 1e6)

    def test_rows_with_numbers_that_are_not_finite_do_not_count(self):
        scores = np.array([np.nan, 4.0, -np.inf], np.float32)
        self.assertEqual(span_decoding.null_score(scores, best=None), 4.0)


class FinderTest(parameterized.TestCase):
    @parameterized.parameters(
        (5, 5, "red", "red"),
        (4, 6, "(red)", "(red)"),
        # The original puts one space between two words.
        (3, 5, "The  (red", "The (red"),
        (7, 8, "house.", "house."),
    )
    def test_texts_by_offsets_and_by_alignment(
        self, start, end, exact, aligned
    ):
        window = _window()
        found = span_decoding.offset_finder(_CONTEXT)(window, start, end)
        self.assertEqual(found.text, exact)
        self.assertEqual(_CONTEXT[found.start : found.end], exact)
        find = span_decoding.aligned_finder(
            _CONTEXT, [(0, 3), (5, 10), (11, 17)]
        )
        original = find(window, start, end)
        self.assertEqual(original.text, aligned)
        self.assertEqual(original[1:], found[1:])

    def test_what_cannot_be_aligned_is_whole_words(self):
        window = _window()._replace(pieces=["x"] * 10)
        find = span_decoding.aligned_finder(
            _CONTEXT, [(0, 3), (5, 10), (11, 17)]
        )
        self.assertEqual(find(window, 5, 5), ("(red)", 5, 10))


if __name__ == "__main__":
    absltest.main()
