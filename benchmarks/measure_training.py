r"""Measures training steps: how fast, how near the machine's limit, and where.

    python -m benchmarks.measure_training --preset=small --batch_size=32

Examples are random tokens of full length, in memory. FLOPs are those of the
model's matrix products, forward and twice that backward, and the ceiling is
the best product of matrices of the same process, before the steps or after
them. By phase: "input" is the pipeline of the stage alone, which works beside
the step; "forward" has masks, dropout and loss; "backward" and "optimizer"
(clipping and metrics, too) are differences of functions that contain the phase
before. Memory is that of the process; the first step counts from imported
modules on, and makes the model. It needs a machine that does nothing else.
"""

from typing import Any

from absl import flags

from benchmarks import idle_machine
from benchmarks import other_process
from benchmarks import results_file
from benchmarks import trainer_settings
from benchmarks import training_figures
from electra_tf import program

_STAGE = flags.DEFINE_enum(
    "stage",
    "pretraining",
    ["pretraining", "finetuning"],
    "Fine-tuning is that of a classifier of one text.",
)
_PRESET = flags.DEFINE_string("preset", "small", "Sizes of the model.")
_PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "bfloat16", "float16"],
    "Of products of matrices.",
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", 32, "Of all devices together.", lower_bound=1
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer(
    "max_seq_length", 128, "Tokens of all examples.", lower_bound=2
)
_JIT_COMPILE = flags.DEFINE_boolean(
    "jit_compile", None, "XLA for the whole step; by default if it is faster."
)
_NUM_DEVICES = flags.DEFINE_integer(
    "num_devices",
    1,
    "Devices that share a batch (MirroredStrategy): GPUs, or else logical "
    "ones of the CPU, which share its cores.",
    lower_bound=1,
)
_THREADS = flags.DEFINE_integer(
    "threads", None, "By default as many as cores.", lower_bound=1
)
_STEPS = flags.DEFINE_integer(
    "steps", 20, "That are measured; the median counts.", lower_bound=1
)
_WARMUP_STEPS = flags.DEFINE_integer(
    "warmup_steps", 2, "After the first, before those.", lower_bound=0
)
_PHASE_TURNS = flags.DEFINE_integer(
    "phase_turns",
    5,
    "How often each phase is measured; 0 for not at all. They need one device.",
    lower_bound=0,
)
_PROFILE_DIR = flags.DEFINE_string(
    "profile_dir", None, "Gets a profile of some steps, for TensorBoard."
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)

_PROFILED_STEPS = 3
_NUM_OPERATIONS = 15


def main():
    if _PHASE_TURNS.value and _NUM_DEVICES.value > 1:
        raise ValueError(
            f"Phases are measured on one device; with --num_devices="
            f"{_NUM_DEVICES.value} give --phase_turns=0."
        )
    settings = trainer_settings.TrainerSettings(
        preset=_PRESET.value,
        precision=_PRECISION.value,
        batch_size=_BATCH_SIZE.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        jit_compile=_JIT_COMPILE.value,
        num_threads=_THREADS.value,
    )
    load = idle_machine.warn_if_busy()
    with other_process.OtherProcess(
        "benchmarks.own_trainer:OwnTrainer",
        settings,
        _STAGE.value,
        _NUM_DEVICES.value,
    ) as trainer:
        trainer.wait_until_made()
        row = _measure(trainer, settings)
        print(training_figures.table([row]), flush=True)
        if _PHASE_TURNS.value:
            row["phases"] = training_figures.phases(
                trainer.call("phases", _PHASE_TURNS.value)
            )
            print("\n" + training_figures.phase_table(row["phases"]))
        if _PROFILE_DIR.value:
            row["operations"] = _profile(trainer)
    results_file.append(_RESULTS.value, "training", {"load_before": load} | row)


def _measure(
    trainer: other_process.OtherProcess,
    settings: trainer_settings.TrainerSettings,
) -> dict[str, Any]:
    """A row of the table, with what was computed."""
    first_step_s = trainer.call("first_step")
    before = trainer.call("ceiling")
    trainer.call("run", _WARMUP_STEPS.value)
    seconds = trainer.call("run", _STEPS.value)
    training_figures.check_finite(trainer.call("loss"))
    memory = trainer.call("peak_memory_gb")
    after = trainer.call("ceiling")
    rates = training_figures.rates(settings, _STAGE.value, seconds)
    name = f"{_STAGE.value}, {_PRESET.value}, {_PRECISION.value}"
    return (
        {
            "name": name,
            "stage": _STAGE.value,
            "num_devices": _NUM_DEVICES.value,
            "num_parameters": trainer.call("num_parameters"),
            "first_step_s": first_step_s,
            "peak_memory_gb": memory,
        }
        | settings.figures()
        | rates
        | training_figures.share_of_ceiling(
            rates["gflops_per_s"], [before, after]
        )
    )


def _profile(trainer: other_process.OtherProcess) -> list[dict[str, Any]]:
    """The costliest kinds of operations of a step, which it prints, too."""
    trainer.call("profile", _PROFILE_DIR.value, _PROFILED_STEPS)
    # Here, because it imports TensorFlow.
    from benchmarks import step_profile

    costs = step_profile.costs(_PROFILE_DIR.value, _PROFILED_STEPS)
    print("\n" + step_profile.table(costs, _NUM_OPERATIONS))
    return [cost._asdict() for cost in costs[:_NUM_OPERATIONS]]


if __name__ == "__main__":
    program.run(main)
