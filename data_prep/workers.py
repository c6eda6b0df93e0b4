"""Numbered tasks, shared out among this process and others.

This process works too, and others join as soon as they are ready: importing
TensorFlow takes them seconds, in which most small jobs are done. No
TensorFlow is imported here, so that they can be started before it is.
"""

from collections.abc import Callable
from collections.abc import Sequence
import multiprocessing
from multiprocessing import forkserver
import os
import signal
import threading
import time

# What a task is called with: its number, and a function that it may tell how
# much it has done since it told last.
Task = Callable[[int, Callable[[int], None]], None]

_SECONDS_BETWEEN_LOOKS = 0.1


def num_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Not everywhere.
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(modules: Sequence[str]) -> None:
    """Starts to import modules for later processes, in the background."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([*modules])
    forkserver.ensure_running()


def run(
    task: Task,
    numbers: Sequence[int],
    *,
    num_processes: int,
    start_process: Callable[[], None] | None = None,
    on_progress: Callable[[int], None] = lambda amount: None,
) -> None:
    """Does the tasks of all numbers; returns when they are done.

    Args:
        task: A function of a module, which other processes can import.
        numbers: What it is called with, each once.
        num_processes: How many processes work, this one among them.
        start_process: Is called once in each of the others.
        on_progress: Is called now and then, with how much the tasks told.

    Raises:
        ValueError: A task raised it, or OSError, in another process.
        ChildProcessError: Another process ended unexpectedly.
    """
    context = multiprocessing.get_context("forkserver")
    state = _State(context, num_processes)

    def tell(amount: int) -> None:
        state.add(amount)
        on_progress(state.amount.value)

    processes = [
        context.Process(
            target=_work,
            args=(task, numbers, state, slot, start_process),
            daemon=True,
        )
        for slot in range(1, min(num_processes, len(numbers)))
    ]
    try:
        for process in processes:
            process.start()
        while (index := state.take(len(numbers), slot=0)) is not None:
            task(numbers[index], tell)
            tell(0)
            state.check(processes)
        while state.is_busy():
            state.check(processes)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            tell(0)
        state.check(processes)
    finally:
        for process in processes:
            process.terminate()


class _State:
    """What the processes share."""

    def __init__(self, context, num_processes: int):
        self.next = context.Value("q", 0)
        self.amount = context.Value("q", 0)
        # Which processes have a task now; this one comes first.
        self._busy = context.Array("b", num_processes, lock=False)
        self.errors = context.SimpleQueue()

    def take(self, count: int, *, slot: int) -> int | None:
        """The next task of this process; None if there are no more."""
        with self.next.get_lock():
            index = self.next.value
            self._busy[slot] = index < count
            if index >= count:
                return None
            self.next.value += 1
            return index

    def add(self, amount: int) -> None:
        with self.amount.get_lock():
            self.amount.value += amount

    def is_busy(self) -> bool:
        """Whether any process has a task, when there are no new ones."""
        with self.next.get_lock():
            return any(self._busy)

    def check(self, processes) -> None:
        """Raises what another process raised, or if it was killed."""
        if not self.errors.empty():
            raise ValueError(self.errors.get())
        for process in processes:
            if process.exitcode:
                raise ChildProcessError(
                    f"A process of {len(processes) + 1} ended with exit code "
                    f"{process.exitcode}; -9 is often a lack of memory. Start "
                    "the same command again to go on, perhaps with fewer "
                    "processes."
                )


def _work(task: Task, numbers, state: _State, slot: int, start_process):
    """What another process does."""
    # Ctrl-C reaches all processes; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if start_process is not None:
        start_process()
    while (index := state.take(len(numbers), slot=slot)) is not None:
        try:
            task(numbers[index], state.add)
        except (ValueError, OSError) as error:
            state.errors.put(str(error))
            return


def _die_with_parent():
    """Or a killed build's processes would meet those of the next one."""
    multiprocessing.parent_process().join()
    os._exit(1)
