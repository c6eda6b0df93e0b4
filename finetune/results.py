"""What a fine-tuning run reports: statistics over its trials, a table."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import statistics
from typing import Any

from electra_tf import config
from finetune import published
from finetune import task as task_lib

_STATISTICS = ("median", "mean", "std", "min", "max")
# The average of the tasks' main metrics, where there are several tasks.
_MEAN = "mean"

Metrics = Mapping[str, Mapping[str, float]]


def splits(
    tasks: Sequence[task_lib.Task], *, with_test: bool = False
) -> Iterator[tuple[str, str, str]]:
    """Label, name of the task, and split, of all that is evaluated.

    The label is the split's name, after that of the task if there are
    several tasks.

    Args:
        tasks: of the run.
        with_test: whether splits that are only predicted belong to it.
    """
    for task in tasks:
        names = task.dev_splits + (task.test_splits if with_test else [])
        for split in names:
            label = split if len(tasks) == 1 else f"{task.name}/{split}"
            yield label, task.name, split


def main_splits(
    tasks: Sequence[task_lib.Task],
) -> Iterator[tuple[str, str, str]]:
    """Those of `splits` that stand for their tasks, the first of each."""
    first = {task.name: task.dev_splits[0] for task in tasks}
    for label, name, split in splits(tasks):
        if split == first[name]:
            yield label, name, split


def main_metric(tasks: Sequence[task_lib.Task]) -> str:
    """The metric of `evaluation_metrics` that stands for the run."""
    return tasks[0].main_metric if len(tasks) == 1 else _MEAN


def evaluation_metrics(
    tasks: Sequence[task_lib.Task], metrics: Metrics
) -> dict[str, float]:
    """The metrics of one evaluation in training, by one name each.

    Args:
        tasks: of the run.
        metrics: of the label of each task's main split.
    """
    if len(tasks) == 1:
        (values,) = metrics.values()
        return dict(values)
    return {
        f"{label.partition('/')[0]}/{name}": value
        for label, values in metrics.items()
        for name, value in values.items()
    } | {_MEAN: _mean_of_main_metrics(tasks, metrics)}


def _mean_of_main_metrics(
    tasks: Sequence[task_lib.Task], metrics: Metrics
) -> float:
    return statistics.fmean(
        metrics[label][name] for label, name in _main_metrics(tasks).items()
    )


def _main_metrics(tasks: Sequence[task_lib.Task]) -> dict[str, str]:
    """The main metric of each task, by the label of its main split."""
    by_name = {task.name: task for task in tasks}
    return {
        label: by_name[name].main_metric
        for label, name, _ in main_splits(tasks)
    }


def summarise(
    tasks: Sequence[task_lib.Task],
    trials: Sequence[Mapping[str, Any]],
    *,
    encoder: config.EncoderConfig,
    ensemble: Metrics | None,
    **settings,
) -> dict[str, Any]:
    """What `results.json` holds.

    A trial that failed (its loss was not finite, or it gives the same answer
    everywhere) is counted. Statistics are over all trials that have metrics.

    Args:
        tasks: of the run.
        trials: of each trial its `seed`, its `folder`, `failure`, "" if it
            did not fail, and under `metrics` those of each evaluated split by
            label, or None.
        encoder: shape of the encoder, for published figures.
        ensemble: metrics of all trials together, if there are several.
        **settings: more to be kept, as JSON types.
    """
    scored = [trial for trial in trials if trial["metrics"] is not None]
    best = max(
        scored,
        key=lambda trial: _mean_of_main_metrics(tasks, trial["metrics"]),
    )
    labels = [label for label, _, _ in splits(tasks)]
    summary = {
        label: {
            name: _statistics([t["metrics"][label][name] for t in scored])
            for name in scored[0]["metrics"][label]
        }
        for label in labels
        if label in scored[0]["metrics"]
    }
    return {
        "task": ",".join(task.name for task in tasks),
        "main_metrics": _main_metrics(tasks),
        **settings,
        "summary": summary,
        "ensemble": ensemble,
        "published": {
            label: figure
            for label, name, _ in splits(tasks)
            if (figure := published.find(name, label, encoder=encoder))
        },
        "best_trial": best["folder"],
        "num_failed_trials": sum(bool(trial["failure"]) for trial in trials),
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


def format_table(results: Mapping[str, Any]) -> str:
    """The summary as a text table: splits and metrics down, statistics across.

    Args:
        results: of `summarise`.
    """
    trials, ensemble = results["trials"], results["ensemble"]
    columns = [*_STATISTICS, *(["ensemble"] if ensemble else [])]
    width = max(16, *(len(label) + 2 for label in results["summary"]))
    lines = [
        f"{results['task']}: {len(trials)} "
        f"trial{'s' * (len(trials) > 1)}, seeds "
        + ", ".join(str(trial["seed"]) for trial in trials),
        f"{'split':<{width}}{'metric':<18}"
        + "".join(f"{name:>10}" for name in columns),
    ]
    for label, metrics in results["summary"].items():
        for name, values in metrics.items():
            cells = [values[s] for s in _STATISTICS]
            if ensemble:
                cells.append(ensemble[label].get(name))
            lines.append(
                f"{label:<{width}}{name:<18}"
                + "".join(f"{_cell(value):>10}" for value in cells)
            )
    for label, figure in results["published"].items():
        lines.append(
            f"Published, {label}: {figure['metric']} {figure['value']:g} "
            f"({figure['model']}, {figure['source']})"
        )
    for trial in trials:
        if trial["failure"]:
            where = trial["folder"] or "The only trial"
            lines.append(f"{where} failed: {trial['failure']}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
