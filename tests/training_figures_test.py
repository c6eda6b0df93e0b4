"""Tests of what the times of training steps are said to mean."""

from absl.testing import absltest
from absl.testing import parameterized

from benchmarks import trainer_settings
from benchmarks import training_figures

_SETTINGS = trainer_settings.TrainerSettings(
    preset="small", batch_size=32, max_seq_length=128
)


class TrainingFiguresTest(parameterized.TestCase):
    def test_flops_of_pretraining_are_three_times_those_forward(self):
        # A layer has 4 square products, 2 feed-forward ones of 4 widths, and
        # scores and averages over 128 tokens; two operations each.
        def encoder(width):
            layer = 12 * width**2 + 2 * width * 128
            return 2 * 128 * (12 * layer + 128 * width)

        head = 2 * 128 * 256**2
        words = 2 * 19 * 128 * (64 + 30522)  # 19 tokens are predicted.
        forward = encoder(256) + head + encoder(64) + words
        # That is 9.0 GFLOP.
        self.assertEqual(
            training_figures.example_flops(_SETTINGS, "pretraining"),
            3 * forward,
        )
        self.assertEqual(
            training_figures.example_flops(_SETTINGS, "finetuning"),
            3 * (encoder(256) + 2 * 256 * 2),
        )

    def test_rates_are_those_of_the_median_step(self):
        rates = training_figures.rates(
            _SETTINGS, "pretraining", [100.0, 2.0, 1.0]
        )
        self.assertEqual(rates["step_s"], 2.0)
        self.assertEqual(rates["fastest_step_s"], 1.0)
        self.assertEqual(rates["slowest_step_s"], 100.0)
        self.assertEqual(rates["examples_per_s"], 16.0)
        self.assertEqual(rates["tokens_per_s"], 16.0 * 128)
        # 16 examples of 9.0 GFLOP.
        self.assertAlmostEqual(rates["gflop_per_example"], 9.0, delta=0.1)
        self.assertAlmostEqual(rates["gflops_per_s"], 143.7, delta=0.1)

    def test_the_ceiling_is_the_best_product_of_all_measurements(self):
        shares = training_figures.share_of_ceiling(
            50.0, [{"a": 60e9, "b": 70e9}, {"a": 80e9, "b": 65e9}]
        )
        self.assertEqual(
            shares["products_gflops_per_s"], {"a": 80.0, "b": 70.0}
        )
        self.assertEqual(shares["ceiling_gflops_per_s"], 80.0)
        self.assertEqual(shares["share_of_ceiling"], 50.0 / 80.0)

    def test_phases_are_differences_that_add_up_to_the_step(self):
        phases = training_figures.phases(
            {
                "input": [0.5],
                "forward": [9.0, 1.0, 1.0],
                "gradients": [3.0, 3.0, 3.0],
                "step": [4.0, 3.5, 9.0],
            }
        )
        self.assertEqual(
            phases,
            {
                "input": 0.5,
                "forward": 1.0,
                "backward": 2.0,
                "optimizer": 1.0,
                "step": 4.0,
            },
        )
        self.assertEqual(
            training_figures.phase_table(phases).splitlines()[-3:],
            [
                "| backward | 2,000.00 | 50.0% |",
                "| optimizer | 1,000.00 | 25.0% |",
                "| step | 4,000.00 | 100.0% |",
            ],
        )

    @parameterized.parameters(float("nan"), float("inf"))
    def test_a_loss_that_is_not_finite_is_told(self, loss):
        training_figures.check_finite(1.0)
        with self.assertRaisesRegex(RuntimeError, f"is {loss}"):
            training_figures.check_finite(loss)

    def test_a_table_has_a_line_for_each_training(self):
        row = training_figures.rates(_SETTINGS, "pretraining", [2.0])
        row |= {"name": "a", "peak_memory_gb": 1.5, "first_step_s": 9.0}
        *_, line = training_figures.table([row]).splitlines()
        # Without a ceiling there is no share of it.
        self.assertEqual(
            line, "| a | 16.00 | 2,048 | 2.000 | 143.7 |  | 1.50 | 9.0 |"
        )


if __name__ == "__main__":
    absltest.main()
