"""Tests of the client: both protocols, one behaviour."""

import socket
import threading
import time

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import request_errors
from electra_tf.serving import serving_client
from tests import stub_grpc_server
from tests import stub_model

_PROTOCOLS = ("grpc", "rest")
_TEXTS = ["ab", "", "é👍🏽", "שלום"]


def _free_address() -> str:
    """Where nothing answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@parameterized.parameters(*_PROTOCOLS)
class ClientTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.servers = {
            "grpc": self.enter_context(stub_grpc_server.GrpcServer()),
            "rest": self.enter_context(stub_model.RestServer()),
        }

    def client(self, protocol, **options):
        values = dict(model=stub_model.NAME, protocol=protocol) | options
        return self.enter_context(
            serving_client.Client(self.servers[protocol].address, **values)
        )

    def test_answers_are_those_of_the_model(self, protocol):
        outputs = self.client(protocol).predict({"text": _TEXTS})
        expected = stub_model.answer(
            "serving_default", {"text": [text.encode() for text in _TEXTS]}
        )
        self.assertEqual(outputs.keys(), expected.keys())
        for name in ("codes", "mask", "share"):
            self.assertEqual(outputs[name].dtype, expected[name].dtype)
            np.testing.assert_array_equal(outputs[name], expected[name])
        self.assertEqual(
            outputs["tokens"].tolist(),
            [
                ["a", "b", "", ""],
                ["", "", "", ""],
                ["é", "👍", "🏽", ""],
                ["ש", "ל", "ו", "ם"],
            ],
        )

    def test_a_single_output_has_its_name(self, protocol):
        outputs = self.client(protocol).predict({"text": _TEXTS}, "lengths")
        self.assertEqual(outputs["length"].dtype, np.int64)
        self.assertEqual(outputs["length"].tolist(), [2, 0, 3, 4])

    def test_numbers_go_in_as_arrays_or_lists(self, protocol):
        client = self.client(protocol)
        for ids in ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]], np.int64)):
            outputs = client.predict({"input_ids": ids}, "sums")
            self.assertEqual(outputs["sum"].tolist(), [3, 7])
            self.assertEqual(outputs["squares"].tolist(), [[1, 4], [9, 16]])

    def test_what_is_no_text_and_no_number_comes_through(self, protocol):
        outputs = self.client(protocol).predict(
            {"text": ["a", "é", "b"]}, "oddities"
        )
        self.assertEqual(
            outputs["utf8_bytes"].tolist(), [b"a", b"\xc3\xa9", b"b"]
        )
        # The first byte of two is no UTF-8.
        self.assertEqual(outputs["cut"].tolist(), ["a", b"\xc3", "b"])
        np.testing.assert_array_equal(
            outputs["number"], np.array([np.nan, np.inf, -0.1], np.float32)
        )
        self.assertEqual(outputs["none"].shape, (3, 0, 5))

    def test_an_unavailable_server_is_asked_again(self, protocol):
        faults = self.servers[protocol].faults
        faults.queue = ["unavailable", "unavailable"]
        outputs = self.client(protocol).predict({"text": ["abc"]}, "lengths")
        self.assertEqual(outputs["length"].tolist(), [3])
        self.assertEqual(faults.num_requests, 3)

    def test_attempts_end(self, protocol):
        faults = self.servers[protocol].faults
        faults.queue = ["unavailable"] * 5
        client = self.client(protocol, max_attempts=2)
        with self.assertRaisesRegex(
            request_errors.Unavailable, "loading.*Attempts: 2"
        ):
            client.predict({"text": ["a"]})
        self.assertEqual(faults.num_requests, 2)

    def test_other_errors_are_not_tried_again(self, protocol):
        faults = self.servers[protocol].faults
        with self.assertRaisesRegex(
            request_errors.InvalidArgument, "The text is refused"
        ):
            self.client(protocol).predict({"text": ["refuse"]})
        self.assertEqual(faults.num_requests, 1)

    def test_a_late_answer_is_an_error_and_the_next_is_right(self, protocol):
        client = self.client(protocol, timeout_s=0.5)
        client.metadata()
        self.servers[protocol].faults.queue = ["slow"]
        started = time.monotonic()
        with self.assertRaisesRegex(
            request_errors.DeadlineExceeded, "did not answer within 0.5 s"
        ):
            client.predict({"text": ["late"]}, "lengths")
        self.assertBetween(time.monotonic() - started, 0.4, 0.9)
        outputs = client.predict({"text": ["a"]}, "lengths")
        self.assertEqual(outputs["length"].tolist(), [1])

    def test_there_must_be_an_answer_for_each_input(self, protocol):
        self.servers[protocol].faults.queue = ["short", "short"]
        with self.assertRaisesRegex(ValueError, "for 2 inputs; there must be"):
            self.client(protocol).predict({"text": ["a", "b"]}, "lengths")

    def test_no_server_is_an_error_that_says_how_to_start_one(self, protocol):
        client = serving_client.Client(
            _free_address(), model="m", protocol=protocol, max_attempts=2
        )
        with self.assertRaisesRegex(
            request_errors.Unavailable,
            "is not available at 127.0.0.1:.*local_server",
        ):
            client.predict({"text": ["a"]})

    def test_unknown_names_are_told_with_the_known_ones(self, protocol):
        client = self.client(protocol)
        with self.assertRaisesRegex(
            ValueError,
            "no signature 'x'.*lengths, oddities, serving_default, sums",
        ):
            client.predict({"text": ["a"]}, "x")
        with self.assertRaisesRegex(
            ValueError, r"lacks text and has unknown txt.*text: str\[\?\]"
        ):
            client.predict({"txt": ["a"]})
        with self.assertRaisesRegex(
            request_errors.NotFound, "has no model 'm'.*models.config"
        ):
            self.client(protocol, model="m").predict({"text": ["a"]})
        with self.assertRaisesRegex(
            request_errors.NotFound, r"Version 7 .* It has 3 \(AVAILABLE\)"
        ):
            self.client(protocol, version=7).predict({"text": ["a"]})

    def test_a_version_can_be_asked_for(self, protocol):
        client = self.client(protocol, version=stub_model.VERSION)
        outputs = client.predict({"text": ["abc"]}, "lengths")
        self.assertEqual(outputs["length"].tolist(), [3])
        ((version, state, error),) = client.status()
        self.assertEqual((version, state, error), (3, "AVAILABLE", ""))

    def test_threads_share_a_client(self, protocol):
        client = self.client(protocol)
        self.servers[protocol].faults.delay_s = 0.02
        wrong = []

        def ask(number):
            for length in range(number, number + 5):
                outputs = client.predict({"text": ["x" * length]}, "lengths")
                if outputs["length"].tolist() != [length]:
                    wrong.append(outputs)

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEmpty(wrong)
        self.assertEqual(self.servers[protocol].faults.num_requests, 30)


class ArgumentsTest(parameterized.TestCase):
    @parameterized.parameters(
        (dict(server="localhost"), "must be HOST:PORT"),
        (
            dict(protocol="http"),
            "Unknown protocol 'http'. Known: 'grpc', 'rest'",
        ),
        (dict(model="a/b"), "letters, digits and .* got 'a/b'"),
        (dict(timeout_s=0.0), "timeout_s must be positive, got 0.0"),
        (dict(max_attempts=0), "max_attempts must be at least 1, got 0"),
        (dict(root_certificates="ca.pem"), "of no use without tls"),
        (
            dict(tls=True, root_certificates="no.pem"),
            "No file of certificates 'no.pem'",
        ),
    )
    def test_wrong_ones_are_told(self, arguments, message):
        values = dict(server="localhost:1", model="m", protocol="rest")
        with self.assertRaisesRegex(ValueError, message):
            serving_client.Client(**values | arguments)


class MetadataTest(absltest.TestCase):
    def test_a_new_version_with_other_inputs_is_noticed(self):
        with (
            stub_model.RestServer() as server,
            serving_client.Client(
                server.address, model=stub_model.NAME, protocol="rest"
            ) as client,
        ):
            lengths = stub_model.SIGNATURES["lengths"]
            earlier = stub_model.SIGNATURES | {
                "lengths": ({"words": ("DT_STRING", [-1])}, lengths[1])
            }
            with absltest.mock.patch.object(stub_model, "SIGNATURES", earlier):
                self.assertIn("words", client.metadata()["lengths"].inputs)
            outputs = client.predict({"text": ["abcd"]}, "lengths")
        self.assertEqual(outputs["length"].tolist(), [4])

    def test_waiting_goes_on_until_there_is_a_server(self):
        client = serving_client.Client(
            _free_address(), model=stub_model.NAME, protocol="rest"
        )
        with self.assertRaisesRegex(
            request_errors.DeadlineExceeded,
            "not available after 0.3 s: REST is not available",
        ):
            client.wait_until_available(0.3)

    def test_waiting_tells_the_last_state(self):
        with (
            stub_model.RestServer() as server,
            serving_client.Client(
                server.address, model=stub_model.NAME, protocol="rest"
            ) as client,
        ):
            server.state = "LOADING"
            with self.assertRaisesRegex(
                request_errors.DeadlineExceeded, "version 3 is LOADING"
            ):
                client.wait_until_available(0.3)
            server.state = "AVAILABLE"
            client.wait_until_available(0.3)


if __name__ == "__main__":
    absltest.main()
