"""JSON lines: each line is an object with the text of one document."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
import json

from data_prep import documents
from data_prep import text_files

MAX_LINE_BYTES = 64 << 20
_SUFFIXES = (".jsonl", ".ndjson")
_MAX_LIST_CHARACTERS = 300
_TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a Boolean",
    type(None): "null",
}


def is_json_lines(name: str) -> bool:
    """Whether a file, without the suffix of compression, has JSON lines."""
    return name.lower().endswith(_SUFFIXES)


def read(
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[documents.Document]:
    """The documents of the lines that begin in a byte range of a file."""
    with text_files.open_unit(unit, stats) as file:
        start, end = text_files.owned_range(file, unit, by_blank=False)
        yield from json_documents(
            text_files.split(file, start=start, end=end, limit=MAX_LINE_BYTES),
            name=unit.path,
            options=options,
            stats=stats,
            start=start,
            lines_before=lambda: text_files.count_lines(file, start),
        )


def json_documents(
    pieces: Iterable[text_files.Piece],
    *,
    name: str,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
    start: int = 0,
    lines_before: Callable[[], int] = lambda: 0,
) -> Iterator[documents.Document]:
    """The documents of JSON lines.

    Args:
        pieces: The lines, as `text_files.split` gives them.
        name: Of the file, for errors.
        options: Say which field is the text.
        stats: Is updated.
        start: Offset of the first byte.
        lines_before: Counts the lines before that; called for an error only.
    """
    lines = _text_lines(pieces, name, options, stats, start, lines_before)
    return documents.group(lines, stats)


def _text_lines(
    pieces: Iterable[text_files.Piece],
    name: str,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
    position: int,
    lines_before: Callable[[], int],
) -> Iterator[str | None]:
    number, is_long = 0, False
    for after, piece, ends in pieces:
        stats.bytes += after - position
        position = after
        if not ends:
            is_long = True
            continue
        number += 1
        try:
            text = _parse(piece, is_long, options.text_field, stats)
        except ValueError as error:
            if not options.skip_malformed_lines:
                raise ValueError(
                    f"{name}, line {lines_before() + number}: {error} Name "
                    f"the field of the text with --text_field, or leave such "
                    f"lines out with --skip_malformed_lines."
                ) from error
            stats.malformed_lines += 1
            text = None
        is_long = False
        if text is not None:
            yield from text_files.text_lines(text, stats)
            yield None


def _parse(
    line: bytes, is_long: bool, field: str, stats: documents.CorpusStats
) -> str | None:
    """The text of a JSON line; None if the line is blank."""
    if is_long:
        raise ValueError(f"It is longer than {MAX_LINE_BYTES} bytes.")
    decoded, is_valid = text_files.decode(line)
    if not decoded:
        stats.empty_lines += 1
        return None
    try:
        record = json.loads(decoded)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"It is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise ValueError(f"It is {_type_name(record)}, not an object.")
    if field not in record:
        fields = ", ".join(map(repr, record)) or "none"
        if len(fields) > _MAX_LIST_CHARACTERS:
            fields = fields[:_MAX_LIST_CHARACTERS] + " ..."
        raise ValueError(
            f"It has no field {field!r}. Its fields are: {fields}."
        )
    if not isinstance(record[field], str):
        raise ValueError(
            f"Its field {field!r} is {_type_name(record[field])}, not a string."
        )
    stats.invalid_lines += not is_valid
    return record[field]


def _type_name(value) -> str:
    return _TYPE_NAMES.get(type(value), "a number")
