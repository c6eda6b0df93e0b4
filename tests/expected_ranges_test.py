import dataclasses

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import expected_ranges
from electra_tf import metric_notes
from electra_tf import presets
from tests import testing

_END = expected_ranges.END
_SMALL = presets.get("small")


class ExpectedRangesTest(parameterized.TestCase):
    def test_a_model_that_knows_nothing(self):
        values = expected_ranges.at_random(_SMALL)
        # ln 30522 = 10.326, ln 2 = 0.6931; 10.326 + 50 * 0.6931 = 44.98.
        self.assertAlmostEqual(values["masked_lm_loss"], 10.326, places=3)
        self.assertAlmostEqual(values["loss"], 44.98, places=2)
        self.assertEqual(values["disc_auc"], 0.5)

    def test_without_a_discriminator_nothing_is_said_of_it(self):
        values = expected_ranges.at_random(testing.tiny_config(objective="mlm"))
        self.assertSameElements(values, ["masked_lm_loss"])

    def test_published_losses_fit_together(self):
        for row in expected_ranges.PUBLISHED:
            if len(row.metrics) > 1:
                parts = row.metrics["masked_lm_loss"]
                parts += 50 * row.metrics["disc_loss"]
                # Their logs are of different batches.
                self.assertAlmostEqual(row.metrics["loss"], parts, delta=0.5)

    def test_ranges_hold_what_was_published_of_small_models(self):
        small = [
            row
            for row in expected_ranges.PUBLISHED
            if row.step == _END and "base" not in row.source
        ]
        self.assertLen(small, 2)
        for row in small:
            for metric, value in row.metrics.items():
                expected = expected_ranges.RANGES[metric]
                # Bounds are rounded.
                self.assertBetween(
                    value, expected.low - 0.01, expected.high + 0.01, metric
                )

    def test_every_range_has_a_source_and_is_of_a_known_metric(self):
        for metric, expected in expected_ranges.RANGES.items():
            self.assertLess(expected.low, expected.high)
            self.assertNotEmpty(expected.source)
            self.assertIn(metric, metric_notes.NOTES)

    @parameterized.parameters(
        ("loss", 9.5, "as expected"),
        ("loss", 8.9, "better"),
        ("loss", 10.1, "worse"),
        ("disc_recall", 0.2, "worse"),
        ("disc_recall", 0.7, "better"),
        ("replaced_share", 0.08, "higher"),
        ("disc_auc", 0.5, ""),  # Theirs counts padding.
        ("gradient_norm", 1.0, ""),
    )
    def test_verdicts(self, metric, value, expected):
        self.assertEqual(expected_ranges.verdict(metric, value), expected)

    def test_a_whole_run_of_small_gets_verdicts(self):
        run_config = dataclasses.replace(_SMALL, seed=7, log_steps=10)
        self.assertEqual(
            expected_ranges.why_not_comparable(run_config, _END), ""
        )

    def test_other_runs_get_none(self):
        run_config = dataclasses.replace(
            _SMALL, temperature=2.0, vocab_size=8192
        )
        self.assertEqual(
            expected_ranges.why_not_comparable(run_config, 600),
            "they are for the end of training, 1,000,000 steps, not 600; they "
            "are for the preset small, and this run differs in temperature, "
            "vocab_size",
        )


if __name__ == "__main__":
    absltest.main()
