r"""Trains in several precisions and compares the curves with float32.

    python -m benchmarks.compare_precision --data_dir=DATA \
        --eval_data_dir=DATA/eval --output_dir=RUNS

Every run is `electra_tf.run_pretraining` in a process of its own, with the same
seed, so that initial weights, data and masks are the same, too. A run that was
stopped goes on when the same command is repeated, and one that is complete is
not repeated. The exit code is 1 if the total loss, averaged over the last
quarter of the steps, is further from float32's than --max_loss_difference.
"""

import os
import subprocess
import sys

from absl import app
from absl import flags

from benchmarks import precision_curves
from benchmarks import results_file

_PRESET = flags.DEFINE_string("preset", "tiny", "Of run_pretraining.")
_DATA_DIR = flags.DEFINE_multi_string(
    "data_dir", None, "Folder of training records.", required=True
)
_EVAL_DATA_DIR = flags.DEFINE_string(
    "eval_data_dir", None, "Folder of held-out records.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Gets a model folder for each run.", required=True
)
_PRECISIONS = flags.DEFINE_list(
    "precisions", ["float32", "bfloat16", "float16"], "With float32."
)
_NUM_STEPS = flags.DEFINE_integer(
    "num_steps", 2000, "Steps of each run.", lower_bound=4
)
_LOG_STEPS = flags.DEFINE_integer(
    "log_steps", 20, "Steps that a point of a curve is the mean of."
)
_SMOOTHED_STEPS = flags.DEFINE_integer(
    "smoothed_steps", 100, "Steps whose mean is compared and drawn."
)
_MAX_LOSS_DIFFERENCE = flags.DEFINE_float(
    "max_loss_difference", 0.02, "Of the total loss, as a share of float32's."
)
_TRAIN_FLAGS = flags.DEFINE_multi_string(
    "train_flag", [], "Further flag of the runs; may be repeated."
)
_PLOT = flags.DEFINE_string(
    "plot", None, "PNG to draw; by default precision.png in --output_dir."
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    if precision_curves.REFERENCE not in _PRECISIONS.value:
        raise app.UsageError(
            f"--precisions must have {precision_curves.REFERENCE}."
        )
    for precision in _PRECISIONS.value:
        _train(precision)
    runs = {
        name: precision_curves.read(
            os.path.join(_OUTPUT_DIR.value, name, "metrics.jsonl")
        )
        for name in _PRECISIONS.value
    }
    smoothed = dict(smoothed_steps=_SMOOTHED_STEPS.value)
    reference = runs[precision_curves.REFERENCE]
    figures = {
        name: precision_curves.compare(run, reference, **smoothed)
        for name, run in runs.items()
    }
    _print_table(figures)
    path = _PLOT.value or os.path.join(_OUTPUT_DIR.value, "precision.png")
    precision_curves.draw(runs, path, **smoothed)
    print(f"Curves: {path}")
    results_file.append(_RESULTS.value, "precision", figures)
    bound = _MAX_LOSS_DIFFERENCE.value
    wrong = [n for n, f in figures.items() if abs(f["last_quarter"]) > bound]
    if wrong:
        sys.exit(f"Further than {bound:.2%} from float32: {', '.join(wrong)}.")


def _train(precision: str) -> None:
    """Trains to the end, unless that was done before."""
    command = [
        *(sys.executable, "-m", "electra_tf.run_pretraining"),
        f"--preset={_PRESET.value}",
        *(f"--data_dir={directory}" for directory in _DATA_DIR.value),
        f"--eval_data_dir={_EVAL_DATA_DIR.value}",
        f"--model_dir={os.path.join(_OUTPUT_DIR.value, precision)}",
        f"--precision={precision}",
        f"--num_train_steps={_NUM_STEPS.value}",
        f"--log_steps={_LOG_STEPS.value}",
        *_TRAIN_FLAGS.value,
    ]
    print(" ".join(command[1:]), flush=True)
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(f"The run in {precision} ended with exit code {code}.")


def _print_table(figures: dict[str, dict[str, float]]) -> None:
    """As Markdown."""
    print(
        "\n| precision | metric | mean difference | largest | held out, in the "
        "end |\n|---|---|--:|--:|--:|"
    )
    for precision, row in figures.items():
        for metric, is_share in precision_curves.METRICS.items():
            mean, largest, held_out = (
                row[f"{metric}_{kind}"]
                for kind in ("mean", "largest", "held_out")
            )
            form = ".3%" if is_share else ".5f"
            print(
                f"| {precision} | {metric} | {mean:{form}} | {largest:{form}} "
                f"| {held_out:.4f} |"
            )
    for precision, row in figures.items():
        print(
            f"Loss of the last quarter, {precision}: "
            f"{row['last_quarter']:+.3%} from {precision_curves.REFERENCE}"
        )


if __name__ == "__main__":
    app.run(main)
