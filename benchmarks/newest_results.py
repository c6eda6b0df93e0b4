"""Lines of a results file, and which of them are the newest of their kind."""

from collections.abc import Mapping
from collections.abc import Sequence
import itertools
import json
import os
from typing import Any

# As `results_file.append` writes it.
Line = dict[str, Any]

_FIELDS = ("benchmark", "date", "machine", "command", "figures")


def read(path: str) -> list[Line]:
    """All lines, the oldest first.

    Raises:
        ValueError: there is no such file, or a line is not what
            `results_file.append` writes.
    """
    if not os.path.isfile(path):
        raise ValueError(
            f"There is no file {path!r}. Benchmarks write it, such as python "
            "-m benchmarks.measure_input."
        )
    lines = []
    with open(path, encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            try:
                line = json.loads(text)
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"{path}, line {number} is not JSON: {error}. Delete it, "
                    "or measure again into another file."
                ) from error
            _check(line, f"{path}, line {number}")
            lines.append(line)
    return lines


def newest(
    lines: Sequence[Line], benchmark: str, settings: Mapping[str, Any]
) -> list[Line]:
    """The last line of each kind, in the order in which they were written.

    Args:
        lines: of a file.
        benchmark: whose.
        settings: by which its lines are of different kinds, with their
            defaults, see `setting`.
    """
    chosen = {}
    for line in lines:
        if line["benchmark"] == benchmark:
            kind = tuple(
                str(setting(line, name, default))
                for name, default in settings.items()
            )
            chosen.pop(kind, None)  # What is newer comes later.
            chosen[kind] = line
    return list(chosen.values())


def parts(lines: Sequence[Line], name: str) -> list[Line]:
    """Lines of which each has one part of what theirs have.

    Args:
        lines: of a file.
        name: of the figure that has rows by part, such as "sections". In its
            place a line has `part`, and `rows`; those without it stay.
    """
    divided = []
    for line in lines:
        if name not in line["figures"]:
            divided.append(line)
            continue
        rest = {k: v for k, v in line["figures"].items() if k != name}
        for part, rows in line["figures"][name].items():
            figures = rest | {"part": part, "rows": rows}
            divided.append(line | {"figures": figures})
    return divided


def setting(line: Line, name: str, default: Any) -> Any:
    """What the figures tell, or else a flag of the command.

    Args:
        line: of a file.
        name: of the figure and of the flag.
        default: of the flag.
    """
    figures = line["figures"]
    for known in (figures, figures.get("settings", {})):
        if name in known:
            return known[name]
    value = default
    # `--name=value` and `--name value`; of several the last one counts.
    words = [word for w in line["command"] for word in w.split("=", 1)]
    for word, following in itertools.pairwise(words):
        if word in (f"--{name}", f"-{name}"):
            value = following
    return value


def _check(line: Any, place: str):
    missing = [
        name
        for name in _FIELDS
        if not isinstance(line, dict) or name not in line
    ]
    if missing:
        raise ValueError(
            f"{place} is no result of a benchmark: it lacks "
            f"{', '.join(missing)}. Delete it, or measure again into another "
            "file."
        )
