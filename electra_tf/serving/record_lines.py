"""Records of inputs from lines of JSON, or of plain text.

A line of JSON is an object whose keys are the model's inputs, such as
{"text": ...} or {"question": ..., "context": ...}; blank lines are skipped.
A line of plain text is the input of a model that has only one; a blank line
is an empty text, so that every line has its answer.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import json
from typing import Any

from electra_tf.serving import served_signatures

FORMATS = ("jsonl", "text")


def guess_format(path: str) -> str:
    """Plain text if the name says so; JSON lines otherwise, and for "-"."""
    return "text" if path.endswith((".txt", ".text")) else "jsonl"


def read(
    lines: Iterable[bytes],
    *,
    line_format: str,
    inputs: Mapping[str, served_signatures.TensorInfo],
    source: str,
) -> Iterator[dict[str, Any]]:
    """The records of lines.

    Args:
        lines: of UTF-8, with or without their ends.
        line_format: one of `FORMATS`.
        inputs: of the model.
        source: name of what is read, for messages.

    Raises:
        ValueError: a line is none, with its number from 1.
    """
    for number, line in enumerate(lines, start=1):
        if is_record(line, line_format):
            where = f"{source}, line {number}"
            yield parse(line, line_format, inputs=inputs, where=where)


def is_record(line: bytes, line_format: str) -> bool:
    """Whether a line is to be answered."""
    return line_format == "text" or bool(line.strip())


def parse(
    line: bytes,
    line_format: str,
    *,
    inputs: Mapping[str, served_signatures.TensorInfo],
    where: str,
) -> dict[str, Any]:
    """The record of a line; ValueError says where it is wrong."""
    try:
        text = line.rstrip(b"\r\n").decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where}: it is not UTF-8: {error}.") from error
    if line_format == "text":
        return {single_input(inputs): text}
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: it is not JSON: {error}.") from error
    check(record, inputs=inputs, where=where)
    return record


def single_input(inputs: Mapping[str, served_signatures.TensorInfo]) -> str:
    """The name of the input that plain text is for."""
    if len(inputs) == 1:
        ((name, info),) = inputs.items()
        if info == served_signatures.TensorInfo("str", (None,)):
            return name
    listing = ", ".join(f"{name}: {info}" for name, info in inputs.items())
    raise ValueError(
        "Lines of plain text are for a signature that takes one text; this "
        f"one takes {listing}. Give JSON lines with these keys."
    )


def check(
    record: Any,
    *,
    inputs: Mapping[str, served_signatures.TensorInfo],
    where: str,
):
    """Raises ValueError unless a record has all inputs, of the right kind."""
    if not isinstance(record, dict):
        raise ValueError(
            f"{where}: it must be an object with the keys "
            f"{', '.join(inputs)}, got {record!r:.100}."
        )
    signature = served_signatures.Signature(dict(inputs), {})
    try:
        served_signatures.prepare(
            {name: [value] for name, value in record.items()}, signature
        )
    except served_signatures.Mismatch as error:
        raise ValueError(f"{where}: {error}") from error
