"""New text as examples, line by line.

A line is JSON if it begins with `{`; otherwise it is the text, or two texts
with a tab between, or a question and a context, or the words of a sentence.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import itertools
import json

from finetune import task as task_lib

_KEYS = {
    "classification": ("text_a", "text_b"),
    "regression": ("text_a", "text_b"),
    "tagging": ("words",),
    "question_answering": ("question", "context"),
}


def parse_line(line: str, *, task: task_lib.Task, number: int):
    """The example of a line.

    Args:
        line: without its end.
        task: whose example it shall be.
        number: of the line, from 1, for messages and as id, from 0.

    Raises:
        ValueError: it is none.
    """
    values, is_json = _values(line, task, number)
    keys = _needed(task)
    missing = [key for key in keys if key not in values]
    if missing:
        hint = ", ".join(f'"{key}": ...' for key in keys)
        raise ValueError(
            f"Line {number}: no {' and no '.join(missing)}. A line is JSON, "
            f"{{{hint}}}, or {_plain_form(task)}."
        )
    if task.kind == "tagging":
        words = _words(values["words"], number)
        return task_lib.Sentence(number - 1, words)
    for key in keys:
        if not isinstance(values[key], str):
            raise ValueError(
                f"Line {number}: {key} must be text, got {values[key]!r}."
            )
    if task.kind == "question_answering":
        return task_lib.Question(
            str(values.get("id", number - 1)) if is_json else str(number - 1),
            values["question"],
            values["context"],
        )
    return task_lib.Example(number - 1, *(values[key] for key in keys))


def _needed(task: task_lib.Task) -> tuple[str, ...]:
    keys = _KEYS[task.kind]
    if task.kind in ("classification", "regression"):
        return keys[: len(task.text_columns)]
    return keys


def _plain_form(task: task_lib.Task) -> str:
    if task.kind == "tagging":
        return "the words with spaces between"
    keys = _needed(task)
    return " and ".join(keys) + " with a tab between" * (len(keys) > 1)


def _values(line: str, task: task_lib.Task, number: int) -> tuple[dict, bool]:
    """The fields of a line by name, and whether it was JSON."""
    if line.lstrip().startswith("{"):
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"Line {number}: not JSON: {error}.") from error
        return values, True
    if task.kind == "tagging":
        return {"words": line.split()}, False
    keys = _needed(task)
    texts = line.split("\t") if len(keys) > 1 else [line]
    if len(texts) > len(keys):
        raise ValueError(
            f"Line {number}: {len(texts)} texts with tabs between; the task "
            f"takes {len(keys)}."
        )
    return dict(zip(keys, texts, strict=False)), False


def _words(value, number: int) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list) or not all(
        isinstance(word, str) for word in value
    ):
        raise ValueError(
            f"Line {number}: words must be a list of words, got {value!r}."
        )
    return tuple(value)


def batches(
    lines: Iterable[str], *, task: task_lib.Task, size: int
) -> Iterator[list]:
    """The examples of lines, in lists of a size; empty lines are left out."""
    examples = (
        parse_line(line.rstrip("\r\n"), task=task, number=number)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )
    while batch := list(itertools.islice(examples, size)):
        yield batch
