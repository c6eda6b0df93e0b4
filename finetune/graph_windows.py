"""Windows over contexts as a graph: `window_features` for serving."""

from typing import NamedTuple

import tensorflow as tf

from electra_tf import tokenization

# [CLS] question [SEP] context [SEP].
_NUM_SPECIAL = 3


class Windows(NamedTuple):
    """Rows for a model, and what they show of their contexts.

    Attributes:
        inputs: `signatures.IDS`, int32 `[windows, length]` each.
        question_index: int32 `[windows]`, ascending.
        starts: int32 `[windows, length]`, where a token of the context starts
            in its UTF-8 bytes; without meaning for other tokens.
        ends: likewise, where it ends (exclusive).
        is_context: bool `[windows, length]`, whether a token is of the
            context.
        is_max_context: bool `[windows, length]`, whether also no other window
            has more context around it.
    """

    inputs: dict[str, tf.Tensor]
    question_index: tf.Tensor
    starts: tf.Tensor
    ends: tf.Tensor
    is_context: tf.Tensor
    is_max_context: tf.Tensor


class _Places(NamedTuple):
    """Where windows are; int32 `[windows]`.

    Attributes:
        question_index: ascending.
        start: first token of the context.
        length: tokens of the context.
        before: tokens in front of those.
    """

    question_index: tf.Tensor
    start: tf.Tensor
    length: tf.Tensor
    before: tf.Tensor


def make(
    question: tf.Tensor,
    context: tf.Tensor,
    *,
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
    doc_stride: int,
    max_query_length: int,
    fixed_length: bool = False,
) -> Windows:
    """The rows that `window_features.make_features` makes of questions.

    Args:
        question: string `[batch]`.
        context: string `[batch]`.
        tokenizer: of the model.
        max_seq_length: most tokens of a row.
        doc_stride: tokens between the starts of two windows.
        max_query_length: tokens of a question; what is longer is cut.
        fixed_length: whether all rows have `max_seq_length` tokens.
    """
    queries = tokenizer.tokenize(question)[:, :max_query_length]
    pieces = tokenizer.tokenize_with_offsets(context)
    places = _places(
        tf.cast(queries.row_lengths(), tf.int32),
        tf.cast(pieces.ids.row_lengths(), tf.int32),
        max_seq_length=max_seq_length,
        doc_stride=doc_stride,
    )
    index, start, length, before = (p[:, tf.newaxis] for p in places)
    total = before + length + 1
    if fixed_length:
        row_length = max_seq_length
    else:
        # The maximum of no row at all is a huge negative number.
        row_length = tf.maximum(tf.reduce_max(total), _NUM_SPECIAL)
    place = tf.range(row_length)[tf.newaxis]
    is_context = (place >= before) & (place < total - 1)
    # Index among the tokens of all contexts.
    token = tf.gather(tf.cast(pieces.ids.row_starts(), tf.int32), index)
    token += tf.where(is_context, place - before + start, 0)
    ids = tf.where(
        is_context,
        tf.gather(pieces.ids.values, token),
        _other_ids(queries, place, index, before, total, tokenizer),
    )
    is_real = place < total
    return Windows(
        inputs={
            "input_ids": ids,
            "input_mask": tf.cast(is_real, tf.int32),
            "segment_ids": tf.cast(is_real & (place >= before), tf.int32),
        },
        question_index=places.question_index,
        starts=tf.gather(pieces.starts.values, token),
        ends=tf.gather(pieces.ends.values, token),
        is_context=is_context,
        is_max_context=_is_max_context(
            is_context,
            token,
            left=place - before,
            length=length,
            num_tokens=tf.size(pieces.ids.values),
        ),
    )


def _places(
    num_query: tf.Tensor,
    num_tokens: tf.Tensor,
    *,
    max_seq_length: int,
    doc_stride: int,
) -> _Places:
    """The windows of questions and contexts with so many tokens `[batch]`."""
    room = max_seq_length - num_query - _NUM_SPECIAL
    check = tf.debugging.assert_positive(
        room,
        message="A question leaves no room for its context among the "
        f"{max_seq_length} tokens that the model reads.",
    )
    with tf.control_dependencies([check]):
        step = tf.minimum(room, doc_stride)
    num_later = -(-tf.maximum(num_tokens - room, 0) // step)
    num_windows = tf.where(num_tokens > 0, 1 + num_later, 0)
    index = tf.repeat(tf.range(tf.size(num_windows)), num_windows)
    start = tf.ragged.range(num_windows).values * tf.gather(step, index)
    return _Places(
        question_index=index,
        start=start,
        length=tf.minimum(
            tf.gather(num_tokens, index) - start, tf.gather(room, index)
        ),
        before=tf.gather(num_query, index) + 2,
    )


def _other_ids(queries, place, index, before, total, tokenizer) -> tf.Tensor:
    """Ids of tokens that are not of the context: int32 `[windows, length]`."""
    # With one id more, so that there is one to be looked up.
    query_ids = tf.concat([queries.values, [tokenizer.pad_id]], axis=0)
    row_starts = tf.gather(tf.cast(queries.row_starts(), tf.int32), index)
    is_query = (place >= 1) & (place < before - 1)
    ids = tf.gather(query_ids, tf.where(is_query, row_starts + place - 1, 0))
    is_sep = (place == before - 1) | (place == total - 1)
    ids = tf.where(is_query, ids, tokenizer.pad_id)
    ids = tf.where(is_sep, tokenizer.sep_id, ids)
    return tf.where(place == 0, tokenizer.cls_id, ids)


def _is_max_context(
    is_context: tf.Tensor,
    token: tf.Tensor,
    *,
    left: tf.Tensor,
    length: tf.Tensor,
    num_tokens: tf.Tensor,
) -> tf.Tensor:
    """Where a window has most context: bool `[windows, length]`.

    As `window_features` says it: the smaller of what is left and right of a
    token, and a hundredth of the window's length; the first of the best. The
    numbers are float64 as there, since some differ in their last bit only.

    Args:
        is_context: bool `[windows, length]`.
        token: int32 `[windows, length]`, index among the tokens of all
            contexts.
        left: int32 `[windows, length]`, tokens of the context before it.
        length: int32 `[windows, 1]`, tokens of the context.
        num_tokens: int32 `[]`, of all contexts.
    """
    around = tf.cast(tf.minimum(left, length - 1 - left), tf.float64)
    scores = around + 0.01 * tf.cast(length, tf.float64)
    best = tf.math.unsorted_segment_max(
        tf.where(is_context, scores, -1.0), token, num_tokens
    )
    is_best = is_context & (scores == tf.gather(best, token))
    window = tf.range(tf.shape(token)[0])[:, tf.newaxis]
    first = tf.math.unsorted_segment_min(
        tf.where(is_best, window, window.dtype.max), token, num_tokens
    )
    return is_best & (window == tf.gather(first, token))
