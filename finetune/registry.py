"""All tasks by name."""

from finetune import glue
from finetune import squad
from finetune import tagging
from finetune import task as task_lib

TASKS = {
    task.name: task for task in (*glue.TASKS, *squad.TASKS, *tagging.TASKS)
}


def get(name: str) -> task_lib.Task:
    """The task of that name, or of that folder: "sst" or "SST-2"."""
    plain_name = _plain(name)
    for task in TASKS.values():
        if plain_name == _plain(task.name):
            return task
    for task in glue.TASKS:
        if plain_name == _plain(task.folder):
            return task
    raise ValueError(
        f"Unknown task {name!r}. Known tasks: {', '.join(sorted(TASKS))}."
    )


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
