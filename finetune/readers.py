"""Readers of all formats of files."""

from collections.abc import Callable
from typing import Any

from finetune import glue
from finetune import squad
from finetune import tabular
from finetune import tagging
from finetune import task as task_lib
from finetune import task_files

# From a task's format to what makes examples of a file's content.
_PARSERS: dict[str, Callable[..., list[Any]]] = {
    "tsv": glue.parse_examples,
    "csv": tabular.parse,
    "jsonl": tabular.parse,
    "conll": tagging.parse_conll,
    "squad": squad.parse_squad,
    "mrqa": squad.parse_mrqa,
}


def read(
    task: task_lib.Task,
    *,
    split: str,
    data_dir: str,
    skip_malformed: bool = False,
) -> list[Any]:
    """The examples of a split, in the order of its file.

    Args:
        task: whose examples.
        split: a key of `task.files`.
        data_dir: holds the folder of the task.
        skip_malformed: log what cannot be read and leave it out, instead of
            stopping.

    Raises:
        ValueError: no such file, or a place in it that cannot be read.
    """
    path, content = task_files.read(task, split=split, data_dir=data_dir)
    return _PARSERS[task.format](
        content,
        task=task,
        split=split,
        file_name=path,
        skip_malformed=skip_malformed,
    )
