"""Tests of speaking gRPC: secure connections, and what is no gRPC.

What both protocols have in common is in `serving_client_test.py`.
"""

import tempfile

from absl.testing import absltest
import grpc

from electra_tf.serving import request_errors
from electra_tf.serving import serving_client
from tests import stub_grpc_server
from tests import stub_model
from tests import tls_files


def _ask(server, **options):
    with serving_client.Client(
        server, model=stub_model.NAME, max_attempts=1, **options
    ) as client:
        return client.predict({"text": ["abc"]}, "lengths")["length"].tolist()


class GrpcTransportTest(absltest.TestCase):
    def test_the_port_of_rest_is_told_from_that_of_grpc(self):
        with stub_model.RestServer() as server:
            with self.assertRaisesRegex(
                request_errors.Unavailable, "gRPC is usually at port 8500"
            ):
                _ask(server.address)

    def test_a_long_text_is_no_limit_of_the_client(self):
        with (
            stub_grpc_server.GrpcServer() as server,
            serving_client.Client(
                server.address, model=stub_model.NAME
            ) as client,
        ):
            # 5 codes of 4 bytes, and 8 bytes a token, for 400,000 characters:
            # more than the 4 MB that gRPC takes by default.
            outputs = client.predict({"text": ["x" * 400_000]})
        self.assertEqual(outputs["codes"].shape, (1, 400_000))


class TlsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = tls_files.make(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        with open(cls.files.key, "rb") as key:
            with open(cls.files.certificate, "rb") as certificate:
                credentials = grpc.ssl_server_credentials(
                    [(key.read(), certificate.read())]
                )
        server = stub_grpc_server.GrpcServer(credentials)
        cls.address = f"localhost:{cls.enterClassContext(server).port}"

    def test_a_trusted_server_answers(self):
        lengths = _ask(
            self.address,
            tls=True,
            root_certificates=self.files.certificate,
        )
        self.assertEqual(lengths, [3])

    def test_a_server_that_is_not_trusted_is_an_error(self):
        with self.assertRaises(request_errors.Unavailable):
            _ask(self.address, tls=True)


if __name__ == "__main__":
    absltest.main()
