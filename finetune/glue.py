"""The tasks of GLUE, and the reader of their tab-separated files.

https://gluebenchmark.com, `classification_tasks.py` of the original.
"""

from collections.abc import Sequence
import os

from absl import logging

from finetune import metrics
from finetune import task as task_lib

_SOURCE = "https://gluebenchmark.com/tasks"
_FILES = {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}
_COLA_COLUMNS = ("source", "label", "mark", "sentence")

COLA = task_lib.Task(
    name="cola",
    folder="CoLA",
    text_columns=("sentence",),
    label_column="label",
    labels=("0", "1"),
    metrics=(metrics.matthews_correlation, metrics.accuracy),
    main_metric="mcc",
    files=_FILES,
    headers={"train": _COLA_COLUMNS, "dev": _COLA_COLUMNS},
    source=_SOURCE,
)
SST = task_lib.Task(
    name="sst",
    folder="SST-2",
    text_columns=("sentence",),
    label_column="label",
    labels=("0", "1"),
    metrics=(metrics.accuracy,),
    main_metric="accuracy",
    files=_FILES,
    source=_SOURCE,
)
MRPC = task_lib.Task(
    name="mrpc",
    folder="MRPC",
    text_columns=("#1 String", "#2 String"),
    label_column="Quality",
    labels=("0", "1"),
    metrics=(metrics.accuracy, metrics.f1),
    main_metric="accuracy",
    files=_FILES,
    swaps_texts=True,
    source=_SOURCE,
)
STS = task_lib.Task(
    name="sts",
    folder="STS-B",
    text_columns=("sentence1", "sentence2"),
    label_column="score",
    score_range=(0.0, 5.0),
    metrics=(metrics.correlations,),
    main_metric="spearman",
    num_train_epochs=10.0,
    files=_FILES,
    swaps_texts=True,
    source=_SOURCE,
)
QQP = task_lib.Task(
    name="qqp",
    folder="QQP",
    text_columns=("question1", "question2"),
    label_column="is_duplicate",
    labels=("0", "1"),
    metrics=(metrics.accuracy, metrics.f1),
    main_metric="accuracy",
    files=_FILES,
    source=_SOURCE,
)
MNLI = task_lib.Task(
    name="mnli",
    folder="MNLI",
    text_columns=("sentence1", "sentence2"),
    label_column="gold_label",
    labels=("contradiction", "entailment", "neutral"),
    metrics=(metrics.accuracy,),
    main_metric="accuracy",
    files={
        "train": "train.tsv",
        "dev": "dev_matched.tsv",
        "dev_mismatched": "dev_mismatched.tsv",
        "test": "test_matched.tsv",
        "test_mismatched": "test_mismatched.tsv",
    },
    source=_SOURCE,
)
QNLI = task_lib.Task(
    name="qnli",
    folder="QNLI",
    text_columns=("question", "sentence"),
    label_column="label",
    labels=("entailment", "not_entailment"),
    metrics=(metrics.accuracy,),
    main_metric="accuracy",
    files=_FILES,
    source=_SOURCE,
)
RTE = task_lib.Task(
    name="rte",
    folder="RTE",
    text_columns=("sentence1", "sentence2"),
    label_column="label",
    labels=("entailment", "not_entailment"),
    metrics=(metrics.accuracy,),
    main_metric="accuracy",
    num_train_epochs=10.0,
    files=_FILES,
    source=_SOURCE,
)
WNLI = task_lib.Task(
    name="wnli",
    folder="WNLI",
    text_columns=("sentence1", "sentence2"),
    label_column="label",
    labels=("0", "1"),
    metrics=(metrics.accuracy,),
    main_metric="accuracy",
    files=_FILES,
    source=_SOURCE,
)

TASKS = (COLA, SST, MRPC, STS, QQP, MNLI, QNLI, RTE, WNLI)


def read_examples(
    task: task_lib.Task,
    *,
    split: str,
    data_dir: str,
    skip_malformed: bool = False,
) -> list[task_lib.Example]:
    """All examples of a split's file, see `parse_examples`.

    Args:
        task: one row of `TASKS`.
        split: a key of `task.files`.
        data_dir: the folder that holds `task.folder`.
        skip_malformed: see `parse_examples`.

    Raises:
        ValueError: no such file, or a line of it that cannot be read.
    """
    # Here, because everything else needs no TensorFlow, which takes seconds.
    import tensorflow as tf

    file_name = os.path.join(data_dir, task.folder, task.files[split])
    if not tf.io.gfile.exists(file_name):
        raise ValueError(
            f"No file {file_name!r}. Task {task.name!r} reads "
            f"{', '.join(task.files.values())} in the folder {task.folder} of "
            f"the data folder; {task.source} has them."
        )
    with tf.io.gfile.GFile(file_name, "rb") as file:
        content = file.read()
    return parse_examples(
        content,
        task=task,
        split=split,
        file_name=file_name,
        skip_malformed=skip_malformed,
    )


def parse_examples(
    content: bytes,
    *,
    task: task_lib.Task,
    split: str,
    file_name: str = "",
    skip_malformed: bool = False,
) -> list[task_lib.Example]:
    """All examples of a file, in their order.

    As in the original quotes are characters like any other, and carriage
    returns are dropped. Columns are found by the names in the header.

    Unlike the original: a line that cannot be read is an error, for otherwise
    scores are those of other data than everyone else's.

    Args:
        content: of the file, UTF-8.
        task: one row of `TASKS`.
        split: a key of `task.files`.
        file_name: for messages.
        skip_malformed: log such lines and leave them out instead.

    Raises:
        ValueError: a line that cannot be read; its number is in the message.
    """
    rows = enumerate(_lines(content, file_name), start=1)
    header = task.headers.get(split)
    if header is None:
        _, first_line = next(rows)
        header = first_line.split("\t")
    has_labels = not split.startswith("test")
    _check_header(header, task, has_labels=has_labels, file_name=file_name)
    examples = []
    for index, (number, line) in enumerate(rows):
        try:
            row = _row(line, header)
            examples.append(_example(index, row, task, has_labels=has_labels))
        except ValueError as error:
            message = f"{file_name}, line {number}: {error}."
            if not skip_malformed:
                raise ValueError(
                    f"{message} Correct it, or leave such lines out with "
                    "--skip_malformed_lines."
                ) from error
            logging.warning("Left out: %s", message)
    if not examples:
        raise ValueError(f"{file_name} holds no examples.")
    if split == "train" and task.swaps_texts:
        examples += _swapped(examples)
    return examples


def _lines(content: bytes, file_name: str) -> list[str]:
    try:
        # A byte-order mark is no part of the text.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{file_name}, line {number}: not UTF-8 ({error.reason})."
        ) from error
    # Not splitlines(), which breaks at characters that sentences may hold.
    return text.replace("\r", "").rstrip("\n").split("\n")


def _check_header(
    header: Sequence[str],
    task: task_lib.Task,
    *,
    has_labels: bool,
    file_name: str,
):
    needed = [*task.text_columns, *([task.label_column] * has_labels)]
    missing = [column for column in needed if column not in header]
    if missing:
        raise ValueError(
            f"{file_name}, line 1: no column {', '.join(missing)}. The "
            f"columns are {', '.join(header)}; task {task.name!r} needs "
            f"{', '.join(needed)}."
        )


def _row(line: str, header: Sequence[str]) -> dict[str, str]:
    values = line.split("\t")
    if len(values) != len(header):
        raise ValueError(
            f"{len(values)} tab-separated columns instead of {len(header)} "
            f"({', '.join(header)})"
        )
    return dict(zip(header, values, strict=True))


def _example(
    index: int, row: dict[str, str], task: task_lib.Task, *, has_labels: bool
) -> task_lib.Example:
    texts = [row[column] for column in task.text_columns]
    label = task.parse_label(row[task.label_column]) if has_labels else None
    return task_lib.Example(index, *texts, label=label)


def _swapped(examples: list[task_lib.Example]) -> list[task_lib.Example]:
    return [
        example._replace(
            id=len(examples) + example.id,
            text_a=example.text_b,
            text_b=example.text_a,
        )
        for example in examples
    ]
