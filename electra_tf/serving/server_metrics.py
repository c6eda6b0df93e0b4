"""Counts and latencies of requests, in the text format of Prometheus.

The names are TensorFlow Serving's, so that the same panels show both.
"""

import bisect
import collections
import threading
from typing import NamedTuple

from electra_tf.serving import serving_errors

_COUNT = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
# Upper bounds in microseconds, as TensorFlow Serving has them:
# 10 * 1.8**32 = 1.5e9, or 25 minutes.
_BUCKETS = tuple(10 * 1.8**power for power in range(33))


class RequestKind(NamedTuple):
    """What is counted together.

    Attributes:
        model: a served one; empty for names that are not served, as these
            could be any number.
        api: such as "predict".
        entrypoint: "GRPC" or "REST".
    """

    model: str
    api: str
    entrypoint: str


class ServerMetrics:
    """Counts what all threads of a server have answered."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = collections.Counter()
        # One more than there are bounds, for what is slower than all.
        self._buckets = collections.defaultdict(
            lambda: [0] * (len(_BUCKETS) + 1)
        )
        self._sums = collections.Counter()

    def record(
        self, kind: RequestKind, code: serving_errors.Code, seconds: float
    ):
        """Adds one request."""
        microseconds = seconds * 1e6
        bucket = bisect.bisect_left(_BUCKETS, microseconds)
        with self._lock:
            self._counts[kind, code] += 1
            self._buckets[kind][bucket] += 1
            self._sums[kind] += microseconds

    def text(self) -> str:
        """All counts, for Prometheus."""
        with self._lock:
            lines = [f"# TYPE {_COUNT} counter"]
            for (kind, code), count in sorted(self._counts.items()):
                labels = _labels(kind, status=code.name)
                lines.append(f"{_COUNT}{labels} {count}")
            lines.append(f"# TYPE {_LATENCY} histogram")
            for kind, counts in sorted(self._buckets.items()):
                lines += _histogram(kind, counts, self._sums[kind])
        return "\n".join(lines) + "\n"


def _histogram(kind: RequestKind, counts: list[int], total: float):
    """Lines of one histogram, whose buckets add up those below."""
    number = 0
    for bound, count in zip((*map(str, _BUCKETS), "+Inf"), counts):
        number += count
        yield f"{_LATENCY}_bucket{_labels(kind, le=bound)} {number}"
    yield f"{_LATENCY}_sum{_labels(kind)} {total}"
    yield f"{_LATENCY}_count{_labels(kind)} {number}"


def _labels(kind: RequestKind, **more: str) -> str:
    labels = {
        "model_name": kind.model,
        "API": kind.api,
        "entrypoint": kind.entrypoint,
    }
    pairs = [
        f'{name}="{_escape(value)}"' for name, value in (labels | more).items()
    ]
    return "{" + ",".join(pairs) + "}"


def _escape(value: str) -> str:
    escapes = (("\\", r"\\"), ('"', r"\""), ("\n", r"\n"))
    for character, escaped in escapes:
        value = value.replace(character, escaped)
    return value
