"""Where a model server is, and what to say if it is not there."""

from typing import NamedTuple
import urllib.parse


class Address(NamedTuple):
    """A host and a port."""

    host: str
    port: int

    def __str__(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(text: str) -> Address:
    """The address in "HOST:PORT"; IPv6 is written "[::1]:8500".

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urllib.parse.urlsplit(f"//{text}")
        if parts.netloc == text and parts.hostname and parts.port:
            return Address(parts.hostname, parts.port)
    except ValueError:
        pass  # A port that is no number.
    raise ValueError(
        f"The server must be HOST:PORT, such as localhost:8500 for gRPC or "
        f"localhost:8501 for REST, got {text!r}."
    )


def unreachable(address: Address, protocol: str, reason) -> str:
    """A message: no server answers, and how to have one."""
    return (
        f"{protocol} is not available at {address}: {str(reason).rstrip('.')}. "
        "If no model server runs there, start TensorFlow Serving, or for a try "
        "`python -m electra_tf.serving.local_server "
        "--model_base_path=BASE/NAME`; gRPC is usually at port 8500, REST at "
        "8501."
    )


def late(address: Address, timeout_s: float) -> str:
    """A message: the server has not answered in so many seconds."""
    return (
        f"{address} did not answer within {timeout_s:.3g} s. Allow more with a "
        "longer timeout."
    )
