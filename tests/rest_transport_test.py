"""Tests of speaking REST: connections, deadlines, what is no REST."""

import subprocess
import sys
import tempfile
import time

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import request_errors
from electra_tf.serving import serving_client
from tests import stub_model
from tests import tls_files


class RestTransportTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.server = self.enter_context(stub_model.RestServer())
        self.client = self.enter_context(
            serving_client.Client(
                self.server.address,
                model=stub_model.NAME,
                protocol="rest",
                timeout_s=1.0,
            )
        )

    def ask(self):
        outputs = self.client.predict({"text": ["abc"]}, "lengths")
        self.assertEqual(outputs["length"].tolist(), [3])

    def test_a_connection_is_used_again(self):
        for _ in range(3):
            self.ask()
        self.assertEqual(self.server.num_connections, 1)

    def test_a_connection_that_the_server_closed_is_replaced(self):
        self.ask()
        self.server.faults.queue = ["hang_up"]
        self.ask()
        # The request that was hung up on, and the one after it.
        self.assertEqual(self.server.faults.num_requests, 3)
        self.assertEqual(self.server.num_connections, 2)

    @parameterized.parameters("hang_up", "half")
    def test_a_request_whose_answer_is_lost_is_sent_again(self, fault):
        self.server.faults.queue = [fault]
        self.ask()
        self.assertEqual(self.server.faults.num_requests, 2)

    def test_an_answer_that_only_drips_is_late(self):
        self.server.faults.queue = ["drip"]
        started = time.monotonic()
        with self.assertRaises(request_errors.DeadlineExceeded):
            self.ask()
        self.assertBetween(time.monotonic() - started, 0.9, 1.5)

    def test_an_answer_that_is_none_is_an_error(self):
        self.client.metadata()
        self.server.faults.queue = ["garbage"]
        with self.assertRaisesRegex(
            request_errors.RequestError, "does not answer as .* REST port"
        ):
            self.ask()

    def test_it_needs_neither_tensorflow_nor_grpc(self):
        script = (
            "import sys\n"
            "from electra_tf.serving import client, record_requests\n"
            "from electra_tf.serving import serving_client\n"
            "with serving_client.Client(sys.argv[1], model=sys.argv[2],\n"
            "                           protocol='rest') as client:\n"
            "    rows = record_requests.predict_records(\n"
            "        client, [{'text': 'ab'}], signature='lengths')\n"
            "    print([int(row['length']) for row in rows])\n"
            "banned = {'tensorflow', 'grpc', 'tensorflow_serving'}\n"
            "print(sorted(banned & set(sys.modules)))\n"
        )
        result = subprocess.run(
            [
                sys.executable,
                "-c",
                script,
                self.server.address,
                stub_model.NAME,
            ],
            capture_output=True,
            text=True,
        )
        self.assertEqual(result.stdout, "[2]\n[]\n", result.stderr)


class TlsTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = tls_files.make(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )

    def setUp(self):
        super().setUp()
        self.server = self.enter_context(stub_model.RestServer(tls=self.files))

    def ask(self, root_certificates):
        with serving_client.Client(
            f"localhost:{self.server.server_port}",
            model=stub_model.NAME,
            protocol="rest",
            tls=True,
            root_certificates=root_certificates,
        ) as client:
            return client.predict({"text": ["abc"]}, "lengths")

    def test_a_trusted_server_answers(self):
        outputs = self.ask(self.files.certificate)
        self.assertEqual(outputs["length"].tolist(), [3])

    def test_a_server_that_is_not_trusted_is_an_error(self):
        with self.assertRaisesRegex(
            request_errors.RequestError,
            "No secure connection.*certificate verify failed",
        ):
            self.ask(None)


if __name__ == "__main__":
    absltest.main()
