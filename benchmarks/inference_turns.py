"""Two engines that take turns, and what their times say."""

import dataclasses
from typing import Any

from benchmarks import engine_batches
from benchmarks import latencies
from benchmarks import other_process
from electra_tf import config

# Our ways, and what is the same of the peer's.
WAYS = {
    "discriminate_ids": "discriminate_ids",
    "keras": "discriminate_ids",
    "encode_ids": "encode_ids",
    "discriminate": "discriminate",
}
# Of the logits. Steps of numbers near 1 are 2**-7 and 2**-10 in half
# precision; rounding adds up over layers.
_MAX_DIFFERENCES: dict[config.Precision, float] = {
    "float32": 1e-4,
    "bfloat16": 0.25,
    "float16": 0.03,
}
_COLUMNS = ("p50_ms", "p90_ms", "p99_ms", "sentences_per_s", "tokens_per_s")


@dataclasses.dataclass(frozen=True)
class Turns:
    """Seconds of each batch, for each turn.

    Attributes:
        way: of ours.
        own: of our engine.
        peer: of the other one; empty if there is none.
    """

    way: str
    own: list[list[float]]
    peer: list[list[float]]

    def figures(self, batches: list[engine_batches.Batch]) -> dict[str, Any]:
        """A row of the table.

        Args:
            batches: what each turn read.
        """
        counts = {
            "sentences": sum(len(batch.texts) for batch in batches),
            "tokens": sum(batch.num_tokens for batch in batches),
        }
        row = {
            "way": self.way,
            "batch_size": len(batches[0].texts),
            "own": _summary(self.own, counts),
        }
        if self.peer:
            row["peer"] = _summary(self.peer, counts)
            row["times_as_fast"] = latencies.speedup(
                [sum(turn) for turn in self.own],
                [sum(turn) for turn in self.peer],
            )
        return row


def check_same(
    own: other_process.OtherProcess,
    peer: other_process.OtherProcess,
    batches: dict[int, list[engine_batches.Batch]],
    *,
    precision: config.Precision,
):
    """Raises RuntimeError if the two do not read or compute the same.

    Args:
        own: an `OwnEngine`.
        peer: a `PeerEngine`.
        batches: by their size, as both have them.
        precision: what both compute in.
    """
    for size, of_size in batches.items():
        difference = engine_batches.largest_difference(
            own.call("logits", size), peer.call("logits", size), of_size
        )
        alike = peer.call("reads_alike", size)
        print(
            f"Batches of {size}: largest difference of logits "
            f"{difference:.1e}; texts are split "
            f"{'alike' if alike else 'differently'}.",
            flush=True,
        )
        # Not a number is not within the bound.
        if not alike or not difference <= _MAX_DIFFERENCES[precision]:
            raise RuntimeError("The two do not compute the same.")


def measure(
    own: other_process.OtherProcess,
    peer: other_process.OtherProcess | None,
    way: str,
    *,
    size: int,
    turns: int,
) -> Turns:
    """Times a way of reading; one turn more, the first, is not counted.

    Args:
        own: an `OwnEngine`.
        peer: a `PeerEngine`, or None.
        way: of `WAYS`.
        size: of the batches.
        turns: how many to count.
    """
    engines = {"own": (own, way)}
    if peer is not None:
        engines["peer"] = (peer, WAYS[way])
    seconds = {"own": [], "peer": []}
    for turn in range(turns + 1):
        # Who comes first changes: neither has always the warmer processor.
        for name in sorted(engines, reverse=turn % 2 == 1):
            engine, its_way = engines[name]
            times = engine.call("run", its_way, size)
            if turn:
                seconds[name].append(times)
    return Turns(way, **seconds)


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown: a line for each engine, way and size of batches."""
    titles = [c.replace("_per_s", "/s").replace("_", " ") for c in _COLUMNS]
    lines = [
        f"| batch | way | engine | {' | '.join(titles)} | times as fast |",
        f"|--:|---|---|{'--:|' * len(_COLUMNS)}--:|",
    ]
    for row in rows:
        for engine in ("own", "peer"):
            if engine not in row:
                continue
            cells = [f"{row[engine][name]:,.1f}" for name in _COLUMNS]
            ratio = ""
            if engine == "own" and "times_as_fast" in row:
                ratio = f"{row['times_as_fast']:.2f}"
            way = row["way"] if engine == "own" else WAYS[row["way"]]
            lines.append(
                f"| {row['batch_size']} | {way} | {engine} | "
                f"{' | '.join(cells)} | {ratio} |"
            )
    return "\n".join(lines)


def _summary(
    turns: list[list[float]], counts: dict[str, int]
) -> dict[str, float]:
    seconds = [value for turn in turns for value in turn]
    rates = latencies.rates([sum(turn) for turn in turns], counts)
    return latencies.summary(seconds) | rates
