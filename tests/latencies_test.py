"""Tests of what is reported of durations."""

from absl.testing import absltest

from benchmarks import latencies


class LatenciesTest(absltest.TestCase):
    def test_percentiles_are_in_milliseconds(self):
        # 0, 1, ..., 100 ms in another order.
        seconds = [((37 * i) % 101) / 1e3 for i in range(101)]
        figures = latencies.summary(seconds)
        self.assertAlmostEqual(figures["p50_ms"], 50.0)
        self.assertAlmostEqual(figures["p90_ms"], 90.0)
        self.assertAlmostEqual(figures["p99_ms"], 99.0)
        self.assertAlmostEqual(figures["max_ms"], 100.0)

    def test_one_slow_block_does_not_change_the_rates(self):
        self.assertEqual(
            latencies.rates([2.0, 60.0, 2.0], {"sentences": 10, "tokens": 50}),
            {"sentences_per_s": 5.0, "tokens_per_s": 25.0},
        )

    def test_the_speedup_compares_turns_with_each_other(self):
        # Twice as fast in every turn, though the machine became slower.
        self.assertEqual(
            latencies.speedup([1.0, 3.0, 9.0], [2.0, 6.0, 18.0]), 2.0
        )


if __name__ == "__main__":
    absltest.main()
