"""Gradients of a batch that is computed in parts, to save memory.

A loop of the graph: neither the graph nor the memory for what the forward pass
keeps grows with the number of parts. No replica waits for another in it.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

Gradient = tf.Tensor | tf.IndexedSlices | None


def check_batch_size(batch_size: int, num_micro_batches: int):
    """Raises ValueError if a batch has no equal parts.

    Args:
        batch_size: examples of one replica.
        num_micro_batches: number of parts.
    """
    if batch_size % num_micro_batches:
        below = batch_size - batch_size % num_micro_batches
        sizes = [below, below + num_micro_batches]
        raise ValueError(
            f"The batch of {batch_size} examples of each device cannot be "
            f"divided into num_micro_batches={num_micro_batches} equal parts. "
            f"The nearest sizes that can are "
            f"{' and '.join(str(size) for size in sizes if size)}."
        )


def part(batch: Any, index, num_micro_batches: int) -> Any:
    """The rows of one part of a batch.

    Args:
        batch: a nest of tensors of as many rows each; there may be None.
        index: int32 `[]`, of the part, from 0.
        num_micro_batches: number of parts.

    Returns:
        A nest like `batch`.

    Raises:
        ValueError: the rows, if they are known, cannot be divided evenly.
    """

    def slice_rows(tensor):
        if tensor is None:
            return None
        tensor = tf.convert_to_tensor(tensor)
        size = -1  # Where it is not known, the reshape fails if it must.
        if tensor.shape[0] is not None:
            check_batch_size(tensor.shape[0], num_micro_batches)
            size = tensor.shape[0] // num_micro_batches
        rest = tf.shape(tensor)[1:]
        parts = tf.reshape(
            tensor, tf.concat([[num_micro_batches, size], rest], axis=0)
        )
        part_shape = [None if size < 0 else size, *tensor.shape[1:]]
        return tf.ensure_shape(tf.gather(parts, index), part_shape)

    return tf.nest.map_structure(slice_rows, batch)


def sum_gradients(
    compute: Callable[[Any, tf.Tensor | None], Sequence[Gradient]],
    batch: Any,
    *,
    variables: Sequence[tf.Variable],
    num_micro_batches: int,
) -> Sequence[Gradient]:
    """Adds up the gradients of the parts of a batch.

    A single part is the batch itself, and there is no loop.

    Args:
        compute: from a part and its index, int32 `[]`, None for a single
            part, to the gradient of each variable, None for one that it does
            not depend on.
        batch: a nest of tensors of as many rows each.
        variables: that the gradients are of.
        num_micro_batches: number of parts.

    Returns:
        For each variable the sum, or None if none depends on it.
    """
    if num_micro_batches == 1:
        return compute(batch, None)
    is_used = [False] * len(variables)

    def add_part(index, sums):
        gradients = compute(part(batch, index, num_micro_batches), index)
        new_sums = []
        for i, (gradient, so_far) in enumerate(
            zip(gradients, sums, strict=True)
        ):
            if gradient is not None:
                is_used[i] = True
                so_far += tf.convert_to_tensor(gradient)
            new_sums.append(so_far)
        return index + 1, new_sums

    _, sums = tf.while_loop(
        lambda index, _: index < num_micro_batches,
        add_part,
        loop_vars=(
            tf.constant(0),
            [tf.zeros(v.shape, tf.float32) for v in variables],
        ),
        # What one part keeps for its gradients is freed before the next.
        parallel_iterations=1,
    )
    return [s if used else None for s, used in zip(sums, is_used, strict=True)]
