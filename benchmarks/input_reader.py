"""Reads batches of a data set as a training run does, and measures it."""

from collections.abc import Sequence
import dataclasses
import gc
import statistics
import time

from benchmarks import process_memory
from electra_tf import input_pipeline
from electra_tf import records


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What one reading of a data set took.

    Attributes:
        first_batch_s: Seconds from the call that makes the data set to its
            first batch.
        seconds: Of all batches after the first.
        cpu_seconds: Of all threads of the process, for the same.
    """

    first_batch_s: float
    seconds: float
    cpu_seconds: float


def measure(
    data_dirs: Sequence[str],
    *,
    batch_size: int,
    start_step: int,
    num_batches: int,
    turns: int,
) -> dict[str, float]:
    """A row of the table; it must be alone in its process.

    Args:
        data_dirs: folders with the records.
        batch_size: examples a batch.
        start_step: that the run goes on at.
        num_batches: to read after the first one.
        turns: how often to begin anew.

    Returns:
        Medians of the turns; of the memory what the first one took.
    """
    before = process_memory.peak_gb()
    readings = []
    for _ in range(turns):
        with records.plain_errors():
            reading = read(
                data_dirs,
                batch_size=batch_size,
                start_step=start_step,
                num_batches=num_batches,
            )
        readings.append(reading)
        if len(readings) == 1:
            # A run makes one data set; further ones would add to the peak.
            peak = process_memory.peak_gb()
        gc.collect()
    return {
        "batch_size": batch_size,
        "start_step": start_step,
        "peak_memory_gb": peak,
        "added_memory_gb": peak - before,
    } | summary(readings, num_examples=num_batches * batch_size)


def read(
    data_dirs: Sequence[str],
    *,
    batch_size: int,
    start_step: int,
    num_batches: int,
) -> Reading:
    """Makes the data set and takes batches as fast as they come."""
    start = time.monotonic()
    dataset = input_pipeline.train_dataset(
        data_dirs, batch_size=batch_size, seed=0, start_step=start_step
    )
    iterator = iter(dataset)
    next(iterator)
    first = time.monotonic()
    cpu_start = time.process_time()
    for _ in range(num_batches):
        next(iterator)
    return Reading(
        first_batch_s=first - start,
        seconds=time.monotonic() - first,
        cpu_seconds=time.process_time() - cpu_start,
    )


def summary(
    readings: Sequence[Reading], *, num_examples: int
) -> dict[str, float]:
    """Medians of readings.

    Args:
        readings: of the same work.
        num_examples: of all batches after the first.
    """
    cpu = statistics.median(reading.cpu_seconds for reading in readings)
    return {
        "first_batch_s": statistics.median(
            reading.first_batch_s for reading in readings
        ),
        "examples_per_s": num_examples
        / statistics.median(reading.seconds for reading in readings),
        "cpu_us_per_example": 1e6 * cpu / num_examples,
    }
