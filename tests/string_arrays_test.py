"""Tests of decoding strings."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import string_arrays


class DecodeTest(parameterized.TestCase):
    @parameterized.parameters(
        ("tokens", ["é", "", b"\xff"]),
        ("image_bytes", [b"\xc3\xa9", b"", b"\xff"]),
    )
    def test_bytes_are_text_if_they_can_be(self, name, expected):
        array = np.array([[b"\xc3\xa9"], [b""], [b"\xff"]], object)
        decoded = string_arrays.decode(name, array)
        self.assertEqual(decoded.tolist(), [[value] for value in expected])

    def test_numbers_stay(self):
        array = np.arange(3)
        self.assertIs(string_arrays.decode("x", array), array)


if __name__ == "__main__":
    absltest.main()
