"""What a question-answering model answers: a part of each context."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np

from finetune import context_words
from finetune import finetune_config
from finetune import qa_metrics
from finetune import span_decoding
from finetune import task as task_lib

if TYPE_CHECKING:  # They need TensorFlow, which takes seconds to import.
    from electra_tf import tokenization
    from finetune import window_features

# Fewer questions may well have the same answer.
_FEW_QUESTIONS = 5
# Null scores that differ by less are the same.
_SAME_SCORES = 1e-3


class SpanAnswer(NamedTuple):
    """The answer to one question.

    Attributes:
        text: The likeliest one, also where none is likelier; "" if no part of
            the context can be an answer.
        start: Its first character in the context; None if there is none.
        end: The character after its last; None if there is none.
        probability: Among `nbest`.
        null_score: The higher, the rather the question has no answer; None
            for tasks whose questions all have one.
        null_threshold: The null score above which it counts as having none.
        nbest: The likeliest answers, best first.
    """

    text: str
    start: int | None
    end: int | None
    probability: float
    null_score: float | None
    null_threshold: float
    nbest: tuple[span_decoding.Candidate, ...]

    @property
    def is_answerable(self) -> bool:
        """Whether the question counts as having an answer."""
        # As in the original: at the threshold itself it has one.
        return self.null_score is None or (
            self.null_score <= self.null_threshold
        )


def answers(
    task: task_lib.Task,
    examples: Sequence[task_lib.Question],
    rows: "window_features.WindowFeatures",
    outputs: Mapping[str, np.ndarray],
    *,
    run_config: finetune_config.FinetuneConfig,
    tokenizer: "tokenization.Tokenizer",
) -> list[SpanAnswer]:
    """The likeliest part of each context, over all its windows.

    Args:
        task: tells whether questions may have no answer.
        examples: of the split.
        rows: windows over the contexts of `examples`.
        outputs: of a head of `span_heads` for all rows.
        run_config: decides how many answers there are, how long they may be,
            and how their text is found.
        tokenizer: of the model.
    """
    pieces_of = _pieces_reader(rows, run_config, tokenizer)
    found = []
    for example, indices in zip(
        examples,
        _rows_by_question(rows.question_index, len(examples)),
        strict=True,
    ):
        nbest, nbest_scores = _n_best(
            [_window(rows, row, pieces_of(row)) for row in indices],
            outputs,
            indices,
            find=_finder(example.context, run_config, tokenizer),
            run_config=run_config,
        )
        found.append(
            _from_nbest(
                nbest,
                null_score=_null_score(outputs, indices, nbest_scores)
                if task.has_impossible
                else None,
                null_threshold=run_config.null_threshold,
            )
        )
    return found


def _n_best(
    windows: Sequence[span_decoding.Window],
    outputs: Mapping[str, np.ndarray],
    rows: np.ndarray,
    *,
    find: span_decoding.Finder,
    run_config: finetune_config.FinetuneConfig,
) -> tuple[list[span_decoding.Candidate], np.ndarray]:
    """What `span_decoding.n_best` finds in the windows that are these rows."""
    scores = [
        span_decoding.window_scores(
            outputs,
            row,
            length=len(window.word_index),
            n_best=run_config.n_best_size,
        )
        for row, window in zip(rows, windows, strict=True)
    ]
    spans = span_decoding.spans(
        windows, scores, max_answer_length=run_config.max_answer_length
    )
    return span_decoding.n_best(
        spans, windows, find=find, size=run_config.n_best_size
    )


def _null_score(
    outputs: Mapping[str, np.ndarray],
    rows: np.ndarray,
    nbest_scores: np.ndarray,
) -> float:
    """How much a question with these rows looks as if it had no answer."""
    # A classifier's score stands for itself.
    has_classifier = "answerable_logit" in outputs
    return span_decoding.null_score(
        span_decoding.null_scores(outputs, rows),
        best=None if has_classifier else nbest_scores[:1],
    )


def _window(rows, row: int, pieces: Sequence[str]) -> span_decoding.Window:
    return span_decoding.Window(
        token_spans=rows.token_spans[row],
        word_index=rows.word_index[row],
        is_max_context=rows.is_max_context[row],
        pieces=pieces,
    )


def _rows_by_question(
    question_index: np.ndarray, num_questions: int
) -> list[np.ndarray]:
    """The rows of each question, in their order."""
    order = np.argsort(question_index, kind="stable")
    bounds = np.searchsorted(
        question_index[order], np.arange(num_questions + 1)
    )
    return [
        order[first:after]
        for first, after in zip(bounds[:-1], bounds[1:], strict=True)
    ]


def _pieces_reader(rows, run_config, tokenizer):
    """A function from a row to its pieces, if the texts depend on them."""
    if run_config.answer_text == "offsets":
        return lambda row: ()
    ids = rows.input_ids.values.numpy()
    bounds = rows.input_ids.row_splits.numpy()
    return lambda row: tokenizer.tokens(ids[bounds[row] : bounds[row + 1]])


def _finder(context, run_config, tokenizer) -> span_decoding.Finder:
    if run_config.answer_text == "offsets":
        return span_decoding.offset_finder(context)
    return span_decoding.aligned_finder(
        context,
        context_words.spans(context),
        lower_case=tokenizer.lower_case,
        strip_accents=tokenizer.strip_accents,
    )


def _from_nbest(
    nbest: Sequence[span_decoding.Candidate],
    *,
    null_score: float | None,
    null_threshold: float,
) -> SpanAnswer:
    # Unlike the original: if there is no answer at all its text is empty; it
    # is the word "empty" there.
    none = span_decoding.Candidate("", None, None, 0.0)
    best = nbest[0] if nbest else none
    return SpanAnswer(
        text=best.text,
        start=best.start,
        end=best.end,
        probability=best.probability,
        null_score=null_score,
        null_threshold=null_threshold,
        nbest=tuple(nbest),
    )


def score(
    task: task_lib.Task,
    examples: Sequence[task_lib.Question],
    answers: Sequence[SpanAnswer],
    *,
    run_config: finetune_config.FinetuneConfig,
) -> dict[str, float]:
    """The task's metrics, see `qa_metrics`; in percent, but for thresholds.

    Raises:
        ValueError: the task's metric cannot be computed of its answers.
    """
    texts = predictions_json(examples, answers)
    metric = task.metrics[0]
    if metric == "squad_v2":
        if not task.has_impossible:
            raise ValueError(
                f"Task {task.name!r} has the metric {metric!r}, for which it "
                'must have has_impossible; or give it the metric "squad_v1".'
            )
        return qa_metrics.squad_v2(
            examples,
            texts,
            null_odds_json(examples, answers),
            threshold=run_config.null_threshold,
        )
    metrics = {"squad_v1": qa_metrics.squad_v1, "mrqa": qa_metrics.mrqa}
    if metric not in metrics:
        raise ValueError(
            f"Task {task.name!r} has the metric {metric!r}. Metrics for "
            f"question answering: {', '.join([*metrics, 'squad_v2'])}."
        )
    return metrics[metric](examples, texts)


def predictions_json(
    examples: Sequence[task_lib.Question],
    answers: Sequence[SpanAnswer],
    *,
    apply_threshold: bool = False,
) -> dict[str, str]:
    """Texts by id, as the official evaluation scripts read them.

    Args:
        examples: of the split.
        answers: to `examples`.
        apply_threshold: give questions that count as having no answer the
            text "", as leaderboards want. The scripts do it by themselves if
            they get `null_odds_json`, too.
    """
    return {
        example.id: answer.text
        if answer.is_answerable or not apply_threshold
        else ""
        for example, answer in zip(examples, answers, strict=True)
    }


def null_odds_json(
    examples: Sequence[task_lib.Question], answers: Sequence[SpanAnswer]
) -> dict[str, float]:
    """Null scores by id, as the official script for SQuAD 2.0 reads them."""
    return {
        example.id: answer.null_score
        for example, answer in zip(examples, answers, strict=True)
        if answer.null_score is not None
    }


def records(
    task: task_lib.Task,
    examples: Sequence[task_lib.Question],
    answers: Sequence[SpanAnswer],
) -> Iterator[dict[str, Any]]:
    """One record a question, as JSON types.

    `answer` is there also where `is_answerable` says that none is likelier.
    """
    for example, answer in zip(examples, answers, strict=True):
        record: dict[str, Any] = {
            "id": example.id,
            "answer": answer.text,
            "start": answer.start,
            "end": answer.end,
            "probability": answer.probability,
        }
        if answer.null_score is not None:
            record["null_score"] = answer.null_score
            record["is_answerable"] = answer.is_answerable
        record["n_best"] = [candidate._asdict() for candidate in answer.nbest]
        if example.answers:
            record["target"] = [known.text for known in example.answers]
        elif task.has_impossible and example.is_impossible:
            record["target"] = []
        yield record


def combine(
    answers_of_trials: Sequence[Sequence[SpanAnswer]],
) -> list[SpanAnswer]:
    """The answers of the means of all trials' probabilities and null scores.

    An answer that is not among a trial's best has a probability of 0 there.
    """
    return [_mean(same) for same in zip(*answers_of_trials, strict=True)]


def _mean(same: Sequence[SpanAnswer]) -> SpanAnswer:
    candidates, probabilities = {}, {}
    for answer in same:
        for candidate in answer.nbest:
            text = candidate.text
            candidates.setdefault(text, candidate)
            probabilities[text] = probabilities.get(
                text, 0.0
            ) + candidate.probability / len(same)
    nbest = sorted(
        (
            candidate._replace(probability=probabilities[text])
            for text, candidate in candidates.items()
        ),
        key=lambda candidate: -candidate.probability,
    )
    null_scores = [answer.null_score for answer in same]
    return _from_nbest(
        nbest[: max(len(answer.nbest) for answer in same)],
        null_score=None if None in null_scores else float(np.mean(null_scores)),
        null_threshold=same[0].null_threshold,
    )


def failure(task: task_lib.Task, answers: Sequence[SpanAnswer]) -> str:
    """Why answers look like those of a model that has learned nothing."""
    if not answers:
        return ""
    texts = {answer.text for answer in answers}
    if texts == {""}:
        return f"it finds no answer to any of {len(answers)} questions"
    if len(answers) < _FEW_QUESTIONS:
        return ""
    if len(texts) == 1:
        return (
            f"it gives all {len(answers)} questions the answer "
            f"{answers[0].text!r}"
        )
    null_scores = [
        answer.null_score
        for answer in answers
        if answer.null_score not in (None, span_decoding.NO_WINDOW)
    ]
    if null_scores and np.ptp(null_scores) < _SAME_SCORES:
        return (
            f"it gives all {len(answers)} questions the null score "
            f"{null_scores[0]:.4g}"
        )
    return ""
