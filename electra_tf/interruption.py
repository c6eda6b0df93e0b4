"""Signals that ask a run to stop, and what a run answers them."""

import signal
import threading

from absl import logging

# EX_TEMPFAIL of sysexits.h: the same command again continues the run.
EXIT_CODE = 75

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(Exception):
    """A signal has stopped a run, of which everything is saved."""


class Signals:
    """Notes SIGTERM and SIGINT while it is entered, instead of ending.

    Only the first one: after it both do again what they did before, so that
    the second one ends the process at once. Python handles signals in the
    main thread; entered in another one, this notes none.

    Attributes:
        received: name of the signal that came, such as "SIGTERM"; or None.
    """

    def __init__(self):
        self.received = None
        self._earlier = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            self._earlier = {
                number: signal.signal(number, self._note) for number in _SIGNALS
            }
        return self

    def __exit__(self, *exception):
        self._restore()

    def _note(self, number, frame):
        self.received = signal.Signals(number).name
        self._restore()
        logging.warning(
            "%s: stopping after this step, with a checkpoint. A second signal "
            "ends the run at once.",
            self.received,
        )

    def _restore(self):
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._earlier = {}
