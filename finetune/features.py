"""Rows of numbers, and the batches that they make up.

A row is what the model reads at once: an example, or a window over a long one.
`classification_features`, `tagging_features` and `window_features` make them.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses

import numpy as np
import tensorflow as tf

# Of targets that are ragged, what they are padded with.
NO_TARGET = -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Features:
    """The tokens of all examples of a split, without padding.

    Attributes:
        input_ids: ragged int32 `[rows, (tokens)]`, with [CLS] and [SEP].
        segment_ids: ragged int32 `[rows, (tokens)]`; 1 for the second text
            and its [SEP].
        targets: what the head's losses read, by name: arrays `[rows]`, or
            ragged int32 `[rows, (tokens)]` with `NO_TARGET` at tokens without.
        pad_id: What input_ids are padded with.
    """

    input_ids: tf.RaggedTensor
    segment_ids: tf.RaggedTensor
    targets: Mapping[str, np.ndarray | tf.RaggedTensor]
    pad_id: int

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return int(self.input_ids.nrows())

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row: int64 `[rows]`."""
        return self.input_ids.row_lengths().numpy()


def training_order(
    lengths: Sequence[np.ndarray],
    *,
    num_steps: int,
    batch_size: int,
    seed: int,
    rows_per_epoch: Sequence[int] | None = None,
    bucket_batches: int = 1,
) -> np.ndarray:
    """Which row is where in which batch: int64 `[num_steps, batch]`.

    Every epoch is a permutation by (seed, epoch), so that the order does not
    depend on where a run was interrupted.

    Args:
        lengths: of the rows of each task, int64 `[rows]`. The rows of all
            tasks are counted through.
        num_steps: of the run.
        batch_size: rows a step.
        seed: of the run.
        rows_per_epoch: how many rows of each task are in an epoch; of its
            own permutations, one after the other. All, if None.
        bucket_batches: among so many batches the rows are sorted by length,
            and the batches shuffled again, so that batches of equal length
            need little padding; 1 for none of that.
    """
    sizes = [len(part) for part in lengths]
    rows_per_epoch = rows_per_epoch or sizes
    num_rows = num_steps * batch_size
    num_epochs = -(-num_rows // sum(rows_per_epoch))
    first_rows = np.cumsum([0, *sizes[:-1]])
    all_lengths = np.concatenate(lengths)
    epochs = []
    for epoch in range(num_epochs):
        rows = np.concatenate(
            [
                first + _rows_of_epoch(size, count, seed, task, epoch)
                for task, (first, size, count) in enumerate(
                    zip(first_rows, sizes, rows_per_epoch, strict=True)
                )
            ]
        )
        rng = _rng(seed, epoch)
        epochs.append(
            _bucketed(
                rng.permutation(rows),
                all_lengths,
                bucket_size=bucket_batches * batch_size,
                batch_size=batch_size,
                rng=rng,
            )
        )
    return np.concatenate(epochs)[:num_rows].reshape(num_steps, batch_size)


def _rng(*key: int) -> np.random.Generator:
    return np.random.default_rng(key)


def _rows_of_epoch(
    size: int, count: int, seed: int, task: int, epoch: int
) -> np.ndarray:
    """The next `count` rows of an endless sequence of permutations."""
    if count == size:
        return np.arange(size)
    passes = range(epoch * count // size, ((epoch + 1) * count - 1) // size + 1)
    rows = np.concatenate(
        [_rng(seed, task, number).permutation(size) for number in passes]
    )
    start = epoch * count - passes.start * size
    return rows[start : start + count]


def _bucketed(
    rows: np.ndarray,
    lengths: np.ndarray,
    *,
    bucket_size: int,
    batch_size: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rows sorted within buckets, whose whole batches are shuffled."""
    if bucket_size <= batch_size:
        return rows
    parts = []
    for start in range(0, len(rows), bucket_size):
        bucket = rows[start : start + bucket_size]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        whole = len(bucket) // batch_size * batch_size
        batches = bucket[:whole].reshape(-1, batch_size)
        parts += [rng.permutation(batches).reshape(-1), bucket[whole:]]
    return np.concatenate(parts)


def evaluation_order(features: Features, *, batch_size: int) -> np.ndarray:
    """Each row once, from short to long: int64 `[batches, batch]`.

    Batches of equal length need little padding. The last one is filled up
    with -1.
    """
    order = np.argsort(features.lengths, kind="stable")
    rest = -len(order) % batch_size
    return np.pad(order, (0, rest), constant_values=-1).reshape(-1, batch_size)


def batches(
    features: Mapping[str, Features],
    order: np.ndarray,
    *,
    pad_to: int | None = None,
) -> tf.data.Dataset:
    """The batches of an order, as a model reads them.

    Args:
        features: of each task, by its name; their rows are counted through.
        order: int64 `[batches, batch]`, indices of rows; -1 for none.
        pad_to: length of all batches; None for that of the longest row in
            each.

    Returns:
        A dataset of dictionaries: `input_ids`, `input_mask` and
        `segment_ids`, int32 `[batch, length]`; and in `targets`, for each
        task, those of `Features.targets`, `[batch]` or `[batch, length]`, and
        `weights`, float32 `[batch]`, 1 for a row of this task.
    """
    parts = list(features.values())
    sizes = [part.num_rows for part in parts]
    pad_id = parts[0].pad_id
    all_ids = _concat([part.input_ids for part in parts])
    all_segments = _concat([part.segment_ids for part in parts])

    def make_batch(indices):
        rows = tf.maximum(indices, 0)
        ids = tf.gather(all_ids, rows)
        shape = [order.shape[1], pad_to]
        batch = {
            "input_ids": ids.to_tensor(pad_id, shape=shape),
            "input_mask": tf.ones_like(ids).to_tensor(shape=shape),
            "segment_ids": tf.gather(all_segments, rows).to_tensor(shape=shape),
            "targets": {},
        }
        length = tf.shape(batch["input_ids"])[1]
        first_row = 0
        for (name, part), size in zip(features.items(), sizes, strict=True):
            own = indices - first_row
            is_own = (own >= 0) & (own < size) & (indices >= 0)
            batch["targets"][name] = _targets(
                part, tf.where(is_own, own, 0), [order.shape[1], length]
            ) | {"weights": tf.cast(is_own, tf.float32)}
            first_row += size
        return batch

    return (
        tf.data.Dataset.from_tensor_slices(order)
        .map(make_batch, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _concat(parts: Sequence[tf.RaggedTensor]) -> tf.RaggedTensor:
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)


def _targets(part: Features, rows: tf.Tensor, shape) -> dict[str, tf.Tensor]:
    """The targets of rows; `shape` is that of a batch's tokens."""
    targets = {}
    for name, values in part.targets.items():
        if isinstance(values, tf.RaggedTensor):
            ragged = tf.gather(values, rows)
            targets[name] = ragged.to_tensor(NO_TARGET, shape=shape)
        else:
            targets[name] = tf.gather(tf.constant(values), rows)
    return targets
