"""Trainers that take turns, and what their times say."""

from collections.abc import Mapping
import dataclasses
import math
from typing import Any

from benchmarks import latencies
from benchmarks import other_process

OWN = "own"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Turns:
    """Of each trainer, by its name, in the order in which they worked.

    Attributes:
        examples_per_turn: that each of them read.
        seconds: of each turn that counts.
        first_step: seconds until it was done, with nothing made before.
        peak_memory_gb: of its process.
        num_parameters: numbers that it learns.
    """

    examples_per_turn: int
    seconds: Mapping[str, list[float]]
    first_step: Mapping[str, float]
    peak_memory_gb: Mapping[str, float]
    num_parameters: Mapping[str, int]

    def figures(self) -> list[dict[str, Any]]:
        """A row of the table for each trainer; peers are compared with ours."""
        rows = []
        for name, seconds in self.seconds.items():
            row = {
                "implementation": name,
                **latencies.rates(
                    seconds, {"examples": self.examples_per_turn}
                ),
                "times_as_fast": None,
                "peak_memory_gb": self.peak_memory_gb[name],
                "first_step_seconds": self.first_step[name],
                "num_parameters": self.num_parameters[name],
                "turn_seconds": seconds,
            }
            if name != OWN:
                row["times_as_fast"] = latencies.speedup(
                    self.seconds[OWN], seconds
                )
            rows.append(row)
        return rows


def measure(
    trainers: Mapping[str, other_process.OtherProcess],
    *,
    turns: int,
    warmup_turns: int,
    steps_per_turn: int,
    batch_size: int,
) -> Turns:
    """Times trainers, of which one works at a time.

    Their first steps come first, then turns: A B C A B C.

    Args:
        trainers: objects with the methods of `own_trainer.OwnTrainer`, by
            their names; `OWN` is what the others are compared with.
        turns: how many to count.
        warmup_turns: how many not to count, before.
        steps_per_turn: of each trainer.
        batch_size: examples a step.

    Raises:
        RuntimeError: a trainer's loss is not finite.
    """
    first_step = {}
    for name, trainer in trainers.items():
        first_step[name] = trainer.call("first_step")
        _check_loss(name, trainer)
    seconds = {name: [] for name in trainers}
    for turn in range(warmup_turns + turns):
        for name, trainer in trainers.items():
            times = trainer.call("run", steps_per_turn)
            if turn >= warmup_turns:
                seconds[name].append(sum(times))
    for name, trainer in trainers.items():
        _check_loss(name, trainer)
    return Turns(
        examples_per_turn=steps_per_turn * batch_size,
        seconds=seconds,
        first_step=first_step,
        peak_memory_gb=_of_each(trainers, "peak_memory_gb"),
        num_parameters=_of_each(trainers, "num_parameters"),
    )


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown: a line for each implementation."""
    lines = [
        "| implementation | examples/s | ours is times as fast "
        "| peak memory GB | first step s | million parameters |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        ratio = row["times_as_fast"]
        lines.append(
            f"| {row['implementation']} | {row['examples_per_s']:.2f} "
            f"| {'' if ratio is None else f'{ratio:.2f}'} "
            f"| {row['peak_memory_gb']:.2f} "
            f"| {row['first_step_seconds']:.1f} "
            f"| {row['num_parameters'] / 1e6:.2f} |"
        )
    return "\n".join(lines)


def verdict(rows: list[dict[str, Any]]) -> str:
    """How we compare with the fastest of the peers, and the leanest."""
    own = next(row for row in rows if row["implementation"] == OWN)
    peers = [row for row in rows if row["implementation"] != OWN]
    fastest = min(peers, key=lambda row: row["times_as_fast"])
    leanest = min(peers, key=lambda row: row["peak_memory_gb"])
    return (
        f"{fastest['times_as_fast']:.2f} times as fast as the fastest peer, "
        f"{fastest['implementation']}; "
        f"{own['peak_memory_gb'] / leanest['peak_memory_gb']:.2f} times the "
        f"memory of the leanest, {leanest['implementation']}."
    )


def _check_loss(name: str, trainer: other_process.OtherProcess):
    loss = trainer.call("loss")
    if not math.isfinite(loss):
        raise RuntimeError(f"The loss of {name} is not finite: {loss}.")


def _of_each(
    trainers: Mapping[str, other_process.OtherProcess], method: str
) -> dict[str, Any]:
    return {name: trainer.call(method) for name, trainer in trainers.items()}
