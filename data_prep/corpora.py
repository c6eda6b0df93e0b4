"""Reading a corpus: sources become units, and units become documents.

A unit is a part that can be read by itself, in any process; together they
hold every document once, in an order that is always the same.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import os

import tensorflow as tf

from data_prep import archives
from data_prep import documents
from data_prep import embedded_corpus
from data_prep import json_lines
from data_prep import text_files
from data_prep import tfds_corpora

Document = documents.Document
CorpusOptions = documents.CorpusOptions
CorpusStats = documents.CorpusStats
Unit = documents.Unit
hash_position = documents.hash_position

EMBEDDED = "embedded"
_READERS = {
    "text": text_files.read,
    "json": json_lines.read,
    "packed": archives.read,
    "tfds": tfds_corpora.read,
    "embedded": embedded_corpus.read,
}
# Each part of an archive reads all of it, so it has to be large.
_PACKED_UNITS = 32
# What people have beside texts, and would become nonsense.
_NO_TEXT = (".zip", ".7z", ".rar", ".parquet", ".arrow", ".pdf", ".docx")
# How many times its size a compressed text is, about.
_COMPRESSION = 4
_DEFAULT_OPTIONS = CorpusOptions()


def plan(
    sources: Sequence[str],
    options: CorpusOptions,
    *,
    unit_bytes: int = 8 << 20,
) -> list[Unit]:
    """Divides a corpus into parts that are read by themselves.

    Args:
        sources: Each a file, a folder (read recursively, by name), a pattern
            such as "wiki/*.txt", or one of these names: "embedded" is English
            prose that every installation has, and "tfds:" with a name is a
            data set of tensorflow_datasets. Files may be compressed, JSON
            lines or tar archives, as their names say.
        options: How documents are found in them.
        unit_bytes: About how much text a unit has, where files can be divided.

    Raises:
        ValueError: if a source is not there, or is nothing that can be read.
    """
    if unit_bytes < 1:
        raise ValueError(f"unit_bytes must be at least 1, got {unit_bytes}.")
    if not sources:
        raise ValueError("No corpus was given.")
    units = []
    for number, source in enumerate(sources):
        if source == EMBEDDED:
            units.append(Unit(source=number, kind="embedded", path=EMBEDDED))
            continue
        if source.startswith(tfds_corpora.PREFIX):
            units += tfds_corpora.plan(number, source, options, unit_bytes)
            continue
        with text_files.errors_named(f"Corpus {source!r}"):
            for path in expand(source):
                units += _plan_file(number, path, options, unit_bytes)
    return units


def _plan_file(
    number: int, path: str, options: CorpusOptions, unit_bytes: int
) -> list[Unit]:
    if path.lower().endswith(_NO_TEXT):
        raise ValueError(
            f"{path} is no text, by its name. Leave it out, for example by a "
            f"pattern such as 'folder/*.txt', or convert it."
        )
    stat = tf.io.gfile.stat(path)
    size = stat.length
    unit = Unit(
        source=number,
        kind="json" if json_lines.is_json_lines(path) else "text",
        path=path,
        version=text_files.file_version(stat),
    )
    if archives.is_packed(path):
        parts = archives.num_parts(path, size, _PACKED_UNITS * unit_bytes)
        if not path.lower().endswith(".tar"):
            size *= _COMPRESSION
        unit = dataclasses.replace(unit, kind="packed", size=size // parts)
        return [
            dataclasses.replace(unit, start=part, end=parts)
            for part in range(parts)
        ]
    if unit.kind == "text" and options.documents == "file":
        unit_bytes = max(1, size)
    return [
        dataclasses.replace(unit, start=start, end=end, size=end - start)
        for start in range(0, max(1, size), unit_bytes)
        for end in [min(size, start + unit_bytes)]
    ]


def expand(source: str) -> list[str]:
    """The files of a source, sorted; what is hidden in a folder is left out."""
    if tf.io.gfile.isdir(source):
        paths = _files(source)
    elif tf.io.gfile.exists(source):
        return [source]
    else:
        paths = [
            path
            for match in tf.io.gfile.glob(source)
            for path in (_files(match) if tf.io.gfile.isdir(match) else [match])
        ]
    if not paths:
        raise ValueError(
            f"Corpus {source!r} holds no file. Give a text file, a folder, a "
            f"pattern or {EMBEDDED!r}."
        )
    return sorted(paths)


def _files(folder: str) -> list[str]:
    return [
        os.path.join(root, name)
        for root, names in _walk(folder)
        for name in names
        if not _is_hidden(os.path.join(root.removeprefix(folder), name))
    ]


def _walk(folder: str) -> Iterator[tuple[str, list[str]]]:
    """All folders in one, each once, also if there are links to it."""
    if "://" in folder:
        for root, _, names in tf.io.gfile.walk(folder):
            yield root, names
        return
    seen = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        if (path := os.path.realpath(root)) in seen:
            folders.clear()
        else:
            seen.add(path)
            yield root, names


def _is_hidden(path: str) -> bool:
    return any(name.startswith(".") for name in path.split("/"))


def read_unit(
    unit: Unit, options: CorpusOptions, stats: CorpusStats
) -> Iterator[Document]:
    """Reads the documents of a unit, as `plan` made it; counts in `stats`."""
    return _READERS[unit.kind](unit, options, stats)


def read_documents(
    sources: Sequence[str],
    *,
    options: CorpusOptions = _DEFAULT_OPTIONS,
    stats: CorpusStats | None = None,
) -> Iterator[Document]:
    """Reads the documents of sources, in an order that is always the same.

    Args:
        sources: As `plan` takes them.
        options: How documents are found in them.
        stats: Is updated while reading.

    Raises:
        ValueError: At once, if a source names no file; at the end, if there
            was no text at all.
    """
    stats = CorpusStats() if stats is None else stats
    units = plan(sources, options)
    return _read_units(units, sources, options, stats)


def _read_units(
    units: Sequence[Unit],
    sources: Sequence[str],
    options: CorpusOptions,
    stats: CorpusStats,
) -> Iterator[Document]:
    for unit in units:
        yield from read_unit(unit, options, stats)
    stats.check_text(sources)
