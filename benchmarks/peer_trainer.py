"""What trainers of all peers share: how their steps are timed."""

import abc
import time

from benchmarks import process_memory


class PeerTrainer(abc.ABC):
    """Something that trains, alone in its process, as `own_trainer` is."""

    _newest_loss: float

    def first_step(self) -> float:
        """Seconds of making the model and one step.

        What is imported by then does not count.
        """
        start = time.monotonic()
        self._make()
        self._newest_loss = self._step()
        return time.monotonic() - start

    def run(self, num_steps: int) -> list[float]:
        """Seconds of each of some further steps."""
        seconds = []
        for _ in range(num_steps):
            start = time.monotonic()
            self._newest_loss = self._step()
            seconds.append(time.monotonic() - start)
        return seconds

    def loss(self) -> float:
        """Of the newest step."""
        return self._newest_loss

    def peak_memory_gb(self) -> float:
        """Of this process, so far."""
        return process_memory.peak_gb()

    @abc.abstractmethod
    def num_parameters(self) -> int:
        """Numbers that are learned; what networks share counts once."""

    @abc.abstractmethod
    def _make(self):
        """Makes model and optimizer."""

    @abc.abstractmethod
    def _step(self) -> float:
        """Trains on the next batch; returns its loss."""
