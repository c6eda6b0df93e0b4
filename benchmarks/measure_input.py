r"""Measures whether the input pipeline can feed an accelerator.

    python -m benchmarks.measure_input --batch_sizes=32,128,1024

Reads batches of `electra_tf.input_pipeline.train_dataset` as fast as they
come, from the beginning and from a late step, where a run that stopped goes
on. The data is random and made for it, or that of --data_dir; it is read from
memory if the system keeps files there, so it is not a disk that is measured.
"MB/s" are those of the files. "Cores" are how many the pipeline would keep
busy at the rate of the target, while the accelerator computes. Each row is
made in a process of its own, whose peak memory it shows, and what of it was
added to Python and TensorFlow. It needs a machine that does nothing else.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import tempfile
from typing import Any

from absl import flags

from benchmarks import idle_machine
from benchmarks import other_process
from benchmarks import random_records
from benchmarks import results_file
from electra_tf import dataset_info
from electra_tf import program

_DATA_DIR = flags.DEFINE_multi_string(
    "data_dir", [], "Folder with records, instead of random ones; repeatable."
)
_NUM_FOLDERS = flags.DEFINE_integer(
    "num_folders", 1, "Of random examples, which are mixed.", lower_bound=1
)
_NUM_EXAMPLES = flags.DEFINE_integer(
    "num_examples", 262_144, "Random ones, in all folders.", lower_bound=1
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length", 128, "Tokens of a random example.", lower_bound=2
)
_BATCH_SIZES = flags.DEFINE_list(
    "batch_sizes", ["32", "128", "1024"], "Examples a batch."
)
_START_STEPS = flags.DEFINE_list(
    "start_steps", ["0", "1000000"], "Steps that a run begins at."
)
_NUM_READ = flags.DEFINE_integer(
    "num_read",
    262_144,
    "Examples to read after the first batch; the pipeline reads ahead, so "
    "there should be several times 65,536.",
    lower_bound=1,
)
_TURNS = flags.DEFINE_integer(
    "turns", 3, "Readings of each row; medians are shown.", lower_bound=1
)
_TARGET = flags.DEFINE_integer(
    "examples_per_s", 10_000, "What an accelerator takes.", lower_bound=1
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)

# How the figures of a row are shown.
_COLUMNS = {
    "batch": "{batch_size:,d}",
    "first step": "{start_step:,d}",
    "first batch, s": "{first_batch_s:.2f}",
    "examples/s": "{examples_per_s:,.0f}",
    "times the target": "{times_target:.2f}",
    "MB/s": "{mb_per_s:,.1f}",
    "cores": "{cores_at_target:.2f}",
    "memory, GB": "{peak_memory_gb:.2f}",
    "added, GB": "{added_memory_gb:.2f}",
}


def main():
    sizes = _numbers(_BATCH_SIZES, lowest=1)
    steps = _numbers(_START_STEPS, lowest=0)
    load = idle_machine.warn_if_busy()
    with contextlib.ExitStack() as stack:
        data_dirs = _data_dirs(stack)
        infos = [dataset_info.load(data_dir) for data_dir in data_dirs]
        data = {
            "num_folders": len(infos),
            "max_seq_length": infos[0].max_seq_length,
            "num_examples": sum(info.num_examples for info in infos),
            "megabytes": random_records.num_bytes(data_dirs) / 1e6,
        }
        print(
            f"{data['num_examples']:,} examples of {data['max_seq_length']} "
            f"tokens, {data['megabytes']:.1f} MB, folders: {len(infos)}",
            flush=True,
        )
        rows = [
            _measure(data_dirs, data, batch_size=size, start_step=step)
            for size in sizes
            for step in steps
        ]
    print(_table(rows))
    figures = {"load_before": load, "target_examples_per_s": _TARGET.value}
    results_file.append(
        _RESULTS.value, "input", figures | data | {"rows": rows}
    )


def _numbers(flag: flags.FlagHolder, *, lowest: int) -> list[int]:
    values = [int(v) if v.isdecimal() else -1 for v in flag.value]
    if not values or min(values) < lowest:
        raise ValueError(
            f"--{flag.name} must be whole numbers of at least {lowest}, got "
            f"{','.join(flag.value)!r}."
        )
    return values


def _data_dirs(stack: contextlib.ExitStack) -> list[str]:
    """The folders given, or random ones that the stack deletes."""
    if not _DATA_DIR.value:
        return random_records.write(
            stack.enter_context(tempfile.TemporaryDirectory()),
            num_folders=_NUM_FOLDERS.value,
            num_examples=_NUM_EXAMPLES.value,
            max_seq_length=_MAX_SEQ_LENGTH.value,
        )
    for flag in (_NUM_FOLDERS, _NUM_EXAMPLES, _MAX_SEQ_LENGTH):
        if flag.present:
            raise ValueError(
                f"--{flag.name} is of random data, and --data_dir has been "
                "given. Leave one of them out."
            )
    return _DATA_DIR.value


def _measure(
    data_dirs: Sequence[str],
    data: Mapping[str, Any],
    *,
    batch_size: int,
    start_step: int,
) -> dict[str, float]:
    row = other_process.call(
        "benchmarks.input_reader:measure",
        data_dirs,
        batch_size=batch_size,
        start_step=start_step,
        num_batches=-(-_NUM_READ.value // batch_size),
        turns=_TURNS.value,
    )
    rate = row["examples_per_s"]
    return row | {
        "times_target": rate / _TARGET.value,
        "mb_per_s": rate * data["megabytes"] / data["num_examples"],
        "cores_at_target": _TARGET.value * row["cpu_us_per_example"] / 1e6,
    }


def _table(rows: Sequence[Mapping[str, float]]) -> str:
    """As Markdown."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|" + "--:|" * len(_COLUMNS)]
    for row in rows:
        cells = [form.format(**row) for form in _COLUMNS.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    program.run(main)
