"""The figures that are drawn of a results file, and what each one shows."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any

from benchmarks import newest_results
from benchmarks import result_panels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """A PNG file of one benchmark.

    Attributes:
        file: Its name.
        settings: By which lines are of different kinds, with the defaults of
            the benchmark's flags; of each kind the newest line is shown.
        panels: Of `result_panels`.
        needs: What the figures of a line must have to be drawn.
    """

    file: str
    settings: Mapping[str, Any]
    panels: Callable[
        [Sequence[newest_results.Line]], Sequence[result_panels.Panel]
    ]
    needs: str = "rows"


_BATCH_SETTINGS = {"batch_size": 32, "max_seq_length": 128}
# By the name of the benchmark.
FIGURES = {
    "peers": Figure(
        file="peers.png",
        settings={"work": "pretraining"}
        | result_panels.MODEL_SETTINGS
        | _BATCH_SETTINGS,
        panels=result_panels.peers,
    ),
    "scaling": Figure(
        file="scaling.png",
        settings={"part": None}
        | result_panels.MODEL_SETTINGS
        | _BATCH_SETTINGS,
        panels=result_panels.scaling,
    ),
    "training": Figure(
        file="training_phases.png",
        settings={"stage": "pretraining", "jit_compile": None}
        | result_panels.MODEL_SETTINGS
        | _BATCH_SETTINGS,
        panels=result_panels.training,
        needs="phases",
    ),
    "inference": Figure(
        file="inference.png",
        settings=result_panels.MODEL_SETTINGS,
        panels=result_panels.inference,
    ),
    "input": Figure(
        file="input.png",
        settings={"num_folders": 1, "max_seq_length": 128},
        panels=result_panels.input_pipeline,
    ),
}


def panels(
    lines: Sequence[newest_results.Line],
) -> dict[str, Sequence[result_panels.Panel]]:
    """What is drawn into each file, by its name; files of nothing are left out.

    Args:
        lines: of a results file.
    """
    by_file = {}
    for benchmark, figure in FIGURES.items():
        chosen = newest_results.newest(
            _drawable(lines, benchmark), benchmark, figure.settings
        )
        if chosen:
            by_file[figure.file] = figure.panels(chosen)
    return by_file


def not_drawn(lines: Sequence[newest_results.Line]) -> dict[str, str]:
    """Why there is no figure of a benchmark, by the names of such ones.

    Args:
        lines: of a results file.
    """
    reasons = {}
    for benchmark in sorted({line["benchmark"] for line in lines}):
        if benchmark not in FIGURES:
            reasons[benchmark] = "there is no figure of it"
        elif not _drawable(lines, benchmark):
            reasons[benchmark] = f"no line has {FIGURES[benchmark].needs}"
    return reasons


def _drawable(
    lines: Sequence[newest_results.Line], benchmark: str
) -> list[newest_results.Line]:
    # A line of `scaling` has those sections that were asked for.
    return [
        line
        for line in newest_results.parts(lines, "sections")
        if line["benchmark"] == benchmark
        and line["figures"].get(FIGURES[benchmark].needs)
    ]
