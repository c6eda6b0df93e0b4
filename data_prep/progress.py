"""Log lines that say how far long work is."""

import datetime
import time

from absl import logging

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Logs how much is done, how fast it goes, and when it will end.

    Args:
        name: Of the work.
        total: How much there is to do; 0 if that is not known.
        unit: In what that is counted.
    """

    def __init__(self, name: str, *, total: float, unit: str):
        self._name = name
        self._total = total
        self._unit = unit
        self._start = self._last = time.monotonic()

    def __call__(self, done: float) -> None:
        """Logs a line, if the last one was ten seconds ago."""
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            logging.info("%s", self.line(done, now - self._start))

    def line(self, done: float, seconds: float) -> str:
        rate = done / seconds
        if not self._total:
            return (
                f"{self._name} | {done:,.0f} {self._unit} | "
                f"{rate:,.1f} {self._unit}/s"
            )
        left = max(0.0, self._total - done)
        eta = datetime.timedelta(seconds=round(left / rate)) if rate else "?"
        return (
            f"{self._name} | {done:,.0f}/{self._total:,.0f} {self._unit} | "
            f"{rate:,.1f} {self._unit}/s | ETA {eta}"
        )
