"""A model that is plain arithmetic, and a REST server of it, for tests.

No TensorFlow: what is tested with it must not need any.
"""

import base64
import contextlib
import http.server
import json
import ssl
import threading
import time

import numpy as np

NAME = "stub"
VERSION = 3
SIGNATURES = {
    # Characters of a text, padded to the longest of the batch.
    "serving_default": (
        {"text": ("DT_STRING", [-1])},
        {
            "tokens": ("DT_STRING", [-1, -1]),
            "codes": ("DT_INT32", [-1, -1]),
            "mask": ("DT_INT32", [-1, -1]),
            "share": ("DT_FLOAT", [-1]),
        },
    ),
    # One output, which REST sends without its name.
    "lengths": (
        {"text": ("DT_STRING", [-1])},
        {"length": ("DT_INT64", [-1])},
    ),
    "sums": (
        {"input_ids": ("DT_INT32", [-1, -1])},
        {"sum": ("DT_INT64", [-1]), "squares": ("DT_INT64", [-1, -1])},
    ),
    # What is neither text nor a finite number.
    "oddities": (
        {"text": ("DT_STRING", [-1])},
        {
            "utf8_bytes": ("DT_STRING", [-1]),
            "cut": ("DT_STRING", [-1]),
            "number": ("DT_FLOAT", [-1]),
            "none": ("DT_STRING", [-1, -1, 5]),
        },
    ),
}


def answer(name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs and outputs as TensorFlow has them: strings are bytes."""
    if name == "sums":
        ids = np.asarray(inputs["input_ids"], np.int64)
        return {"sum": ids.sum(axis=1), "squares": ids**2}
    texts = [value.decode("utf-8") for value in inputs["text"]]
    if name == "lengths":
        return {"length": np.array([len(text) for text in texts], np.int64)}
    if name == "oddities":
        return {
            "utf8_bytes": _objects([text.encode() for text in texts]),
            "cut": _objects([text.encode()[:1] for text in texts]),
            "number": np.array([np.nan, np.inf, -0.1][: len(texts)], "f4"),
            "none": np.empty((len(texts), 0, 5), object),
        }
    longest = max(map(len, texts), default=0)
    shape = (len(texts), longest)
    tokens = np.full(shape, b"", object)
    codes, mask = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for row, text in enumerate(texts):
        for column, character in enumerate(text):
            tokens[row, column] = character.encode()
            codes[row, column] = ord(character)
            mask[row, column] = 1
    # 0.1 times a float32 has no short decimal expansion as a float64.
    share = np.float32(0.1) * np.array([len(text) for text in texts], "f4")
    return {"tokens": tokens, "codes": codes, "mask": mask, "share": share}


def expected_row(text: str) -> dict:
    """What of the default signature's answer belongs to a text, as JSON."""
    return {
        "tokens": list(text),
        "codes": [ord(character) for character in text],
        "share": float(str(np.float32(0.1) * np.float32(len(text)))),
    }


class Faults:
    """What a stub server does wrong, one fault a request for predictions.

    Attributes:
        queue: of "unavailable", "slow", "short" (a row is lacking), "drip" (a
            byte now and then), "half" (of an answer), "garbage", "hang_up";
            a request takes the first one.
        num_requests: that came, with or without a fault.
        num_running: requests that are being answered, and most_running the
            most at once.
    """

    def __init__(self):
        self.queue = []
        self.num_requests = self.num_running = self.most_running = 0
        self.delay_s = 0.0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def of_request(self):
        with self._lock:
            self.num_requests += 1
            self.num_running += 1
            self.most_running = max(self.most_running, self.num_running)
            fault = self.queue.pop(0) if self.queue else None
        time.sleep(self.delay_s)
        try:
            yield fault
        finally:
            with self._lock:
                self.num_running -= 1


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def setup(self):
        super().setup()
        self.server.num_connections += 1

    def do_GET(self):
        base = f"/v1/models/{NAME}"
        state = {"version": str(VERSION), "state": self.server.state}
        if self.path in (base, f"{base}/versions/{VERSION}"):
            self._send(200, {"model_version_status": [state]})
        elif self.path in (
            f"{base}/metadata",
            f"{base}/versions/{VERSION}/metadata",
        ):
            self._send(200, {"metadata": {"signature_def": _definitions()}})
        else:
            self._send(404, {"error": f"Servable not found: {self.path}"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.path.startswith(f"/v1/models/{NAME}"):
            self._send(404, {"error": "Servable not found"})
            return
        with self.server.faults.of_request() as fault:
            self._answer(json.loads(body), fault)

    def _answer(self, request, fault):
        if fault == "unavailable":
            self._send(503, {"error": "The model is loading."})
            return
        if fault == "garbage":
            self._send(200, ["no object"])
            return
        if fault == "hang_up":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(1.0)
        inputs = {
            name: _decode_input(values)
            for name, values in request["inputs"].items()
        }
        if b"refuse" in np.ravel(inputs.get("text", ())):
            self._send(400, {"error": "The text is refused."})
            return
        outputs = answer(request["signature_name"], inputs)
        if fault == "short":
            outputs = {name: array[1:] for name, array in outputs.items()}
        encoded = {
            name: _encode_output(name, array) for name, array in outputs.items()
        }
        if len(encoded) == 1:
            (encoded,) = encoded.values()
        self._send(200, {"outputs": encoded}, fault)

    def _send(self, status, answer, fault=None):
        text = json.dumps(answer, ensure_ascii=False)
        # TensorFlow Serving copies strings of any bytes into its JSON.
        body = text.encode("utf-8", "surrogateescape")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "half":
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        step = 1 if fault == "drip" else len(body)
        try:
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                time.sleep(0.1 * (fault == "drip"))
        except ConnectionError:
            self.close_connection = True


class RestServer(http.server.ThreadingHTTPServer):
    """Serves the model by REST on a free port, while it is entered.

    Args:
        tls: paths of a certificate and its key; None for plain HTTP.
    """

    daemon_threads = True

    def __init__(self, tls: tuple[str, str] | None = None):
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.faults = Faults()
        self.state = "AVAILABLE"
        self.num_connections = 0
        self.address = f"127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,)).start()
        return self

    def handle_error(self, request, client_address):
        pass  # A client has gone, or does not trust this server.

    def __exit__(self, *exception):
        self.shutdown()
        self.server_close()


def _definitions() -> dict:
    definitions = {"__saved_model_init_op": {"inputs": {}, "outputs": {}}}
    for name, tensors in SIGNATURES.items():
        inputs, outputs = map(_tensor_infos, tensors)
        definitions[name] = {"inputs": inputs, "outputs": outputs}
    return {"signature_def": definitions}


def _tensor_infos(tensors) -> dict:
    return {
        name: {
            "dtype": dtype,
            "tensor_shape": {"dim": [{"size": str(size)} for size in sizes]},
        }
        for name, (dtype, sizes) in tensors.items()
    }


def _decode_input(values) -> np.ndarray:
    if values and isinstance(values[0], str):
        return _objects([value.encode() for value in values])
    return np.array(values)


def _encode_output(name: str, array: np.ndarray) -> list:
    if array.dtype == np.float32:
        # As short as it is exact, as TensorFlow Serving writes it.
        return [float(str(value)) for value in array]
    if array.dtype != object:
        return array.tolist()
    encoded = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        encoded[index] = value.decode("utf-8", "surrogateescape")
        if name.endswith("_bytes"):
            encoded[index] = {"b64": base64.b64encode(value).decode()}
    return encoded.tolist()


def _objects(values) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array
