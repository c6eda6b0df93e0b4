"""The two kinds of work of a build: parts of a corpus, and record files.

First each part of the corpus becomes examples, kept by the file of the output
that they will be in. Then the examples of each file are put in their order and
written. Both can be done anywhere and in any order, and again after a crash.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
import dataclasses
import functools
import itertools
import json
import os
import socket
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data_prep import build_plan
from data_prep import corpora
from data_prep import examples as examples_lib
from data_prep import work_folder
from electra_tf import model_folder
from electra_tf import records
from electra_tf import tokenization

# Tokens that are sorted at once: 32 MB, and twice that while it is done.
_RUN_TOKENS = 8_000_000
_CHUNK = 4096


class Build(NamedTuple):
    """A build, as each process that works on it knows it."""

    work: work_folder.WorkFolder
    plan: build_plan.Plan
    maker: examples_lib.ExampleMaker


@functools.lru_cache(maxsize=1)
def load(path: str) -> Build:
    """The build whose unfinished work is in a folder."""
    work = work_folder.WorkFolder(path)
    plan = work.load_plan()
    maker = examples_lib.ExampleMaker(
        tokenizer=tokenization.Tokenizer.load(work.path),
        options=plan.config,
        seed=plan.config.seed,
        eval_fraction=plan.config.eval_fraction,
    )
    return Build(work, plan, maker)


def use_one_thread() -> None:
    """For a process of many, one for each core."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def read_text(path: str, number: int, tell: Callable[[int], None]) -> None:
    """Turns a part of the corpus into runs of examples, and reports on it.

    Args:
        path: The folder of the build.
        number: Of the task.
        tell: Is told how many bytes were read.
    """
    build = load(path)
    with clear_errors():
        for run_number, run in enumerate(task_runs(build, number, tell)):
            _write_run(build.work, build.work.run(number, run_number), run)


def write_file(path: str, number: int, tell: Callable[[int], None]) -> None:
    """Writes a record file from the runs of all units, and reports on it."""
    build = load(path)
    with clear_errors():
        parts = (_read_run(run, number) for run in _runs(path))
        write_records(build, number, parts)
    tell(1)


@functools.lru_cache(maxsize=1)
def _runs(path: str) -> list[str]:
    """The files with examples of all parts of the corpus."""
    build = load(path)
    return [
        build.work.run(task, number)
        for task in range(len(build.plan.tasks))
        for number in range(
            model_folder.read_json(build.work.task_report(task))["runs"]
        )
    ]


def forget() -> None:
    """For another build in the same folder, in this process."""
    load.cache_clear()
    _runs.cache_clear()


def task_runs(
    build: Build, number: int, tell: Callable[[int], None] = lambda _: None
) -> Iterator[list[bytes]]:
    """Yields the examples of a task by file, some million tokens at a time.

    When all were taken it reports on the task.

    Yields:
        For each file of the output `Examples.to_bytes`, or nothing.
    """
    units = [build.plan.units[i] for i in build.plan.tasks[number]]
    stats = corpora.CorpusStats()
    counts = [examples_lib.Counts(), examples_lib.Counts()]
    pending, num_tokens, num_runs, told = [], 0, 0, 0
    documents = itertools.chain.from_iterable(
        corpora.read_unit(unit, build.plan.config, stats) for unit in units
    )
    weight = build.plan.weights[units[0].source]
    for parts in build.maker.batches(documents, weight):
        counts = [total + part.counts for total, part in zip(counts, parts)]
        pending.append([part.examples for part in parts])
        num_tokens += sum(len(part.examples.ids) for part in parts)
        tell(stats.bytes - told)
        told = stats.bytes
        if num_tokens >= _RUN_TOKENS:
            yield _divide(build.plan, pending)
            pending, num_tokens, num_runs = [], 0, num_runs + 1
    if pending:
        yield _divide(build.plan, pending)
        num_runs += 1
    tell(stats.bytes - told)
    report = {
        "runs": num_runs,
        "corpus": dataclasses.asdict(stats),
        "counts": [dataclasses.asdict(part) for part in counts],
    }
    _write(build.work, build.work.task_report(number), json.dumps(report))


def write_records(build: Build, number: int, parts: Iterable[bytes]) -> None:
    """Puts examples in their order, writes their file, and reports on it."""
    parts = [examples_lib.Examples.from_bytes(part) for part in parts if part]
    report = {"examples": 0, "repeated": 0, "lengths": []}
    path = os.path.join(build.work.data, build.plan.files[number])
    with _final_name(build.work, path) as temporary:
        with tf.io.TFRecordWriter(temporary) as file:
            if parts:
                examples = examples_lib.concatenate(parts).sorted()
                _write_examples(file, examples, build.plan.config)
                report = {
                    "examples": len(examples.lengths),
                    "repeated": examples.num_repeated,
                    "lengths": np.bincount(examples.lengths).tolist(),
                }
    _write(build.work, build.work.file_report(number), json.dumps(report))


@contextlib.contextmanager
def clear_errors():
    """Of TensorFlow's file system, such as a full disk."""
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(error.message) from error


def _divide(
    plan: build_plan.Plan, parts: list[list[examples_lib.Examples]]
) -> list[bytes]:
    """Sorts examples, and divides them by file: equal ranges of order keys."""
    divided = []
    for part, data_set in zip(zip(*parts), plan.parts):
        num_files = len(data_set.files)
        examples = examples_lib.concatenate(part).sorted()
        limits = [-(-(i << 64) // num_files) for i in range(1, num_files)]
        places = np.searchsorted(examples.orders, np.array(limits, np.uint64))
        places = [0, *places.tolist(), len(examples.orders)]
        divided += [
            examples[start:stop].to_bytes() if stop > start else b""
            for start, stop in itertools.pairwise(places)
        ]
    return divided


def _write_run(
    work: work_folder.WorkFolder, path: str, contents: list[bytes]
) -> None:
    """Writes where each file's part begins and ends, then the parts."""
    ends = np.cumsum([8 * (len(contents) + 1), *map(len, contents)])
    index = ends.astype(np.int64).tobytes()
    _write(work, path, b"".join([index, *contents]))


def _read_run(path: str, number: int) -> bytes:
    """The part of one file."""
    with tf.io.gfile.GFile(path, "rb") as file:
        file.seek(8 * number)
        start, end = np.frombuffer(file.read(16), np.int64).tolist()
        file.seek(start)
        return file.read(end - start)


def _write_examples(file, examples: examples_lib.Examples, config) -> None:
    for start in range(0, len(examples.lengths), _CHUNK):
        chunk = examples[start : start + _CHUNK]
        features = chunk.features(config.max_seq_length)
        for record in records.serialize_examples(features):
            file.write(record)


def _write(
    work: work_folder.WorkFolder, path: str, content: bytes | str
) -> None:
    with _final_name(work, path) as temporary:
        with tf.io.gfile.GFile(temporary, "wb") as file:
            file.write(content)


@contextlib.contextmanager
def _final_name(work: work_folder.WorkFolder, path: str):
    """A name to write to, of this process alone; it becomes the final one."""
    name = f"{os.path.basename(path)}.{socket.gethostname()}-{os.getpid()}.tmp"
    temporary = os.path.join(work.path, name)
    try:
        yield temporary
        tf.io.gfile.rename(temporary, path, overwrite=True)
    finally:
        if tf.io.gfile.exists(temporary):  # Not written, on a full disk.
            tf.io.gfile.remove(temporary)
