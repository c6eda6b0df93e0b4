"""Metrics of question answering, by the official evaluation scripts.

Those are the copies in tf-models-official. All values are in percent, but for
thresholds.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from finetune import task as task_lib


class ThresholdCurve(NamedTuple):
    """What each threshold of the null score would give; all `[thresholds]`.

    Questions with a null score above it count as having no answer.

    Attributes:
        threshold: from low to high, each null score that there is.
        em: exact matches among all questions, in percent.
        f1: among all questions, in percent.
        answered: share of the questions that get an answer, in percent.
        precision: exact matches among these, in percent.
    """

    threshold: np.ndarray
    em: np.ndarray
    f1: np.ndarray
    answered: np.ndarray
    precision: np.ndarray


def squad_v1(
    questions: Sequence[task_lib.Question], texts: Mapping[str, str]
) -> dict[str, float]:
    """Exact match and F1 of SQuAD 1.1: `em` and `f1`.

    For each question the best over all its answers counts, after case,
    punctuation, articles and spaces were normalised.

    Args:
        questions: each with an answer.
        texts: the predicted one by id.

    Raises:
        ValueError: a question without an answer, or not one question.
    """
    # Here, because it takes a second, and only evaluation needs it.
    from official.nlp.tools import squad_evaluate_v1_1

    for question in questions:
        if not question.answers:
            raise ValueError(
                f"Question {question.id!r} has no answer to compare with. "
                'Tasks with such questions need the metric "squad_v2".'
            )
    metrics = squad_evaluate_v1_1.evaluate(_dataset(questions), texts)
    return {
        "em": 100.0 * metrics["exact_match"],
        "f1": 100.0 * metrics["final_f1"],
    }


def mrqa(
    questions: Sequence[task_lib.Question], texts: Mapping[str, str]
) -> dict[str, float]:
    """Exact match and F1 of the MRQA shared task: the same as `squad_v1`.

    Args:
        questions: each with an answer.
        texts: the predicted one by id.
    """
    return squad_v1(questions, texts)


def squad_v2(
    questions: Sequence[task_lib.Question],
    texts: Mapping[str, str],
    null_scores: Mapping[str, float],
    *,
    threshold: float,
) -> dict[str, float]:
    """Exact match and F1 of SQuAD 2.0, where questions may have no answer.

    Args:
        questions: with all their answers; with none if there is none.
        texts: the predicted one by id, also where the model would give none.
        null_scores: by id; the higher, the rather there is no answer.
        threshold: the null score above which no answer is given.

    Returns:
        `em` and `f1` at the threshold; the same with `has_answer_` and
        `no_answer_` before it, among the questions of that kind, if there are
        any; and with `best_` at the best thresholds, which are in
        `best_em_threshold` and `best_f1_threshold`.

    Raises:
        ValueError: not one question.
    """
    from official.nlp.tools import squad_evaluate_v2_0

    dataset = _dataset(questions)
    # The script's own threshold is always 1.
    is_null = {
        question.id: 2.0 * (null_scores[question.id] > threshold)
        for question in questions
    }
    at_threshold = squad_evaluate_v2_0.evaluate(dataset, texts, is_null)
    best = squad_evaluate_v2_0.evaluate(dataset, texts, null_scores)
    metrics = {"em": at_threshold["exact"], "f1": at_threshold["f1"]}
    for name, prefix in (("has_answer", "HasAns"), ("no_answer", "NoAns")):
        if f"{prefix}_exact" in at_threshold:
            metrics[f"{name}_em"] = at_threshold[f"{prefix}_exact"]
            metrics[f"{name}_f1"] = at_threshold[f"{prefix}_f1"]
    # In this copy of the script "final" is what the original calls "best".
    return metrics | {
        "best_em": best["final_exact"],
        "best_em_threshold": best["final_exact_thresh"],
        "best_f1": best["final_f1"],
        "best_f1_threshold": best["final_f1_thresh"],
    }


def threshold_curve(
    questions: Sequence[task_lib.Question],
    texts: Mapping[str, str],
    null_scores: Mapping[str, float],
) -> ThresholdCurve:
    """How the metrics of SQuAD 2.0 depend on the threshold, for a plot.

    Args:
        questions: see `squad_v2`.
        texts: see `squad_v2`.
        null_scores: see `squad_v2`.
    """
    scores = np.array([null_scores[q.id] for q in questions], np.float64)
    em, f1 = _scores_of_each(questions, texts).T
    has_answer = np.array([bool(q.answers) for q in questions], bool)
    threshold, index = np.unique(scores, return_inverse=True)

    def sums(values: np.ndarray) -> np.ndarray:
        """Over the questions that are answered at each threshold."""
        return np.cumsum(np.bincount(index, values, minlength=len(threshold)))

    num_answered = sums(np.ones(len(scores)))
    num_left_rightly = np.sum(~has_answer) - sums(~has_answer)
    total = max(len(scores), 1)
    return ThresholdCurve(
        threshold=threshold,
        em=(sums(em) + 100.0 * num_left_rightly) / total,
        f1=(sums(f1) + 100.0 * num_left_rightly) / total,
        answered=100.0 * num_answered / total,
        precision=sums(em * has_answer) / num_answered,
    )


def _scores_of_each(
    questions: Sequence[task_lib.Question], texts: Mapping[str, str]
) -> np.ndarray:
    """Exact match and F1 of each text, in percent: `[questions, 2]`."""
    from official.nlp.tools import squad_evaluate_v2_0

    scores = []
    for question in questions:
        metrics = squad_evaluate_v2_0.evaluate(
            _dataset([question]), {question.id: texts[question.id]}
        )
        scores.append((metrics["exact"], metrics["f1"]))
    return np.array(scores, np.float64).reshape(-1, 2)


def _dataset(questions: Sequence[task_lib.Question]) -> list[dict[str, Any]]:
    """Questions in the form of SQuAD's files, as far as the scripts read it."""
    if not questions:
        raise ValueError("A metric needs at least one question, got none.")
    answers = [
        {
            "id": question.id,
            "answers": [{"text": answer.text} for answer in question.answers],
        }
        for question in questions
    ]
    return [{"paragraphs": [{"qas": answers}]}]
