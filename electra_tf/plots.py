"""Plots of a run's metrics; the only module that imports matplotlib."""

from collections.abc import Callable
from collections.abc import Sequence
import functools
import os
from typing import Any

from absl import logging
import tensorflow as tf

from electra_tf import metrics_log

_PRETRAINING_PANELS = (
    ("Generator", "loss (nats)", ("masked_lm_loss", "cloze_loss")),
    ("Main network", "loss (nats)", ("disc_loss", "token_loss")),
    (
        "What the main network finds",
        "share",
        ("disc_auc", "disc_precision", "disc_recall", "token_accuracy"),
    ),
    ("Total loss", "loss", ("loss",)),
)


def plot_pretraining(model_dir: str):
    """Draws the curves of `metrics.jsonl` to `curves.png` beside it.

    Without matplotlib it only says so: it is an optional dependency.
    """
    plot_curves(model_dir, panels=_PRETRAINING_PANELS)


def plot_curves(
    model_dir: str, *, panels: Sequence[tuple[str, str, Sequence[str]]]
):
    """Draws panels of (title, label of the y axis, metrics) side by side."""
    entries = metrics_log.read(model_dir)
    known = {name for entry in entries for name in entry}

    def draw_panel(axes, title: str, label: str, names: Sequence[str]):
        for number, name in enumerate(names):
            _plot_metric(axes, entries, name=name, color=f"C{number}")
        axes.set(title=title, xlabel="step", ylabel=label)
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")

    path = os.path.join(model_dir, "curves.png")
    is_drawn = draw(
        path,
        [
            functools.partial(draw_panel, title=title, label=label, names=names)
            for title, label, names in panels
            if known & set(names)
        ],
    )
    if is_drawn:
        logging.info("Curves: %s", path)


def draw(path: str, panels: Sequence[Callable[[Any], None]]) -> bool:
    """Draws panels side by side into a PNG file.

    Args:
        path: of the file.
        panels: each draws into the matplotlib axes that it is given.

    Returns:
        Whether there is such a file; without matplotlib there is none.
    """
    try:
        from matplotlib import figure
    except ImportError:
        logging.info("No plot: matplotlib is not installed.")
        return False
    canvas = figure.Figure(figsize=(4 * len(panels), 3.2), layout="constrained")
    axes = canvas.subplots(1, len(panels), squeeze=False)[0]
    for panel, draw_panel in zip(axes, panels, strict=True):
        draw_panel(panel)
    with tf.io.gfile.GFile(path + ".tmp", "wb") as file:
        canvas.savefig(file, format="png", dpi=120)
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
    return True


def _plot_metric(panel, entries, *, name: str, color: str):
    """Training as a line, held-out data as a dashed line with points."""
    for kind, style in (("train", "-"), ("eval", "o--")):
        points = [
            (entry["step"], entry[name])
            for entry in entries
            if entry["kind"] == kind and name in entry
        ]
        if points:
            steps, values = zip(*points, strict=True)
            label = f"{name}, held out" if kind == "eval" else name
            panel.plot(
                steps, values, style, color=color, markersize=3, label=label
            )
