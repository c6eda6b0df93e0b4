"""Tar archives and compressed files, read as streams; nothing is unpacked.

OpenWebText is an archive of archives of text files: archives may be inside of
an archive, but not deeper.
"""

from collections.abc import Iterator
import dataclasses
import tarfile

import tensorflow as tf

from data_prep import compressed_files
from data_prep import documents
from data_prep import json_lines
from data_prep import text_files

MAX_PARTS = 8
# Longer names, and the like, are not read into memory.
MAX_HEADER_BYTES = 1 << 20
_MAX_DEPTH = 2
# tarfile copies what is left of a block at each small read.
_BLOCK_BYTES = 1 << 16
_EXTENDED_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
# What tarfile lets through of headers that were made to do harm.
_HEADER_ERRORS = (ValueError, OverflowError, RecursionError)
_ERRORS = (tarfile.TarError, *compressed_files.ERRORS)


def is_packed(path: str) -> bool:
    """Whether a file is compressed or an archive, by its name."""
    base, suffix = compressed_files.split_suffix(path)
    return bool(suffix) or _is_archive_name(base)


def num_parts(path: str, size: int, part_bytes: int) -> int:
    """In how many parts a file should be read; it is 1 if it is no archive."""
    compressed_files.check_suffix(path)
    parts = min(MAX_PARTS, -(-size // part_bytes))
    if parts <= 1:
        return 1
    base, suffix = compressed_files.split_suffix(path)
    if _is_archive_name(base):
        return parts
    with tf.io.gfile.GFile(path, "rb") as file:
        with text_files.errors_named(path, _ERRORS):
            budget = compressed_files.Budget(path, size)
            stream = compressed_files.decompress(
                file, suffix, name=path, budget=budget
            )
            return parts if _holds_archive(stream) else 1


def read(
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[documents.Document]:
    """The documents of a compressed file, or of some files of an archive."""
    with text_files.open_unit(unit, stats, _ERRORS) as file:
        size = tf.io.gfile.stat(unit.path).length
        if not size:
            raise EOFError("it is empty")
        reader = _Reader(
            options=options,
            stats=stats,
            budget=compressed_files.Budget(unit.path, size),
            part=unit.start,
            num_parts=unit.end,
        )
        yield from reader.read(file, unit.path, depth=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Reader:
    """Reads a file and what is inside of it.

    Attributes:
        options: How documents are found.
        stats: Is updated.
        budget: Counts what is decompressed.
        part: Which of the parts of the outermost archive is read.
        num_parts: Every so many files of the archive belong to it.
    """

    options: documents.CorpusOptions
    stats: documents.CorpusStats
    budget: compressed_files.Budget
    part: int
    num_parts: int

    def read(
        self, stream, name: str, depth: int
    ) -> Iterator[documents.Document]:
        """The documents of a file, whatever it is.

        Args:
            stream: Has `read`.
            name: Its path, or the archive's and its own.
            depth: In how many archives it is.
        """
        base, suffix = compressed_files.split_suffix(name)
        if suffix:
            stream = compressed_files.decompress(
                stream, suffix, name=name, budget=self.budget
            )
        if _is_archive_name(base) or (suffix and _holds_archive(stream)):
            yield from self._archive(stream, name, depth + 1)
        elif json_lines.is_json_lines(base):
            limit = json_lines.MAX_LINE_BYTES
            yield from json_lines.json_documents(
                text_files.split(stream, limit=limit),
                name=name,
                options=self.options,
                stats=self.stats,
            )
        else:
            separator = self.options.documents
            # As in the original: a file of an archive is a document, whatever
            # blank lines are in it.
            if depth and separator == "blank_lines":
                separator = "file"
            yield from text_files.text_documents(
                text_files.split(stream), separator=separator, stats=self.stats
            )

    def _archive(
        self, stream, name: str, depth: int
    ) -> Iterator[documents.Document]:
        if depth > _MAX_DEPTH:
            raise ValueError(
                f"{name} is an archive in an archive in an archive. Unpack "
                f"the outermost one."
            )
        for number, (path, file) in enumerate(_members(stream, name)):
            if depth > 1 or number % self.num_parts == self.part:
                with text_files.errors_named(path, _ERRORS):
                    yield from self.read(file, path, depth)


def _members(stream, name: str) -> Iterator[tuple[str, object]]:
    """The name and the stream of each file of an archive, hidden ones not."""
    with tarfile.open(
        fileobj=stream, mode="r|", bufsize=_BLOCK_BYTES, tarinfo=_StrictTarInfo
    ) as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # They would fill the memory.
            shown = member.name.encode("utf-8", "replace").decode()
            if reason := _refusal(member):
                raise ValueError(
                    f"{name} is refused, because {shown!r} in it {reason}. "
                    f"Archives may hold files and folders with relative paths."
                )
            if member.isreg() and not _is_hidden(member.name):
                yield f"{name}: {shown}", archive.extractfile(member)


def _refusal(member: tarfile.TarInfo) -> str | None:
    """Why a member must not be in an archive, if so."""
    reasons = {
        "has an absolute path": member.name.startswith("/"),
        "has a path with '..'": ".." in member.name.split("/"),
        "is a symbolic link": member.issym(),
        "is a hard link": member.islnk(),
        "is a device or pipe": member.isdev(),
        "is a sparse file": member.issparse(),
        "is no file or folder": not (member.isreg() or member.isdir()),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_hidden(path: str) -> bool:
    return any(name.startswith(".") and name != "." for name in path.split("/"))


def _is_archive_name(base: str) -> bool:
    return base.lower().endswith(".tar")


def _holds_archive(stream) -> bool:
    """Whether a stream that has `peek` starts as a tar archive does."""
    head = stream.peek(tarfile.BLOCKSIZE)[: tarfile.BLOCKSIZE]
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.EOFHeaderError:
        return True  # Zeros: an archive of nothing.
    except tarfile.HeaderError:
        return False
    return True


class _StrictTarInfo(tarfile.TarInfo):
    """Raises errors where `tarfile` takes damage for the end of an archive."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        member = super().frombuf(buf, encoding, errors)
        is_header = member.type in _EXTENDED_HEADERS
        if member.size < 0 or (is_header and member.size > MAX_HEADER_BYTES):
            raise tarfile.ReadError(f"it has a header of {member.size} bytes")
        return member

    @classmethod
    def fromtarfile(cls, archive):
        try:
            return super().fromtarfile(archive)
        except (tarfile.EOFHeaderError, compressed_files.TooLargeError):
            raise
        except (tarfile.HeaderError, *_HEADER_ERRORS) as error:
            raise tarfile.ReadError(
                f"it is damaged or cut off ({error})"
            ) from error
