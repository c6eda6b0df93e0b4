"""What each kind of task does with examples, features and outputs."""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from finetune import classification_answers
from finetune import classification_features
from finetune import features
from finetune import heads
from finetune import span_answers
from finetune import span_heads
from finetune import tagging_answers
from finetune import tagging_features
from finetune import task as task_lib
from finetune import window_features


class Kind(NamedTuple):
    """Functions and the head of all tasks of one kind.

    Attributes:
        make_features: from examples to the rows that the model reads.
        head: on top of the encoder.
        answers: from outputs for rows to one answer for each example.
        score: the metrics of answers, in percent.
        records: what is written of each answer, as JSON types.
        combine: the ensemble of the answers of several trials.
        failure: why answers look like those of a model that has learned
            nothing; "" if they do not.
    """

    make_features: Callable[..., features.Features]
    head: Callable[..., heads.Head]
    answers: Callable[..., list]
    score: Callable[..., dict[str, float]]
    records: Callable[..., Iterator[dict[str, Any]]]
    combine: Callable[[Sequence[list]], list]
    failure: Callable[..., str]


def _kind(make_features, head, answers) -> Kind:
    return Kind(
        make_features=make_features,
        head=head,
        answers=answers.answers,
        score=answers.score,
        records=answers.records,
        combine=answers.combine,
        failure=answers.failure,
    )


_KINDS: dict[task_lib.Kind, Kind] = {
    "classification": _kind(
        classification_features.make_features,
        heads.ClassificationHead,
        classification_answers,
    ),
    "regression": _kind(
        classification_features.make_features,
        heads.RegressionHead,
        classification_answers,
    ),
    "tagging": _kind(
        tagging_features.make_features, heads.TaggingHead, tagging_answers
    ),
    "question_answering": _kind(
        window_features.make_features, span_heads.create, span_answers
    ),
}


def of(task: task_lib.Task) -> Kind:
    """The kind of a task."""
    return _KINDS[task.kind]
