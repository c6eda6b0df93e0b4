"""A task is a row, not a class."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import os
import re
from typing import Any
from typing import Literal
from typing import NamedTuple

from electra_tf import config

Kind = Literal["classification", "regression", "tagging", "question_answering"]


class Example(NamedTuple):
    """One example of a task that reads one text or two.

    Attributes:
        id: Index of its row in the file, from 0; as in the original, rows
            that could not be read are counted too. A swapped copy has that of
            its row plus the number of examples.
        text_a: The (first) text.
        text_b: The second text; None where the task has one.
        label: Index of the label, a score in the task's own unit, or None
            where the file has no labels.
    """

    id: int
    text_a: str
    text_b: str | None = None
    label: int | float | None = None


class Sentence(NamedTuple):
    """One example of a tagging task.

    Attributes:
        id: Index of the sentence in the file, from 0.
        words: Its words, as the file divides them.
        tags: One tag for each word, in the scheme BIOES; None where the file
            has no tags.
    """

    id: int
    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None


class Answer(NamedTuple):
    """A part of a context.

    Attributes:
        text: The characters.
        start: Index of the first of them in the context; -1 for a text that
            only counts as right.
    """

    text: str
    start: int


class Question(NamedTuple):
    """One example of a question-answering task.

    Attributes:
        id: The question's id in the file.
        question: Its text.
        context: The text that holds the answer.
        answers: All that count as right; empty if the context has none, or if
            the file tells none.
        is_impossible: Whether the context holds no answer.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...] = ()
    is_impossible: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """All that is particular to one task; all of it can be written as JSON.

    Attributes:
        name: As in the original; also in the names of the head's variables.
        kind: What kind of answer it asks for.
        folder: Where the files are, in the folder of all data.
        format: How the files are read, see `readers`.
        files: Names of the files by split. Splits that begin with "dev" have
            labels and are evaluated; those that begin with "test" need none.
        dev_share: Share of the training examples that are held out as "dev",
            if it has the same file.
        text_columns: Names of the columns with one text or two; for format
            "conll" numbers of columns, from 1.
        label_column: Name of the column with the label.
        headers: Columns of the splits whose files have no header line.
        labels: Names of the classes, in the order of their ids; tags of a
            tagging task. If empty, they are those of the training data.
        score_range: Lowest and highest score of a regression task.
        metrics: Names of functions of `metrics.METRICS`.
        main_metric: The metric that stands for the task in tables.
        num_train_epochs: How long to train (Table 7 of the paper).
        max_seq_length: Longest example in tokens.
        swaps_texts: Whether the order of the two texts means nothing, so that
            each training example is used both ways around.
        has_impossible: Whether questions may have no answer.
        submission: Name of the file that the task's leaderboard wants for
            each test split.
        source: Where the data can be had.
    """

    name: str
    kind: Kind = "classification"
    folder: str = ""
    format: str = "tsv"
    files: Mapping[str, str]
    dev_share: float = 0.0
    text_columns: Sequence[str] = ()
    label_column: str = ""
    headers: Mapping[str, Sequence[str]] = dataclasses.field(
        default_factory=dict
    )
    labels: Sequence[str] = ()
    score_range: tuple[float, float] = (0.0, 1.0)
    metrics: Sequence[str]
    main_metric: str
    num_train_epochs: float = 3.0
    max_seq_length: int = 128
    swaps_texts: bool = False
    has_impossible: bool = False
    submission: Mapping[str, str] = dataclasses.field(default_factory=dict)
    source: str = ""

    @property
    def dev_splits(self) -> list[str]:
        """Splits with labels to evaluate on; the first one is the main one."""
        return [split for split in self.files if split.startswith("dev")]

    @property
    def test_splits(self) -> list[str]:
        """Splits to predict; their labels, if there are any, are not read."""
        return [split for split in self.files if split.startswith("test")]

    def path(self, data_dir: str, split: str) -> str:
        """Where the file of a split is, in the folder of all data."""
        path = os.path.join(data_dir, self.folder, self.files[split])
        # MNLI's diagnostic set is in a folder beside the one of the task,
        # which need not exist. normpath would break "gs://".
        return re.sub(r"[^/]+/\.\./", "", path)

    def parse_label(self, text: str) -> int | float:
        """The id of a label's name, or a score, from a file's text.

        Raises:
            ValueError: it is no label of the task, or no score in its range.
        """
        if self.kind == "classification":
            if text not in self.labels:
                raise ValueError(
                    f"unknown label {text!r}; labels: {', '.join(self.labels)}"
                )
            return self.labels.index(text)
        low, high = self.score_range
        try:
            score = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a number") from None
        if not low <= score <= high:  # NaN is not, either.
            raise ValueError(f"score {text} is not in [{low:g}, {high:g}]")
        return score

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON types."""
        return _converted(dataclasses.asdict(self), tuple, list)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Task":
        """The row that `to_dict` wrote.

        Raises:
            ValueError: a field that tasks do not have.
        """
        return config.from_dict(cls, _converted(values, list, tuple))


def _converted(value: Any, old: type, new: type) -> Any:
    """A nest of dictionaries in which one kind of sequence is the other."""
    if isinstance(value, Mapping):
        return {
            name: _converted(part, old, new) for name, part in value.items()
        }
    return new(value) if isinstance(value, old) else value
