"""Tasks together with their examples."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
from typing import Any
from typing import NamedTuple

from absl import logging

from finetune import finetune_config
from finetune import readers
from finetune import registry
from finetune import task as task_lib
from finetune import task_files
from finetune import tfds_tasks


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
        tfds: Where the data sets of tensorflow_datasets are, if the examples
            are read from them; or None.
        custom: A row that is in no table, see `custom_task.create`; or None.
    """

    data_dir: str = ""
    tfds: tfds_tasks.Options | None = None
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
        splits = list(task.files)
        if task.dev_share:
            splits.remove("dev")
        examples = {
            split: readers.read(
                task,
                split=split,
                data_dir=self.data_dir,
                skip_malformed=run_config.skip_malformed_lines,
                tfds=self.tfds,
            )
            for split in splits
            if split not in task.test_splits
            or (run_config.predict_test and self._has(task, split))
        }
        if task.dev_share:
            examples |= _held_out(examples["train"], task.dev_share)
        return TaskData(_with_tags(task, examples["train"]), examples)

    def _has(self, task: task_lib.Task, split: str) -> bool:
        """Whether a split is there; those to predict need not be."""
        if self.tfds is not None:
            is_there = tfds_tasks.has(task, split=split, options=self.tfds)
        else:
            is_there = task_files.find(
                task, split=split, data_dir=self.data_dir
            )
        if not is_there:
            logging.info("Not predicted, for it is not there: %s", split)
        return bool(is_there)


def _held_out(examples: Sequence[Any], share: float) -> dict[str, list[Any]]:
    """Examples to learn from, and those that are held out.

    The text decides, so that equal texts, and all questions about one
    context, are together, and more data moves no example.
    """
    parts = {"train": [], "dev": []}
    for example in examples:
        digest = hashlib.sha256(_text(example).encode()).digest()
        is_held_out = int.from_bytes(digest[:8], "big") < share * 2**64
        parts["dev" if is_held_out else "train"].append(example)
    for split, part in parts.items():
        if not part:
            raise ValueError(
                f"With a --dev_share of {share} none of {len(examples)} "
                f"examples are left for {split!r}."
            )
    logging.info(
        "Held out %d of %d examples.", len(parts["dev"]), len(examples)
    )
    return parts


def _text(example: Any) -> str:
    if isinstance(example, task_lib.Question):
        return example.context
    if isinstance(example, task_lib.Sentence):
        return " ".join(example.words)
    return "\n".join(filter(None, (example.text_a, example.text_b)))


def _with_tags(task: task_lib.Task, examples: Sequence[Any]) -> task_lib.Task:
    """The task with the tags of its training data as labels.

    Unlike the original: tags that only held-out data has are no labels.
    """
    if task.kind != "tagging" or task.labels:
        return task
    tags = sorted({tag for sentence in examples for tag in sentence.tags})
    return dataclasses.replace(task, labels=tuple(tags))
