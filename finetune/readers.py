"""Readers of all formats of files."""

from collections.abc import Callable
from typing import Any

from finetune import glue
from finetune import squad
from finetune import tabular
from finetune import tagging
from finetune import task as task_lib
from finetune import task_files
from finetune import tfds_tasks

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
    tfds: tfds_tasks.Options | None = None,
) -> list[Any]:
    """The examples of a split, in the order of its file.

    Args:
        task: whose examples.
        split: a key of `task.files`.
        data_dir: holds the folder of the task.
        skip_malformed: log what cannot be read and leave it out, instead of
            stopping.
        tfds: where data sets of tensorflow_datasets are, if they are to be
            read instead of files.

    Raises:
        ValueError: no such file, or a place in it that cannot be read.
    """
    if tfds is None:
        row = task
        name, content = task_files.read(task, split=split, data_dir=data_dir)
    else:
        name, content, row = tfds_tasks.read(task, split=split, options=tfds)
    examples = _PARSERS[row.format](
        content,
        task=row,
        split=split,
        file_name=name,
        skip_malformed=skip_malformed,
    )
    if split == "train" and task.swaps_texts:
        examples += _swapped(examples)
    return examples


def _swapped(examples: list[task_lib.Example]) -> list[task_lib.Example]:
    return [
        example._replace(
            id=len(examples) + example.id,
            text_a=example.text_b,
            text_b=example.text_a,
        )
        for example in examples
    ]
