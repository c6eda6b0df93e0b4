"""Tests of errors that are answers."""

from absl.testing import absltest
from absl.testing import parameterized
import grpc

from electra_tf.serving import serving_errors


class ServingErrorsTest(parameterized.TestCase):
    def test_codes_are_numbered_as_in_grpc(self):
        numbers = {code.name: code.value[0] for code in grpc.StatusCode}
        ours = {code.name: code.value for code in serving_errors.Code}
        self.assertEqual(ours, numbers)

    def test_every_code_has_a_status_of_http(self):
        self.assertCountEqual(serving_errors.HTTP_STATUS, serving_errors.Code)

    @parameterized.parameters((1000, 1000), (1001, 1000))
    def test_long_messages_are_cut(self, given, kept):
        error = serving_errors.invalid("x" * given)
        self.assertLen(error.message, kept)
        self.assertEqual(error.message.endswith("..."), kept < given)

    def test_values_are_shown_as_python_writes_them_and_cut(self):
        self.assertEqual(serving_errors.shown("a\n"), r"'a\n'")
        self.assertEqual(serving_errors.shown("abcdef", max_length=6), "'ab...")


if __name__ == "__main__":
    absltest.main()
