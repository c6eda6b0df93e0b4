"""From scores of tokens to the likeliest parts of a context.

What the original's `SpanBasedQAScorer.write_predictions` (`qa_metrics.py`)
does with all windows of one question.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from finetune import answer_text

# As in the original: the null score of a question that no window is about.
NO_WINDOW = 1e6


class Window(NamedTuple):
    """Where the tokens of one row are in the context.

    Attributes:
        token_spans: int32 `[tokens, 2]`; first character of each token and
            the one after its last; -1 outside of the context.
        word_index: int32 `[tokens]`, the word of the context; -1 outside.
        is_max_context: bool `[tokens]`; whether no other window shows more of
            the text around the token.
        pieces: of the vocabulary, one a token; only `aligned_finder` reads
            them.
    """

    token_spans: np.ndarray
    word_index: np.ndarray
    is_max_context: np.ndarray
    pieces: Sequence[str] = ()


class WindowScores(NamedTuple):
    """What a model says about one window.

    Attributes:
        starts: int `[starts]`, tokens at which an answer may start.
        start_scores: float32 `[starts]`.
        ends: int `[starts, ends]`, tokens that may be its last.
        end_scores: float32 `[starts, ends]`.
    """

    starts: np.ndarray
    start_scores: np.ndarray
    ends: np.ndarray
    end_scores: np.ndarray


class Spans(NamedTuple):
    """Parts of the context that may be an answer, from best to worst.

    Attributes:
        window: int `[spans]`, index of the window.
        start: int `[spans]`, first token.
        end: int `[spans]`, last token.
        start_score: float32 `[spans]`.
        end_score: float32 `[spans]`.
    """

    window: np.ndarray
    start: np.ndarray
    end: np.ndarray
    start_score: np.ndarray
    end_score: np.ndarray


class Text(NamedTuple):
    """A part of the context.

    Attributes:
        text: it, as an answer.
        start: its first character in the context.
        end: the one after its last.
    """

    text: str
    start: int
    end: int


class Candidate(NamedTuple):
    """One of the best answers to a question.

    Attributes:
        text: the answer.
        start: its first character in the context.
        end: the one after its last.
        probability: among the best answers.
    """

    text: str
    start: int
    end: int
    probability: float


# From a window, the first and the last token of a span in it, to its text.
Finder = Callable[[Window, int, int], Text]


def window_scores(
    outputs: Mapping[str, np.ndarray], row: int, *, length: int, n_best: int
) -> WindowScores:
    """The scores of a row, for starts and ends that are worth a look.

    Args:
        outputs: of a head of `span_heads`.
        row: index of the row.
        length: its tokens; what comes after them is padding.
        n_best: how many starts and ends, if they are independent.
    """
    if "start_top_index" in outputs:
        return WindowScores(
            starts=outputs["start_top_index"][row],
            start_scores=outputs["start_top_log_probs"][row],
            ends=outputs["end_top_index"][row],
            end_scores=outputs["end_top_log_probs"][row],
        )
    start_logits = outputs["start_logits"][row][:length]
    end_logits = outputs["end_logits"][row][:length]
    starts, ends = _best(start_logits, n_best), _best(end_logits, n_best)
    shape = len(starts), len(ends)
    return WindowScores(
        starts=starts,
        start_scores=start_logits[starts],
        ends=np.broadcast_to(ends, shape),
        end_scores=np.broadcast_to(end_logits[ends], shape),
    )


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """Indices of the highest scores, the first of equal ones first."""
    return np.argsort(-scores, kind="stable")[:count]


def spans(
    windows: Sequence[Window],
    scores: Sequence[WindowScores],
    *,
    max_answer_length: int,
) -> Spans:
    """All spans of a question's windows that can be answers.

    They begin and end in the context, are no longer than allowed, and their
    first token is in no other window with more of the text around it. Equally
    good ones stay in the order of windows, starts and ends.

    Unlike the original: a span whose score is not a finite number is none.
    """
    parts = [
        _spans_of_window(index, window, window_scores, max_answer_length)
        for index, (window, window_scores) in enumerate(
            zip(windows, scores, strict=True)
        )
    ]
    if not parts:
        none = np.zeros([0], np.int64)
        no_score = np.zeros([0], np.float32)
        return Spans(none, none, none, no_score, no_score)
    joined = Spans(*map(np.concatenate, zip(*parts, strict=True)))
    order = _best(
        joined.start_score + joined.end_score, len(joined.start_score)
    )
    return Spans(*(values[order] for values in joined))


def _spans_of_window(
    index: int, window: Window, scores: WindowScores, max_answer_length: int
) -> Spans:
    num_tokens = len(window.word_index)
    ends = np.asarray(scores.ends)
    starts = np.broadcast_to(np.asarray(scores.starts)[:, None], ends.shape)
    start_scores = np.broadcast_to(
        np.asarray(scores.start_scores)[:, None], ends.shape
    )
    is_start = (window.word_index >= 0) & window.is_max_context
    is_end = window.word_index >= 0
    # A beam that is longer than the row may point anywhere.
    inside = (starts < num_tokens) & (ends < num_tokens)
    valid = (
        inside
        & is_start[np.where(inside, starts, 0)]
        & is_end[np.where(inside, ends, 0)]
        & (ends >= starts)
        & (ends - starts < max_answer_length)
        & np.isfinite(start_scores + scores.end_scores)
    )
    start = starts[valid]
    return Spans(
        window=np.full(start.shape, index, np.int64),
        start=start,
        end=ends[valid],
        start_score=start_scores[valid],
        end_score=np.asarray(scores.end_scores)[valid],
    )


def n_best(
    candidates: Spans,
    windows: Sequence[Window],
    *,
    find: Finder,
    size: int,
) -> tuple[list[Candidate], np.ndarray]:
    """The best spans with different texts, and their scores.

    Args:
        candidates: see `spans`.
        windows: that they index.
        find: how texts are found.
        size: the most answers.

    Returns:
        The answers, from best to worst, and float32 `[answers, 2]`, the
        scores of the start and the end of each.
    """
    texts, scores = {}, []
    for index, start, end, *both in zip(*candidates, strict=True):
        if len(texts) == size:
            break
        found = find(windows[index], int(start), int(end))
        # As in the original: the same text elsewhere adds nothing.
        if found.text and found.text not in texts:
            texts[found.text] = found
            scores.append(both)
    scores = np.array(scores, np.float32).reshape(-1, 2)
    best = [
        Candidate(*found, probability=float(probability))
        for found, probability in zip(
            texts.values(), _softmax(scores[:, 0] + scores[:, 1]), strict=True
        )
    ]
    return best, scores


def _softmax(scores: np.ndarray) -> np.ndarray:
    if not scores.size:
        return scores
    exponentials = np.exp(np.float64(scores) - np.max(scores))
    return exponentials / np.sum(exponentials)


def null_scores(
    outputs: Mapping[str, np.ndarray], rows: np.ndarray
) -> np.ndarray:
    """How much each of these rows looks as if it held no answer: float32."""
    if not len(rows):  # There may be no outputs at all.
        return np.zeros([0], np.float32)
    for name in ("answerable_logit", "null_score"):
        if name in outputs:
            return outputs[name][rows]
    return outputs["start_logits"][rows, 0] + outputs["end_logits"][rows, 0]


def null_score(scores: np.ndarray, *, best: np.ndarray | None) -> float:
    """How much a question looks as if it had no answer.

    Args:
        scores: of its rows, float32 `[rows]`; as in the original the lowest
            counts, since the answer needs to be in one row only.
        best: what they are compared with, scores of the start and the end of
            the best answer, float32 `[1, 2]`, or `[0, 2]` if there is none;
            None if they stand for themselves.
    """
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return NO_WINDOW
    lowest = np.min(scores)
    if best is None or not len(best):
        return float(lowest)
    start_score, end_score = best[0]
    return float(lowest - start_score - end_score)


def offset_finder(context: str) -> Finder:
    """Finds exactly the characters that the tokens are from.

    Unlike the original: nothing needs to be aligned, so what cannot be
    aligned is not given up.
    """

    def find(window: Window, start: int, end: int) -> Text:
        first = int(window.token_spans[start, 0])
        after = int(window.token_spans[end, 1])
        return Text(context[first:after], first, after)

    return find


def aligned_finder(
    context: str,
    word_spans: Sequence[tuple[int, int]],
    *,
    lower_case: bool = True,
    strip_accents: bool = True,
) -> Finder:
    """Finds what the original finds, see `answer_text.find`.

    As in the original: between words of the text there is one space, whatever
    is in the context.

    Args:
        context: the text.
        word_spans: of its whitespace words, the first character and the one
            after the last.
        lower_case: what the tokenizer does.
        strip_accents: what the tokenizer does.
    """

    def find(window: Window, start: int, end: int) -> Text:
        words = word_spans[
            window.word_index[start] : window.word_index[end] + 1
        ]
        text = " ".join(context[first:after] for first, after in words)
        # The place in the context of each character of the text.
        places = [
            place for first, after in words for place in range(first, after + 1)
        ]
        normalized = answer_text.join_pieces(window.pieces[start : end + 1])
        first, after = answer_text.find(
            normalized,
            text,
            lower_case=lower_case,
            strip_accents=strip_accents,
        )
        return Text(text[first:after], places[first], places[after - 1] + 1)

    return find
