"""Tests of what outcomes of requests add up to."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from benchmarks import serving_load
from benchmarks import serving_outcomes


def _outcome(started, version=0, error="", seconds=1.0):
    return serving_load.Outcome(started, seconds, version, error)


def _answer(tokens, scores):
    return {"tokens": np.array(tokens, object), "scores": np.array(scores)}


class SummaryTest(absltest.TestCase):
    def test_only_correct_answers_count_for_the_rates(self):
        figures = serving_outcomes.summary(
            [
                _outcome(10.0),
                _outcome(11.0, version=-1),
                _outcome(12.0, error="Unavailable: no"),
                _outcome(13.0),
            ],
            batch_size=8,
        )
        self.assertEqual(figures["requests"], 4)
        self.assertEqual(figures["errors"], 1)
        self.assertEqual(figures["wrong"], 1)
        # Two within the seconds from 10 to 14.
        self.assertEqual(figures["requests_per_s"], 0.5)
        self.assertEqual(figures["sentences_per_s"], 4.0)
        self.assertEqual(figures["examples"], ["Unavailable: no"])

    def test_latencies_are_those_of_answers(self):
        figures = serving_outcomes.summary(
            [_outcome(0.0), _outcome(0.0, error="no", seconds=30.0)],
            batch_size=1,
        )
        self.assertEqual(figures["max_ms"], 1000.0)

    def test_without_any_answer_there_are_no_latencies(self):
        figures = serving_outcomes.summary(
            [_outcome(0.0, error="no")], batch_size=1
        )
        self.assertNotIn("max_ms", figures)
        self.assertIn("| – |", serving_outcomes.table({"rest": figures}))

    def test_the_replaced_version_is_wrong_for_requests_after_the_swap(self):
        outcomes = [
            _outcome(1.0, version=0),
            _outcome(1.9, version=0, seconds=5.0),  # Was asked before.
            _outcome(2.1, version=0),
            _outcome(2.1, version=1),
        ]
        figures = serving_outcomes.summary(outcomes, batch_size=1, swapped=2.0)
        self.assertEqual(figures["stale"], 1)
        self.assertEqual(figures["wrong"], 1)
        self.assertEqual((figures["of_first"], figures["of_second"]), (3, 1))


class AnswersTest(parameterized.TestCase):
    @parameterized.parameters(
        ([["a", "b"]], [[0.5, 0.50005]], True),
        ([["a", "b", ""]], [[0.5, 0.5, 0.0]], True),  # Padding.
        ([["a", "c"]], [[0.5, 0.5]], False),
        ([["a", "b"]], [[0.5, 0.6]], False),
        ([["a", "b"]], [[0.5, np.nan]], False),
        ([["a", "b", "c"]], [[0.5, 0.5, 0.0]], False),
        ([["a", "b", ""]], [[0.5, 0.5, 0.5]], False),
        ([["a"]], [[0.5]], False),
        ([["a", "b"]] * 2, [[0.5, 0.5]] * 2, False),
    )
    def test_answers_are_the_same_but_for_rounding_and_padding(
        self, tokens, scores, expected
    ):
        same = serving_load.is_same(
            _answer(tokens, scores),
            _answer([["a", "b"]], [[0.5, 0.5]]),
            tolerance=1e-4,
        )
        self.assertEqual(same, expected)

    def test_an_output_that_is_missing_is_a_difference(self):
        answer = _answer([["a"]], [[0.5]])
        self.assertFalse(
            serving_load.is_same({"tokens": answer["tokens"]}, answer, 1e-4)
        )

    def test_a_version_is_found_by_its_answer(self):
        first, second = _answer([["a"]], [[0.1]]), _answer([["a"]], [[0.2]])
        other = _answer([["a"]], [[0.3]])
        versions = (first, second)
        for number, answer in ((0, first), (1, second), (-1, other)):
            self.assertEqual(
                serving_load.find_version(answer, versions, 1e-4), number
            )


if __name__ == "__main__":
    absltest.main()
