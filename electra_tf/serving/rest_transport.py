"""TensorFlow Serving's REST protocol over the standard library's HTTP.

Connections are kept and used again, each by one request at a time. Proxies
are not used. No TensorFlow is imported.
"""

import collections
import http.client
import ssl
import time
from typing import Any
from typing import NamedTuple

import numpy as np

from electra_tf.serving import request_errors
from electra_tf.serving import rest_tensors
from electra_tf.serving import served_signatures
from electra_tf.serving import server_address

_CHUNK_BYTES = 1 << 16


class _Response(NamedTuple):
    status: int
    body: bytes


class RestTransport:
    """Sends requests for one model; for use by several threads.

    Args:
        address: of the server's REST port.
        model: its name on the server.
        version: which one; None for the newest.
        tls: whether to speak HTTPS.
        root_certificates: file of the certificates to trust, in PEM form;
            None for those of this machine.
    """

    def __init__(
        self,
        address: server_address.Address,
        *,
        model: str,
        version: int | None,
        tls: bool,
        root_certificates: str | None,
    ):
        self._address = address
        self._path = f"/v1/models/{model}"
        self._version = version
        self._tls_context = None
        if tls:
            self._tls_context = ssl.create_default_context(
                cafile=root_certificates
            )
        self._idle = collections.deque()

    def predict(
        self,
        name: str,
        inputs: dict[str, np.ndarray],
        *,
        signature: served_signatures.Signature,
        timeout_s: float,
    ) -> dict[str, np.ndarray]:
        """Calls a signature; its outputs by name."""
        path = self._versioned(self._version) + ":predict"
        body = rest_tensors.encode_request(name, inputs)
        answer = self._json("POST", path, body=body, timeout_s=timeout_s)
        if "outputs" not in answer:
            raise self._nonsense(answer)
        return rest_tensors.decode_answer(answer, signature)

    def metadata(
        self, *, timeout_s: float
    ) -> dict[str, served_signatures.Signature]:
        """The signatures of the model, by name."""
        path = self._versioned(self._version) + "/metadata"
        answer = self._json("GET", path, timeout_s=timeout_s)
        try:
            definitions = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: served_signatures.Signature(
                    _tensor_infos(definition["inputs"]),
                    _tensor_infos(definition["outputs"]),
                )
                for name, definition in definitions.items()
                if not name.startswith("__")  # Not for callers.
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise self._nonsense(answer) from error

    def status(
        self, version: int | None, *, timeout_s: float
    ) -> list[served_signatures.VersionStatus]:
        """The states of all versions, or of one."""
        path = self._versioned(version)
        answer = self._json("GET", path, timeout_s=timeout_s)
        return [
            served_signatures.VersionStatus(
                int(item["version"]),
                item["state"],
                item.get("status", {}).get("error_message", ""),
            )
            for item in answer.get("model_version_status", ())
        ]

    def close(self):
        while self._idle:
            self._idle.pop().close()

    def _versioned(self, version: int | None) -> str:
        if version is None:
            return self._path
        return f"{self._path}/versions/{version}"

    def _json(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        timeout_s: float,
    ) -> dict[str, Any]:
        """The JSON object that the server answers, or an error of its code."""
        response = self._request(method, path, body, timeout_s=timeout_s)
        try:
            answer = rest_tensors.decode_json(response.body)
        except ValueError:
            answer = None
        if response.status == http.HTTPStatus.OK and isinstance(answer, dict):
            return answer
        if response.status == http.HTTPStatus.OK:
            raise self._nonsense(response.body)
        text = repr(response.body[:200])
        if isinstance(answer, dict) and "error" in answer:
            text = answer["error"]
        code = request_errors.code_of_http(response.status)
        raise request_errors.of_code(
            code, f"{self._address} answered {response.status}: {text}"
        )

    def _request(
        self, method: str, path: str, body: bytes | None, *, timeout_s: float
    ) -> _Response:
        deadline = time.monotonic() + timeout_s
        try:
            while self._idle:
                try:
                    return self._exchange(
                        self._idle.pop(), method, path, body, deadline=deadline
                    )
                except (ConnectionError, IndexError):
                    # The server has closed the idle connection, or another
                    # thread was faster.
                    continue
            return self._exchange(
                self._connection(), method, path, body, deadline=deadline
            )
        except TimeoutError as error:
            raise request_errors.DeadlineExceeded(
                server_address.late(self._address, timeout_s)
            ) from error
        except ssl.SSLError as error:
            raise request_errors.RequestError(
                f"No secure connection with {self._address}: {error}. Name the "
                "certificates to trust with root_certificates, or speak to a "
                "server without TLS."
            ) from error
        except OSError as error:
            raise request_errors.Unavailable(
                server_address.unreachable(self._address, "REST", error)
            ) from error
        except http.client.HTTPException as error:
            raise self._nonsense(error) from error

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address
        if self._tls_context is None:
            return http.client.HTTPConnection(host, port)
        return http.client.HTTPSConnection(
            host, port, context=self._tls_context
        )

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        *,
        deadline: float,
    ) -> _Response:
        """One request and its answer; keeps the connection if it may."""
        is_done = False
        try:
            connection.timeout = _left(deadline)
            if connection.sock is not None:
                connection.sock.settimeout(_left(deadline))
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, body, headers)
            socket = connection.sock  # It is dropped if the server closes it.
            socket.settimeout(_left(deadline))
            response = connection.getresponse()
            chunks = []
            while chunk := response.read1(_CHUNK_BYTES):
                chunks.append(chunk)
                socket.settimeout(_left(deadline))
            if response.length:
                raise ConnectionResetError("The answer ends in the middle.")
            response.close()  # Not always done by reading to the end.
            is_done = True
        finally:
            if is_done and connection.sock is not None:
                self._idle.append(connection)
            else:
                connection.close()
        return _Response(response.status, b"".join(chunks))

    def _nonsense(self, answer) -> request_errors.RequestError:
        return request_errors.RequestError(
            f"{self._address} does not answer as TensorFlow Serving's REST "
            f"port does: {answer!r:.200}. That port is usually 8501.",
            code="INTERNAL",
        )


def _left(deadline: float) -> float:
    """Seconds until then; TimeoutError if it has passed."""
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise TimeoutError("The deadline has passed.")
    return left


def _tensor_infos(
    tensors: dict[str, Any],
) -> dict[str, served_signatures.TensorInfo]:
    return {
        name: served_signatures.tensor_info(
            tensor["dtype"],
            (int(dim["size"]) for dim in tensor["tensor_shape"].get("dim", ())),
        )
        for name, tensor in tensors.items()
    }
