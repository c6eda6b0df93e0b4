"""Tests of the comparison of answers, on its own."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf import verify_export


class CompareTest(parameterized.TestCase):
    def test_the_largest_difference_counts(self):
        difference = verify_export.compare(
            np.array([0.0, 2.0]), np.array([0.5, 2.25])
        )
        self.assertEqual(difference, 0.5)

    def test_above_1_it_is_a_share(self):
        difference = verify_export.compare(
            np.array([-1001.0]), np.array([-1000.0])
        )
        self.assertEqual(difference, 0.001)

    def test_equal_texts_do_not_differ(self):
        texts = np.array([b"a", b""])
        self.assertEqual(verify_export.compare(texts, texts), 0.0)

    def test_empty_answers_do_not_differ(self):
        empty = np.zeros([0, 2])
        self.assertEqual(verify_export.compare(empty, empty), 0.0)

    @parameterized.named_parameters(
        ("texts", np.array([b"a"]), np.array([b"b"])),
        ("whole_numbers", np.array([1]), np.array([2])),
        ("shapes", np.array([1.0]), np.array([[1.0]])),
    )
    def test_is_infinite_for_unequal(self, actual, expected):
        self.assertEqual(verify_export.compare(actual, expected), float("inf"))

    def test_a_nan_is_within_no_tolerance(self):
        nan = np.array([np.nan])
        self.assertFalse(verify_export.compare(nan, nan) <= 1e-5)


if __name__ == "__main__":
    absltest.main()
