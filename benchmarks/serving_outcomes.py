"""What the outcomes of requests to a server add up to."""

from collections.abc import Sequence

from benchmarks import latencies
from benchmarks import serving_load

Figures = dict[str, float | list[str]]

_NUM_EXAMPLES = 3


def summary(
    outcomes: Sequence[serving_load.Outcome],
    *,
    batch_size: int,
    swapped: float | None = None,
) -> Figures:
    """Counts, rates and latencies.

    Args:
        outcomes: of all requests.
        batch_size: examples of a request.
        swapped: the time after which only version 1, counted from 0, may
            answer; None if there is only one.

    Returns:
        `requests`, of which `errors` had no answer and `wrong` one that no
        version gives, or that of a version that was replaced before (`stale`
        counts these); `requests_per_s` and `sentences_per_s` that were
        answered correctly; latencies of all answers, as of
        `latencies.summary`; `of_first` and `of_second` of the versions; and
        up to three messages, `examples`, of errors.
    """
    answered = [outcome for outcome in outcomes if not outcome.error]
    errors = [outcome.error for outcome in outcomes if outcome.error]
    stale = sum(_is_stale(outcome, swapped) for outcome in answered)
    wrong = stale + sum(outcome.version < 0 for outcome in answered)
    correct = len(answered) - wrong
    seconds = max(o.started + o.seconds for o in outcomes) - min(
        o.started for o in outcomes
    )
    figures = {
        "requests": len(outcomes),
        "errors": len(errors),
        "wrong": wrong,
        "stale": stale,
        "of_first": sum(outcome.version == 0 for outcome in answered),
        "of_second": sum(outcome.version == 1 for outcome in answered),
        "requests_per_s": correct / seconds,
        "sentences_per_s": correct * batch_size / seconds,
        "examples": list(dict.fromkeys(errors))[:_NUM_EXAMPLES],
    }
    if answered:
        figures |= latencies.summary([o.seconds for o in answered])
    return figures


def table(figures: dict[str, Figures]) -> str:
    """As Markdown, one line for each protocol, and the errors below."""
    columns = ("requests", "errors", "wrong", "of_first", "of_second")
    columns += ("requests_per_s", "sentences_per_s")
    columns += ("p50_ms", "p90_ms", "p99_ms", "max_ms")
    titles = [
        name.replace("_per_s", "/s").replace("_", " ") for name in columns
    ]
    lines = [
        f"| protocol | {' | '.join(titles)} |",
        f"|---|{'--:|' * len(columns)}",
    ]
    for protocol, row in figures.items():
        cells = [_cell(row.get(name)) for name in columns]
        lines.append(f"| {protocol} | {' | '.join(cells)} |")
    for protocol, row in figures.items():
        lines += [f"{protocol}: {example}" for example in row["examples"]]
    return "\n".join(lines)


def _is_stale(outcome: serving_load.Outcome, swapped: float | None) -> bool:
    return (
        swapped is not None
        and outcome.version == 0
        and outcome.started > swapped
    )


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
