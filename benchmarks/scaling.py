r"""Measures how the cost of pre-training grows with its size and its devices.

    python -m benchmarks.scaling --sections=lengths,depths --preset=small

One table a section: lengths (with as many tokens a batch), batch sizes,
depths, vocabularies, logical devices of one process, and workers, which are
processes that talk over the loopback device. Devices share the cores of the
machine, so they show what sharing a batch costs; each worker has its part of
the cores, the same one for any number of them. "Times cost" is that of an
example, compared with the first line of the table, and "times FLOPs" what
products of matrices let expect. Each line is made by a process of its own, or
as many as there are workers. It needs a machine that does nothing else.
"""

from collections.abc import Sequence
import contextlib

from absl import app
from absl import flags

from benchmarks import idle_machine
from benchmarks import loopback_workers
from benchmarks import other_process
from benchmarks import results_file
from benchmarks import scaling_points
from benchmarks import trainer_settings
from benchmarks import training_figures
from electra_tf import program

_SECTIONS = flags.DEFINE_list(
    "sections",
    list(scaling_points.SECTIONS),
    f"Of {', '.join(scaling_points.SECTIONS)}.",
)
_VALUES = {
    section: flags.DEFINE_list(section, values, f"Values of section {section}.")
    for section, values in (
        ("lengths", ["64", "128", "256", "512"]),
        ("batches", ["8", "16", "32", "64"]),
        ("depths", ["6", "12", "24"]),
        ("vocabularies", ["8000", "30522", "128000"]),
        ("devices", ["1", "2", "4"]),
        ("workers", ["1", "2"]),
    )
}
_PRESET = flags.DEFINE_string("preset", "small", "Sizes where none differs.")
_PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "bfloat16", "float16"],
    "Of products of matrices.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "Where it does not differ.", lower_bound=1
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length", 128, "Where it does not differ.", lower_bound=2
)
_THREADS = flags.DEFINE_integer(
    "threads", None, "By default as many as cores.", lower_bound=1
)
_STEPS = flags.DEFINE_integer(
    "steps", 5, "That are measured; the median counts.", lower_bound=1
)
_WARMUP_STEPS = flags.DEFINE_integer(
    "warmup_steps", 1, "After the first, before those.", lower_bound=0
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)


def main():
    base = trainer_settings.TrainerSettings(
        preset=_PRESET.value,
        precision=_PRECISION.value,
        batch_size=_BATCH_SIZE.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        num_threads=_THREADS.value,
    )
    # Before any of them is measured, which takes long.
    points = {
        section: scaling_points.points(section, base, _values(section))
        for section in _sections()
    }
    load = idle_machine.warn_if_busy()
    sections = {}
    for section, of_section in points.items():
        sections[section] = scaling_points.rows(
            [(point, _measure(point)) for point in of_section]
        )
        table = scaling_points.table(section, sections[section])
        print(f"\n{table}", flush=True)
    results_file.append(
        _RESULTS.value,
        "scaling",
        {"load_before": load} | base.figures() | {"sections": sections},
    )


def _sections() -> Sequence[str]:
    wrong = [s for s in _SECTIONS.value if s not in scaling_points.SECTIONS]
    if wrong or not _SECTIONS.value:
        raise app.UsageError(
            f"--sections are some of {', '.join(scaling_points.SECTIONS)}, "
            f"got {','.join(_SECTIONS.value)!r}."
        )
    return _SECTIONS.value


def _values(section: str) -> list[int]:
    given = _VALUES[section].value
    if not given or not all(v.isdecimal() and int(v) for v in given):
        raise app.UsageError(
            f"--{section} are numbers of 1 and above, got {','.join(given)!r}."
        )
    return [int(value) for value in given]


def _measure(point: scaling_points.Point) -> dict[str, float]:
    with contextlib.ExitStack() as stack:
        trainers = [
            stack.enter_context(
                other_process.OtherProcess(
                    "benchmarks.own_trainer:OwnTrainer",
                    point.settings,
                    "pretraining",
                    point.num_devices,
                    tf_config,
                )
            )
            for tf_config in loopback_workers.tf_configs(point.num_workers)
        ]
        for trainer in trainers:
            trainer.wait_until_made()
        first_step_s = max(_call_all(trainers, "first_step"))
        _call_all(trainers, "run", _WARMUP_STEPS.value)
        seconds = _call_all(trainers, "run", _STEPS.value)
        for loss in _call_all(trainers, "loss"):
            training_figures.check_finite(loss)
        memory = sum(_call_all(trainers, "peak_memory_gb"))
    # A step is done when the slowest worker has done it.
    slowest = [max(step) for step in zip(*seconds, strict=True)]
    rates = training_figures.rates(point.settings, "pretraining", slowest)
    return rates | {"peak_memory_gb": memory, "first_step_s": first_step_s}


def _call_all(
    trainers: Sequence[other_process.OtherProcess], method: str, *args
) -> list:
    """What all return, who work at the same time."""
    for trainer in trainers:
        trainer.start(method, *args)
    return [trainer.result() for trainer in trainers]


if __name__ == "__main__":
    program.run(main)
