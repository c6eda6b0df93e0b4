"""Tasks together with their examples."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Any
from typing import NamedTuple

from absl import logging

from finetune import finetune_config
from finetune import readers
from finetune import registry
from finetune import task as task_lib
from finetune import task_files


class TaskData(NamedTuple):
    """What is learned, and from what.

    Attributes:
        task: with all of its labels.
        examples: those of each split, in the order of its file.
    """

    task: task_lib.Task
    examples: Mapping[str, Sequence[Any]]


Reader = Callable[..., TaskData]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where the examples of tasks are.

    Attributes:
        data_dir: Folder that holds the folders of the tasks.
        custom: A row that is in no table, see `custom_task.create`; or None.
    """

    data_dir: str = ""
    custom: task_lib.Task | None = None

    def read(
        self, name: str, *, run_config: finetune_config.FinetuneConfig
    ) -> TaskData:
        """A task with all examples that a run needs.

        Raises:
            ValueError: an unknown task, or files that are missing or cannot
                be read.
        """
        is_custom = self.custom is not None and self.custom.name == name
        task = self.custom if is_custom else registry.get(name)
        splits = ["train", *task.dev_splits]
        if run_config.predict_test:
            splits += [
                split for split in task.test_splits if self._has(task, split)
            ]
        examples = {
            split: readers.read(
                task,
                split=split,
                data_dir=self.data_dir,
                skip_malformed=run_config.skip_malformed_lines,
            )
            for split in splits
        }
        return TaskData(_with_tags(task, examples["train"]), examples)

    def _has(self, task: task_lib.Task, split: str) -> bool:
        """Whether a split's file is there; test files need not be."""
        if task_files.find(task, split=split, data_dir=self.data_dir):
            return True
        logging.info(
            "Not predicted, for there is no file: %s",
            task.path(self.data_dir, split),
        )
        return False


def _with_tags(task: task_lib.Task, examples: Sequence[Any]) -> task_lib.Task:
    """The task with the tags of its training data as labels.

    Unlike the original: tags that only held-out data has are no labels.
    """
    if task.kind != "tagging" or task.labels:
        return task
    tags = sorted({tag for sentence in examples for tag in sentence.tags})
    return dataclasses.replace(task, labels=tuple(tags))
