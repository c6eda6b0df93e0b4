"""What a fine-tuning run reports: summaries, predictions, a table."""

from collections.abc import Iterator
from collections.abc import Sequence
import statistics

import numpy as np

from finetune import task as task_lib

_STATISTICS = ("median", "mean", "std", "min", "max")


def answers(task: task_lib.Task, outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Predicted label ids, or scores in the task's unit: `[examples]`."""
    if task.kind == "regression":
        return outputs["score"]
    return np.argmax(outputs["logits"], axis=-1)


def metrics(
    task: task_lib.Task,
    examples: Sequence[task_lib.Example],
    outputs: dict[str, np.ndarray],
) -> dict[str, float]:
    """The mean loss and the metrics of the task, in percent."""
    targets = [example.label for example in examples]
    scores = task.score_metrics(targets, answers(task, outputs))
    return {"loss": float(np.mean(outputs["losses"]))} | scores


def prediction_records(
    task: task_lib.Task,
    examples: Sequence[task_lib.Example],
    outputs: dict[str, np.ndarray],
) -> Iterator[dict]:
    """One record an example, as JSON types: its id, the answer, the target."""
    predictions = answers(task, outputs)
    for index, (example, answer) in enumerate(
        zip(examples, predictions, strict=True)
    ):
        record = {"id": example.id}
        if task.kind == "regression":
            record["score"] = float(answer)
        else:
            probabilities = map(float, outputs["probabilities"][index])
            record["label"] = task.labels[answer]
            record["probabilities"] = dict(
                zip(task.labels, probabilities, strict=True)
            )
        if example.label is not None:
            is_name = task.kind == "classification"
            record["target"] = (
                task.labels[example.label] if is_name else example.label
            )
        yield record


def summarise(
    task: task_lib.Task, trials: Sequence[dict], **settings
) -> dict[str, object]:
    """What `results.json` holds.

    Args:
        task: the task.
        trials: of each trial its `seed`, its `folder`, and under `metrics`
            the metrics of each evaluated split.
        **settings: more to be kept, as JSON types.
    """
    main_split = task.dev_splits[0]
    best = max(
        trials, key=lambda trial: trial["metrics"][main_split][task.main_metric]
    )
    summary = {
        split: {
            name: _statistics(
                [trial["metrics"][split][name] for trial in trials]
            )
            for name in trials[0]["metrics"][split]
        }
        for split in task.dev_splits
    }
    return {
        "task": task.name,
        "main_metric": task.main_metric,
        **settings,
        "summary": summary,
        "best_trial": best["folder"],
        "trials": list(trials),
    }


def _statistics(values: Sequence[float]) -> dict[str, float | None]:
    """With one value there is no standard deviation (of the sample)."""
    return {
        "median": statistics.median(values),
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "min": min(values),
        "max": max(values),
    }


def format_table(results: dict) -> str:
    """The summary as a text table: splits and metrics down, statistics across.

    Args:
        results: of `summarise`.
    """
    seeds = ", ".join(str(trial["seed"]) for trial in results["trials"])
    header = f"{'split':<16}{'metric':<10}" + "".join(
        f"{name:>9}" for name in _STATISTICS
    )
    lines = [f"{results['task']}: seeds {seeds}", header]
    for split, split_metrics in results["summary"].items():
        for name, values in split_metrics.items():
            cells = "".join(f"{_cell(values[s]):>9}" for s in _STATISTICS)
            lines.append(f"{split:<16}{name:<10}{cells}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
