"""Tests of addresses."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import server_address


class ParseTest(parameterized.TestCase):
    @parameterized.parameters(
        ("localhost:8500", "localhost", 8500),
        ("10.0.0.7:1", "10.0.0.7", 1),
        ("[::1]:8501", "::1", 8501),
    )
    def test_an_address_is_a_host_and_a_port(self, text, host, port):
        address = server_address.parse(text)
        self.assertEqual(address, (host, port))
        self.assertEqual(str(address), text)

    @parameterized.parameters(
        "localhost",
        "localhost:",
        "localhost:x",
        "localhost:99999",
        ":8500",
        "http://localhost:8501",
        "localhost:8501/v1",
        "",
    )
    def test_anything_else_is_an_error(self, text):
        with self.assertRaisesRegex(ValueError, "must be HOST:PORT"):
            server_address.parse(text)


if __name__ == "__main__":
    absltest.main()
