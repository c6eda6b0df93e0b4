"""Tests of the errors of requests."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import request_errors


class RequestErrorsTest(parameterized.TestCase):
    @parameterized.parameters(
        (400, "INVALID_ARGUMENT", request_errors.InvalidArgument),
        (404, "NOT_FOUND", request_errors.NotFound),
        (413, "RESOURCE_EXHAUSTED", request_errors.RequestError),
        (418, "INVALID_ARGUMENT", request_errors.InvalidArgument),
        (500, "INTERNAL", request_errors.RequestError),
        (503, "UNAVAILABLE", request_errors.Unavailable),
        (504, "DEADLINE_EXCEEDED", request_errors.DeadlineExceeded),
        (599, "INTERNAL", request_errors.RequestError),
    )
    def test_http_and_grpc_have_one_set_of_errors(self, status, code, kind):
        self.assertEqual(request_errors.code_of_http(status), code)
        error = request_errors.of_code(code, "text")
        self.assertIs(type(error), kind)
        self.assertEqual((error.code, str(error)), (code, "text"))


if __name__ == "__main__":
    absltest.main()
