"""What a model answers about a text or two: a label, or a score."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np

from finetune import finetune_config
from finetune import metrics
from finetune import task as task_lib

if TYPE_CHECKING:  # They need TensorFlow, which takes seconds to import.
    from electra_tf import tokenization
    from finetune import features

# Scores that differ by less, as a share of the task's range, are the same.
_SAME_SCORES = 1e-3


class LabelAnswer(NamedTuple):
    """The label of one example.

    Attributes:
        label: Its id.
        probabilities: float32 `[labels]`.
    """

    label: int
    probabilities: np.ndarray


class ScoreAnswer(NamedTuple):
    """The score of one example, in the task's unit; it may be out of range."""

    score: float


Answer = LabelAnswer | ScoreAnswer


def answers(
    task: task_lib.Task,
    examples: Sequence[task_lib.Example],
    rows: "features.Features",
    outputs: Mapping[str, np.ndarray],
    *,
    run_config: finetune_config.FinetuneConfig,
    tokenizer: "tokenization.Tokenizer",
) -> list[Answer]:
    """The likeliest label of each example, or its score.

    Args:
        task: with its labels.
        examples: of the split.
        rows: one for each of `examples`; not needed here.
        outputs: `logits` and `probabilities`, `[examples, labels]`, or
            `score`, `[examples]`.
        run_config: of the run; nothing of it matters here.
        tokenizer: of the model; not needed here.
    """
    del rows, run_config, tokenizer
    if not examples:
        return []
    if task.kind == "regression":
        return [ScoreAnswer(float(score)) for score in outputs["score"]]
    labels = np.argmax(outputs["logits"], axis=-1)
    return [
        LabelAnswer(int(label), probabilities)
        for label, probabilities in zip(
            labels, outputs["probabilities"], strict=True
        )
    ]


def _prediction(answer: Answer) -> int | float:
    is_score = isinstance(answer, ScoreAnswer)
    return answer.score if is_score else answer.label


def score(
    task: task_lib.Task,
    examples: Sequence[task_lib.Example],
    answers: Sequence[Answer],
    *,
    run_config: finetune_config.FinetuneConfig,
) -> dict[str, float]:
    """The task's metrics, in percent."""
    del run_config
    targets = [example.label for example in examples]
    predictions = [_prediction(answer) for answer in answers]
    return metrics.compute(task.metrics, targets, predictions)


def records(
    task: task_lib.Task,
    examples: Sequence[task_lib.Example],
    answers: Sequence[Answer],
) -> Iterator[dict[str, Any]]:
    """One record an example, as JSON types: its id, the answer, the target."""
    is_classification = task.kind == "classification"
    for example, answer in zip(examples, answers, strict=True):
        record: dict[str, Any] = {"id": example.id}
        if is_classification:
            probabilities = map(float, answer.probabilities)
            record["label"] = task.labels[answer.label]
            record["probabilities"] = dict(
                zip(task.labels, probabilities, strict=True)
            )
        else:
            record["score"] = answer.score
        if example.label is not None:
            record["target"] = (
                task.labels[example.label]
                if is_classification
                else example.label
            )
        yield record


def combine(answers_of_trials: Sequence[Sequence[Answer]]) -> list[Answer]:
    """The answers of the mean of all trials' probabilities, or scores."""
    return [_mean(same) for same in zip(*answers_of_trials, strict=True)]


def _mean(same: Sequence[Answer]) -> Answer:
    if isinstance(same[0], ScoreAnswer):
        return ScoreAnswer(float(np.mean([a.score for a in same])))
    probabilities = np.mean([a.probabilities for a in same], axis=0)
    return LabelAnswer(int(np.argmax(probabilities)), probabilities)


def failure(task: task_lib.Task, answers: Sequence[Answer]) -> str:
    """Why answers look like those of a model that has learned nothing."""
    if len(answers) < 2:
        return ""
    predictions = [_prediction(answer) for answer in answers]
    if task.kind == "regression":
        low, high = task.score_range
        if np.ptp(predictions) < _SAME_SCORES * (high - low):
            return (
                f"it gives all {len(answers)} examples the score "
                f"{predictions[0]:.4g}"
            )
    elif len(task.labels) > 1 and len(set(predictions)) == 1:
        return (
            f"it gives all {len(answers)} examples the label "
            f"{task.labels[predictions[0]]!r}"
        )
    return ""
