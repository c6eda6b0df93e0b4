"""`results.png`: trials side by side, and what the best one mixes up."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import functools
import os
from typing import Any
from typing import NamedTuple

from absl import logging
import numpy as np
from sklearn import metrics as sklearn_metrics

from electra_tf import plots
from finetune import qa_metrics
from finetune import span_answers
from finetune import task as task_lib

_MAX_LABELS = 20


class Split(NamedTuple):
    """A split that was answered and compared with its targets.

    Attributes:
        label: see `results.splits`.
        task: whose split it is.
        examples: with targets.
        answers: of the best trial.
    """

    label: str
    task: task_lib.Task
    examples: Sequence[Any]
    answers: Sequence[Any]


def plot(
    directory: str, results: Mapping[str, Any], evaluated: Sequence[Split]
):
    """Draws `results.png`; without matplotlib it only says so.

    Args:
        directory: of the run.
        results: of `results.summarise`.
        evaluated: all splits that have targets.
    """
    panels: list[Callable] = [functools.partial(_draw_trials, results=results)]
    for split in evaluated:
        draw = _PANELS[split.task.kind]
        if draw is not None and _is_drawable(split):
            panels.append(
                lambda axes, draw=draw, split=split: draw(axes, split)
            )
    path = os.path.join(directory, "results.png")
    if plots.draw(path, panels):
        logging.info("Results: %s", path)


def _is_drawable(split: Split) -> bool:
    if not split.examples:
        return False
    if split.task.kind == "question_answering":
        return split.task.has_impossible
    return len(split.task.labels) <= _MAX_LABELS


def _draw_trials(axes, results: Mapping[str, Any]):
    """A point a trial, a line at the median, a dotted one as published."""
    labels = list(results["main_metrics"].items())
    for position, (label, metric) in enumerate(labels):
        values = [
            trial["metrics"][label][metric]
            for trial in results["trials"]
            if trial["metrics"] is not None
        ]
        # Apart from one another, as far as they do not say anything.
        offsets = np.linspace(-0.1, 0.1, len(values)) if len(values) > 1 else 0
        axes.plot(position + offsets, values, "o", color="C0", alpha=0.6)
        axes.hlines(
            np.median(values), position - 0.2, position + 0.2, color="C0"
        )
        figure = results["published"].get(label)
        if figure and figure["metric"] == metric:
            axes.hlines(
                figure["value"],
                position - 0.2,
                position + 0.2,
                color="C1",
                linestyle=":",
                label=f"{figure['model']}, published",
            )
            axes.legend(fontsize="small")
    axes.set_xticks(
        range(len(labels)), [f"{label}\n{metric}" for label, metric in labels]
    )
    axes.set_xlim(-0.6, len(labels) - 0.4)
    axes.set(title=f"{results['task']}: trials and median", ylabel="percent")
    axes.grid(alpha=0.3, axis="y")


def _draw_confusion(axes, split: Split):
    """Shares of each true label's examples; counts in the cells."""
    names = split.task.labels
    counts = sklearn_metrics.confusion_matrix(
        [example.label for example in split.examples],
        [answer.label for answer in split.answers],
        labels=range(len(names)),
    )
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    for row, column in np.ndindex(*counts.shape):
        axes.text(
            column,
            row,
            counts[row, column],
            ha="center",
            va="center",
            color="white" if shares[row, column] > 0.5 else "black",
        )
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(title=split.label, xlabel="predicted", ylabel="true")


def _draw_scatter(axes, split: Split):
    targets = [example.label for example in split.examples]
    scores = [answer.score for answer in split.answers]
    axes.plot(targets, scores, ".", alpha=0.3)
    axes.axline((targets[0], targets[0]), slope=1, color="gray", linewidth=1)
    axes.set(title=split.label, xlabel="true score", ylabel="predicted")
    axes.grid(alpha=0.3)


def _draw_thresholds(axes, split: Split):
    """Metrics by the score above which a question has no answer."""
    curve = qa_metrics.threshold_curve(
        split.examples,
        span_answers.predictions_json(split.examples, split.answers),
        span_answers.null_odds_json(split.examples, split.answers),
    )
    for label, values in (
        ("exact match", curve.em),
        ("F1", curve.f1),
        ("answered", curve.answered),
        ("precision of these", curve.precision),
    ):
        axes.plot(curve.threshold, values, label=label)
    axes.set(
        title=split.label,
        xlabel="threshold of the no-answer score",
        ylabel="percent",
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


_PANELS = {
    "classification": _draw_confusion,
    "regression": _draw_scatter,
    "tagging": None,
    "question_answering": _draw_thresholds,
}
