"""Readers of all formats of files."""

from collections.abc import Callable
from typing import Any

from finetune import glue
from finetune import squad
from finetune import tabular
from finetune import tagging
from finetune import task as task_lib

# From a task's format to a reader of one of its splits.
READERS: dict[str, Callable[..., list[Any]]] = {
    "tsv": glue.read_examples,
    "csv": tabular.read,
    "jsonl": tabular.read,
    "conll": tagging.read_conll,
    "squad": squad.read_squad,
    "mrqa": squad.read_mrqa,
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
    return READERS[task.format](
        task, split=split, data_dir=data_dir, skip_malformed=skip_malformed
    )
