"""Tests of the whole server: new versions under load, and its end."""

import http.client
import json
import tempfile
import threading
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from electra_tf.serving import serving_server
from tests import handmade_models

_NUM_CLIENTS = 6
_NUM_VERSIONS = 4
# Of a loop that takes about a second on two processors.
_NUM_STEPS = 50_000


def _ask_rest(connection, x: float) -> tuple[float, int | None]:
    """`y` for `x`; REST does not tell the version."""
    body = json.dumps({"instances": [x]})
    connection.request("POST", "/v1/models/line:predict", body)
    response = connection.getresponse()
    content = json.loads(response.read())
    if response.status != 200:
        raise ValueError(content)
    return content["predictions"][0], None


def _ask_grpc(stub, x: float) -> tuple[float, int]:
    """`y` for `x`, and the version that gave it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "line"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([x]))
    response = stub.Predict(request, timeout=60)
    y = tf.make_ndarray(response.outputs["y"])[0]
    return float(y), response.model_spec.version.value


class ServingServerTest(tf.test.TestCase):
    def _clients(self, server, number: int):
        if number % 2:
            connection = http.client.HTTPConnection(
                "127.0.0.1", server.rest_port, timeout=60
            )
            self.addCleanup(connection.close)
            return _ask_rest, connection
        channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}")
        self.addCleanup(channel.close)
        return _ask_grpc, prediction_service_pb2_grpc.PredictionServiceStub(
            channel
        )

    def test_new_versions_under_load_lose_and_mix_up_nothing(self):
        base_path = self.create_tempdir().full_path
        # The answer to x is 2 x + 1000 * version: it tells both.
        handmade_models.save(base_path, 1, offset=1000.0)
        done = threading.Event()
        problems, answers = [], []

        def ask(server, number):
            function, client = self._clients(server, number)
            rng = np.random.default_rng(number)
            newest = 1
            while not done.is_set():
                x = float(rng.integers(100))
                try:
                    y, told = function(client, x)
                except (OSError, ValueError, grpc.RpcError) as error:
                    problems.append(f"{function}: {error}")
                    return
                version = (y - 2 * x) / 1000
                answers.append(version)
                # Every client sees the versions in their order.
                if told not in (None, version) or version < newest:
                    problems.append(f"{x}: {y} of {told} after {newest}")
                newest = version

        with serving_server.Server(
            {"line": base_path}, poll_wait_s=0.02
        ) as server:
            clients = [
                threading.Thread(target=ask, args=(server, number))
                for number in range(_NUM_CLIENTS)
            ]
            for client in clients:
                client.start()
            for version in range(2, _NUM_VERSIONS + 1):
                handmade_models.save(
                    base_path, version, offset=1000.0 * version
                )
                deadline = time.monotonic() + 60
                while version not in answers and not problems:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.01)
            done.set()
            for client in clients:
                client.join()
        self.assertEmpty(problems)
        self.assertSameElements(answers, range(1, _NUM_VERSIONS + 1))

    def test_a_running_request_is_answered_when_the_server_stops(self):
        base_path = self.create_tempdir().full_path
        handmade_models.save(base_path, 1)
        server = serving_server.Server({"line": base_path}, poll_wait_s=0)
        server.start()
        self.addCleanup(server.stop)
        ask_grpc, stub = self._clients(server, 0)
        ask_rest, connection = self._clients(server, 1)
        # So that both are connected.
        self.assertEqual(ask_grpc(stub, 1.0), (3.0, 1))
        self.assertEqual(ask_rest(connection, 1.0), (3.0, None))
        body = {"signature_name": "slow", "inputs": [_NUM_STEPS]}
        connection.request("POST", "/v1/models/line:predict", json.dumps(body))
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "line"
        request.model_spec.signature_name = "slow"
        request.inputs["num_steps"].CopyFrom(tf.make_tensor_proto([_NUM_STEPS]))
        future = stub.Predict.future(request, timeout=60)
        time.sleep(0.2)  # Both have begun.
        server.stop()
        content = json.loads(connection.getresponse().read())
        self.assertEqual(content, {"outputs": [_NUM_STEPS]})
        steps = tf.make_ndarray(future.result().outputs["steps"])
        self.assertAllEqual(steps, [_NUM_STEPS])

    def test_while_models_are_loaded_requests_are_told_so(self):
        base_path = self.create_tempdir().full_path
        server = serving_server.Server({"line": base_path}, poll_wait_s=0.02)
        server.start(wait=False)
        self.addCleanup(server.stop)
        ask, stub = self._clients(server, 0)
        with self.assertRaises(grpc.RpcError) as raised:
            ask(stub, 1.0)
        self.assertEqual(raised.exception.code().name, "UNAVAILABLE")
        handmade_models.save(base_path, 1)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.assertEqual(ask(stub, 1.0), (3.0, 1))
                return
            except grpc.RpcError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)

    def test_a_model_that_cannot_be_loaded_is_an_error_and_frees_ports(self):
        server = serving_server.Server({"line": "no/such/folder"})
        with self.assertRaisesRegex(ValueError, "'line' has no version yet"):
            server.start()
        with tempfile.TemporaryDirectory() as base_path:
            handmade_models.save(base_path, 1)
            with serving_server.Server(
                {"line": base_path},
                grpc_port=server.grpc_port,
                rest_port=server.rest_port,
            ) as second:
                ask, stub = self._clients(second, 0)
                self.assertEqual(ask(stub, 1.0), (3.0, 1))
                third = serving_server.Server(
                    {"line": base_path}, grpc_port=second.grpc_port
                )
                with self.assertRaisesRegex(OSError, "Cannot listen at"):
                    third.start()

    def test_there_must_be_a_model(self):
        with self.assertRaisesRegex(ValueError, "at least one model"):
            serving_server.Server({})


if __name__ == "__main__":
    tf.test.main()
