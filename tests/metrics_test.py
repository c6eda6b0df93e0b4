"""Tests of the metrics against arithmetic and numbers of the original."""

import json

from absl.testing import absltest
from absl.testing import parameterized

from finetune import metrics
from tests import testing


def _regression(targets, predictions) -> dict[str, float]:
    return metrics.compute(["correlations", "mse"], targets, predictions)


# The original's scorers and our functions. Its F1 is wrong, and the golden
# file has scikit-learn's beside it.
_SCORERS = {
    "AccuracyScorer": (metrics.accuracy, ["accuracy"]),
    "MCCScorer": (metrics.matthews_correlation, ["mcc"]),
    "RegressionScorer": (_regression, ["pearson", "spearman", "mse"]),
}
# The original's AccuracyScorer has a setting that no task of it turns on.
_UNUSED = "word_accuracy_auto_fail_O"
_TRUE_F1 = "true_f1_for_comparison_not_from_the_original"


class MetricsTest(parameterized.TestCase):
    def test_accuracy_is_a_share_in_percent(self):
        result = metrics.accuracy([0, 1, 2, 1], [0, 1, 1, 1])
        self.assertEqual(result, {"accuracy": 75.0})

    def test_matthews_correlation_weighs_all_four_cells(self):
        # TP 2, TN 1, FP 1, FN 0: (2 * 1 - 1 * 0) / sqrt(3 * 2 * 2 * 1).
        result = metrics.matthews_correlation([1, 1, 0, 0], [1, 1, 1, 0])
        self.assertAlmostEqual(result["mcc"], 100 * 2 / 12**0.5)

    def test_matthews_correlation_of_a_constant_is_0(self):
        result = metrics.matthews_correlation([1, 0, 1], [1, 1, 1])
        self.assertEqual(result, {"mcc": 0.0})

    def test_f1_counts_true_positives_of_the_targets(self):
        # Precision 1/2, recall 1/3: 2 * 1/2 * 1/3 / (1/2 + 1/3) = 0.4. The
        # original says 0.5.
        result = metrics.f1([1, 1, 1, 0, 0], [1, 0, 0, 1, 0])
        self.assertAlmostEqual(result["f1"], 40.0)

    @parameterized.parameters([[0, 0, 0]], [[0, 1, 0]])
    def test_f1_without_a_hit_is_0(self, predictions):
        self.assertEqual(metrics.f1([1, 0, 1], predictions), {"f1": 0.0})

    def test_correlations_see_lines_and_orders(self):
        result = metrics.correlations([1.0, 2.0, 3.0], [0.0, 1.0, 8.0])
        self.assertAlmostEqual(result["spearman"], 100.0)
        # Deviations -1, 0, 1 and -3, -2, 5: 8 / sqrt(2 * 38).
        self.assertAlmostEqual(result["pearson"], 100 * 8 / 76**0.5)

    def test_correlations_with_a_constant_are_0(self):
        result = metrics.correlations([0.1, 0.7, 0.3], [0.5, 0.5, 0.5])
        self.assertEqual(result, {"pearson": 0.0, "spearman": 0.0})

    def test_macro_f1_is_the_mean_over_labels(self):
        # Label 0: precision 1/2, recall 1; 1: both 1/2; 2: never predicted.
        result = metrics.macro_f1([0, 1, 1, 2], [0, 1, 0, 1])
        self.assertAlmostEqual(result["macro_f1"], 100 * (2 / 3 + 1 / 2) / 3)

    def test_mse_has_the_unit_of_the_scores(self):
        self.assertEqual(metrics.mse([1.0, 5.0], [2.0, 3.0]), {"mse": 2.5})

    def test_entities_count_when_words_and_type_are_right(self):
        result = metrics.entity_f1(
            [["B-A", "E-A", "O", "S-B"], ["S-A", "O"]],
            [["B-A", "E-A", "O", "S-A"], ["S-A", "S-A"]],
        )
        # Of 4 predicted and 3 true entities 2 are the same.
        self.assertEqual(result["precision"], 50.0)
        self.assertAlmostEqual(result["recall"], 100 * 2 / 3)
        self.assertAlmostEqual(result["f1"], 100 * 4 / 7)

    def test_entities_that_break_the_scheme_are_read_as_by_the_original(self):
        result = metrics.entity_f1([["B-A", "E-A"]], [["B-B", "I-A"]])
        self.assertEqual(
            result, {"precision": 100.0, "recall": 100.0, "f1": 100.0}
        )

    def test_no_entities_are_no_error(self):
        nothing = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
        self.assertEqual(metrics.entity_f1([["O"]], [["O"]]), nothing)
        self.assertEqual(metrics.entity_f1([["S-A"]], [["O"]]), nothing)

    def test_word_accuracy_counts_words_of_all_sentences(self):
        result = metrics.word_accuracy(
            [["O", "S-A", "O"], ["S-A"]], [["O", "S-B", "O"], ["S-A"]]
        )
        self.assertEqual(result, {"word_accuracy": 75.0})

    @parameterized.parameters(metrics.entity_f1, metrics.word_accuracy)
    def test_every_word_needs_a_tag(self, metric):
        with self.assertRaisesRegex(
            ValueError, "1 sentences with 1 tags for 1 sentences with 2 words"
        ):
            metric([["O", "O"]], [["O"]])
        with self.assertRaisesRegex(ValueError, "at least one word"):
            metric([], [])

    def test_tag_scores_are_the_original_s(self):
        with open(testing.golden("metrics", "tagging.json")) as file:
            cases = json.load(file)["cases"]
        for case in cases:
            if case["name"] == _UNUSED:
                continue
            sentences = case["sentences"]
            targets = [sentence["labels"] for sentence in sentences]
            predictions = [sentence["predictions"] for sentence in sentences]
            # The original's mean loss counts each loss twice.
            expected = dict(case["results"])
            del expected["loss"]
            with self.subTest(case["name"]):
                if case["scorer"] == "AccuracyScorer":
                    result = metrics.word_accuracy(targets, predictions)
                    result = {"accuracy": result["word_accuracy"]}
                else:
                    result = metrics.entity_f1(targets, predictions)
                self.assertEqual(set(result), set(expected))
                for name, value in expected.items():
                    self.assertAlmostEqual(result[name], value, places=6)

    def test_several_metrics_are_computed_by_name(self):
        self.assertEqual(
            metrics.compute(["accuracy", "f1"], [1, 1], [1, 1]),
            {"accuracy": 100.0, "f1": 100.0},
        )
        with self.assertRaisesRegex(
            ValueError, "Unknown metric 'acc'. Known metrics: accuracy, corr"
        ):
            metrics.compute(["acc"], [1], [1])

    def test_as_many_predictions_as_targets_are_needed(self):
        with self.assertRaisesRegex(ValueError, r"\(2,\) and \(3,\)"):
            metrics.accuracy([1, 0, 1], [1, 0])
        with self.assertRaisesRegex(ValueError, "at least one"):
            metrics.accuracy([], [])

    def test_scores_are_the_original_s(self):
        with open(testing.golden("metrics", "classification.json")) as file:
            cases = json.load(file)["cases"]
        for case in cases:
            labels, predictions = case["labels"], case["predictions"]
            with self.subTest(case["name"]):
                if case["scorer"] == "F1Scorer":
                    result = metrics.f1(labels, predictions)
                    expected = {"f1": case.get(_TRUE_F1, 0.0)}
                else:
                    scorer, names = _SCORERS[case["scorer"]]
                    result = scorer(labels, predictions)
                    # The original's NaN for a constant is our 0.
                    expected = {n: case["results"][n] or 0.0 for n in names}
                self.assertEqual(set(result), set(expected))
                for name, value in expected.items():
                    self.assertAlmostEqual(result[name], value, places=4)


if __name__ == "__main__":
    absltest.main()
