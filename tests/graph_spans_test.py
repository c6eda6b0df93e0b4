"""Tests of the best spans as a graph, by hand."""

import numpy as np
import tensorflow as tf

from finetune import graph_spans
from finetune import graph_windows


def _windows(num_windows: int = 1, length: int = 6) -> graph_windows.Windows:
    """Rows [CLS] [SEP] a b a [SEP] of one question; letters have 1 byte."""
    shape = [num_windows, length]
    place = np.broadcast_to(np.arange(length), shape)
    is_context = (place >= 2) & (place < 5)
    return graph_windows.Windows(
        inputs={"input_mask": tf.ones(shape, tf.int32)},
        question_index=tf.zeros([num_windows], tf.int32),
        starts=tf.constant(2 * (place - 2), tf.int32),
        ends=tf.constant(2 * (place - 2) + 1, tf.int32),
        is_context=tf.constant(is_context),
        is_max_context=tf.constant(is_context),
    )


def _outputs(starts, ends, **others) -> dict[str, tf.Tensor]:
    logits = {"start_logits": starts, "end_logits": ends} | others
    return {name: tf.constant(x, tf.float32) for name, x in logits.items()}


class BestTest(tf.test.TestCase):
    def _best(self, outputs, windows, **settings) -> graph_spans.Best:
        spans = graph_spans.spans(
            outputs,
            windows,
            **dict(n_best=6, max_answer_length=3) | settings,
        )
        return graph_spans.best(spans, tf.constant(["a b a"]), size=4)

    def test_answers_begin_and_end_in_the_context(self):
        outputs = _outputs([[9, 9, 1, 2, 3, 9]], [[9, 9, 1, 2, 4, 9]])
        found = self._best(outputs, _windows())
        # 3 + 4, 2 + 4, 1 + 4 and 2 + 2; the "a" of 1 + 1 is not a new text.
        self.assertAllEqual(found.text, [[b"a", b"b a", b"a b a", b"b"]])
        self.assertAllEqual(found.start, [[4, 2, 0, 2]])
        self.assertAllEqual(found.end, [[5, 5, 5, 3]])
        scores = np.exp([7, 6, 5, 4])
        self.assertAllClose(found.probability[0], scores / scores.sum())

    def test_long_answers_are_none(self):
        outputs = _outputs([[0, 0, 1, 2, 3, 0]], [[0, 0, 1, 2, 4, 0]])
        found = self._best(outputs, _windows(), max_answer_length=1)
        self.assertAllEqual(found.text, [[b"a", b"b", b"", b""]])
        self.assertAllEqual(found.mask, [[True, True, False, False]])
        self.assertAllEqual(found.start, [[4, 2, -1, -1]])
        self.assertAllEqual(found.probability[0, 2:], [0.0, 0.0])

    def test_the_first_of_equally_good_spans_counts(self):
        outputs = _outputs(np.zeros([1, 6]), np.zeros([1, 6]))
        found = self._best(outputs, _windows())
        self.assertAllEqual(found.text, [[b"a", b"a b", b"a b a", b"b"]])

    def test_a_score_that_is_no_number_is_none(self):
        outputs = _outputs([[0, 0, np.inf, 2, np.nan, 0]], [[0, 0, 1, 2, 3, 0]])
        found = self._best(outputs, _windows())
        self.assertAllEqual(found.text, [[b"b a", b"b", b"", b""]])


class NullScoresTest(tf.test.TestCase):
    def _null_score(self, outputs, num_windows: int) -> float:
        windows = _windows(num_windows)
        spans = graph_spans.spans(
            outputs, windows, n_best=6, max_answer_length=3
        )
        found = graph_spans.best(spans, tf.constant(["a b a"]), size=4)
        (score,) = graph_spans.null_scores(outputs, windows, found).numpy()
        return score

    def test_the_lowest_of_the_windows_is_compared_with_the_best_answer(self):
        starts = [[5, 0, 0, 0, 1, 0], [3, 0, 0, 0, 2, 0]]
        ends = [[5, 0, 0, 0, 1, 0], [3, 0, 0, 0, 4, 0]]
        # [CLS] has 10 and 6; the best answer 2 + 4.
        self.assertEqual(self._null_score(_outputs(starts, ends), 2), 6 - 2 - 4)

    def test_a_classifier_s_score_stands_for_itself(self):
        outputs = _outputs(
            np.ones([2, 6]), np.ones([2, 6]), answerable_logit=[0.5, -0.25]
        )
        self.assertEqual(self._null_score(outputs, 2), -0.25)


if __name__ == "__main__":
    tf.test.main()
