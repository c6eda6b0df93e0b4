"""Documents, and what a corpus is read with: options, units and counters."""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import hashlib
from typing import Literal
from typing import NamedTuple

from electra_tf import config_checks

# A longer document comes in parts, so that memory is bounded.
PART_CHARACTERS = 1 << 20


class Document(NamedTuple):
    """Consecutive lines of a document, mostly all of them.

    Attributes:
        lines: Stripped, and none is empty.
        starts: Whether the document starts here; otherwise these lines go on
            with the document before.
        ends: Whether the document ends here; otherwise the next one goes on
            with it.
    """

    lines: list[str]
    starts: bool = True
    ends: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusOptions:
    """How documents are found in a corpus.

    Attributes:
        documents: What separates documents in text files: "blank_lines", or
            each "line" or "file" is a document. A file in an archive is
            always one, unless it is "line".
        text_field: Name of the text in JSON lines and in the examples of a
            TFDS data set.
        skip_malformed_lines: Whether JSON lines without such a text are
            counted and left out; otherwise they are an error.
        tfds_data_dir: Where TFDS data sets are; if not given, where
            tensorflow_datasets puts them.
        tfds_split: Split of TFDS data sets, such as "train[:10%]".
        tfds_download: Whether TFDS data sets are downloaded and prepared if
            they are not there.
    """

    documents: Literal["blank_lines", "line", "file"] = "blank_lines"
    text_field: str = "text"
    skip_malformed_lines: bool = False
    tfds_data_dir: str | None = None
    tfds_split: str = "train"
    tfds_download: bool = False

    def __post_init__(self):
        config_checks.check_types(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unit:
    """A part of a corpus that can be read by itself, in any process.

    Attributes:
        source: Which of the sources of the corpus it belongs to, from 0.
        kind: Which reader it is for.
        path: A file, the name of a TFDS data set, or "embedded".
        start: First byte of a range of a file, first example of a TFDS data
            set, or which part of an archive.
        end: Where such a range ends, or the number of parts of the archive.
        size: About how many bytes reading it will count; 0 if unknown.
        version: Differs if the file or data set has changed.
    """

    source: int
    kind: str
    path: str
    start: int = 0
    end: int = 0
    size: int = 0
    version: str = ""


@dataclasses.dataclass
class CorpusStats:
    """What a reader saw; it counts while documents are read.

    Attributes:
        files: Files opened; an archive is one.
        documents: Documents that had any text.
        lines: Lines with text.
        bytes: Bytes read, after decompression.
        empty_lines: Blank lines.
        invalid_lines: Lines that are not UTF-8; the bad bytes were replaced
            by U+FFFD.
        empty_documents: Documents without any text.
        long_lines: Lines that were cut because they are longer than 1 MiB.
        malformed_lines: JSON lines that were left out because they have no
            text field.
    """

    files: int = 0
    documents: int = 0
    lines: int = 0
    bytes: int = 0
    empty_lines: int = 0
    invalid_lines: int = 0
    empty_documents: int = 0
    long_lines: int = 0
    malformed_lines: int = 0

    def __add__(self, other: "CorpusStats") -> "CorpusStats":
        ours, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return CorpusStats(*map(sum, zip(ours, theirs)))

    def check_text(self, sources: Sequence[str]) -> None:
        """Raises ValueError if all of a corpus was read, and had no text."""
        if not self.documents:
            raise ValueError(
                f"The corpus has no text: {self.files} file(s), {self.bytes} "
                f"bytes, {self.empty_lines} blank lines, "
                f"{self.empty_documents} documents without text, "
                f"{self.malformed_lines} malformed lines in {sorted(sources)}."
            )


def digest(lines: Sequence[str]) -> int:
    """The SHA-256 of a document's text."""
    text = "\n".join(lines)
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def digest_position(text_digest: int) -> float:
    """A number in [0, 1) for a `digest`."""
    return (text_digest >> 208) / 2**48


def hash_position(lines: Sequence[str]) -> float:
    """A number in [0, 1) that depends on nothing but the lines of a document.

    Documents below 0.1 are a tenth of any corpus, and equal documents are on
    the same side: so data can be held out without keeping lists.
    """
    return digest_position(digest(lines))


def group(
    lines: Iterable[str | None], stats: CorpusStats
) -> Iterator[Document]:
    """Gathers lines to documents; None ends one, as the end of the lines does.

    Where a document is cut into parts depends on its lines only.
    """
    part, size, starts = [], 0, True
    for line in lines:
        if line is None:
            if part:
                stats.documents += 1
                yield Document(part, starts)
                part, size, starts = [], 0, True
            continue
        if size >= PART_CHARACTERS:
            yield Document(part, starts, ends=False)
            part, size, starts = [], 0, False
        stats.lines += 1
        size += len(line)
        part.append(line)
    if part:
        stats.documents += 1
        yield Document(part, starts)
