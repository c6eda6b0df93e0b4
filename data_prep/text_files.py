"""Lines of text files, and which byte ranges of them are read by themselves.

A line that is longer than a limit comes in several pieces, so memory is
bounded whatever a file holds.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib

import tensorflow as tf

from data_prep import documents

MAX_LINE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20
# The next blank line is mostly near.
_SCAN_BYTES = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# Where the next piece starts; the bytes, without newline; whether the line
# ends here.
Piece = tuple[int, bytes, bool]


def read(
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[documents.Document]:
    """The documents that begin in a byte range of a plain text file."""
    by_blank = options.documents == "blank_lines"
    with open_unit(unit, stats) as file:
        start, end = owned_range(file, unit, by_blank=by_blank)
        pieces = split(file, start=start, end=end)
        yield from text_documents(
            pieces, start=start, separator=options.documents, stats=stats
        )


@contextlib.contextmanager
def open_unit(
    unit: documents.Unit,
    stats: documents.CorpusStats,
    errors: tuple[type[Exception], ...] = (),
):
    """Opens the file of a unit; errors of reading get its name."""
    with errors_named(unit.path, errors):
        version = file_version(tf.io.gfile.stat(unit.path))
        if unit.version not in ("", version):
            raise ValueError(
                f"{unit.path} has changed since reading the corpus was "
                f"planned: length and time were {unit.version}, and are "
                f"{version}. Start again."
            )
        stats.files += unit.start == 0
        with tf.io.gfile.GFile(unit.path, "rb") as file:
            yield file


def file_version(stat) -> str:
    """Length and time of the last change of a file, given its `gfile.stat`."""
    return f"{stat.length}-{stat.mtime_nsec}"


@contextlib.contextmanager
def errors_named(name: str, errors: tuple[type[Exception], ...] = ()):
    """Turns errors of reading into one that names what was read."""
    try:
        yield
    except tf.errors.OpError as error:
        raise ValueError(f"{name} cannot be read: {error.message}") from error
    except (OSError, EOFError, *errors) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error


def owned_range(file, unit: documents.Unit, *, by_blank: bool):
    """The bytes of the documents that begin in the range of a unit.

    They start where a document does, and end where a later one does, so that
    each document is in the range of one unit.

    Args:
        file: Can `seek` and `read`.
        unit: What a boundary is looked for behind the start and the end of.
        by_blank: Whether a blank line is between documents; otherwise each
            line is one.

    Returns:
        `(start, end)`, byte offsets; equal if no document begins there. The
        file stands at the start.
    """
    start = _boundary(file, unit.start, by_blank=by_blank, limit=unit.end)
    if start is None:
        return unit.end, unit.end
    end = _boundary(file, unit.end, by_blank=by_blank)
    file.seek(start)
    return start, end


def _boundary(
    file, offset: int, *, by_blank: bool, limit: int | None = None
) -> int | None:
    """Where the first document that begins behind an offset does.

    That is the start of the line after the first blank line of those that
    start behind the offset; or the first line that starts behind it.

    Returns:
        None if it does not depend on a line that starts at `limit` or before:
        no reason to look any further.
    """
    if offset == 0:
        return 0
    file.seek(offset)
    after = offset
    blank = False  # Of the line that the offset is in, nothing is known.
    for after, piece, ends in split(file, start=offset, block=_SCAN_BYTES):
        blank = blank and not decode(piece)[0]
        if ends and (blank or not by_blank):
            return after
        may_be_blank = blank and not ends
        if limit is not None and after > limit and not may_be_blank:
            return None
        blank = blank or ends
    return after


def split(
    file,
    *,
    start: int = 0,
    end: int | None = None,
    limit: int | None = None,
    block: int | None = None,
) -> Iterator[Piece]:
    """Splits a file into lines, and lines into pieces of at most `limit` bytes.

    A byte order mark at the start of the file is left out.

    Args:
        file: Has `read`, and stands at `start`.
        start: Offset of the first byte.
        end: Offset of the byte after the last; of the file, if not given.
        limit: `MAX_LINE_BYTES`, if not given.
        block: How many bytes are read at once; a mebibyte, if not given.
    """
    size = None if end is None else end - start
    blocks = _blocks(file, block or _BLOCK_BYTES, size)
    limit = MAX_LINE_BYTES if limit is None else limit
    pieces = _split(blocks, start, limit)
    if start == 0:
        for after, piece, ends in pieces:
            if piece.startswith(_UTF16_MARKS):
                raise OSError("it is UTF-16; convert it to UTF-8")
            yield after, piece.removeprefix(_BYTE_ORDER_MARK), ends
            break
    yield from pieces


def _blocks(file, block: int, size: int | None) -> Iterator[bytes]:
    while size is None or size > 0:
        data = file.read(block if size is None else min(block, size))
        if not data:
            return
        if size is not None:
            size -= len(data)
        yield data


def _split(
    blocks: Iterable[bytes], position: int, limit: int
) -> Iterator[Piece]:
    rest = []  # Of the last line that is not complete.
    for block in blocks:
        *lines, last = block.split(b"\n")
        if lines:
            lines[0] = b"".join([*rest, lines[0]])
            rest = []
        for line in lines:
            if len(line) > limit:
                *heads, line = cut(line, limit)
                for head in heads:
                    position += len(head)
                    yield position, head, False
            position += len(line) + 1
            yield position, line, True
        rest.append(last)
        if sum(map(len, rest)) > limit:
            *heads, last = cut(b"".join(rest), limit)
            for head in heads:
                position += len(head)
                yield position, head, False
            rest = [last]
    if last := b"".join(rest):
        yield position + len(last), last, True


def cut(line: bytes, limit: int) -> list[bytes]:
    """Cuts a line into pieces of at most `limit` bytes; the last is not empty.

    How it is cut at the start does not depend on how it goes on, so it can be
    done before the line is complete.
    """
    pieces = []
    while len(line) > limit:
        length = _piece_length(line, limit)
        pieces.append(line[:length])
        line = line[length:]
    return [*pieces, line]


def _piece_length(line: bytes, limit: int) -> int:
    """Where to cut: behind white space, or else behind a whole character."""
    length = 1 + max(line.rfind(space, 0, limit) for space in (b" ", b"\t"))
    if length > 0:
        return length
    # Bytes 10xxxxxx go on with a character; it has three of them at most.
    for length in range(limit, max(0, limit - 4), -1):
        if line[length] & 0xC0 != 0x80:
            return length
    return limit


def text_documents(
    pieces: Iterable[Piece],
    *,
    separator: str,
    stats: documents.CorpusStats,
    start: int = 0,
) -> Iterator[documents.Document]:
    """The documents of a text.

    Args:
        pieces: Its lines, as `split` gives them.
        separator: One of `CorpusOptions.documents`.
        stats: Is updated.
        start: Offset of the first byte.
    """
    lines = _stripped_lines(pieces, start, separator, stats)
    is_empty = True
    for document in documents.group(lines, stats):
        is_empty = False
        yield document
    if is_empty and separator == "file":
        stats.empty_documents += 1


def _stripped_lines(
    pieces: Iterable[Piece],
    position: int,
    separator: str,
    stats: documents.CorpusStats,
) -> Iterator[str | None]:
    """Lines with text, and None where a document ends."""
    by_line = separator == "line"
    by_blank = separator == "blank_lines"
    has_text, is_long, is_valid = False, False, True
    for after, piece, ends in pieces:
        stats.bytes += after - position
        position = after
        text, valid = decode(piece)
        is_valid &= valid
        if text:
            has_text = True
            yield text
        if not ends:
            is_long = True
            continue
        stats.empty_lines += not has_text
        stats.long_lines += is_long
        stats.invalid_lines += not is_valid
        if by_line or (by_blank and not has_text):
            yield None
        has_text, is_long, is_valid = False, False, True


def text_lines(text: str, stats: documents.CorpusStats) -> Iterator[str]:
    """The stripped lines with text of a document that is in memory.

    Lines are cut and counted as those of a file are.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        # JSON has half a character as "\\ud83d"; no file could hold it.
        data = text.encode("utf-16", "surrogatepass")
        data = data.decode("utf-16", "replace").encode("utf-8")
        stats.invalid_lines += 1
    counted = documents.CorpusStats()
    pieces = _split([data.strip()], 0, MAX_LINE_BYTES)
    is_empty = True
    for line in _stripped_lines(pieces, 0, "file", counted):
        is_empty = False
        yield line
    stats.empty_documents += is_empty
    stats.long_lines += counted.long_lines
    if not is_empty:
        stats.empty_lines += counted.empty_lines


def decode(line: bytes) -> tuple[str, bool]:
    """The stripped text of a line, and whether it is UTF-8.

    Bytes that are not are replaced by U+FFFD.
    """
    try:
        return line.decode("utf-8").strip(), True
    except UnicodeDecodeError:
        return line.decode("utf-8", errors="replace").strip(), False


def count_lines(file, end: int) -> int:
    """How many lines end before an offset of a file."""
    file.seek(0)
    return sum(data.count(b"\n") for data in _blocks(file, _BLOCK_BYTES, end))
