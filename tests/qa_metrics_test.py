"""Tests of the metrics of question answering."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from finetune import qa_metrics
from finetune import task as task_lib
from tests import testing


def _question(name: str, *answers: str) -> task_lib.Question:
    return task_lib.Question(
        id=name,
        question="",
        context="",
        answers=tuple(task_lib.Answer(text, 0) for text in answers),
        is_impossible=not answers,
    )


class SquadV1Test(absltest.TestCase):
    def test_the_best_of_all_answers_counts(self):
        metrics = qa_metrics.squad_v1(
            [
                _question("a", "red", "the blue house"),
                _question("b", "green"),
            ],
            {"a": "A blue, tall house", "b": "Green!"},
        )
        # "blue tall house" shares 2 of 3 words with "blue house", which has
        # 2: F1 = 2 * (2/3) * 1 / (2/3 + 1) = 0.8. The other is exact.
        self.assertAlmostEqual(metrics["em"], 50.0)
        self.assertAlmostEqual(metrics["f1"], 90.0)

    def test_questions_without_answers_are_refused(self):
        with self.assertRaisesRegex(ValueError, "'a' has no answer.*squad_v2"):
            qa_metrics.squad_v1([_question("a")], {"a": ""})

    def test_no_questions_are_refused(self):
        with self.assertRaisesRegex(ValueError, "at least one question"):
            qa_metrics.squad_v1([], {})


class SquadV2Test(absltest.TestCase):
    # Text, null score and, if there is one, the answer.
    _QUESTIONS = (
        _question("right", "blue"),
        _question("half", "blue house"),
        _question("none_low"),
        _question("none_high"),
    )
    _TEXTS = {
        "right": "blue",
        "half": "house",
        "none_low": "door",
        "none_high": "door",
    }
    _NULL_SCORES = {
        "right": -5.0,
        "half": -3.0,
        "none_low": -4.0,
        "none_high": 2.0,
    }

    def _metrics(self, threshold: float) -> dict[str, float]:
        return qa_metrics.squad_v2(
            self._QUESTIONS,
            self._TEXTS,
            self._NULL_SCORES,
            threshold=threshold,
        )

    def test_metrics_at_a_threshold(self):
        # At -3 all but the last get an answer: "house" has F1 2/3.
        metrics = self._metrics(-3.0)
        self.assertAlmostEqual(metrics["em"], 50.0)
        self.assertAlmostEqual(metrics["f1"], 100.0 * (1 + 2 / 3 + 1) / 4)
        self.assertAlmostEqual(metrics["has_answer_em"], 50.0)
        self.assertAlmostEqual(metrics["has_answer_f1"], 100.0 * (5 / 3) / 2)
        self.assertAlmostEqual(metrics["no_answer_em"], 50.0)
        self.assertAlmostEqual(metrics["no_answer_f1"], 50.0)
        # At -3.5 the second gets none, and neither does the last.
        self.assertAlmostEqual(self._metrics(-3.5)["f1"], 50.0)

    def test_the_best_thresholds_do_not_depend_on_the_given_one(self):
        for threshold in (-100.0, 1.5, 100.0):
            metrics = self._metrics(threshold)
            # Only the first answered: 3 of 4.
            self.assertAlmostEqual(metrics["best_em"], 75.0)
            self.assertAlmostEqual(metrics["best_em_threshold"], -5.0)
            self.assertAlmostEqual(metrics["best_f1"], 75.0)
            self.assertAlmostEqual(metrics["best_f1_threshold"], -5.0)

    def test_kinds_of_questions_that_are_missing_have_no_metrics(self):
        metrics = qa_metrics.squad_v2(
            [_question("a")], {"a": "x"}, {"a": 0.0}, threshold=-1.0
        )
        self.assertNotIn("has_answer_em", metrics)
        self.assertEqual(metrics["no_answer_em"], 100.0)

    def test_the_curve_has_the_metrics_at_each_null_score(self):
        curve = qa_metrics.threshold_curve(
            self._QUESTIONS, self._TEXTS, self._NULL_SCORES
        )
        np.testing.assert_allclose(curve.threshold, [-5, -4, -3, 2])
        for index, threshold in enumerate(curve.threshold):
            metrics = self._metrics(threshold)
            self.assertAlmostEqual(curve.em[index], metrics["em"])
            self.assertAlmostEqual(curve.f1[index], metrics["f1"])
        np.testing.assert_allclose(curve.answered, [25, 50, 75, 100])
        np.testing.assert_allclose(curve.precision, [100, 50, 100 / 3, 25])

    def test_equal_null_scores_are_one_point_of_the_curve(self):
        curve = qa_metrics.threshold_curve(
            self._QUESTIONS, self._TEXTS, dict.fromkeys(self._TEXTS, 0.0)
        )
        np.testing.assert_allclose(curve.em, [25.0])
        np.testing.assert_allclose(curve.answered, [100.0])


class GoldenTest(parameterized.TestCase):
    def test_each_text_has_the_original_s_scores(self):
        path = testing.golden("metrics", "qa_text_metrics.json")
        with open(path, encoding="utf-8") as file:
            cases = json.load(file)
        self.assertNotEmpty(cases)
        for case in cases:
            texts = {"q": case["prediction"]}
            questions = [_question("q", *case["answers"])]
            v1 = qa_metrics.squad_v1(questions, texts)
            mrqa = qa_metrics.mrqa(questions, texts)
            v2 = qa_metrics.squad_v2(
                questions, texts, {"q": 0.0}, threshold=0.0
            )
            for name, metrics, key in (
                ("em", v1, "v1_exact_match"),
                ("f1", v1, "v1_f1"),
                ("em", mrqa, "mrqa_exact_match"),
                ("f1", mrqa, "mrqa_f1"),
                ("em", v2, "v2_exact"),
                ("f1", v2, "v2_f1"),
            ):
                self.assertAlmostEqual(
                    metrics[name], 100.0 * case[key], places=6, msg=(case, key)
                )


if __name__ == "__main__":
    absltest.main()
