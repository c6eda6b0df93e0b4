"""Panels of figures about speed, from lines of a results file.

Each function gives, for lines of one benchmark, functions that draw into
matplotlib axes, as `electra_tf.plots.draw` takes them.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import functools
from typing import Any

from benchmarks import newest_results

Panel = Callable[[Any], None]

# With the defaults of the programs' flags.
MODEL_SETTINGS = {"preset": "small", "precision": "float32"}

_OWN_COLOR, _PEER_COLOR = "C0", "C7"
# Those that add up to a step, see `training_figures.phases`.
_STEP_PHASES = ("forward", "backward", "optimizer")
_BAR_WIDTH = 0.38  # Of two beside each other.


def peers(lines: Sequence[newest_results.Line]) -> list[Panel]:
    """A panel for each kind of work: examples/s of all implementations."""
    return [functools.partial(_draw_peers, line=line) for line in lines]


def training(lines: Sequence[newest_results.Line]) -> list[Panel]:
    """A panel of stacked bars: what an example takes, phase by phase."""
    return [functools.partial(_draw_phases, lines=lines)]


def scaling(lines: Sequence[newest_results.Line]) -> list[Panel]:
    """A panel for each section: the cost of an example by what differs."""
    return [functools.partial(_draw_scaling, line=line) for line in lines]


def inference(lines: Sequence[newest_results.Line]) -> list[Panel]:
    """A panel for each size of batches: ours beside the peer."""
    panels = []
    for line in lines:
        by_size = {}
        for row in line["figures"]["rows"]:
            by_size.setdefault(row["batch_size"], []).append(row)
        panels += [
            functools.partial(_draw_inference, line=line, size=size, rows=rows)
            for size, rows in by_size.items()
        ]
    return panels


def input_pipeline(lines: Sequence[newest_results.Line]) -> list[Panel]:
    """Two panels for each line: the rate, and the time to the first batch."""
    panels = []
    for line in lines:
        panels += [
            functools.partial(_draw_input_rates, line=line),
            functools.partial(_draw_first_batches, line=line),
        ]
    return panels


def _draw_peers(axes, line: newest_results.Line):
    rows = line["figures"]["rows"]
    ratios = [row["times_as_fast"] for row in rows]
    bars = axes.bar(
        range(len(rows)),
        [row["examples_per_s"] for row in rows],
        color=[_OWN_COLOR if r is None else _PEER_COLOR for r in ratios],
    )
    labels = [f"{row['examples_per_s']:.1f}" for row in rows]
    for number, ratio in enumerate(ratios):
        if ratio is not None:
            labels[number] += f"\n{ratio:.2f} x"
    axes.bar_label(bars, labels, fontsize="x-small")
    names = [row["implementation"].replace("_", "\n") for row in rows]
    axes.set_xticks(range(len(rows)), names, fontsize="x-small")
    _finish(axes, title=_title(line, work="pretraining"))
    axes.set(ylabel="examples/s", xlabel="x: how many times as fast ours is")


def _draw_phases(axes, lines: Sequence[newest_results.Line]):
    bottoms = [0.0] * len(lines)
    for name in _STEP_PHASES:
        values = [_phase_ms(line, name) for line in lines]
        axes.bar(range(len(lines)), values, bottom=bottoms, label=name)
        bottoms = [sum(pair) for pair in zip(bottoms, values)]
    # The pipeline works beside the step, so it is no part of the bar.
    inputs = [_phase_ms(line, "input") for line in lines]
    axes.plot(range(len(lines)), inputs, "kD", clip_on=False, label="input")
    labels = [
        f"{line['figures']['stage']}\n{_title(line)}\n"
        f"batch {line['figures']['batch_size']}"
        for line in lines
    ]
    axes.set_xticks(range(len(lines)), labels, fontsize="x-small")
    _finish(axes, title="Training, by phase")
    axes.set(ylabel="ms an example")
    axes.legend(fontsize="small")


def _phase_ms(line: newest_results.Line, name: str) -> float:
    figures = line["figures"]
    return 1e3 * figures["phases"][name] / figures["batch_size"]


def _draw_scaling(axes, line: newest_results.Line):
    rows = line["figures"]["rows"]
    values = [row["value"] for row in rows]
    costs = [row["ms_per_example"] for row in rows]
    axes.plot(values, costs, "o-", label="measured")
    axes.plot(
        values,
        [costs[0] * row["times_flops"] for row in rows],
        "k--",
        linewidth=1,
        label="in proportion to FLOPs",
    )
    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:,}" for value in values])
    axes.minorticks_off()
    _finish(axes, title=_title(line))
    axes.set(ylabel="ms an example", xlabel=line["figures"]["part"])
    axes.set_ylim(bottom=0.0)
    axes.legend(fontsize="small")


def _draw_inference(
    axes, *, line: newest_results.Line, size: int, rows: Sequence[Mapping]
):
    for name, label, offset, color in (
        ("own", "ours", -0.5, _OWN_COLOR),
        ("peer", "PyTorch", 0.5, _PEER_COLOR),
    ):
        places = [i for i, row in enumerate(rows) if name in row]
        if not places:
            continue
        bars = axes.bar(
            [place + offset * _BAR_WIDTH for place in places],
            [rows[place][name]["sentences_per_s"] for place in places],
            _BAR_WIDTH,
            label=label,
            color=color,
        )
        if name == "own":
            axes.bar_label(bars, map(_times, rows), fontsize="x-small")
    ways = [row["way"].replace("_", "\n") for row in rows]
    axes.set_xticks(range(len(rows)), ways, fontsize="x-small")
    _finish(axes, title=f"{_title(line)}, batches of {size}")
    axes.set(ylabel="sentences/s")
    axes.legend(fontsize="small", loc="lower right")


def _times(row: Mapping[str, Any]) -> str:
    return f"{row['times_as_fast']:.2f} x" if "times_as_fast" in row else ""


def _draw_input_rates(axes, line: newest_results.Line):
    target = line["figures"]["target_examples_per_s"]
    _draw_by_batch(axes, line, "examples_per_s", form="{:,.0f}")
    axes.axhline(
        target, color="C3", linestyle="--", label=f"target: {target:,}"
    )
    _finish(axes, title=_input_title(line))
    axes.set(ylabel="examples/s", xlabel="batch")
    axes.legend(fontsize="small", loc="upper left")


def _draw_first_batches(axes, line: newest_results.Line):
    _draw_by_batch(axes, line, "first_batch_s", form="{:.2f}")
    _finish(axes, title="Time to the first batch")
    axes.set(ylabel="seconds", xlabel="batch")
    axes.legend(fontsize="small", loc="lower left")


def _draw_by_batch(axes, line: newest_results.Line, name: str, *, form: str):
    """Groups of bars by the size of batches, one bar for each first step."""
    rows = line["figures"]["rows"]
    sizes = sorted({row["batch_size"] for row in rows})
    steps = sorted({row["start_step"] for row in rows})
    width = 2 * _BAR_WIDTH / len(steps)
    for number, step in enumerate(steps):
        values = {
            row["batch_size"]: row[name]
            for row in rows
            if row["start_step"] == step
        }
        offset = (number - (len(steps) - 1) / 2) * width
        bars = axes.bar(
            [sizes.index(size) + offset for size in values],
            values.values(),
            width,
            label=f"from step {step:,}",
        )
        axes.bar_label(bars, fmt=form, fontsize="x-small")
    axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])


def _input_title(line: newest_results.Line) -> str:
    figures = line["figures"]
    folders = figures["num_folders"]
    return f"Input, {folders} folder{'s' if folders > 1 else ''}"


def _finish(axes, *, title: str):
    axes.set(title=title)
    axes.margins(y=0.15)  # For what is written on the bars.
    axes.grid(alpha=0.3, axis="y")
    axes.set_axisbelow(True)


def _title(line: newest_results.Line, **more: str) -> str:
    """Settings, of which the defaults are given, beside those of models."""
    defaults = more | MODEL_SETTINGS
    return ", ".join(
        str(newest_results.setting(line, name, default))
        for name, default in defaults.items()
    )
