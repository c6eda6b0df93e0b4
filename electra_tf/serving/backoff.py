"""Asking again while a server is not available, within a deadline."""

from collections.abc import Callable
import itertools
import random
import time
from typing import TypeVar

from electra_tf.serving import request_errors

_Answer = TypeVar("_Answer")

FIRST_DELAY_S = 0.1
LARGEST_DELAY_S = 2.0


def call(
    attempt: Callable[[float], _Answer],
    *,
    timeout_s: float,
    max_attempts: int,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> _Answer:
    """What the first attempt that reaches an available server returns.

    Only `Unavailable` is tried again: any other error would come again, or
    would make a busy server busier.

    Args:
        attempt: is given the seconds that are left.
        timeout_s: seconds for all attempts and the pauses between them.
        max_attempts: the last attempt's error is raised.
        sleep: waits for so many seconds.
        clock: tells the time in seconds.

    Raises:
        request_errors.RequestError: what the last attempt raised.
    """
    started = clock()
    for number in itertools.count(1):
        try:
            return attempt(started + timeout_s - clock())
        except request_errors.Unavailable as error:
            pause = delay_s(number)
            passed = clock() - started
            if number >= max_attempts or passed + pause >= timeout_s:
                raise request_errors.Unavailable(
                    f"{error} Attempts: {number}, in {passed:.1f} s."
                ) from error
        sleep(pause)


def delay_s(number: int) -> float:
    """Seconds to wait after an attempt, counted from 1.

    They double from one attempt to the next. Up to a half is left out at
    random, so that many clients do not come back at the same moment.
    """
    longest = min(LARGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** (number - 1))
    return longest * random.uniform(0.5, 1.0)
