"""Tests of the ceiling that training is compared with."""

from absl.testing import absltest
import tensorflow as tf

from benchmarks import matrix_ceiling


class _Machine:
    """Needs so many seconds for each call, in turns.

    Attributes:
        calls: how many there were.
    """

    def __init__(self, seconds):
        self._seconds = seconds
        self._now = 0.0
        self.calls = 0

    def run(self):
        self._now += self._seconds[self.calls % len(self._seconds)]
        self.calls += 1

    def clock(self):
        return self._now


class MatrixCeilingTest(tf.test.TestCase):
    def test_the_first_call_and_slow_timings_do_not_count(self):
        # One first call; then five timings, two of them disturbed.
        machine = _Machine([100.0, 0.5, 9.0, 0.25, 9.0, 0.25])
        rate = matrix_ceiling.rate(
            machine.run, flops=2e9, enough_flops=1e9, clock=machine.clock
        )
        self.assertEqual(machine.calls, 6)
        self.assertEqual(rate, 2e9 / 0.5)

    def test_small_products_are_repeated_within_a_timing(self):
        machine = _Machine([0.25])
        rate = matrix_ceiling.rate(
            machine.run, flops=1e9, enough_flops=1e10, clock=machine.clock
        )
        self.assertEqual(machine.calls, 1 + 5 * 10)
        self.assertEqual(rate, 4e9)

    def test_tiny_products_are_repeated_a_hundred_times_at_most(self):
        machine = _Machine([0.5])
        matrix_ceiling.rate(
            machine.run, flops=1.0, enough_flops=1e10, clock=machine.clock
        )
        self.assertEqual(machine.calls, 1 + 5 * 100)

    def test_products_are_a_large_one_and_those_of_a_feed_forward_layer(self):
        self.assertEqual(
            matrix_ceiling.products(4096, 256),
            [(2048, 2048, 2048), (4096, 256, 1024), (4096, 1024, 256)],
        )

    def test_every_product_is_measured(self):
        rates = matrix_ceiling.measure("bfloat16", tokens=64, hidden_size=32)
        self.assertEqual(
            list(rates),
            [
                "[2048, 2048] x [2048, 2048]",
                "[64, 32] x [32, 128]",
                "[64, 128] x [128, 32]",
            ],
        )
        # A single core of today does more than a hundredth of that.
        self.assertGreater(max(rates.values()), 1e8)


if __name__ == "__main__":
    absltest.main()
