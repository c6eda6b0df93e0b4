"""Examples from comma-separated files and JSON lines, for a user's own tasks.

`glue` reads tab-separated files as GLUE has them, without quoting.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import csv
import io
import json
from typing import Any

from finetune import glue
from finetune import task as task_lib
from finetune import task_files

# Python's csv module has a limit that long texts exceed.
_MAX_FIELD = 2**31 - 1


def parse(
    content: bytes,
    *,
    task: task_lib.Task,
    split: str,
    file_name: str = "",
    skip_malformed: bool = False,
) -> list[task_lib.Example]:
    """All examples of a file, in their order.

    Args:
        content: of the file, UTF-8; of format "csv" as in RFC 4180, with a
            header line, or of format "jsonl", with an object a line.
        task: for classification or regression.
        split: a key of `task.files`; of one that begins with "test" no
            labels are read.
        file_name: for messages.
        skip_malformed: log what cannot be read and leave it out, instead of
            stopping.

    Raises:
        ValueError: what cannot be read, with file and line.
    """
    has_labels = not split.startswith("test")
    needed = [*task.text_columns, *([task.label_column] * has_labels)]
    return glue.make_examples(
        _columns(_rows(content, task, needed, file_name), needed),
        task=task,
        has_labels=has_labels,
        file_name=file_name,
        skip_malformed=skip_malformed,
    )


def label_names(
    content: bytes, *, task: task_lib.Task, file_name: str = ""
) -> tuple[str, ...]:
    """All values of the label's column of a file, sorted.

    What cannot be read is left to `parse`, unless there is nothing else.
    """
    names, problems = set(), []
    needed = [task.label_column]
    rows = _rows(content, task, needed, file_name)
    for number, row in _columns(rows, needed):
        if isinstance(row, ValueError):
            problems.append(f"{file_name}, line {number}: {row}.")
        else:
            names.add(row[task.label_column])
    if problems and not names:
        raise ValueError(problems[0])
    return tuple(sorted(names))


def _columns(
    rows: Iterable[tuple[int, Mapping[str, Any] | ValueError]],
    needed: Sequence[str],
) -> Iterator[glue.Row]:
    """The columns that are needed, as texts, or why there are none."""
    for number, row in rows:
        try:
            yield number, _texts(row, needed)
        except ValueError as error:
            yield number, error


def _rows(
    content: bytes,
    task: task_lib.Task,
    needed: Sequence[str],
    file_name: str,
) -> Iterator[tuple[int, Mapping[str, Any] | ValueError]]:
    """The line at which each row ends, and the row, or what is wrong."""
    if task.format == "jsonl":
        return _json_rows(task_files.lines(content, file_name))
    if task.format == "csv":
        text = task_files.decode(content, file_name)
        return _csv_rows(text, needed, file_name)
    return glue.rows(content, task, file_name)


def _json_rows(lines: list[str]):
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, ValueError(f"not JSON: {error}")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, ValueError("no JSON object, in braces")


def _csv_rows(text: str, needed: Sequence[str], file_name: str):
    csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = None
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # What follows cannot be told from the quoted text.
            raise ValueError(
                f"{file_name}, line {reader.line_num}: {error}."
            ) from error
        if not values:  # An empty line.
            continue
        if header is None:
            header = values
            missing = _missing(header, needed)
            if missing:
                raise ValueError(f"{file_name}, line 1: {missing}.")
        elif len(values) != len(header):
            yield (
                reader.line_num,
                ValueError(
                    f"{len(values)} columns instead of {len(header)} "
                    f"({', '.join(header)})"
                ),
            )
        else:
            yield reader.line_num, dict(zip(header, values, strict=True))


def _texts(
    row: Mapping[str, Any] | ValueError, needed: Sequence[str]
) -> dict[str, str]:
    """The columns that are needed, as texts."""
    if isinstance(row, ValueError):
        raise row
    missing = _missing(row, needed)
    if missing:
        raise ValueError(missing)
    return {name: _text(name, row[name]) for name in needed}


def _missing(columns: Iterable[str], needed: Sequence[str]) -> str:
    """Which columns are needed and not there; empty if none."""
    missing = [name for name in needed if name not in columns]
    if not missing:
        return ""
    return f"no column {', '.join(missing)}; there are {', '.join(columns)}"


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text or a number, got {value!r}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} is no text: {error.reason}") from error
    return value
