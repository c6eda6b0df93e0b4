r"""Measures how fast text becomes records, and how much memory that takes.

    python -m benchmarks.measure_data_prep --corpus=TEXT \
        --vocab_file=vocab.txt

Every build is a process of its own, `data_prep.build_pretraining_data`; the
numbers of processes take turns, and medians are shown. "Build" is the time
from the first look at the corpus to the published data set; "program" is the
whole process, with Python and TensorFlow that start. Memory is the largest sum
of the proportional set sizes of all processes, looked at ten times a second.
Nothing is kept but a line in --results.
"""

from collections.abc import Sequence
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from absl import app
from absl import flags
import psutil

from benchmarks import results_file

_CORPUS = flags.DEFINE_multi_string(
    "corpus", None, "As of build_pretraining_data.", required=True
)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Vocabulary.", required=True
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length", 128, "Tokens an example."
)
_NUM_PROCESSES = flags.DEFINE_multi_integer(
    "num_processes", [1, 2], "Processes that work; may be repeated."
)
_REPEATS = flags.DEFINE_integer(
    "repeats", 3, "Builds for each number of processes.", lower_bound=1
)
_BUILD_FLAGS = flags.DEFINE_multi_string(
    "build_flag", [], "Further flag of the builds; may be repeated."
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)

_CORPUS_MEGABYTES = re.compile(r"corpus: ([\d.]+) MB")
_BUILD_SECONDS = re.compile(r"made in ([\d.]+) s")
_NUM_EXAMPLES = re.compile(r"train: .* ([\d,]+) examples")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    runs = {count: [] for count in _NUM_PROCESSES.value}
    for turn in range(_REPEATS.value):
        for count in runs:
            run = _measure(count)
            runs[count].append(run)
            print(
                f"turn {turn + 1}/{_REPEATS.value} | {count} processes | "
                f"build {run['build_seconds']:.1f} s | program "
                f"{run['program_seconds']:.1f} s",
                flush=True,
            )
    figures = {count: _medians(runs[count]) for count in runs}
    _print_table(figures)
    results_file.append(_RESULTS.value, "data_prep", figures)


def _measure(num_processes: int) -> dict[str, float]:
    """One build."""
    directory = tempfile.mkdtemp()
    command = [
        *(sys.executable, "-m", "data_prep.build_pretraining_data"),
        *(f"--corpus={source}" for source in _CORPUS.value),
        f"--vocab_file={_VOCAB_FILE.value}",
        f"--max_seq_length={_MAX_SEQ_LENGTH.value}",
        f"--num_processes={num_processes}",
        f"--output_dir={os.path.join(directory, 'data')}",
        *_BUILD_FLAGS.value,
    ]
    try:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        memory = _watch(process)
        seconds = time.monotonic() - start
        output = process.stdout.read()
    finally:
        shutil.rmtree(directory)
    if process.returncode:
        sys.exit(f"The build failed with exit code {process.returncode}.")
    megabytes = float(_CORPUS_MEGABYTES.search(output)[1])
    build_seconds = float(_BUILD_SECONDS.search(output)[1])
    examples = int(_NUM_EXAMPLES.search(output)[1].replace(",", ""))
    return {
        "megabytes": megabytes,
        "examples": examples,
        "build_seconds": build_seconds,
        "program_seconds": seconds,
        "build_megabytes_per_second": megabytes / build_seconds,
        "program_megabytes_per_second": megabytes / seconds,
        "examples_per_second": examples / build_seconds,
        "memory_megabytes": memory,
    }


def _watch(process: subprocess.Popen) -> float:
    """Waits for the end; the most memory of it and what it started, in MB."""
    most, root = 0, psutil.Process(process.pid)
    while process.poll() is None:
        try:
            tree = [root, *root.children(recursive=True)]
            most = max(most, sum(p.memory_full_info().pss for p in tree))
        except psutil.Error:  # One of them has just ended.
            pass
        time.sleep(0.1)
    return most / 1e6


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {
        name: statistics.median(run[name] for run in runs) for name in runs[0]
    }


def _print_table(figures: dict[int, dict[str, float]]) -> None:
    machine = results_file.machine()
    print(f"\n{machine['processor']}, {machine['cores']} cores")
    print(
        f"{'processes':>9}{'corpus':>10}{'build':>9}{'program':>9}"
        f"{'build':>12}{'program':>12}{'examples':>11}{'memory':>10}"
    )
    print(
        f"{'':>9}{'MB':>10}{'s':>9}{'s':>9}{'MB/s':>12}{'MB/s':>12}"
        f"{'/s':>11}{'MB':>10}"
    )
    for count, row in figures.items():
        print(
            f"{count:>9}{row['megabytes']:>10.1f}{row['build_seconds']:>9.1f}"
            f"{row['program_seconds']:>9.1f}"
            f"{row['build_megabytes_per_second']:>12.2f}"
            f"{row['program_megabytes_per_second']:>12.2f}"
            f"{row['examples_per_second']:>11,.0f}"
            f"{row['memory_megabytes']:>10,.0f}"
        )


if __name__ == "__main__":
    app.run(main)
