"""How many requests are taken, and how many are computed at once."""

import contextlib
import threading
import time

from electra_tf.serving import serving_errors


class Admission:
    """Limits that all protocols of a server share.

    Args:
        max_requests: most requests that wait or run; those beyond are
            refused, so that a queue cannot grow.
        num_slots: most that are computed at the same time. TensorFlow uses
            several threads for each, so more than there are processors only
            makes all of them slower.
    """

    def __init__(self, *, max_requests: int, num_slots: int):
        self._requests = threading.BoundedSemaphore(max_requests)
        self._slots = threading.BoundedSemaphore(num_slots)
        self._max_requests = max_requests

    @contextlib.contextmanager
    def admitted(self):
        """Counts a request, or raises ServingError if there are too many."""
        if not self._requests.acquire(blocking=False):
            raise serving_errors.ServingError(
                serving_errors.Code.RESOURCE_EXHAUSTED,
                f"{self._max_requests} requests are being answered, which is "
                "the limit of this server. Send fewer at once, or start it "
                "with a larger --max_concurrent_requests.",
            )
        try:
            yield
        finally:
            self._requests.release()

    @contextlib.contextmanager
    def computing(self, deadline: float | None):
        """Waits for a slot.

        Args:
            deadline: of `time.monotonic`, after which there is no use in an
                answer; None if there is none.

        Raises:
            ServingError: there was no slot until then.
        """
        timeout = None
        if deadline is not None:
            # A negative one would be an error.
            timeout = max(0.0, deadline - time.monotonic())
            timeout = min(timeout, threading.TIMEOUT_MAX)
        if not self._slots.acquire(timeout=timeout):
            raise serving_errors.ServingError(
                serving_errors.Code.DEADLINE_EXCEEDED,
                "The deadline passed while the request waited for others.",
            )
        try:
            yield
        finally:
            self._slots.release()
