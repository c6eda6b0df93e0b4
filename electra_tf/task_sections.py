"""Parts of a page that show what fine-tuning came to."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from electra_tf import html_page
from electra_tf import number_text
from electra_tf import run_record

_STATISTICS = ("median", "mean", "std", "min", "max")


def tiles(run: run_record.Run) -> html_page.Markup | None:
    """The main metric of each task, over all trials."""
    results = run.results
    if not results:
        return None
    shown = [
        (
            number_text.exact(results["summary"][split][metric]["median"]),
            f"{metric}, {split}" + ", median" * (len(results["trials"]) > 1),
        )
        for split, metric in results["main_metrics"].items()
    ]
    shown.append((str(len(results["trials"])), "trials"))
    if results["num_failed_trials"]:
        shown.append((str(results["num_failed_trials"]), "failed trials"))
    num_examples = sum(results["num_train_examples"].values())
    shown.append((number_text.exact(num_examples), "training examples"))
    shown.append(
        (number_text.exact(results["num_train_steps"]), "steps a trial")
    )
    return html_page.tiles(shown)


def results(run: run_record.Run) -> html_page.Markup | None:
    """Statistics over the trials, and each trial."""
    if not run.results:
        return None
    ensemble = run.results["ensemble"]
    header = ["split", "metric", *_STATISTICS, *(["ensemble"] * bool(ensemble))]
    rows = []
    for split, metrics in run.results["summary"].items():
        for metric, values in metrics.items():
            shown = [values[s] for s in _STATISTICS]
            if ensemble:
                shown.append(ensemble[split].get(metric))
            rows.append([split, metric, *map(number_text.exact, shown)])
    return html_page.section(
        "Results",
        html_page.table(header, rows, numeric=range(2, len(header))),
        _trials(run.results),
    )


def comparison(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup | None:
    """The medians of all runs, side by side; None if no run has any."""
    summaries = [(run.results or {}).get("summary", {}) for run in runs]
    columns = dict.fromkeys(
        (split, metric)
        for summary in summaries
        for split, metrics in summary.items()
        for metric in metrics
    )
    if not columns:
        return None
    rows = []
    for split, metric in columns:
        values = [
            summary.get(split, {}).get(metric, {}).get("median")
            for summary in summaries
        ]
        rows.append([f"{metric}, {split}", *map(number_text.exact, values)])
    return html_page.section(
        "Results, medians of the trials",
        html_page.table(
            ["metric", *names], rows, numeric=range(1, len(names) + 1)
        ),
    )


def _trials(results: Mapping[str, Any]) -> html_page.Markup:
    trials: Sequence[Mapping[str, Any]] = results["trials"]
    columns = [
        (split, metric)
        for split, metrics in results["summary"].items()
        for metric in metrics
    ]
    rows = []
    for trial in trials:
        name = trial["folder"] or "the only trial"
        if len(trials) > 1 and trial["folder"] == results["best_trial"]:
            name += " (best)"
        if trial["failure"]:
            name += f", failed: {trial['failure']}"
        metrics = trial["metrics"] or {}
        values = [metrics.get(s, {}).get(metric) for s, metric in columns]
        rows.append([name, trial["seed"], *map(number_text.exact, values)])
    header = ["trial", "seed", *(f"{m}, {split}" for split, m in columns)]
    return html_page.table(header, rows, numeric=range(1, len(header)))
