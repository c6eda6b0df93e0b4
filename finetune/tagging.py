"""Tasks that tag words, and the reader of their files in columns.

The original's `tagging_tasks.py` has the first of them.
"""

import collections
from collections.abc import Mapping
from collections.abc import Sequence
import re
from typing import NamedTuple

from absl import logging

from finetune import tag_schemes
from finetune import task as task_lib
from finetune import task_files

_METRICS = ("entity_f1", "word_accuracy")
_DOCUMENT_START = "-DOCSTART-"

CHUNK = task_lib.Task(
    name="chunk",
    kind="tagging",
    folder="chunk",
    format="conll",
    # Unlike the original: that evaluates dev.txt, but the data has no such
    # file, and published figures are for test.txt.
    files={"train": "train.txt", "dev": "test.txt"},
    metrics=_METRICS,
    main_metric="f1",
    source="https://www.clips.uantwerpen.be/conll2000/chunking/",
)
WNUT17 = task_lib.Task(
    name="wnut17",
    kind="tagging",
    folder="ner/wnut17",
    format="conll",
    files={
        "train": "wnut17train.conll",
        "dev": "emerging.dev.conll",
        "dev_test": "emerging.test.annotated",
    },
    metrics=_METRICS,
    main_metric="f1",
    source="https://noisy-text.github.io/2017/emerging-rare-entities.html",
)
CONLL2003 = task_lib.Task(
    name="conll2003",
    kind="tagging",
    folder="CoNLL-2003",
    format="conll",
    files={"train": "eng.train", "dev": "eng.testa", "dev_test": "eng.testb"},
    metrics=_METRICS,
    main_metric="f1",
    source="https://www.clips.uantwerpen.be/conll2003/ner/",
)

TASKS = (CHUNK, WNUT17, CONLL2003)


def parse_conll(
    content: bytes,
    *,
    task: task_lib.Task,
    split: str,
    file_name: str = "",
    skip_malformed: bool = False,
) -> list[task_lib.Sentence]:
    """All sentences of a file with a word a line and a blank line after each.

    Columns are separated by spaces or tabs. The word is in the first one and
    the tag in the last, unless `task.text_columns` and `task.label_column`
    give their numbers, from 1. Lines that begin with -DOCSTART- are no words.
    The tags may be in any of `tag_schemes.SCHEMES`, but all in the same.

    Unlike the original: the last sentence needs no blank line after it.

    Unlike the original: tags that are not in the scheme of the others are an
    error; it takes them for the entities that they look like.

    Args:
        content: of the file, UTF-8.
        task: whose `format` is "conll".
        split: a key of `task.files`; of one that begins with "test" no tags
            are read.
        file_name: for messages.
        skip_malformed: log lines that cannot be read, and leave out the
            sentences that they are in, instead of stopping.

    Raises:
        ValueError: a line that cannot be read; its number is in the message.
    """
    columns = _columns(task, has_tags=not split.startswith("test"))
    blocks = _blocks(task_files.lines(content, file_name))
    width = _width(blocks, columns, file_name)
    problems = _Problems(file_name, raises=not skip_malformed)
    readable = {}
    for index, block in enumerate(blocks):
        problem = _first_problem(block, width, columns)
        if problem:
            problems.add(*problem)
        else:
            readable[index] = block
    sentences = [
        _sentence(index, block, columns) for index, block in readable.items()
    ]
    if columns.tag is not None:
        sentences = _in_bioes(sentences, readable, problems)
    problems.log_count(len(blocks))
    if not sentences:
        raise ValueError(f"{file_name} holds no sentence that can be read.")
    return sentences


class _Columns(NamedTuple):
    """Numbers of columns, from 1.

    Attributes:
        word: that of the words.
        tag: that of the tags; -1 for the last one, None if they are not read.
    """

    word: int
    tag: int | None


def _columns(task: task_lib.Task, *, has_tags: bool) -> _Columns:
    names = [*task.text_columns, *([task.label_column] * has_tags)]
    for name in filter(None, names):
        if not re.fullmatch(r"[1-9]\d*", name):
            raise ValueError(
                f"Task {task.name!r} reads column {name!r}, but columns of "
                f"the format {task.format!r} have no names; give the number, "
                "from 1."
            )
    if len(task.text_columns) > 1:
        raise ValueError(
            f"Task {task.name!r} names {len(task.text_columns)} columns of "
            "text; a tagging task has one, that of the words."
        )
    return _Columns(
        word=int(task.text_columns[0]) if task.text_columns else 1,
        tag=int(task.label_column or -1) if has_tags else None,
    )


# Lines of one sentence: their numbers, from 1, and columns.
_Block = list[tuple[int, list[str]]]


def _blocks(lines: Sequence[str]) -> list[_Block]:
    """The lines of each sentence."""
    blocks = [[]]
    for number, line in enumerate(lines, start=1):
        # Not split() alone, which splits at spaces that words may hold.
        line = line.strip(" \t")
        if line and not line.startswith(_DOCUMENT_START):
            blocks[-1].append((number, re.split(r"[ \t]+", line)))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _width(blocks: Sequence[_Block], columns: _Columns, file_name: str) -> int:
    """The number of columns that most lines have."""
    widths = collections.Counter(
        len(values) for block in blocks for _, values in block
    )
    if not widths:
        raise ValueError(f"{file_name} holds no sentences.")
    ((width, _),) = widths.most_common(1)
    # A last column other than the first one is the second or a later one.
    needed = max(columns.word, 2 if columns.tag == -1 else columns.tag or 0)
    if width < needed:
        raise ValueError(
            f"{file_name}: most lines have {width} columns, but the words and "
            f"tags of the task are in {needed} or more; separate columns by "
            "spaces or tabs."
        )
    return width


class _Problems:
    """Lines that cannot be read.

    Args:
        file_name: for messages.
        raises: whether the first one is an error.
    """

    def __init__(self, file_name: str, *, raises: bool):
        self.file_name = file_name
        self.raises = raises
        self.count = 0

    def add(self, number: int, problem: str):
        """Tells of one that makes a sentence be left out."""
        message = f"{self.file_name}, line {number}: {problem}."
        if self.raises:
            raise ValueError(
                f"{message} Correct it, or leave sentences with such lines "
                "out with --skip_malformed_lines."
            )
        logging.warning("Left out the sentence: %s", message)
        self.count += 1

    def log_count(self, num_sentences: int):
        """Tells how many sentences were left out, if any."""
        if self.count:
            logging.warning(
                "%s: left out %d of %d sentences.",
                self.file_name,
                self.count,
                num_sentences,
            )


def _first_problem(
    block: _Block, width: int, columns: _Columns
) -> tuple[int, str] | None:
    """Number of the first line that cannot be read, and why."""
    for number, values in block:
        if len(values) != width:
            return number, f"{len(values)} columns instead of {width}"
        if columns.tag is not None:
            try:
                tag_schemes.check_tag(_tag(values, columns))
            except ValueError as error:
                return number, str(error)
    return None


def _tag(values: Sequence[str], columns: _Columns) -> str:
    return values[columns.tag - 1 if columns.tag > 0 else columns.tag]


def _sentence(
    index: int, block: _Block, columns: _Columns
) -> task_lib.Sentence:
    words = tuple(values[columns.word - 1] for _, values in block)
    if columns.tag is None:
        return task_lib.Sentence(index, words)
    tags = tuple(_tag(values, columns) for _, values in block)
    return task_lib.Sentence(index, words, tags)


def _in_bioes(
    sentences: Sequence[task_lib.Sentence],
    blocks: Mapping[int, _Block],
    problems: _Problems,
) -> list[task_lib.Sentence]:
    """Those sentences whose tags are in the scheme of most, in BIOES.

    Args:
        sentences: with tags in any scheme.
        blocks: their lines, by their ids.
        problems: gets the sentences that are left out.
    """
    scheme = tag_schemes.detect(sentence.tags for sentence in sentences)
    converted = []
    for sentence in sentences:
        tags = sentence.tags
        misfit = tag_schemes.first_misfit(tags, scheme)
        if misfit is None:
            converted.append(sentence._replace(tags=tag_schemes.to_bioes(tags)))
            continue
        # After the last tag it is the sentence's end that does not fit.
        index = min(misfit, len(tags) - 1)
        number, _ = blocks[sentence.id][index]
        before, after = (["the start", *tags, "the end"])[misfit : misfit + 2]
        problems.add(
            number,
            f"{after} after {before} does not fit {scheme}, the scheme of the "
            "other tags in the file",
        )
    return converted
