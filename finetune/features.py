"""Examples as batches of numbers: tokenized once, padded batch by batch."""

from collections.abc import Sequence
import dataclasses

import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import task as task_lib

_CHUNK_SIZE = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class Features:
    """The tokens of some examples, in their order, without padding.

    Attributes:
        input_ids: ragged int32 `[examples, (tokens)]`, with [CLS] and [SEP].
        segment_ids: ragged int32 `[examples, (tokens)]`; 1 for the second
            text and its [SEP].
        labels: `[examples]`; int32 ids of labels, or float32 scores mapped
            to [0, 1]; zeros where the examples have none.
        pad_id: What input_ids are padded with.
    """

    input_ids: tf.RaggedTensor
    segment_ids: tf.RaggedTensor
    labels: np.ndarray
    pad_id: int

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return len(self.labels)


def make_features(
    examples: Sequence[task_lib.Example],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
) -> Features:
    """Tokenizes examples and cuts them to the length, as the original does."""
    chunks = [
        _tokenize(
            examples[start : start + _CHUNK_SIZE], tokenizer, max_seq_length
        )
        for start in range(0, len(examples), _CHUNK_SIZE)
    ]
    input_ids, segment_ids = (
        tf.concat(parts, axis=0) for parts in zip(*chunks, strict=True)
    )
    return Features(
        input_ids=input_ids,
        segment_ids=segment_ids,
        labels=_labels(examples, task),
        pad_id=tokenizer.pad_id,
    )


def _tokenize(
    examples: Sequence[task_lib.Example],
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Ids and segment ids of a chunk of examples."""
    first = tokenizer.tokenize(tf.constant([e.text_a for e in examples]))
    second = tokenizer.tokenize(tf.constant([e.text_b or "" for e in examples]))
    return tokenizer.join(first, second, max_seq_length=max_seq_length)


def _labels(examples, task: task_lib.Task) -> np.ndarray:
    labels = [e.label for e in examples]
    if any(label is None for label in labels):
        labels = np.zeros(len(examples))
    if task.kind == "classification":
        return np.asarray(labels, np.int32)
    low, high = task.score_range
    scores = (np.asarray(labels, np.float64) - low) / (high - low)
    return scores.astype(np.float32)


def training_order(
    num_examples: int, *, num_steps: int, batch_size: int, seed: int
) -> np.ndarray:
    """Which example is where in which batch: int64 `[num_steps, batch]`.

    Every epoch is a permutation by (seed, epoch), so that the order does not
    depend on where a run was interrupted.
    """
    num_rows = num_steps * batch_size
    num_epochs = -(-num_rows // num_examples)
    epochs = [
        np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(
            num_examples
        )
        for epoch in range(num_epochs)
    ]
    return np.concatenate(epochs)[:num_rows].reshape(num_steps, batch_size)


def evaluation_order(features: Features, *, batch_size: int) -> np.ndarray:
    """Each example once, from short to long: int64 `[batches, batch]`.

    Batches of equal length need little padding. The last one is filled up
    with -1.
    """
    order = np.argsort(features.input_ids.row_lengths(), kind="stable")
    rest = -len(order) % batch_size
    return np.pad(order, (0, rest), constant_values=-1).reshape(-1, batch_size)


def batches(
    features: Features,
    order: np.ndarray,
    *,
    pad_to: int | None = None,
) -> tf.data.Dataset:
    """The batches of an order, as a model reads them.

    Args:
        features: of all examples.
        order: int64 `[batches, batch]`, indices of examples; -1 for none.
        pad_to: length of all batches; None for that of the longest example
            in each.

    Returns:
        A dataset of dictionaries: `input_ids`, `input_mask` and
        `segment_ids`, int32 `[batch, length]`; `labels` `[batch]`; `weights`
        float32 `[batch]`, 0 for an index of -1.
    """
    labels = tf.constant(features.labels)

    def make_batch(indices):
        is_example = indices >= 0
        indices = tf.maximum(indices, 0)
        ids = tf.gather(features.input_ids, indices)
        segment_ids = tf.gather(features.segment_ids, indices)
        shape = [order.shape[1], pad_to]
        return {
            "input_ids": ids.to_tensor(features.pad_id, shape=shape),
            "input_mask": tf.ones_like(ids).to_tensor(shape=shape),
            "segment_ids": segment_ids.to_tensor(shape=shape),
            "labels": tf.gather(labels, indices),
            "weights": tf.cast(is_example, tf.float32),
        }

    return (
        tf.data.Dataset.from_tensor_slices(order)
        .map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )
