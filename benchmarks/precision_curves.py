"""Curves of runs in several precisions: smoothed, compared and drawn."""

from collections.abc import Mapping
import json
import statistics

REFERENCE = "float32"
# What is compared, and whether differences are shares of the reference's value.
METRICS = {
    "loss": True,
    "masked_lm_loss": True,
    "disc_loss": True,
    "disc_auc": False,
}
Curve = dict[int, float]
# Values by kind of line ("train", "eval"), metric and step.
Run = Mapping[str, Mapping[str, Curve]]


def read(path: str) -> Run:
    """The curves of a run's `metrics.jsonl`."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return {
        kind: {
            name: {e["step"]: e[name] for e in lines if e["kind"] == kind}
            for name in METRICS
        }
        for kind in ("train", "eval")
    }


def smooth(curve: Curve, num_steps: int) -> Curve:
    """Means of the last `num_steps` steps, as far as there are so many."""
    return {
        step: statistics.fmean(
            value
            for other, value in curve.items()
            if step - num_steps < other <= step
        )
        for step in curve
    }


def differences(
    run: Run, reference: Run, metric: str, *, smoothed_steps: int
) -> Curve:
    """Of smoothed curves, with sign; of losses as shares of the reference's."""
    curve, expected = (
        smooth(each["train"][metric], smoothed_steps)
        for each in (run, reference)
    )
    return {
        step: (curve[step] - value) / (value if METRICS[metric] else 1.0)
        for step, value in expected.items()
    }


def compare(
    run: Run, reference: Run, *, smoothed_steps: int
) -> dict[str, float]:
    """For each metric the mean and the largest difference, and held-out data.

    `last_quarter` is the difference, with sign, between the means of the total
    loss over the last quarter of the steps, as a share of the reference's.
    """
    figures = {}
    for metric in METRICS:
        curve = differences(
            run, reference, metric, smoothed_steps=smoothed_steps
        )
        sizes = [abs(value) for value in curve.values()]
        figures[f"{metric}_mean"] = statistics.fmean(sizes)
        figures[f"{metric}_largest"] = max(sizes)
        held_out = run["eval"][metric]
        figures[f"{metric}_held_out"] = held_out[max(held_out)]
    last, expected = (_last_quarter(each) for each in (run, reference))
    return figures | {"last_quarter": last / expected - 1.0}


def _last_quarter(run: Run) -> float:
    curve = run["train"]["loss"]
    start = 0.75 * max(curve)
    return statistics.fmean(v for step, v in curve.items() if step > start)


def draw(runs: Mapping[str, Run], path: str, *, smoothed_steps: int):
    """Smoothed curves, held-out data as points; below, the differences."""
    # Here, because it is optional, as in electra_tf.plots.
    from matplotlib import figure

    canvas = figure.Figure(figsize=(14, 5.5), layout="constrained")
    axes = canvas.subplots(2, len(METRICS), sharex=True, height_ratios=(2, 1))
    for (above, below), metric in zip(axes.T, METRICS, strict=True):
        is_share = METRICS[metric]
        for number, (name, run) in enumerate(runs.items()):
            style = dict(color=f"C{number}", linewidth=1)
            curve = smooth(run["train"][metric], smoothed_steps)
            above.plot(curve.keys(), curve.values(), label=name, **style)
            held_out = run["eval"][metric]
            above.plot(
                *(held_out.keys(), held_out.values(), "o"),
                **style | {"markersize": 3},
            )
            if name != REFERENCE:
                curve = differences(
                    run, runs[REFERENCE], metric, smoothed_steps=smoothed_steps
                )
                factor = 100.0 if is_share else 1.0
                values = [factor * value for value in curve.values()]
                below.plot(curve.keys(), values, **style)
        above.set(title=f"{metric} (points: held out)")
        unit = "%" if is_share else "absolute"
        below.set(xlabel="step", ylabel=f"from {REFERENCE} ({unit})")
        for panel in (above, below):
            panel.grid(alpha=0.3)
    axes[0, 0].legend(fontsize="small")
    canvas.savefig(path, format="png", dpi=110)
