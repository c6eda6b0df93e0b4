"""Whatever is sent to the server, it says what is wrong and goes on."""

import http.client
import json
import re
import socket
import tempfile

import grpc
import hypothesis
from hypothesis import strategies
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from electra_tf.serving import serving_server
from tests import handmade_models

_TIMEOUT_S = 60.0
_PREDICT = "/v1/models/line:predict"
# Never 500: that would be a mistake of the server.
_STATUSES = {200, 400, 404, 405, 411, 413, 414, 431, 501, 505}
_CODES = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED"}
_MAX_REQUEST_BYTES = 5000

_settings = hypothesis.settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

# Names that mean something, so that not all is refused at once.
_NAMES = strategies.sampled_from(
    ["x", "text", "num", "b64", "inputs", "instances", "signature_name", ""]
)
_LEAVES = (
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.integers(-3, 3)
    | strategies.floats()
    | strategies.text(strategies.characters(exclude_categories=()))
    | strategies.sampled_from(["echo", "check", "total", "YQ==", 10**400])
)
_VALUES = strategies.recursive(
    _LEAVES,
    lambda values: (
        strategies.lists(values, max_size=4)
        | strategies.dictionaries(_NAMES, values, max_size=3)
    ),
    max_leaves=12,
)
_SIGNATURES = strategies.sampled_from(["", "echo", "check", "total", "nine"])
_NUMBERS = strategies.integers(-1, 3) | strategies.floats(width=32)
# Half of these are right, for one signature or another.
_ROWS = strategies.lists(
    _NUMBERS
    | strategies.lists(_NUMBERS, min_size=2, max_size=2)
    | strategies.fixed_dictionaries(
        {"x": _NUMBERS}, optional={"text": strategies.text()}
    ),
    max_size=3,
)
_COLUMNS = strategies.lists(_NUMBERS, max_size=3) | strategies.integers(
    0, 3
).flatmap(
    lambda size: strategies.fixed_dictionaries(
        {"x": strategies.lists(_NUMBERS, min_size=size, max_size=size)},
        optional={
            "text": strategies.lists(strategies.text(), max_size=size),
        },
    )
)
_BODIES = strategies.one_of(
    strategies.fixed_dictionaries(
        {"signature_name": _SIGNATURES, "instances": _ROWS}
    ),
    strategies.fixed_dictionaries(
        {"signature_name": _SIGNATURES, "inputs": _COLUMNS}
    ),
    strategies.fixed_dictionaries(
        {},
        optional={
            "signature_name": _SIGNATURES | _LEAVES,
            "instances": _VALUES,
            "inputs": _VALUES,
        },
    ),
    _VALUES,
)
_PATHS = strategies.lists(
    strategies.sampled_from(
        ["v1", "models", "line", "line:predict", "versions", "1", "labels"]
        + ["metadata", "healthz", "metrics", "..", "%2e%2e", "%00", "?a", "#"]
    )
    | strategies.text(
        strategies.characters(min_codepoint=33, max_codepoint=126)
    ),
    max_size=6,
).map(lambda parts: "/" + "/".join(parts))

# Parts of requests, whole and torn.
_LINES = strategies.lists(
    strategies.sampled_from(
        [
            b"GET / HTTP/1.1\r\n",
            b"POST /v1/models/line:predict HTTP/1.1\r\n",
            b"HEAD /healthz HTTP/1.0\r\n",
            b"Content-Length: 18\r\n",
            b"Content-Length: 99999\r\n",
            b"Content-Length: x\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: keep-alive\r\n",
            b'{"instances": [1]}',
            b"\r\n",
            b"\n",
        ]
    )
    | strategies.binary(max_size=30),
    max_size=8,
).map(b"".join)

_DTYPES = [tf.float32, tf.int32, tf.string, tf.variant, tf.bfloat16]
_SIZES = strategies.lists(
    strategies.integers(-2, 4) | strategies.integers(-(2**63), 2**63 - 1),
    max_size=4,
)
_WORDS = strategies.integers(-(2**31), 2**31 - 1)


@strategies.composite
def _wrong_tensors(draw) -> tensor_pb2.TensorProto:
    """Anything that the message can hold."""
    known = strategies.sampled_from(
        [dtype.as_datatype_enum for dtype in _DTYPES]
    )
    proto = tensor_pb2.TensorProto(
        dtype=draw(known | strategies.integers(0, 200)),
        float_val=draw(
            strategies.lists(strategies.floats(width=32), max_size=4)
        ),
        int_val=draw(strategies.lists(_WORDS, max_size=4)),
        string_val=draw(strategies.lists(strategies.binary(), max_size=4)),
        tensor_content=draw(strategies.just(b"") | strategies.binary()),
    )
    proto.tensor_shape.unknown_rank = draw(strategies.booleans())
    for size in draw(_SIZES):
        proto.tensor_shape.dim.add(size=size)
    return proto


@strategies.composite
def _likely_tensors(draw) -> tensor_pb2.TensorProto:
    """Of a type that a signature takes, and perhaps of the right size."""
    rows = draw(strategies.integers(0, 3))
    count = draw(strategies.just(rows) | strategies.integers(0, 6))
    kind = draw(strategies.sampled_from(["float", "int", "string"]))
    elements = {
        "float": strategies.floats(width=32),
        "int": _WORDS,
        "string": strategies.binary(),
    }[kind]
    dtypes = {"float": tf.float32, "int": tf.int32, "string": tf.string}
    proto = tensor_pb2.TensorProto(dtype=dtypes[kind].as_datatype_enum)
    getattr(proto, f"{kind}_val").extend(
        draw(strategies.lists(elements, min_size=count, max_size=count))
    )
    proto.tensor_shape.dim.add(size=rows)
    if kind == "int":
        proto.tensor_shape.dim.add(size=2)
    return proto


_TENSORS = strategies.one_of(_likely_tensors(), _wrong_tensors())


class ServingFuzzTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        handmade_models.save(base_path, 1)
        cls.server = cls.enterClassContext(
            serving_server.Server(
                {"line": base_path},
                poll_wait_s=0,
                max_request_bytes=_MAX_REQUEST_BYTES,
            )
        )
        cls.channel = cls.enterClassContext(
            grpc.insecure_channel(f"127.0.0.1:{cls.server.grpc_port}")
        )

    def _ask(self, method, path, body=None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.rest_port, timeout=_TIMEOUT_S
        )
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _call(self, request: bytes) -> tuple[str, bytes]:
        """The code and the answer to bytes, which may be no message."""
        predict = self.channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict"
        )
        try:
            return "OK", predict(request, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            return error.code().name, b""

    def _check_that_it_goes_on(self):
        self.assertEqual(
            self._ask("POST", _PREDICT, '{"instances": [1]}'),
            (200, b'{"predictions": [3.0]}'),  # 2 * 1 + 1.
        )

    @_settings
    @hypothesis.given(_BODIES)
    def test_any_json(self, value):
        status, answer = self._ask("POST", _PREDICT, json.dumps(value))
        self.assertIn(status, {200, 400, 413}, answer)
        if status == 200:
            self.assertLen(json.loads(answer), 1)
        else:
            self.assertEqual(list(json.loads(answer)), ["error"])
        self._check_that_it_goes_on()

    @_settings
    @hypothesis.given(strategies.binary(max_size=300))
    def test_any_bytes_for_json(self, body):
        status, answer = self._ask("POST", _PREDICT, body)
        self.assertEqual(status, 400)
        self.assertEqual(list(json.loads(answer)), ["error"])

    @_settings
    @hypothesis.given(
        strategies.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "XY"]),
        _PATHS,
    )
    def test_any_path(self, method, path):
        status, _ = self._ask(method, path, b"{}")
        self.assertIn(status, _STATUSES)

    @_settings
    @hypothesis.given(_LINES)
    def test_any_bytes_for_http(self, data):
        address = ("127.0.0.1", self.server.rest_port)
        answer = b""
        with socket.create_connection(address, _TIMEOUT_S) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                answer += part
        for status in re.findall(rb"^HTTP/1\.1 (\d+)", answer, re.MULTILINE):
            self.assertIn(int(status), _STATUSES | {100})
        self._check_that_it_goes_on()

    @_settings
    @hypothesis.given(
        _SIGNATURES,
        strategies.fixed_dictionaries(
            {"x": _TENSORS}, optional={"text": _TENSORS, "z": _TENSORS}
        ),
    )
    def test_any_tensors(self, signature_name, tensors):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "line"
        request.model_spec.signature_name = signature_name
        for name, tensor in tensors.items():
            request.inputs[name].CopyFrom(tensor)
        code, _ = self._call(request.SerializeToString())
        self.assertIn(code, _CODES)
        self._check_that_it_goes_on()

    @_settings
    @hypothesis.given(strategies.binary(max_size=100))
    def test_any_bytes_for_grpc(self, data):
        code, _ = self._call(data)
        # INTERNAL is gRPC's own word for bytes that are no message.
        self.assertIn(code, {"NOT_FOUND", "INTERNAL"})

    def test_long_requests(self):
        body = json.dumps({"instances": [1] * _MAX_REQUEST_BYTES})
        self.assertEqual(self._ask("POST", _PREDICT, body)[0], 413)
        nested = "[" * 2000 + "]" * 2000
        body = f'{{"inputs": {nested}}}'
        self.assertEqual(self._ask("POST", _PREDICT, body)[0], 400)
        code, _ = self._call(b"\n" * (_MAX_REQUEST_BYTES + 1))
        self.assertEqual(code, "RESOURCE_EXHAUSTED")
        self._check_that_it_goes_on()


if __name__ == "__main__":
    tf.test.main()
