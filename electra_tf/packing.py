"""One or two texts as model inputs: [CLS] a [SEP], or [CLS] a [SEP] b [SEP].

Core operations only, so that every TensorFlow Serving can run them.
"""

import tensorflow as tf


def join(
    first: tf.RaggedTensor,
    second: tf.RaggedTensor | None = None,
    *,
    cls_id: int,
    sep_id: int,
    max_seq_length: int,
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Cuts texts to the room there is, and puts them together.

    What is too long is cut as by the original's `_truncate_seq_pair`: the
    longer text loses its last pieces, the second one where both are equally
    long. As in the original a second text without any piece has no [SEP].

    Args:
        first: int32 `[batch, (pieces)]`.
        second: int32 `[batch, (pieces)]`, or None.
        cls_id: id of [CLS].
        sep_id: id of [SEP].
        max_seq_length: the most pieces of an example, with [CLS] and [SEP].

    Returns:
        Ids, and segment ids (1 for the second text and its [SEP]): int32
        `[batch, (pieces)]`.
    """
    shortest = 3 if second is None else 5
    if max_seq_length < shortest:
        raise ValueError(
            f"max_seq_length must be at least {shortest}, got {max_seq_length}."
        )
    if second is None:
        second = first[:, :0]
    has_second = tf.cast(second.row_lengths() > 0, tf.int64)
    first_lengths, second_lengths = _truncated_lengths(
        first.row_lengths(),
        second.row_lengths(),
        room=max_seq_length - 2 - has_second,
    )
    special = tf.ones([first.nrows(), 1], tf.int32)
    second_sep = tf.RaggedTensor.from_row_lengths(
        tf.fill([tf.reduce_sum(has_second)], sep_id),
        has_second,
        validate=False,
    )
    parts = [
        cls_id * special,
        _truncate(first, first_lengths),
        sep_id * special,
        _truncate(second, second_lengths),
        second_sep,
    ]
    segments = [tf.zeros_like(part) for part in parts[:3]]
    segments += [tf.ones_like(part) for part in parts[3:]]
    return tf.concat(parts, axis=1), tf.concat(segments, axis=1)


def pad(
    ids: tf.RaggedTensor,
    segment_ids: tf.RaggedTensor,
    *,
    pad_id: int,
    length: int | None = None,
) -> dict[str, tf.Tensor]:
    """Model inputs of one length.

    Args:
        ids: int32 `[batch, (pieces)]`, from `join`.
        segment_ids: int32 `[batch, (pieces)]`, from `join`.
        pad_id: id of [PAD].
        length: of all examples; None for that of the longest one.

    Returns:
        `input_ids`, `input_mask` (1 for pieces, 0 for padding) and
        `segment_ids`, int32 `[batch, length]`.
    """
    shape = [None, length]
    return {
        "input_ids": ids.to_tensor(pad_id, shape=shape),
        "input_mask": tf.ones_like(ids).to_tensor(shape=shape),
        "segment_ids": segment_ids.to_tensor(shape=shape),
    }


def _truncated_lengths(
    first: tf.Tensor, second: tf.Tensor, *, room: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The lengths after the longer of each two lost what is too much.

    A text shorter than half of the room is kept, and leaves the rest to the
    other; otherwise both get half, the first one the odd piece.
    """
    return (
        tf.minimum(first, tf.maximum(room - second, room - room // 2)),
        tf.minimum(second, tf.maximum(room - first, room // 2)),
    )


def _truncate(text: tf.RaggedTensor, lengths: tf.Tensor) -> tf.RaggedTensor:
    positions = tf.ragged.range(text.row_lengths()).values
    is_kept = positions < tf.gather(lengths, text.value_rowids())
    return tf.RaggedTensor.from_row_lengths(
        tf.boolean_mask(text.values, is_kept), lengths, validate=False
    )
