"""A client of TensorFlow Serving, over gRPC or REST, with the same answers.

    with serving_client.Client("localhost:8501", model="electra",
                               protocol="rest") as client:
        client.predict({"text": ["The chef ate the meal."]})

Over REST no TensorFlow is needed, nor imported. A client may be used by
several threads.
"""

from collections.abc import Callable
from collections.abc import Mapping
import os
import re
import threading
import time
from typing import Literal
from typing import TypeVar

import numpy as np

from electra_tf.serving import backoff
from electra_tf.serving import request_errors
from electra_tf.serving import served_signatures
from electra_tf.serving import server_address

_Answer = TypeVar("_Answer")

_SECONDS_BETWEEN_LOOKS = 0.2


class Client:
    """Asks one model of one server.

    Args:
        server: "HOST:PORT"; the port of the protocol.
        model: its name on the server.
        protocol: "grpc", which is faster for long answers, or "rest", which
            needs no TensorFlow.
        version: of the model; None for the newest that is loaded.
        timeout_s: seconds that a request may take, with all its attempts.
        max_attempts: how often a request is sent if the server is not
            available; anything else is not tried again.
        tls: whether the connection is encrypted.
        root_certificates: PEM file of the certificates to trust, for `tls`;
            None for the usual ones.

    Raises:
        ValueError: an argument is wrong. Nothing is sent yet.
    """

    def __init__(
        self,
        server: str,
        *,
        model: str,
        protocol: Literal["grpc", "rest"] = "grpc",
        version: int | None = None,
        timeout_s: float = 30.0,
        max_attempts: int = 5,
        tls: bool = False,
        root_certificates: str | None = None,
    ):
        if timeout_s <= 0.0:
            raise ValueError(f"timeout_s must be positive, got {timeout_s}.")
        if max_attempts < 1:
            raise ValueError(
                f"max_attempts must be at least 1, got {max_attempts}."
            )
        if not re.fullmatch(r"[\w.-]+", model):
            raise ValueError(
                f"A model's name has letters, digits and _ . - only, got "
                f"{model!r}."
            )
        _check_certificates(tls, root_certificates)
        self._address = server_address.parse(server)
        self._model = model
        self._version = version
        self._timeout_s = timeout_s
        self._max_attempts = max_attempts
        self._transport = _transport_class(protocol)(
            self._address,
            model=model,
            version=version,
            tls=tls,
            root_certificates=root_certificates,
        )
        self._lock = threading.Lock()
        self._signatures = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Closes the connections."""
        self._transport.close()

    def predict(
        self,
        inputs: Mapping[str, object],
        signature: str = served_signatures.DEFAULT,
    ) -> dict[str, np.ndarray]:
        """What the model answers to a batch.

        The first call also asks which inputs the model takes.

        Args:
            inputs: by name, lists or arrays with one row an example; text as
                str, or as bytes of UTF-8.
            signature: the function to call.

        Returns:
            The outputs by name, one row an example. Strings are arrays of
            objects: str, or bytes if they are no UTF-8 or the output's name
            ends in "_bytes".

        Raises:
            ValueError: the signature or an input is unknown or wrong; or the
                answer is not as the model's metadata say.
            request_errors.RequestError: there was no answer.
        """
        known = self._signatures
        try:
            return self._predict(inputs, signature)
        except served_signatures.Mismatch:
            if known is None or known is not self._signatures:
                raise
        # A newer version of the model may have other signatures.
        self._signatures = None
        return self._predict(inputs, signature)

    def metadata(self) -> dict[str, served_signatures.Signature]:
        """The model's signatures by name; asked for once."""
        with self._lock:
            if self._signatures is None:
                self._signatures = self._request(
                    lambda left: self._transport.metadata(timeout_s=left)
                )
            return self._signatures

    def status(self) -> list[served_signatures.VersionStatus]:
        """The states of the model's versions, or of the client's one."""
        return self._request(
            lambda left: self._transport.status(self._version, timeout_s=left)
        )

    def wait_until_available(self, timeout_s: float = 60.0):
        """Returns when the model can be asked.

        Raises:
            request_errors.DeadlineExceeded: it could not within so many
                seconds; the message tells its last state.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            left = max(deadline - time.monotonic(), _SECONDS_BETWEEN_LOOKS)
            state = self._state(min(left, self._timeout_s))
            if state == "AVAILABLE":
                return
            if time.monotonic() + _SECONDS_BETWEEN_LOOKS >= deadline:
                raise request_errors.DeadlineExceeded(
                    f"Model {self._model!r} is not available after "
                    f"{timeout_s:.3g} s: {state}"
                )
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _state(self, timeout_s: float) -> str:
        """AVAILABLE, or what there is instead."""
        try:
            versions = self._transport.status(
                self._version, timeout_s=timeout_s
            )
        except (
            request_errors.Unavailable,
            request_errors.NotFound,
            request_errors.DeadlineExceeded,
        ) as error:
            return str(error)
        if any(version.state == "AVAILABLE" for version in versions):
            return "AVAILABLE"
        return (
            "; ".join(
                f"version {version.version} is {version.state} {version.error}"
                for version in versions
            )
            or "it has no version."
        )

    def _predict(
        self, inputs: Mapping[str, object], name: str
    ) -> dict[str, np.ndarray]:
        signature = served_signatures.find(self.metadata(), name)
        arrays = served_signatures.prepare(inputs, signature)
        outputs = self._request(
            lambda left: self._transport.predict(
                name, arrays, signature=signature, timeout_s=left
            )
        )
        num_rows = len(next(iter(arrays.values())))
        served_signatures.check_answers(outputs, signature, num_rows)
        return outputs

    def _request(self, attempt: Callable[[float], _Answer]) -> _Answer:
        try:
            return backoff.call(
                attempt,
                timeout_s=self._timeout_s,
                max_attempts=self._max_attempts,
            )
        except request_errors.NotFound as error:
            raise self._explained(error) from error

    def _explained(
        self, error: request_errors.NotFound
    ) -> request_errors.NotFound:
        """Tells whether the model is missing, or only the version."""
        try:
            versions = self._transport.status(None, timeout_s=self._timeout_s)
        except request_errors.RequestError:
            return request_errors.NotFound(
                f"{self._address} has no model {self._model!r}, which would "
                "be the --model_name of the server, or a name in its "
                f"models.config. {error}"
            )
        found = ", ".join(
            f"{version.version} ({version.state})" for version in versions
        )
        wanted = "" if self._version is None else f" {self._version}"
        return request_errors.NotFound(
            f"Version{wanted} of model {self._model!r} is not available at "
            f"{self._address}. It has {found or 'no version'}. {error}"
        )


def _check_certificates(tls: bool, root_certificates: str | None):
    if root_certificates is None:
        return
    if not tls:
        raise ValueError(
            "root_certificates are of no use without tls: say tls too."
        )
    if not os.path.exists(root_certificates):
        raise ValueError(f"No file of certificates {root_certificates!r}.")


def _transport_class(protocol: str):
    # Each is imported when it is used: one of them imports TensorFlow.
    if protocol == "rest":
        from electra_tf.serving import rest_transport

        return rest_transport.RestTransport
    if protocol != "grpc":
        raise ValueError(
            f"Unknown protocol {protocol!r}. Known: 'grpc', 'rest'."
        )
    try:
        from electra_tf.serving import grpc_transport
    except ModuleNotFoundError as error:
        raise ValueError(
            f"gRPC needs {error.name}, which is not installed: "
            "pip install 'electra_tf[serving]'. REST needs nothing more."
        ) from error
    return grpc_transport.GrpcTransport
