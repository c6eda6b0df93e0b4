"""A user's own data as a task, by flags alone."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import os

from finetune import tabular
from finetune import task as task_lib
from finetune import task_files
from finetune import tfds_tasks

# Of the task that flags describe, whatever it is about.
NAME = "custom"

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
    files: Mapping[str, str | None],
    dev_share: float | None = None,
    tfds_name: str = "",
    tfds: tfds_tasks.Options | None = None,
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
        files: paths by split, or names of the data set's splits; "train" must
            be there, and "dev" or a `dev_share`.
        dev_share: share of the training examples that are held out as "dev".
        tfds_name: name of a data set of tensorflow_datasets to read.
        tfds: where that is.
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
    files = {split: path for split, path in files.items() if path}
    _check_splits(name, files, dev_share)
    if dev_share is not None:
        files["dev"] = files["train"]
    formats, metrics, main_metric = _KINDS[kind]
    if tfds_name:
        if file_format:
            raise ValueError(
                "A file_format is for files, not for data sets of "
                f"tensorflow_datasets, got {file_format!r}."
            )
        file_format = "tfds"
        files = tfds_tasks.custom_splits(tfds_name, files)
    else:
        file_format = file_format or _guess_format(files["train"])
        files = {split: _absolute(path) for split, path in files.items()}
    if file_format not in (*formats, "tfds"):
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
        files=files,
        dev_share=dev_share or 0.0,
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
        task = _with_labels(task, tfds)
    return task


def _check_splits(name: str, files: Mapping[str, str], dev_share: float | None):
    if "train" not in files:
        raise ValueError(f"Task {name!r} needs a --train_file.")
    if ("dev" in files) == (dev_share is not None):
        raise ValueError(
            f"Task {name!r} needs a --dev_file or a --dev_share of the "
            "training examples, and not both."
        )
    if dev_share is not None and not 0 < dev_share < 1:
        raise ValueError(f"A --dev_share is in (0, 1), got {dev_share}.")


def _absolute(path: str) -> str:
    return path if "://" in path else os.path.abspath(path)


def _guess_format(path: str) -> str:
    ending = os.path.splitext(path.removesuffix(".gz"))[1]
    if ending not in _FORMATS:
        raise ValueError(
            f"The ending of {path!r} does not tell its format; endings: "
            f"{', '.join(_FORMATS)}. Say it by --file_format."
        )
    return _FORMATS[ending]


def _with_labels(
    task: task_lib.Task, tfds: tfds_tasks.Options | None
) -> task_lib.Task:
    """The task with the labels of its training data."""
    names = None
    if tfds is not None:
        names = tfds_tasks.label_names(task, options=tfds)
    if names is None:
        file_name, content, row = (
            (*task_files.read(task, split="train", data_dir=""), task)
            if tfds is None
            else tfds_tasks.read(task, split="train", options=tfds)
        )
        names = tabular.label_names(content, task=row, file_name=file_name)
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
    return dataclasses.replace(task, labels=tuple(names))
