"""The order in which examples are read, and the batches made of them.

A run that stopped goes on at its step without reading what it has seen. The
files of an epoch are permuted by (seed, epoch) and read in blocks of a few
files; a block is permuted in memory by (seed, epoch, block). So the number of
an example, step * batch size, decides where it lies.

Of several data folders, each gives a fixed number of the examples of every
cycle of 1,000, in its own order, and a cycle is permuted by (seed, cycle). So
the number of the cycle decides where it begins in each folder.
"""

import atexit
from collections.abc import Callable
from collections.abc import Sequence
import fractions
import functools
import gc
import math
import os
import sys

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import records

CYCLE_SIZE = 1000

# What is permuted at once, in examples: about 40 MB at length 128.
_BLOCK_SIZE = 65_536
_SKIPPED = b""


@atexit.register
def _stop_reading():
    """Frees iterators that an error left.

    Python would hang if it were to exit while one of them reads ahead.
    """
    sys.last_value = sys.last_traceback = None
    gc.collect()


def train_dataset(
    data_dirs: Sequence[str],
    *,
    batch_size: int,
    seed: int,
    weights: Sequence[float] | None = None,
    start_step: int = 0,
    shards_per_block: int | None = None,
    num_pipelines: int = 1,
    pipeline: int = 0,
    skip_corrupt: bool = False,
) -> tf.data.Dataset:
    """Shuffled batches without end, a function of seed and step alone.

    Every example occurs once an epoch of its folder; a batch may span two
    epochs, so that all are full.

    Args:
        data_dirs: folders with the records.
        batch_size: examples a batch, of all pipelines together.
        seed: decides the order; not negative.
        weights: of the folders, as for `cycle_counts`.
        start_step: number of batches that the run has seen before.
        shards_per_block: files that are permuted together in memory, by
            default enough for 65,536 examples. It is part of the order.
        num_pipelines: hosts that share each batch; not part of the order.
        pipeline: the one of them, from 0 on, whose rows are returned.
        skip_corrupt: whether others of the block are repeated, with a
            warning, in place of the records of a file from a damaged one on.

    Returns:
        A data set of dictionaries: for each name of FEATURES an int32
        `[batch_size / num_pipelines, length]`.
    """
    rows = _rows(batch_size, num_pipelines=num_pipelines, pipeline=pipeline)
    settings = dict(seed=seed, shards_per_block=shards_per_block)
    folders = [
        _Folder(data_dir, skip_corrupt=skip_corrupt, folder=i, **settings)
        for i, data_dir in enumerate(data_dirs)
    ]
    infos = [folder.info for folder in folders]
    dataset_info.check_agreement(infos, data_dirs)
    counts = cycle_counts(infos, weights)
    examples = _mix(folders, counts, seed=seed, start=start_step * batch_size)
    length = infos[0].max_seq_length
    return _batch(examples, batch_size, rows=rows, length=length).apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )


def eval_dataset(
    data_dir: str,
    *,
    batch_size: int,
    num_pipelines: int = 1,
    pipeline: int = 0,
    skip_corrupt: bool = False,
) -> tf.data.Dataset:
    """One pass in the order of the files, in batches of one static shape.

    Rows of zeros, which `input_mask` marks as padding, fill the last batch.

    Args:
        data_dir: folder with the records.
        batch_size: examples a batch, of all pipelines together.
        num_pipelines: as for `train_dataset`.
        pipeline: as for `train_dataset`.
        skip_corrupt: whether the records of a file from a damaged one on are
            skipped, with a warning. Rows of zeros take their place.

    Returns:
        The same dictionaries as `train_dataset`.
    """
    info = dataset_info.load(data_dir, skip_corrupt=skip_corrupt)
    names = info.nonempty_shards
    zeros = np.zeros([1, info.max_seq_length], np.int32)
    features = dict.fromkeys(records.FEATURES, zeros)
    (padding,) = records.serialize_examples(features)

    def read_shard(number):
        examples = _read_shard(
            data_dir, names[number], info=info, skip_corrupt=skip_corrupt
        )
        examples[examples == _SKIPPED] = padding
        return examples

    shards = _read(tf.data.Dataset.range(len(names)), read_shard)
    num_batches = -(-info.num_examples // batch_size)
    return _batch(
        shards,
        batch_size,
        rows=_rows(batch_size, num_pipelines=num_pipelines, pipeline=pipeline),
        length=info.max_seq_length,
    ).apply(tf.data.experimental.assert_cardinality(num_batches))


def cycle_counts(
    infos: Sequence[dataset_info.DatasetInfo],
    weights: Sequence[float] | None = None,
) -> list[int]:
    """How many of 1,000 examples come from each data set.

    Args:
        infos: of the data sets.
        weights: above 0; one for each data set. By default their numbers of
            examples.

    Raises:
        ValueError: these are no weights, or one of them is too small for one
            of 1,000 examples.
    """
    if weights is None:
        weights = [info.num_examples for info in infos]
    if not infos or len(weights) != len(infos):
        raise ValueError(
            f"There must be data folders and a weight for each, got "
            f"{len(infos)} folders and {len(weights)} weights."
        )
    for weight in weights:
        if not (math.isfinite(weight) and weight > 0):
            raise ValueError(f"Data weights must be above 0, got {weight}.")
    total = sum(map(fractions.Fraction, weights))
    exact = [CYCLE_SIZE * fractions.Fraction(w) / total for w in weights]
    counts = [math.floor(share) for share in exact]
    # The largest remainders are rounded up; of equal ones the first.
    order = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in order[: CYCLE_SIZE - sum(counts)]:
        counts[i] += 1
    for i, (count, weight) in enumerate(zip(counts, weights)):
        if not count:
            enough = (float(total) - weight) / (CYCLE_SIZE - 1)
            raise ValueError(
                f"The weight of data folder {i + 1} is too small: "
                f"{weight:g} of {float(total):g} gives none of "
                f"{CYCLE_SIZE:,} examples. Give it {enough:g} or more."
            )
    return counts


class _Order:
    """The order of a folder's examples, as numbers; it reads nothing."""

    def __init__(
        self,
        info: dataset_info.DatasetInfo,
        *,
        seed: int,
        folder: int,
        shards_per_block: int | None,
    ):
        self._seed = seed
        # The first folder has the order that it has alone.
        self._folder = [folder] if folder else []
        self._names = info.nonempty_shards
        self._sizes = np.array([info.shards[name] for name in self._names])
        if shards_per_block is None:
            shards_per_block = max(1, round(_BLOCK_SIZE / self._sizes.mean()))
        self._num_blocks = -(-len(self._names) // shards_per_block)

    def locate(self, example: int) -> tuple[int, int]:
        """The block, counted over epochs, and the place of an example in it."""
        epoch, place = divmod(example, int(self._sizes.sum()))
        blocks = self._epoch_blocks(epoch)
        ends = np.cumsum([self._sizes[block].sum() for block in blocks])
        block = int(np.searchsorted(ends, place, side="right"))
        start = int(ends[block - 1]) if block else 0
        return epoch * self._num_blocks + block, place - start

    def shards(self, number: int) -> list[str]:
        """The names of the files of a block."""
        epoch, block = divmod(number, self._num_blocks)
        return [self._names[i] for i in self._epoch_blocks(epoch)[block]]

    def permutation(self, number: int, size: int) -> np.ndarray:
        """The order of the `size` examples of a block."""
        epoch, block = divmod(number, self._num_blocks)
        return self._random(epoch, block + 1).permutation(size)

    def _epoch_blocks(self, epoch: int) -> list[np.ndarray]:
        """Indices of files, as many arrays of them as there are blocks."""
        shards = self._random(epoch, 0).permutation(len(self._names))
        return np.array_split(shards, self._num_blocks)

    def _random(self, epoch: int, stream: int) -> np.random.RandomState:
        return _random(self._seed, epoch, stream, *self._folder)


class _Folder:
    """The examples of a data folder, one epoch after the other.

    Args:
        data_dir: the folder.
        skip_corrupt: as for `train_dataset`.
        **settings: of its `_Order`.
    """

    def __init__(self, data_dir: str, *, skip_corrupt: bool, **settings):
        self.info = dataset_info.load(data_dir, skip_corrupt=skip_corrupt)
        self._data_dir = data_dir
        self._order = _Order(self.info, **settings)
        self._read_shard = functools.partial(
            _read_shard, data_dir, info=self.info, skip_corrupt=skip_corrupt
        )

    def examples(self, start: int) -> tf.data.Dataset:
        """Records, string `[size]`, from the example of number `start` on."""
        first_block, offset = self._order.locate(start)

        def read_block(number):
            block = self._read_block(number)
            return block[offset:] if number == first_block else block

        return _read(tf.data.Dataset.counter(first_block), read_block)

    def _read_block(self, number: int) -> np.ndarray:
        names = self._order.shards(number)
        block = np.concatenate([self._read_shard(name) for name in names])
        is_skipped = block == _SKIPPED
        readable = block[~is_skipped]
        if not len(readable):
            raise records.DamagedFileError(
                f"{self._data_dir}: no record of {', '.join(names)} can be "
                "read. Copy or build the data set again.",
                readable=readable,
            )
        block[is_skipped] = np.resize(readable, is_skipped.sum())
        return block[self._order.permutation(number, len(block))]


def _mix(
    folders: Sequence[_Folder], counts: Sequence[int], *, seed: int, start: int
) -> tf.data.Dataset:
    """Records, string `[size]`, of all folders, from a number on."""
    if len(folders) == 1:
        return folders[0].examples(start)
    first_cycle, offset = divmod(start, CYCLE_SIZE)
    parts = [
        folder.examples(first_cycle * count).rebatch(count)
        for folder, count in zip(folders, counts, strict=True)
    ]

    def permutation(cycle):
        order = _random(seed, int(cycle)).permutation(CYCLE_SIZE)
        return order[offset:] if cycle == first_cycle else order

    def mix(cycle, *examples):
        order = tf.numpy_function(permutation, [cycle], tf.int64)
        mixed = tf.gather(tf.concat(examples, axis=0), order)
        return tf.ensure_shape(mixed, [None])

    cycles = tf.data.Dataset.counter(first_cycle)
    return tf.data.Dataset.zip(cycles, *parts).map(mix)


def _random(seed: int, *numbers: int) -> np.random.RandomState:
    # NumPy has frozen this generator: no later version changes the order.
    return np.random.RandomState([seed % 2**32, seed // 2**32, *numbers])


def _read(
    numbers: tf.data.Dataset, function: Callable[[int], np.ndarray]
) -> tf.data.Dataset:
    """The records, bytes `[size]`, that a Python function gives for a number.

    The next ones are read while these are used.
    """

    def read(number):
        examples = tf.numpy_function(
            lambda value: function(int(value)), [number], tf.string
        )
        return tf.ensure_shape(examples, [None])

    return numbers.map(read).prefetch(1)


def _rows(batch_size: int, *, num_pipelines: int, pipeline: int) -> slice:
    """The rows of each batch that a pipeline gives."""
    if not 0 <= pipeline < num_pipelines:
        raise ValueError(
            f"pipeline must be at least 0 and below num_pipelines, got "
            f"{pipeline} of {num_pipelines}."
        )
    if batch_size % num_pipelines:
        below = batch_size - batch_size % num_pipelines
        sizes = [size for size in (below, below + num_pipelines) if size]
        raise ValueError(
            f"The batch of {batch_size} examples cannot be divided evenly "
            f"among {num_pipelines} pipelines. The nearest that can are "
            f"{' and '.join(map(str, sizes))}."
        )
    size = batch_size // num_pipelines
    return slice(pipeline * size, (pipeline + 1) * size)


def _batch(
    examples: tf.data.Dataset, batch_size: int, *, rows: slice, length: int
) -> tf.data.Dataset:
    """The features of these rows of batches; zeros fill the last one up."""
    num_rows = rows.stop - rows.start

    def parse(batch):
        batch = batch[rows]
        missing = [[0, num_rows - tf.size(batch)], [0, 0]]
        return {
            name: tf.ensure_shape(tf.pad(values, missing), [num_rows, length])
            for name, values in records.parse(batch, length).items()
        }

    return (
        examples.rebatch(batch_size)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _read_shard(
    data_dir: str,
    name: str,
    *,
    info: dataset_info.DatasetInfo,
    skip_corrupt: bool,
) -> np.ndarray:
    """The records of a file, as many as the description says.

    In place of those that are skipped there is `_SKIPPED`.
    """
    path = os.path.join(data_dir, name)
    size = info.shards[name]
    try:
        examples = records.read_file(path)
    except records.DamagedFileError as error:
        if not skip_corrupt:
            raise
        examples = error.readable
    if len(examples) > size or (len(examples) < size and not skip_corrupt):
        raise records.DamagedFileError(
            f"{path} holds {len(examples)} records, {dataset_info.INFO_FILE} "
            f"says {size}. Copy or build the data set again.",
            readable=examples,
        )
    if len(examples) < size:
        logging.warning(
            "%s: record %d, counted from 0, is corrupt, cut off or missing; "
            "%d of %d records are skipped.",
            path,
            len(examples),
            size - len(examples),
            size,
        )
    padded = np.full([size], _SKIPPED, object)
    padded[: len(examples)] = examples
    return padded
