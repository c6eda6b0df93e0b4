"""Which kinds of operations a profile of TensorFlow says are the costliest."""

import collections
import glob
import os
import re
from typing import NamedTuple

from tensorflow.tsl.profiler.protobuf import xplane_pb2

# Events of operations are named "layer/name:Kind".
_OPERATION = re.compile(r"[^$ ][^ ]*[^:]:(\w+)")


class Cost(NamedTuple):
    """What one kind of operation takes in a step.

    Attributes:
        kind: Such as "MatMul".
        seconds: Of all threads together.
        calls: How many there are.
    """

    kind: str
    seconds: float
    calls: float


def costs(directory: str, num_steps: int) -> list[Cost]:
    """All kinds of operations, the costliest first.

    Args:
        directory: that a profile was written to; the newest one counts.
        num_steps: that it is of.
    """
    pattern = os.path.join(directory, "plugins", "profile", "*", "*.xplane.pb")
    paths = glob.glob(pattern)
    if not paths:
        raise ValueError(f"There is no profile in {directory!r}.")
    with open(max(paths), "rb") as file:
        space = xplane_pb2.XSpace.FromString(file.read())
    return summed(space, num_steps)


def summed(space: xplane_pb2.XSpace, num_steps: int) -> list[Cost]:
    """The same for a profile that has been read."""
    seconds, calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                operation = _OPERATION.fullmatch(name)
                if operation:
                    kind = operation[1]
                    seconds[kind] += event.duration_ps / 1e12
                    calls[kind] += 1
    return [
        Cost(kind, total / num_steps, calls[kind] / num_steps)
        for kind, total in seconds.most_common()
    ]


def table(rows: list[Cost], num_rows: int) -> str:
    """The first rows as Markdown; shares are those of all rows' seconds."""
    total = sum(row.seconds for row in rows)
    lines = [
        "| operation | ms a step | share | calls a step |",
        "|---|--:|--:|--:|",
    ]
    lines += [
        f"| {row.kind} | {1e3 * row.seconds:,.2f} | "
        f"{row.seconds / total:.1%} | {row.calls:,.0f} |"
        for row in rows[:num_rows]
    ]
    return "\n".join(lines)
