"""Large files through a SavedModel, shard by shard.

A shard appears under its name when it is complete. The same job in the same
folder makes those that are missing.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import datetime
import json
import os
import time
from typing import Any
from typing import NamedTuple

from absl import logging
import tensorflow as tf

from electra_tf.serving import answer_rows
from electra_tf.serving import batch_job
from electra_tf.serving import batch_sources
from electra_tf.serving import record_requests
from electra_tf.serving import replicated_model

_SECONDS_BETWEEN_LINES = 10.0


class Result(NamedTuple):
    """What was made.

    Attributes:
        paths: of all shards.
        num_made: shards that were made now, not in an earlier start.
        num_malformed: records that were left out of all shards.
    """

    paths: list[str]
    num_made: int
    num_malformed: int


class Progress:
    """Logs how many records are done, how fast it goes, and when it ends.

    Args:
        total: records to do.
        clock: tells the time in seconds.
    """

    def __init__(self, total: int, *, clock=time.monotonic):
        self._total = total
        self._clock = clock
        self._start = self._last = clock()

    def __call__(self, done: int, shards: str):
        """Logs a line, if the last one was ten seconds ago."""
        now = self._clock()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            logging.info("%s", self.line(done, shards))

    def line(self, done: int, shards: str) -> str:
        rate = done / max(self._clock() - self._start, 1e-9)
        seconds = round((self._total - done) / rate) if rate else 0
        eta = datetime.timedelta(seconds=seconds) if rate else "?"
        return (
            f"predict | record {done}/{self._total} | shard {shards} | "
            f"{rate:.1f} records/s | ETA {eta}"
        )


def run(
    job: batch_job.Job,
    output_dir: str,
    *,
    batch_size: int,
    strategy: tf.distribute.Strategy,
) -> Result:
    """Makes the shards that are missing.

    Args:
        job: what to make.
        output_dir: new, empty, or of an earlier start of the same job.
        batch_size: records that the model reads at once, on all devices
            together. It does not change the answers beyond rounding.
        strategy: the devices.

    Raises:
        ValueError: a record is malformed, or the folder is another job's.
    """
    batch_job.claim(output_dir, job)
    shards = range(job.num_shards)
    paths = [os.path.join(output_dir, job.shard_name(i)) for i in shards]
    missing = [i for i in shards if not tf.io.gfile.exists(paths[i])]
    if missing:
        model = replicated_model.ReplicatedModel(
            job.saved_model, signature=job.signature, strategy=strategy
        )
        sizes = [stop - start for start, stop in map(job.limits, missing)]
        progress = Progress(sum(sizes))
        for position, shard in enumerate(missing):
            _make_shard(
                model,
                job,
                output_dir,
                shard=shard,
                batch_size=batch_size,
                tell=_teller(progress, sum(sizes[:position]), job, shard),
            )
    num_malformed = sum(
        _num_lines(os.path.join(output_dir, job.malformed_name(i)))
        for i in shards
    )
    return Result(paths, len(missing), num_malformed)


def _teller(progress: Progress, earlier: int, job: batch_job.Job, shard: int):
    shards = f"{shard + 1}/{job.num_shards}"
    return lambda done: progress(earlier + done, shards)


def _make_shard(
    model: replicated_model.ReplicatedModel,
    job: batch_job.Job,
    output_dir: str,
    *,
    shard: int,
    batch_size: int,
    tell,
):
    """Writes a shard, and what was left out of it, if anything."""
    path = os.path.join(output_dir, job.shard_name(shard))
    start, stop = job.limits(shard)
    raw_records = batch_sources.read(
        job.sources, job.record_format, start=start, stop=stop
    )
    malformed = []
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write("")  # Otherwise a shard without answers had no file.
        for done, batch in _batches(
            raw_records, job, model.inputs, size=batch_size, malformed=malformed
        ):
            inputs = record_requests.collate(batch, model.inputs)
            for row in model.answer(inputs):
                answer = answer_rows.to_json(row)
                file.write(json.dumps(answer, ensure_ascii=False) + "\n")
            tell(done)
    malformed_path = os.path.join(output_dir, job.malformed_name(shard))
    if malformed:
        with tf.io.gfile.GFile(malformed_path, "w") as file:
            for problem in malformed:
                line = json.dumps({"error": problem}, ensure_ascii=False)
                file.write(line + "\n")
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def _batches(
    raw_records: Iterable[batch_sources.RawRecord],
    job: batch_job.Job,
    inputs: dict,
    *,
    size: int,
    malformed: list[str],
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yields batches of records, and how many raw ones were read so far.

    What is wrong with malformed records is added to `malformed`, if the job
    leaves them out; otherwise it is raised.
    """
    batch, done = [], 0
    for done, raw in enumerate(raw_records, start=1):
        try:
            record = batch_sources.parse(raw, job.record_format, inputs)
        except ValueError as error:
            if not job.skip_malformed:
                raise ValueError(
                    f"{error} With --skip_malformed such records are left out."
                ) from error
            malformed.append(str(error))
            continue
        if record is not None:
            batch.append(record)
        if len(batch) == size:
            yield done, batch
            batch = []
    if batch:
        yield done, batch


def _num_lines(path: str) -> int:
    if not tf.io.gfile.exists(path):
        return 0
    with tf.io.gfile.GFile(path) as file:
        return sum(1 for _ in file)
