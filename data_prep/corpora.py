"""Readers of text: files, folders and the embedded corpus to documents.

A document is a list of stripped, non-empty lines. The embedded corpus is the
English prose that every installation of this project already has: the
documentation of the Python standard library and of installed packages.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import gzip
import hashlib
from importlib import metadata
import inspect
import lzma
import os
import pydoc_data.topics
import re
import sysconfig
import zlib

import tensorflow as tf

Document = list[str]

EMBEDDED = "embedded"
_OPENERS = {".gz": gzip.open, ".xz": lzma.open}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Of the packages that come with the requirements, those with much prose.
_PACKAGES = (
    "absl",
    "keras",
    "matplotlib",
    "numpy",
    "official",
    "pandas",
    "scipy",
    "sklearn",
    "tensorflow",
    "tensorflow_datasets",
    "tensorflow_text",
    "tf_keras",
)
# Folders of tests, of copies of other packages and of machine-made wrappers.
_SKIPPED_FOLDERS = frozenset(
    ("test", "tests", "testing", "site-packages", "__pycache__", "idlelib")
    + ("lib2to3", "_vendor", "_api", "externals", "compat")
)
_TRIPLE_QUOTED = re.compile(
    r"(^[ \t]*)?[rRuUbB]{0,2}(\"\"\"|''')(.*?)(?<!\\)\2",
    re.DOTALL | re.MULTILINE,
)
# One item of a list of arguments: its name is dropped, its text is prose.
_ARGUMENT = re.compile(r"^(?:[-*] +)?[`*\w.]+(?: \([^)]*\))?: +(?=[A-Z])")
_MARKUP = (
    (re.compile(r":[\w:]+:`~?(?:[^`<]*<)?([^`>]*)>?`"), r"\1"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),
    (re.compile(r" ?\[\d+\]_"), ""),
    (re.compile(r"`+_*|\*\*|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)"), ""),
    (re.compile(r"\s+"), " "),
)
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<!cf\.)(?<!al\.)"
    r" (?=[\"'(]?[A-Z])"
)
_SENTENCE = re.compile(r"[\"'(]?[A-Z].*[.!?][\"')]?")
_NOT_PROSE = re.compile(
    r"[{}\[\]<>=|\\#@~^]|\.\.\.|::|->|\w_\w|\w\(|--"
    r"| : |\b(e\.g|i\.e)\.$"
)


@dataclasses.dataclass
class CorpusStats:
    """What a reader saw; it counts while documents are read.

    Attributes:
        files: Files opened.
        documents: Documents that had any text.
        lines: Lines with text.
        bytes: Bytes read, after decompression.
        empty_lines: Blank lines.
        invalid_lines: Lines that are not UTF-8; the bad bytes were replaced
            by U+FFFD.
    """

    files: int = 0
    documents: int = 0
    lines: int = 0
    bytes: int = 0
    empty_lines: int = 0
    invalid_lines: int = 0


def read_documents(
    sources: Sequence[str],
    *,
    blanks_separate_docs: bool = True,
    stats: CorpusStats | None = None,
) -> Iterator[Document]:
    """Reads the documents of sources, in an order that is always the same.

    Args:
        sources: Each a text file, a folder (read recursively, by name), a
            pattern such as "wiki/*.txt", or "embedded". Files that end in
            .gz or .xz are decompressed. One sentence or paragraph a line.
        blanks_separate_docs: Whether a blank line ends a document; a file is
            one document otherwise. The embedded corpus ignores it.
        stats: Is updated while reading.

    Raises:
        ValueError: At once, if a source names no file; at the end, if there
            was no text at all.
    """
    stats = CorpusStats() if stats is None else stats
    files = [(source, path) for source in sources for path in expand(source)]
    if not files:
        raise ValueError("No corpus was given.")
    return _read_files(files, blanks_separate_docs, stats)


def expand(source: str) -> list[str]:
    """The files of a source, sorted; hidden files of a folder are left out."""
    if source == EMBEDDED:
        return [EMBEDDED]
    if tf.io.gfile.isdir(source):
        paths = [
            os.path.join(folder, name)
            for folder, _, names in tf.io.gfile.walk(source)
            for name in names
            if not name.startswith(".")
        ]
    elif tf.io.gfile.exists(source):
        return [source]
    else:
        paths = [
            path
            for path in tf.io.gfile.glob(source)
            if not tf.io.gfile.isdir(path)
        ]
    if not paths:
        raise ValueError(
            f"Corpus {source!r} holds no file. Give a text file, a folder, a "
            f"pattern or {EMBEDDED!r}."
        )
    return sorted(paths)


def hash_position(document: Document) -> float:
    """A number in [0, 1) that depends on nothing but the document's text.

    Documents below 0.1 are a tenth of any corpus, and equal documents are on
    the same side: so data can be held out without keeping lists.
    """
    digest = hashlib.sha256("\n".join(document).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _read_files(
    files: Sequence[tuple[str, str]],
    blanks_separate_docs: bool,
    stats: CorpusStats,
) -> Iterator[Document]:
    for source, path in files:
        if source == EMBEDDED:
            documents = embedded_documents(stats)
        else:
            lines = _lines(path, stats)
            documents = _group(lines, blanks_separate_docs, stats)
        for document in documents:
            stats.documents += 1
            yield document
    if not stats.documents:
        raise ValueError(
            f"The corpus has no text: {len(files)} file(s), "
            f"{stats.bytes} bytes, {stats.empty_lines} blank lines in "
            f"{sorted({source for source, _ in files})}."
        )


def _lines(path: str, stats: CorpusStats) -> Iterator[str]:
    """The stripped lines of a file; "" for blank ones."""
    stats.files += 1
    with tf.io.gfile.GFile(path, "rb") as raw:
        opener = _OPENERS.get(os.path.splitext(path)[1])
        try:
            for number, line in enumerate(opener(raw) if opener else raw):
                stats.bytes += len(line)
                if number == 0:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                yield _decode(line, stats).strip()
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error


def _decode(line: bytes, stats: CorpusStats) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        stats.invalid_lines += 1
        return line.decode("utf-8", errors="replace")


def _group(
    lines: Iterable[str], blanks_separate_docs: bool, stats: CorpusStats
) -> Iterator[Document]:
    document = []
    for line in lines:
        if line:
            stats.lines += 1
            document.append(line)
            continue
        stats.empty_lines += 1
        if blanks_separate_docs and document:
            yield document
            document = []
    if document:
        yield document


def embedded_documents(stats: CorpusStats) -> Iterator[Document]:
    """The documents of the embedded corpus, one sentence a line.

    A document is what one module, help topic or package description says in
    running English; paragraphs that were seen before are left out.
    """
    seen = set()
    for text in _embedded_texts(stats):
        stats.bytes += len(text.encode("utf-8", errors="replace"))
        document = [
            sentence
            for paragraph in paragraphs(text)
            for sentence in prose_sentences(paragraph)
            if not (sentence in seen or seen.add(sentence))
        ]
        if len(document) > 1:
            stats.lines += len(document)
            yield document


def _embedded_texts(stats: CorpusStats) -> Iterator[str]:
    for _, text in sorted(pydoc_data.topics.topics.items()):
        yield text
    yield from _package_descriptions()
    paths = sysconfig.get_paths()
    folders = [paths["stdlib"]]
    folders += [os.path.join(paths["purelib"], name) for name in _PACKAGES]
    for path in _python_files(folders):
        stats.files += 1
        with open(path, encoding="utf-8", errors="replace") as file:
            yield docstrings(file.read())


def _package_descriptions() -> Iterator[str]:
    packages = {
        package.metadata["Name"].lower(): package
        for package in metadata.distributions()
        if package.metadata["Name"]
    }
    for _, package in sorted(packages.items()):
        yield package.metadata.get_payload() or ""


def _python_files(folders: Sequence[str]) -> Iterator[str]:
    for root in folders:
        for folder, subfolders, names in os.walk(root):
            subfolders[:] = sorted(set(subfolders) - _SKIPPED_FOLDERS)
            for name in sorted(names):
                if name.endswith(".py") and "test" not in name:
                    yield os.path.join(folder, name)


def docstrings(code: str) -> str:
    """The triple-quoted strings that start a line of Python code."""
    return "\n\n".join(
        inspect.cleandoc(match[3])
        for match in _TRIPLE_QUOTED.finditer(code)
        if match[1] is not None
    )


def paragraphs(text: str) -> Iterator[str]:
    """Splits a text where it has blank lines or changes its indentation."""
    lines, indent = [], 0
    for line in text.split("\n"):
        line_indent = len(line) - len(line.lstrip())
        # The second line of an argument's text is deeper than its name.
        hangs = len(lines) == 1 and _ARGUMENT.match(lines[0])
        if (
            not line.strip()
            or (line_indent != indent and not hangs)
            or (_ARGUMENT.match(line.strip()))
        ):
            if lines:
                yield " ".join(lines)
            lines = []
        if line.strip():
            lines.append(line.strip())
            indent = line_indent
    if lines:
        yield " ".join(lines)


def prose_sentences(paragraph: str) -> list[str]:
    """The English sentences of a paragraph, without their markup."""
    paragraph = _ARGUMENT.sub("", paragraph)
    if paragraph.startswith((">>>", "..", ":")):
        return []
    for pattern, replacement in _MARKUP:
        paragraph = pattern.sub(replacement, paragraph)
    return [
        sentence
        for sentence in _SENTENCE_END.split(paragraph.strip())
        if _is_prose(sentence)
    ]


def _is_prose(sentence: str) -> bool:
    words = sentence.split()
    letters = sum(map(str.isalpha, sentence))
    return (
        5 <= len(words) <= 100
        and sentence.isascii()
        and _SENTENCE.fullmatch(sentence) is not None
        and letters >= 0.85 * (len(sentence) - len(words))
        and _NOT_PROSE.search(sentence) is None
    )
