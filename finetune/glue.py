"""The tasks of GLUE, and the reader of their tab-separated files.

https://gluebenchmark.com, `classification_tasks.py` of the original.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence

from absl import logging

from finetune import task as task_lib
from finetune import task_files

_SOURCE = "https://gluebenchmark.com/tasks"
_FILES = {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"}
_COLA_COLUMNS = ("source", "label", "mark", "sentence")

COLA = task_lib.Task(
    name="cola",
    folder="CoLA",
    text_columns=("sentence",),
    label_column="label",
    labels=("0", "1"),
    metrics=("matthews_correlation", "accuracy"),
    main_metric="mcc",
    files=_FILES,
    headers={"train": _COLA_COLUMNS, "dev": _COLA_COLUMNS},
    submission={"test": "CoLA.tsv"},
    source=_SOURCE,
)
SST = task_lib.Task(
    name="sst",
    folder="SST-2",
    text_columns=("sentence",),
    label_column="label",
    labels=("0", "1"),
    metrics=("accuracy",),
    main_metric="accuracy",
    files=_FILES,
    submission={"test": "SST-2.tsv"},
    source=_SOURCE,
)
MRPC = task_lib.Task(
    name="mrpc",
    folder="MRPC",
    text_columns=("#1 String", "#2 String"),
    label_column="Quality",
    labels=("0", "1"),
    metrics=("accuracy", "f1"),
    main_metric="accuracy",
    files=_FILES,
    swaps_texts=True,
    submission={"test": "MRPC.tsv"},
    source=_SOURCE,
)
STS = task_lib.Task(
    name="sts",
    kind="regression",
    folder="STS-B",
    text_columns=("sentence1", "sentence2"),
    label_column="score",
    score_range=(0.0, 5.0),
    metrics=("correlations",),
    main_metric="spearman",
    num_train_epochs=10.0,
    files=_FILES,
    swaps_texts=True,
    submission={"test": "STS-B.tsv"},
    source=_SOURCE,
)
QQP = task_lib.Task(
    name="qqp",
    folder="QQP",
    text_columns=("question1", "question2"),
    label_column="is_duplicate",
    labels=("0", "1"),
    metrics=("accuracy", "f1"),
    main_metric="accuracy",
    files=_FILES,
    submission={"test": "QQP.tsv"},
    source=_SOURCE,
)
MNLI = task_lib.Task(
    name="mnli",
    folder="MNLI",
    text_columns=("sentence1", "sentence2"),
    label_column="gold_label",
    labels=("contradiction", "entailment", "neutral"),
    metrics=("accuracy",),
    main_metric="accuracy",
    files={
        "train": "train.tsv",
        "dev": "dev_matched.tsv",
        "dev_mismatched": "dev_mismatched.tsv",
        "test": "test_matched.tsv",
        "test_mismatched": "test_mismatched.tsv",
        # Beside the tasks' folders; the same columns as in the others.
        "test_diagnostic": "../diagnostic/diagnostic.tsv",
    },
    submission={
        "test": "MNLI-m.tsv",
        "test_mismatched": "MNLI-mm.tsv",
        "test_diagnostic": "AX.tsv",
    },
    source=_SOURCE,
)
QNLI = task_lib.Task(
    name="qnli",
    folder="QNLI",
    text_columns=("question", "sentence"),
    label_column="label",
    labels=("entailment", "not_entailment"),
    metrics=("accuracy",),
    main_metric="accuracy",
    files=_FILES,
    submission={"test": "QNLI.tsv"},
    source=_SOURCE,
)
RTE = task_lib.Task(
    name="rte",
    folder="RTE",
    text_columns=("sentence1", "sentence2"),
    label_column="label",
    labels=("entailment", "not_entailment"),
    metrics=("accuracy",),
    main_metric="accuracy",
    num_train_epochs=10.0,
    files=_FILES,
    submission={"test": "RTE.tsv"},
    source=_SOURCE,
)
WNLI = task_lib.Task(
    name="wnli",
    folder="WNLI",
    text_columns=("sentence1", "sentence2"),
    label_column="label",
    labels=("0", "1"),
    metrics=("accuracy",),
    main_metric="accuracy",
    files=_FILES,
    submission={"test": "WNLI.tsv"},
    source=_SOURCE,
)

TASKS = (COLA, SST, MRPC, STS, QQP, MNLI, QNLI, RTE, WNLI)

# The number of a line, and its columns by name, or why it cannot be read.
Row = tuple[int, dict[str, str] | ValueError]


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
    has_labels = not split.startswith("test")
    return make_examples(
        _rows(
            _lines(content, file_name),
            task=task,
            header=task.headers.get(split),
            has_labels=has_labels,
            file_name=file_name,
        ),
        task=task,
        has_labels=has_labels,
        file_name=file_name,
        skip_malformed=skip_malformed,
    )


def _lines(content: bytes, file_name: str) -> list[str]:
    lines = task_files.lines(content, file_name)
    while len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def rows(content: bytes, task: task_lib.Task, file_name: str) -> Iterator[Row]:
    """The rows of a training file with a header."""
    return _rows(
        _lines(content, file_name),
        task=task,
        header=None,
        has_labels=True,
        file_name=file_name,
    )


def _rows(
    all_lines: Sequence[str],
    *,
    task: task_lib.Task,
    header: Sequence[str] | None,
    has_labels: bool,
    file_name: str,
) -> Iterator[Row]:
    lines = enumerate(all_lines, start=1)
    if header is None:
        _, first_line = next(lines)
        header = first_line.split("\t")
    _check_header(header, task, has_labels=has_labels, file_name=file_name)
    for number, line in lines:
        try:
            yield number, _row(line, header)
        except ValueError as error:
            yield number, error


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


def make_examples(
    rows: Iterable[Row],
    *,
    task: task_lib.Task,
    has_labels: bool,
    file_name: str,
    skip_malformed: bool,
) -> list[task_lib.Example]:
    """The examples of rows.

    Raises:
        ValueError: a row that is none, unless they are left out; they are
            logged and counted then. Or there is no example.
    """
    examples, num_skipped = [], 0
    for index, (number, row) in enumerate(rows):
        try:
            examples.append(_example(index, row, task, has_labels=has_labels))
        except ValueError as error:
            message = f"{file_name}, line {number}: {error}."
            if not skip_malformed:
                raise ValueError(
                    f"{message} Correct it, or leave such lines out with "
                    "--skip_malformed_lines."
                ) from error
            logging.warning("Left out: %s", message)
            num_skipped += 1
    if num_skipped:
        logging.warning("%s: left out %d examples.", file_name, num_skipped)
    if not examples:
        raise ValueError(f"{file_name} holds no examples.")
    return examples


def _example(
    index: int,
    row: dict[str, str] | ValueError,
    task: task_lib.Task,
    *,
    has_labels: bool,
) -> task_lib.Example:
    if isinstance(row, ValueError):
        raise row
    texts = [row[column] for column in task.text_columns]
    label = task.parse_label(row[task.label_column]) if has_labels else None
    return task_lib.Example(index, *texts, label=label)
