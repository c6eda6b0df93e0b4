"""From scores of tokens to answers as a graph: `span_decoding` for serving."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from finetune import graph_windows
from finetune import span_decoding

# Less than the score of any span.
_NO_SCORE = tf.float32.min


class Spans(NamedTuple):
    """Parts of contexts that may be answers.

    In the order of questions, and of each question in that of windows, starts
    and ends.

    Attributes:
        question_index: int32 `[spans]`.
        start: int32 `[spans]`, its first byte in the context.
        end: int32 `[spans]`, the byte after its last.
        start_score: float32 `[spans]`.
        end_score: float32 `[spans]`.
    """

    question_index: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    start_score: tf.Tensor
    end_score: tf.Tensor


class Best(NamedTuple):
    """The best answers to each question, best first; all `[batch, size]`.

    Attributes:
        text: string, "" on padding.
        start: int32, the first byte in the context; -1 on padding.
        end: int32, the byte after the last; -1 on padding.
        start_score: float32.
        end_score: float32.
        probability: float32, among them; 0 on padding.
        mask: bool, whether there is such an answer.
    """

    text: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor
    start_score: tf.Tensor
    end_score: tf.Tensor
    probability: tf.Tensor
    mask: tf.Tensor


def spans(
    outputs: Mapping[str, tf.Tensor],
    windows: graph_windows.Windows,
    *,
    n_best: int,
    max_answer_length: int,
) -> Spans:
    """What `span_decoding.spans` finds, not sorted yet.

    Args:
        outputs: of a head of `span_heads` for the windows.
        windows: over the contexts.
        n_best: how many starts and ends are looked at, if they are
            independent.
        max_answer_length: of an answer, in tokens.
    """
    start, start_score, end, end_score = _tops(outputs, windows, n_best)
    start = tf.broadcast_to(start, tf.shape(end))  # [windows, starts, ends]
    start_score = tf.broadcast_to(start_score, tf.shape(end))
    valid = (
        tf.gather(windows.is_max_context, start, batch_dims=1)
        & tf.gather(windows.is_context, end, batch_dims=1)
        & (end >= start)
        & (end - start < max_answer_length)
        & tf.math.is_finite(start_score + end_score)
    )
    places = tf.where(valid)
    window = places[:, 0]

    def in_context(offsets, tokens):  # Of tokens in windows.
        tokens = tf.gather_nd(tokens, places)
        return tf.gather_nd(
            offsets, tf.stack([tf.cast(window, tf.int32), tokens], axis=-1)
        )

    return Spans(
        question_index=tf.gather(windows.question_index, window),
        start=in_context(windows.starts, start),
        end=in_context(windows.ends, end),
        start_score=tf.gather_nd(start_score, places),
        end_score=tf.gather_nd(end_score, places),
    )


def _tops(outputs, windows, n_best: int) -> tuple[tf.Tensor, ...]:
    """Starts `[windows, starts, 1]`, ends `[windows, starts, ends]`, scores."""
    if "start_top_index" in outputs:
        return (
            outputs["start_top_index"][..., tf.newaxis],
            outputs["start_top_log_probs"][..., tf.newaxis],
            outputs["end_top_index"],
            outputs["end_top_log_probs"],
        )
    is_real = windows.inputs["input_mask"] > 0
    count = tf.minimum(tf.shape(is_real)[1], n_best)
    (start_scores, starts), (end_scores, ends) = (
        # Padding comes last, and its score is none.
        tf.math.top_k(tf.where(is_real, outputs[name], -float("inf")), k=count)
        for name in ("start_logits", "end_logits")
    )
    pairs = [tf.shape(starts)[0], count, count]
    return (
        starts[..., tf.newaxis],
        start_scores[..., tf.newaxis],
        tf.broadcast_to(ends[:, tf.newaxis], pairs),
        tf.broadcast_to(end_scores[:, tf.newaxis], pairs),
    )


def best(candidates: Spans, context: tf.Tensor, *, size: int) -> Best:
    """What `span_decoding.n_best` finds: the best spans of different texts.

    Args:
        candidates: see `spans`.
        context: string `[batch]`, that they are parts of.
        size: the most answers to a question.
    """
    question = candidates.question_index
    # Both sorts are stable: the best of each question first, and equally good
    # ones in their order.
    order = tf.argsort(
        candidates.start_score + candidates.end_score,
        direction="DESCENDING",
        stable=True,
    )
    order = tf.gather(
        order, tf.argsort(tf.gather(question, order), stable=True)
    )
    question, start, end, *scores = (tf.gather(c, order) for c in candidates)
    texts = tf.strings.substr(tf.gather(context, question), start, end - start)
    keys = tf.strings.join([tf.strings.as_string(question), texts], ":")
    distinct, number = tf.unique(keys)
    # The place of the best of each text; these are in ascending order.
    kept = tf.math.unsorted_segment_min(
        tf.range(tf.size(number)), number, tf.size(distinct)
    )
    row_ids = tf.gather(question, kept)

    def by_question(values, default):
        ragged = tf.RaggedTensor.from_value_rowids(
            tf.gather(values, kept),
            tf.cast(row_ids, tf.int64),
            tf.size(context, tf.int64),
            validate=False,
        )
        return ragged.to_tensor(default, shape=[None, size])

    start_score, end_score = (by_question(s, 0.0) for s in scores)
    mask = by_question(tf.ones_like(question), 0) > 0
    totals = tf.where(mask, start_score + end_score, _NO_SCORE)
    return Best(
        text=by_question(texts, ""),
        start=by_question(start, -1),
        end=by_question(end, -1),
        start_score=start_score,
        end_score=end_score,
        probability=tf.where(mask, tf.nn.softmax(totals), 0.0),
        mask=mask,
    )


def null_scores(
    outputs: Mapping[str, tf.Tensor],
    windows: graph_windows.Windows,
    found: Best,
) -> tf.Tensor:
    """What `span_decoding.null_score` says of questions: float32 `[batch]`.

    Args:
        outputs: of a head of `span_heads` for the windows.
        windows: over the contexts.
        found: the best answers.
    """
    for name in ("answerable_logit", "null_score"):
        if name in outputs:
            scores = outputs[name]
            break
    else:
        scores = outputs["start_logits"][:, 0] + outputs["end_logits"][:, 0]
    lowest = tf.math.unsorted_segment_min(
        tf.where(tf.math.is_finite(scores), scores, tf.float32.max),
        windows.question_index,
        tf.shape(found.mask)[0],
    )
    is_none = lowest == tf.float32.max
    if "answerable_logit" not in outputs:
        has_answer = found.mask[:, 0]
        compared = lowest - found.start_score[:, 0] - found.end_score[:, 0]
        lowest = tf.where(has_answer, compared, lowest)
    return tf.where(is_none, span_decoding.NO_WINDOW, lowest)
