"""Parts of a page that show metrics: tiles, expectations, charts, a table."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
import math

from electra_tf import config
from electra_tf import expected_ranges
from electra_tf import html_page
from electra_tf import line_charts
from electra_tf import metric_notes
from electra_tf import number_text
from electra_tf import page_style
from electra_tf import run_record

tag = html_page.tag

_TILES = {
    "loss": "total loss",
    "masked_lm_loss": "masked-LM loss, nats",
    "disc_loss": "discriminator loss, nats",
    "token_loss": "loss on word pieces, nats",
    "disc_auc": "discriminator AUC",
    "disc_recall": "replaced tokens found",
    "replaced_share": "tokens replaced",
}
_SHARES = ("disc_recall", "replaced_share")
_PADDING_NOTE = (
    "† Published AUCs count padding, which is easily told from replaced "
    "tokens; ours does not, and is lower for the same model."
)


def tiles(run: run_record.Run) -> html_page.Markup:
    """The numbers to see first."""
    shown = []
    for metric, label in _TILES.items():
        value = run.final(metric)
        if value is not None:
            is_share = metric in _SHARES and math.isfinite(value)
            text = (number_text.percent if is_share else number_text.exact)(
                value
            )
            is_held_out = run.last("eval", metric) is not None
            shown.append((text, label + ", held out" * is_held_out))
    if run.examples_per_second:
        rate = number_text.exact(run.examples_per_second)
        shown.append((rate, "examples a second (median)"))
    if run.training_seconds:
        duration = number_text.duration(run.training_seconds)
        shown.append((duration, "of training steps"))
    return html_page.tiles(shown)


def expectations(run: run_record.Run) -> html_page.Markup | None:
    """Final metrics beside chance, published ranges and a verdict."""
    run_config = run.pretrain_config
    known = expected_ranges.at_random(run_config)
    metrics = [
        metric
        for metric in metric_notes.in_order({*known, *expected_ranges.RANGES})
        if run.final(metric) is not None
    ]
    if not metrics:
        return None
    reason = expected_ranges.why_not_comparable(run_config, run.step)
    rows = [_expectation(run, metric, known) for metric in metrics]
    header = ["metric", "training", "held out", "by chance"]
    header.append("small model, at the end")
    if not reason:
        header.append("verdict")
        for row, metric in zip(rows, metrics, strict=True):
            row.append(_verdict(metric, run.final(metric)))
    notes = [_PADDING_NOTE] if "disc_auc" in metrics else []
    if reason:
        notes.insert(0, f"No verdict from these ranges: {reason}.")
    elif run.last("eval", "loss") is None:
        notes.append("The verdicts are on training metrics, with dropout.")
    return html_page.section(
        "Against expectations",
        html_page.table(header, rows, numeric=range(1, 5)),
        [tag("p", note, class_="note") for note in notes],
        _shape(run, run_config),
        _published(metrics),
    )


def _expectation(
    run: run_record.Run, metric: str, known: Mapping[str, float]
) -> list[html_page.Child]:
    expected = expected_ranges.RANGES.get(metric)
    shown_range = source = None
    if expected is not None:
        shown_range = f"{expected.low:g}–{expected.high:g}"
        shown_range += "" if expected.is_comparable else " †"
        source = expected.source
    return [
        tag("span", metric, title=metric_notes.note(metric).meaning),
        number_text.exact(run.last("train", metric)),
        number_text.exact(run.last("eval", metric)),
        number_text.exact(known[metric]) if metric in known else None,
        tag("span", shown_range, title=source),
    ]


def _verdict(metric: str, value: float) -> html_page.Markup:
    word = expected_ranges.verdict(metric, value)
    style = {"better": "good", "as expected": "good", "worse": "bad"}
    return tag("strong", word, class_=style.get(word))


def _shape(
    run: run_record.Run, run_config: config.PretrainConfig
) -> html_page.Markup | None:
    """How the total loss usually falls, if it is the usual one."""
    start = expected_ranges.at_random(run_config).get("loss")
    points = run.points("train", "loss")
    if start is None or not points:
        return None
    text = (
        f"The usual shape of the total loss: {start:.4g} by chance with this "
        "run's vocabulary and weights"
    )
    if run_config.disc_weight == 50.0 and run_config.gen_weight == 1.0:
        text += ", about 25 after 5,000 steps, 9 to 10 at the end"
    first, last = points[0], points[-1]
    text += (
        f". Here: {number_text.exact(first[1])} at step {first[0]:,}, "
        f"{number_text.exact(last[1])} at step {last[0]:,}."
    )
    return tag("p", text, class_="note")


def _published(metrics: Sequence[str]) -> html_page.Markup:
    """The runs that the ranges come from."""
    columns = [
        metric
        for metric in metrics
        if any(metric in row.metrics for row in expected_ranges.PUBLISHED)
    ]
    rows = []
    for row in expected_ranges.PUBLISHED:
        source = [row.source]
        if row.note:
            source.append(tag("span", f" ({row.note})", class_="soft"))
        step = "end" if row.step is None else number_text.short(row.step)
        values = [row.metrics.get(metric) for metric in columns]
        rows.append([source, step, *map(number_text.exact, values)])
    header = ["published run", "step", *columns]
    return tag(
        "details",
        tag("summary", "Where the ranges come from"),
        html_page.table(
            header, rows, numeric=range(1, len(header)), class_="wide"
        ),
    )


def charts(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> list[html_page.Markup]:
    """Every metric that was logged, in groups; one colour for each run."""
    metrics = {metric for run in runs for metric in run.metrics}
    parts = []
    for group, members in metric_notes.grouped(metrics).items():
        figures = [_figure(runs, names, metric) for metric in members]
        figures = [figure for figure in figures if figure is not None]
        if figures:
            parts.append(tag("h3", group))
            parts.append(tag("div", figures, class_="charts"))
    return parts


def legend(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup:
    """What lines and colours mean; switches for the runs, if several."""
    parts = []
    if len(runs) > 1:
        for number, name in enumerate(names):
            box = tag("input", type="checkbox", value=number, checked="")
            parts.append(
                tag("label", box, swatch(number), name, class_="choice")
            )
    color = 0 if len(runs) == 1 else page_style.NUM_COLORS - 1
    parts.append(tag("span", swatch(color), "training"))
    if any(entry["kind"] == "eval" for run in runs for entry in run.entries):
        parts.append(tag("span", swatch(color, True), "held out"))
    return tag("div", parts, class_="legend")


def swatch(color: int, is_dashed: bool = False) -> html_page.Markup:
    """A piece of a curve."""
    return tag(
        "svg",
        tag(
            "g",
            tag("path", d="M0 5H30"),
            tag("circle", cx=15, cy=5, r=2.6) if is_dashed else None,
            class_=f"curve c{color}" + " dashed" * is_dashed,
        ),
        class_="swatch",
        viewBox="0 0 30 10",
        aria_hidden="true",
    )


def final_table(
    runs: Sequence[run_record.Run], names: Sequence[str]
) -> html_page.Markup:
    """The last values of all runs, side by side; the best of each is bold."""
    metrics = {metric for run in runs for metric in run.metrics}
    rows = []
    for metric in metric_notes.in_order(metrics):
        for kind, suffix in (("eval", ", held out"), ("train", "")):
            values = [run.last(kind, metric) for run in runs]
            if any(value is not None for value in values):
                cells = _bold_best(values, metric_notes.note(metric).better)
                rows.append([metric + suffix, *cells])
    columns = [[swatch(i), name] for i, name in enumerate(names)]
    return html_page.table(
        ["metric", *columns], rows, numeric=range(1, len(columns) + 1)
    )


def _bold_best(
    values: Sequence[float | None], better: str
) -> list[html_page.Child]:
    finite = [v for v in values if v is not None and math.isfinite(v)]
    best = None
    if better and len(set(finite)) > 1:
        best = min(finite) if better == "lower" else max(finite)
    return [
        tag("strong", number_text.exact(value))
        if value is not None and value == best
        else number_text.exact(value)
        for value in values
    ]


def _figure(
    runs: Sequence[run_record.Run], names: Sequence[str], metric: str
) -> html_page.Markup | None:
    """One metric of all runs; None if no value is a finite number."""
    series = []
    for number, (run, name) in enumerate(zip(runs, names, strict=True)):
        for kind, word in (("train", "training"), ("eval", "held out")):
            points = _numbers(run.points(kind, metric))
            if any(math.isfinite(value) for _, value in points):
                full = word if len(runs) == 1 else f"{name}, {word}"
                series.append(
                    line_charts.Series(full, points, number, kind == "eval")
                )
    if not series:
        return None
    ends = [number_text.exact(each.points[-1][1]) for each in series]
    meaning = metric_notes.note(metric).meaning
    lasts = ", ".join(
        f"{each.name} {end}" for each, end in zip(series, ends, strict=True)
    )
    return tag(
        "figure",
        tag(
            "figcaption",
            tag("b", metric),
            tag("span", " · ".join(ends)) if len(runs) == 1 else None,
            tag("p", meaning) if meaning else None,
        ),
        line_charts.chart(
            series, label=f"{metric} by step; at the end {lasts}"
        ),
    )


def _numbers(points: Iterable[tuple[int, object]]) -> run_record.Points:
    return [(s, v) for s, v in points if isinstance(v, int | float)]
