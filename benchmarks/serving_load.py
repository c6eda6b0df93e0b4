"""Clients that ask a server as fast as it answers, and check each answer.

Without TensorFlow, so that their processes start at once for REST.
"""

from collections.abc import Sequence
from concurrent import futures
import contextlib
import time
from typing import Literal
from typing import NamedTuple

import numpy as np

from electra_tf.serving import request_errors
from electra_tf.serving import serving_client

Protocol = Literal["grpc", "rest"]
Arrays = dict[str, np.ndarray]


class Request(NamedTuple):
    """What is asked, and what each version of the model answers to it.

    Attributes:
        inputs: texts by the names of inputs, one row an example.
        answers: of each version, outputs by name, one row an example.
    """

    inputs: dict[str, list[str]]
    answers: tuple[Arrays, ...]


class Load(NamedTuple):
    """What clients do.

    Attributes:
        server: "HOST:PORT".
        model: its name there.
        protocol: how it is asked.
        signature: the function that is called.
        num_clients: threads, each with connections of its own.
        tolerance: largest difference of floating-point numbers.
    """

    server: str
    model: str
    protocol: Protocol
    signature: str
    num_clients: int
    tolerance: float


class Outcome(NamedTuple):
    """How one request ended.

    Attributes:
        started: by `time.monotonic`, the same clock for all processes.
        seconds: until there was an answer or an error.
        version: whose answer it is, counted from 0; -1 if it is of none.
        error: why there was no answer; empty if there was one.
    """

    started: float
    seconds: float
    version: int
    error: str


class Clients:
    """The clients of one process, connected.

    Args:
        load: what they do.
        requests: what they ask, again and again.
        stopped: an event that ends it.
    """

    def __init__(self, load: Load, requests: Sequence[Request], stopped):
        self._load = load
        self._requests = requests
        self._stopped = stopped
        self._clients = [self._connected() for _ in range(load.num_clients)]

    def run(self) -> list[Outcome]:
        """Asks until it is stopped."""
        count = len(self._clients)
        with contextlib.ExitStack() as stack:
            for client in self._clients:
                stack.enter_context(client)
            pool = stack.enter_context(futures.ThreadPoolExecutor(count))
            running = [
                # Each begins elsewhere, or all would ask the same.
                pool.submit(self._ask, client, i * len(self._requests) // count)
                for i, client in enumerate(self._clients)
            ]
            return [outcome for item in running for outcome in item.result()]

    def _connected(self) -> serving_client.Client:
        client = serving_client.Client(
            self._load.server,
            model=self._load.model,
            protocol=self._load.protocol,
            max_attempts=1,  # Every failure is seen.
        )
        client.predict(self._requests[0].inputs, self._load.signature)
        return client

    def _ask(
        self, client: serving_client.Client, position: int
    ) -> list[Outcome]:
        outcomes = []
        while not self._stopped.is_set():
            started = time.monotonic()
            request = self._requests[position % len(self._requests)]
            position += 1
            answer, error = {}, ""
            try:
                answer = client.predict(request.inputs, self._load.signature)
            except (ValueError, request_errors.RequestError) as failure:
                error = f"{type(failure).__name__}: {failure}"
            seconds = time.monotonic() - started
            version = -1
            if not error:
                version = find_version(
                    answer, request.answers, self._load.tolerance
                )
            outcomes.append(Outcome(started, seconds, version, error))
        return outcomes


def find_version(
    answer: Arrays, answers: Sequence[Arrays], tolerance: float
) -> int:
    """The first version with that answer, counted from 0; -1 if none has it."""
    for version, expected in enumerate(answers):
        if is_same(answer, expected, tolerance):
            return version
    return -1


def is_same(one: Arrays, other: Arrays, tolerance: float) -> bool:
    """Whether two answers say the same.

    They may be padded to different lengths, as by a server that puts requests
    together: what only one of them has must be 0 or empty.

    Args:
        one: outputs by name, strings as objects.
        other: likewise.
        tolerance: largest difference of floating-point numbers.
    """
    return one.keys() == other.keys() and all(
        _is_same_array(one[name], other[name], tolerance) for name in one
    )


def _is_same_array(one: np.ndarray, other: np.ndarray, tolerance: float):
    if one.ndim != other.ndim or one.dtype != other.dtype:
        return False
    if one.shape != other.shape:
        if len(one) != len(other):
            return False
        shape = np.maximum(one.shape, other.shape)
        one, other = _padded(one, shape), _padded(other, shape)
    if np.issubdtype(one.dtype, np.floating):
        # Not a number is like no number.
        return bool(np.all(np.abs(one - other) <= tolerance))
    return bool(np.all(one == other))


def _padded(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    padded = np.full(shape, "" if array.dtype == object else 0, array.dtype)
    padded[tuple(slice(size) for size in array.shape)] = array
    return padded
