"""A task is a row, not a class."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
from typing import Literal
from typing import NamedTuple


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """All that is particular to one task.

    Attributes:
        name: As in the original; also in the names of the head's variables.
        folder: Where the files are, in the folder of all data.
        text_columns: Names of the columns with one text or two.
        label_column: Name of the column with the label.
        labels: Names of the classes, in the order of their ids; empty for
            regression.
        score_range: Lowest and highest score of a regression task.
        metrics: Functions of `finetune.metrics`.
        main_metric: The metric that stands for the task in tables.
        num_train_epochs: How long to train (Table 7 of the paper).
        files: Names of the files by split. Splits that begin with "dev" have
            labels and are evaluated; those that begin with "test" have none.
        headers: Columns of the splits whose files have no header line.
        swaps_texts: Whether the order of the two texts means nothing, so that
            each training example is used both ways around.
        source: Where the data can be had.
    """

    name: str
    folder: str
    text_columns: Sequence[str]
    label_column: str
    labels: Sequence[str] = ()
    score_range: tuple[float, float] = (0.0, 1.0)
    metrics: Sequence[Callable[[Sequence, Sequence], dict[str, float]]]
    main_metric: str
    num_train_epochs: float = 3.0
    files: Mapping[str, str]
    headers: Mapping[str, Sequence[str]] = dataclasses.field(
        default_factory=dict
    )
    swaps_texts: bool = False
    source: str = ""

    @property
    def kind(self) -> Literal["classification", "regression"]:
        """What kind of answer the task asks for."""
        return "classification" if self.labels else "regression"

    @property
    def dev_splits(self) -> list[str]:
        """Splits with labels to evaluate on; the first one is the main one."""
        return [split for split in self.files if split.startswith("dev")]

    @property
    def test_splits(self) -> list[str]:
        """Splits without labels."""
        return [split for split in self.files if split.startswith("test")]

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

    def score_metrics(
        self, targets: Sequence, predictions: Sequence
    ) -> dict[str, float]:
        """All metrics of the task, in percent.

        Args:
            targets: label ids, or scores in the task's unit.
            predictions: likewise.
        """
        results = {}
        for metric in self.metrics:
            results |= metric(targets, predictions)
        return results
