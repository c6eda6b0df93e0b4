"""A few batches in memory as a data set without end."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


def dataset(
    batches: Sequence[Mapping[str, Any]],
    num_pipelines: int = 1,
    pipeline: int = 0,
) -> tf.data.Dataset:
    """One host's rows of the batches, over and over.

    Args:
        batches: nested dictionaries of arrays `[batch, ...]`, all alike.
        num_pipelines: hosts that share each batch.
        pipeline: the one of them, from 0 on, whose rows are returned.
    """

    def stack(*arrays: np.ndarray) -> np.ndarray:
        size = len(arrays[0]) // num_pipelines
        rows = slice(pipeline * size, (pipeline + 1) * size)
        return np.stack([array[rows] for array in arrays])

    stacked = tf.nest.map_structure(stack, *batches)
    return (
        tf.data.Dataset.from_tensor_slices(stacked)
        .repeat()
        .prefetch(tf.data.AUTOTUNE)
    )
