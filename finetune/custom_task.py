"""A user's own data as a task, by flags alone."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import os

from finetune import tabular
from finetune import task as task_lib
from finetune import task_files

_FORMATS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".json": "squad",
    ".conll": "conll",
    ".txt": "conll",
}
# Of each kind: the formats it may have, and metrics, the main one first.
_KINDS: dict[str, tuple[Sequence[str], Sequence[str], str]] = {
    "classification": (
        ("tsv", "csv", "jsonl"),
        ("accuracy", "macro_f1", "matthews_correlation"),
        "accuracy",
    ),
    "regression": (("tsv", "csv", "jsonl"), ("correlations", "mse"), "pearson"),
    "tagging": (("conll",), ("entity_f1", "word_accuracy"), "f1"),
    "question_answering": (("squad", "mrqa"), ("squad_v1",), "f1"),
}


def create(
    *,
    name: str,
    kind: str,
    files: Mapping[str, str],
    text_columns: Sequence[str] = (),
    label_column: str = "",
    labels: Sequence[str] = (),
    score_range: tuple[float, float] = (0.0, 1.0),
    has_impossible: bool = False,
    file_format: str = "",
) -> task_lib.Task:
    """The row of a task.

    Args:
        name: of the task; letters, digits and `_`.
        kind: "classification", "regression", "tagging" or
            "question_answering".
        files: paths by split; "train" and "dev" must be there.
        text_columns: names of the columns with one text or two.
        label_column: name of the column with the label or score.
        labels: names of the classes, in the order of their ids; those of the
            training data, sorted, if not given.
        score_range: lowest and highest score, for regression.
        has_impossible: whether questions may have no answer.
        file_format: "tsv", "csv", "jsonl", "conll", "squad" or "mrqa"; by the
            ending of the training file, if not given.

    Raises:
        ValueError: what is missing, or does not fit together.
    """
    if kind not in _KINDS:
        raise ValueError(f"Unknown kind {kind!r}. Kinds: {', '.join(_KINDS)}.")
    if not name.isidentifier() or not name.isascii():
        raise ValueError(
            f"The name of a task has letters, digits and '_', got {name!r}."
        )
    for split in ("train", "dev"):
        if not files.get(split):
            raise ValueError(f"Task {name!r} needs a --{split}_file.")
    formats, metrics, main_metric = _KINDS[kind]
    file_format = file_format or _guess_format(files["train"])
    if file_format not in formats:
        raise ValueError(
            f"Files for {kind} are {', '.join(formats)}, got {file_format!r}."
        )
    if kind in ("classification", "regression"):
        if not 1 <= len(text_columns) <= 2 or not label_column:
            raise ValueError(
                f"{kind} needs one or two --text_columns and a "
                f"--label_column, got {list(text_columns)} and "
                f"{label_column!r}."
            )
    if not score_range[0] < score_range[1]:
        raise ValueError(
            "A score_range is the lowest and the highest score, got "
            f"{score_range}."
        )
    if has_impossible:
        metrics = ("squad_v2",)
    task = task_lib.Task(
        name=name,
        kind=kind,
        format=file_format,
        files={
            split: os.path.abspath(path) if "://" not in path else path
            for split, path in files.items()
            if path
        },
        text_columns=tuple(text_columns),
        label_column=label_column,
        labels=tuple(labels),
        score_range=tuple(score_range),
        has_impossible=has_impossible,
        metrics=tuple(metrics),
        main_metric=main_metric,
        num_train_epochs=2.0 if kind == "question_answering" else 3.0,
        max_seq_length=512 if kind == "question_answering" else 128,
        source="Whoever made the data",
    )
    if kind == "classification" and not labels:
        task = _with_labels(task)
    return task


def _guess_format(path: str) -> str:
    ending = os.path.splitext(path.removesuffix(".gz"))[1]
    if ending not in _FORMATS:
        raise ValueError(
            f"The ending of {path!r} does not tell its format; endings: "
            f"{', '.join(_FORMATS)}. Say it by --file_format."
        )
    return _FORMATS[ending]


def _with_labels(task: task_lib.Task) -> task_lib.Task:
    """The task with the labels of its training data."""
    path, content = task_files.read(task, split="train", data_dir="")
    names = tabular.label_names(content, task=task, file_name=path)
    if len(names) < 2:
        raise ValueError(
            f"The column {task.label_column!r} of the training data holds "
            f"{len(names)} labels; a classification needs two or more."
        )
    if len(names) > 1000:
        raise ValueError(
            f"The column {task.label_column!r} of the training data holds "
            f"{len(names)} different values, which are hardly labels. Name "
            "another --label_column, or the --labels."
        )
    return dataclasses.replace(task, labels=names)
