r"""What pre-training is worth: tasks learned with and without it.

    python -m benchmarks.compare_with_scratch --init_checkpoint=MODEL \
        --data_dir=DATA --output_dir=RUNS --run=rte --run="chunk 1.0" \
        --run="squadv1 2.0 --max_seq_length=128 --doc_stride=64"

Each --run names a task, then, if not the paper's, the number of epochs, and
further flags of finetune.run_finetuning. It is fine-tuned in several trials
from the model, and from random weights in its shape, and a table in Markdown
compares the medians. A run that was stopped goes on when the same command is
repeated, and one that is complete is not repeated.
"""

import json
import os
import shlex
import subprocess
import sys

from absl import app
from absl import flags

from benchmarks import results_file

_INIT_CHECKPOINT = flags.DEFINE_string(
    "init_checkpoint", None, "Pre-trained model.", required=True
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder that holds the folders of tasks.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder for the runs.", required=True
)
_RUN = flags.DEFINE_multi_string(
    "run", None, "Task, epochs and further flags.", required=True
)
_NUM_TRIALS = flags.DEFINE_integer(
    "num_trials", 3, "Trials of each run.", lower_bound=1
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that gets a line."
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    rows = []
    print("| task | epochs | metric | pre-trained | from scratch |")
    print("|---|--:|---|--:|--:|")
    for run in _RUN.value:
        task, *rest = shlex.split(run)
        epochs = [] if not rest or rest[0].startswith("--") else rest[:1]
        options = rest[len(epochs) :]
        if epochs:
            options.append(f"--num_train_epochs={epochs[0]}")
        pretrained = _finetune(task, "pretrained", options)
        scratch = _finetune(task, "scratch", [*options, "--from_scratch"])
        label, metric = next(iter(pretrained["main_metrics"].items()))
        row = {"task": task, "options": options, "metric": metric}
        for name, results in (("pretrained", pretrained), ("scratch", scratch)):
            row[name] = [
                trial["metrics"][label][metric]
                for trial in results["trials"]
                if trial["metrics"]
            ]
        rows.append(row)
        print(
            f"| {task} | {epochs[0] if epochs else 'as in the paper'} "
            f"| {metric} | {_cell(row['pretrained'])} "
            f"| {_cell(row['scratch'])} |",
            flush=True,
        )
    results_file.append(_RESULTS.value, "compare_with_scratch", {"rows": rows})


def _finetune(task: str, name: str, options: list[str]) -> dict:
    """The results of a run, which is not repeated if it is complete."""
    output_dir = os.path.join(_OUTPUT_DIR.value, f"{task}_{name}")
    path = os.path.join(output_dir, "results.json")
    if not os.path.exists(path):
        os.makedirs(_OUTPUT_DIR.value, exist_ok=True)
        with open(f"{output_dir}.log", "a") as log:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "finetune.run_finetuning",
                    f"--task={task}",
                    f"--init_checkpoint={_INIT_CHECKPOINT.value}",
                    f"--data_dir={_DATA_DIR.value}",
                    f"--output_dir={output_dir}",
                    f"--num_trials={_NUM_TRIALS.value}",
                    "--nopredict_test",
                    *options,
                ],
                stdout=log,
                stderr=log,
                check=True,
            )
    with open(path) as file:
        return json.load(file)


def _cell(values: list[float]) -> str:
    """The median, and the least and the largest value."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = (ordered[middle] + ordered[~middle]) / 2
    return f"**{median:.1f}** ({ordered[0]:.1f} to {ordered[-1]:.1f})"


if __name__ == "__main__":
    app.run(main)
