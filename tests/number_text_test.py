from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import number_text


class NumberTextTest(parameterized.TestCase):
    @parameterized.parameters(
        (0.78542, "0.7854"),
        (0.0, "0"),
        (12345.6, "12,346"),
        (1e-6, "1e-06"),
        (None, "–"),
        (float("nan"), "nan"),
    )
    def test_exact(self, value, expected):
        self.assertEqual(number_text.exact(value), expected)

    @parameterized.parameters(
        (0.02, "0.02"),
        (250_000, "250k"),
        (1_500_000, "1.5M"),
        (-2000, "-2k"),
    )
    def test_short(self, value, expected):
        self.assertEqual(number_text.short(value), expected)

    def test_units(self):
        self.assertEqual(number_text.scaled(1.234e12, "FLOP/s"), "1.23 TFLOP/s")
        self.assertEqual(number_text.scaled(7.0, "FLOP/s"), "7 FLOP/s")
        self.assertEqual(number_text.percent(0.0412), "4.1 %")
        self.assertEqual(number_text.percent(0.00035, digits=3), "0.035 %")

    @parameterized.parameters(
        (0.3, "0 s"),
        (59.6, "1 min 0 s"),
        (3723.0, "1 h 2 min"),
        (4 * 86_400 + 7199, "4 d 1 h"),
    )
    def test_durations(self, seconds, expected):
        self.assertEqual(number_text.duration(seconds), expected)


if __name__ == "__main__":
    absltest.main()
