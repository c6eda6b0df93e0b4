r"""Measures what batches of many lengths save when a model is evaluated.

    python -m benchmarks.measure_evaluation --model_dir=SST --data_dir=DATA

The dev examples of the model's task are answered with batches as long as their
longest example, and with all padded to the model's length, in turn. Prints
medians of examples per second, the ratio, and the largest difference of
any score.
"""

import dataclasses
import statistics
import time

from absl import app
from absl import flags
import numpy as np

from benchmarks import results_file
from finetune import features
from finetune import finetuned
from finetune import finetuning_model
from finetune import kinds
from finetune import task as task_lib
from finetune import task_data

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a fine-tuning run.", required=True
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder that holds the folders of tasks.", required=True
)
_TASK = flags.DEFINE_string(
    "task", None, "Which task, if the model has learned several."
)
_TURNS = flags.DEFINE_integer("turns", 5, "Turns of each.", lower_bound=1)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that gets a line."
)


def main(argv):
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected arguments: {argv[1:]}.")
    loaded = finetuned.load(_MODEL_DIR.value)
    task = loaded.task(_TASK.value)
    rows, num_examples = _read(loaded, task)
    rates, answers = {"bucketed": [], "padded": []}, {}
    for turn in range(1 + _TURNS.value):  # The first one traces the graphs.
        for name in rates:
            loaded.model.config = dataclasses.replace(
                loaded.model.config, pad_to_max_length=name == "padded"
            )
            seconds, answers[name] = _answer(loaded.model, rows, task)
            if turn:
                rates[name].append(num_examples / seconds)
    medians = {
        name: statistics.median(values) for name, values in rates.items()
    }
    ratio = medians["bucketed"] / medians["padded"]
    largest = max(
        float(np.max(np.abs(answers["bucketed"][key] - values)))
        for key, values in answers["padded"].items()
        if values.dtype.kind == "f"
    )
    print("| task | examples | bucketed/s | padded/s | ratio | difference |")
    print("|---|--:|--:|--:|--:|--:|")
    print(
        f"| {task.name} | {num_examples} | {medians['bucketed']:.1f} "
        f"| {medians['padded']:.1f} | {ratio:.2f} | {largest:.1e} |"
    )
    results_file.append(
        _RESULTS.value,
        "evaluation",
        {
            "task": task.name,
            "max_seq_length": loaded.model.config.max_seq_length,
            "examples_per_second": rates,
            "ratio": ratio,
            "largest_difference": largest,
        },
    )


def _read(
    loaded: finetuned.Finetuned, task: task_lib.Task
) -> tuple[features.Features, int]:
    """The rows of the dev examples, and how many examples there are."""
    run_config = dataclasses.replace(loaded.model.config, predict_test=False)
    source = task_data.Source(data_dir=_DATA_DIR.value)
    data = source.read(task.name, run_config=run_config)
    examples = data.examples[task.dev_splits[0]]
    rows = kinds.of(task).make_features(
        examples,
        task=task,
        tokenizer=loaded.tokenizer,
        run_config=run_config,
        is_training=False,
    )
    return rows, len(examples)


def _answer(
    model: finetuning_model.FinetuningModel,
    rows: features.Features,
    task: task_lib.Task,
) -> tuple[float, dict[str, np.ndarray]]:
    start = time.monotonic()
    outputs = finetuned.predict(
        model, rows, task=task, batch_size=model.config.eval_batch_size
    )
    return time.monotonic() - start, outputs


if __name__ == "__main__":
    app.run(main)
