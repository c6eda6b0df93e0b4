"""The embedded corpus: English prose that every installation already has.

It is the documentation of the Python standard library and of the installed
packages, so that everything can be tried without a download.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from importlib import metadata
import inspect
import os
import pydoc_data.topics
import re
import sysconfig

from data_prep import documents

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


def read(
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[documents.Document]:
    """The documents of the embedded corpus, one sentence a line.

    A document is what one module, help topic or package description says in
    running English; sentences that were seen before are left out.
    """
    del unit, options  # It has one unit, and no options.
    seen = set()
    for text in _embedded_texts(stats):
        stats.bytes += len(text.encode("utf-8", errors="replace"))
        lines = [
            sentence
            for paragraph in paragraphs(text)
            for sentence in prose_sentences(paragraph)
            if not (sentence in seen or seen.add(sentence))
        ]
        if len(lines) > 1:
            stats.lines += len(lines)
            stats.documents += 1
            yield documents.Document(lines)


def _embedded_texts(stats: documents.CorpusStats) -> Iterator[str]:
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
