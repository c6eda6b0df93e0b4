"""One trial of a server: clients that ask it, and a new version halfway."""

from collections.abc import Callable
from collections.abc import Sequence
import contextlib
import time

from benchmarks import other_process
from benchmarks import serving_load
from benchmarks import serving_outcomes


def run(
    load: serving_load.Load,
    requests: Sequence[serving_load.Request],
    *,
    duration_s: float,
    num_processes: int = 1,
    swap: Callable[[], float] | None = None,
) -> serving_outcomes.Figures:
    """Asks a server from other processes.

    Args:
        load: what all clients do together.
        requests: what they ask.
        duration_s: for how long.
        num_processes: that the clients are divided among.
        swap: is called halfway, and adds to the duration; returns the time
            after which only the second version may answer.
    """
    stopped = other_process.event()
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                other_process.OtherProcess(
                    "benchmarks.serving_load:Clients",
                    load._replace(num_clients=count),
                    requests,
                    stopped,
                )
            )
            for count in shares(load.num_clients, num_processes)
        ]
        for process in processes:
            process.wait_until_made()
        print(f"{load.protocol}: {load.num_clients} clients ask.", flush=True)
        for process in processes:
            process.start("run")
        try:
            swapped = _wait(duration_s, swap)
        finally:
            stopped.set()
        outcomes = [o for process in processes for o in process.result()]
    batch_size = len(next(iter(requests[0].inputs.values())))
    return serving_outcomes.summary(
        outcomes, batch_size=batch_size, swapped=swapped
    )


def _wait(duration_s: float, swap: Callable[[], float] | None) -> float | None:
    """Returns what `swap` does, after the whole time."""
    if swap is None:
        time.sleep(duration_s)
        return None
    time.sleep(duration_s / 2)
    started = time.monotonic()
    swapped = swap()
    print(
        f"The second version is served after {swapped - started:.1f} s.",
        flush=True,
    )
    time.sleep(duration_s / 2)
    return swapped


def shares(count: int, num_processes: int) -> list[int]:
    """How many of `count` clients each process gets, at least one."""
    num_processes = min(num_processes, count)
    return [(count + i) // num_processes for i in range(num_processes)]
