"""TFRecords of examples: their format, their description, and the pipeline.

A data folder holds `pretrain_data.tfrecord-00000-of-00008` and so on, and
`dataset_info.json`, which says how many records each file must have. That is
what lets a run that stopped go on at its step without reading what it has
seen: the files of an epoch are permuted by (seed, epoch) and read in blocks
of a few files; a block is permuted in memory by (seed, epoch, block). So the
number of an example, step * batch size, decides where it lies.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import json
import os
import re

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import model_folder

FEATURES = ("input_ids", "input_mask", "segment_ids")
INFO_FILE = "dataset_info.json"
FORMAT_VERSION = 1

SHARD_PREFIX = "pretrain_data.tfrecord-"
# The original's builder does not pad the numbers: `-7-of-1000`.
_ORIGINAL_SHARD = re.compile(r"pretrain_data\.tfrecord-(0|[1-9]\d*)-of-[1-9].*")

# What is permuted at once, in examples: about 40 MB at length 128.
_BLOCK_SIZE = 65_536


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What `dataset_info.json` holds.

    Attributes:
        max_seq_length: Tokens an example, padding included.
        shards: Number of examples in each file, by file name.
        vocab_size: Size of the vocabulary; None if it is not known, as for
            files of the original's builder. The same holds for those below.
        vocab_sha256: `Tokenizer.vocab_sha256` of the vocabulary.
        tokenizer: `Tokenizer.settings()`.
        source: Where the text came from.
        seed: Seed of the examples' random choices.
        command: Command line that made the files.
        versions: Versions of what made the files.
        counts: Documents, tokens and so on, by name.
        format_version: Version of this format.
    """

    max_seq_length: int
    shards: Mapping[str, int]
    vocab_size: int | None = None
    vocab_sha256: str | None = None
    tokenizer: Mapping[str, bool] | None = None
    source: Sequence[str] | None = None
    seed: int | None = None
    command: Sequence[str] | None = None
    versions: Mapping[str, str] | None = None
    counts: Mapping[str, float] | None = None
    format_version: int = FORMAT_VERSION

    def __post_init__(self):
        if self.format_version != FORMAT_VERSION:
            raise ValueError(f"format_version is {self.format_version!r}")
        if not self.num_examples:
            raise ValueError("there are no examples")

    @property
    def num_examples(self) -> int:
        return sum(self.shards.values())

    @property
    def nonempty_shards(self) -> list[str]:
        return [name for name, size in self.shards.items() if size]


def shard_names(num: int) -> list[str]:
    return [f"{SHARD_PREFIX}{i:05d}-of-{num:05d}" for i in range(num)]


def serialize_example(features: Mapping[str, Sequence[int]]) -> bytes:
    """The bytes of the `tf.train.Example` that holds these features.

    It writes the protocol buffer itself, which is faster than the class.

    Args:
        features: int lists of equal length, one for each name of FEATURES;
            no value is negative.
    """
    entries = []
    for name in FEATURES:
        # Feature.int64_list (3) holds one packed Int64List.value (1).
        feature = _field(3, _field(1, _varints(features[name])))
        # Features.feature (1) is a map: key (1) and value (2).
        entries.append(_field(1, _field(1, name.encode()) + _field(2, feature)))
    return _field(1, b"".join(entries))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return bytes((number << 3 | 2,)) + _varint(len(content)) + content


def _varints(values: Sequence[int]) -> bytes:
    if max(values) < 128:  # One byte each, as in masks and segments.
        return bytes(values)
    return b"".join(map(_varint, values))


@functools.cache
def _varint(value: int) -> bytes:
    """An integer in groups of 7 bits, lowest first; bit 7 says more follow."""
    if value < 0:
        raise ValueError(f"A feature must not be negative, got {value}.")
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes((*groups, value))


def write_info(info: DatasetInfo, data_dir: str) -> None:
    """Writes `dataset_info.json`, whole or not at all."""
    path = os.path.join(data_dir, INFO_FILE)
    model_folder.write_json(path, dataclasses.asdict(info))


def load_info(data_dir: str) -> DatasetInfo:
    """Reads the description of a data folder, and checks that it is complete.

    The files of the original's builder come without one. They are counted,
    and the result is kept in the folder if that can be written to.

    Raises:
        ValueError: if there is no whole data set with a valid description.
    """
    path = os.path.join(data_dir, INFO_FILE)
    if not tf.io.gfile.exists(path):
        return _count_original(data_dir)
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        info = DatasetInfo(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} does not describe a data set of format version "
            f"{FORMAT_VERSION} ({error}). Build the data set again."
        ) from error
    missing = sorted(set(info.shards) - set(tf.io.gfile.listdir(data_dir)))
    if missing:
        raise ValueError(
            f"{data_dir} lacks {len(missing)} of the {len(info.shards)} files "
            f"that {INFO_FILE} lists, the first is {missing[0]}. Copy or "
            f"build the data set again."
        )
    return info


def check(
    info: DatasetInfo,
    *,
    data_dir: str,
    max_seq_length: int,
    vocab_size: int | None = None,
    vocab_sha256: str | None = None,
) -> None:
    """Raises one ValueError that lists all that does not fit a run.

    What is None, because the run does not care or the data set does not know
    it, is not compared.
    """
    values = (
        ("max_seq_length", info.max_seq_length, max_seq_length),
        ("vocab_size", info.vocab_size, vocab_size),
        ("vocab_sha256", info.vocab_sha256, vocab_sha256),
    )
    differences = [
        f"{name} is {ours} in the data, {theirs} in the run"
        for name, ours, theirs in values
        if None not in (ours, theirs) and ours != theirs
    ]
    if differences:
        raise ValueError(
            f"The data in {data_dir} cannot be used: {'; '.join(differences)}. "
            f"Change the run's settings, or build the data with these."
        )


def train_dataset(
    data_dir: str,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    shards_per_block: int | None = None,
) -> tf.data.Dataset:
    """Shuffled batches without end, a function of seed and step alone.

    Every example occurs once an epoch; a batch may span two epochs, so that
    all are full.

    Args:
        data_dir: folder with the records.
        batch_size: examples a batch.
        seed: decides the order; not negative.
        start_step: number of batches that the run has seen before. They are
            not read again, except for a part of one block.
        shards_per_block: files that are permuted together in memory. By
            default enough for 65,536 examples. It is part of what decides
            the order.

    Returns:
        A data set of dictionaries: for each name of FEATURES an int32
        `[batch_size, length]`.
    """
    info = load_info(data_dir)
    order = _Order(info, seed=seed, shards_per_block=shards_per_block)
    first_block, offset = order.locate(start_step * batch_size)

    def read_block(number):
        names = order.shards(number)
        records = np.concatenate(
            [_read_shard(data_dir, name, info) for name in names]
        )
        records = records[order.permutation(number, len(records))]
        return records[offset:] if number == first_block else records

    blocks = _read(tf.data.Dataset.counter(first_block), read_block)
    batches = _batch(blocks, batch_size, info.max_seq_length)
    return batches.apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )


def eval_dataset(data_dir: str, *, batch_size: int) -> tf.data.Dataset:
    """One pass in the order of the files, in batches of one static shape.

    Rows of zeros, which `input_mask` marks as padding, fill the last batch.

    Returns the same dictionaries as `train_dataset`.
    """
    info = load_info(data_dir)
    names = info.nonempty_shards
    shards = _read(
        tf.data.Dataset.range(len(names)),
        lambda number: _read_shard(data_dir, names[number], info),
    )
    batches = _batch(shards, batch_size, info.max_seq_length)
    num_batches = -(-info.num_examples // batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(num_batches))


class _Order:
    """The order of the examples, as numbers; it reads nothing."""

    def __init__(
        self, info: DatasetInfo, *, seed: int, shards_per_block: int | None
    ):
        self._seed = seed
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
        # NumPy has frozen this generator: no later version changes the order.
        low, high = self._seed % 2**32, self._seed // 2**32
        return np.random.RandomState([low, high, epoch, stream])


def _read(numbers: tf.data.Dataset, function) -> tf.data.Dataset:
    """The records, bytes `[size]`, that a Python function gives for a number.

    The next ones are read while these are used.
    """

    def read(number):
        records = tf.numpy_function(
            lambda value: function(int(value)), [number], tf.string
        )
        return tf.ensure_shape(records, [None])

    return numbers.map(read).prefetch(1)


def _batch(
    records: tf.data.Dataset, batch_size: int, length: int
) -> tf.data.Dataset:
    """Features in batches; zeros fill the last one up to `batch_size`."""
    schema = {
        name: tf.io.FixedLenFeature([length], tf.int64) for name in FEATURES
    }

    def parse(batch):
        missing = [[0, batch_size - tf.size(batch)], [0, 0]]
        return {
            name: tf.ensure_shape(
                tf.pad(tf.cast(values, tf.int32), missing),
                [batch_size, length],
            )
            for name, values in tf.io.parse_example(batch, schema).items()
        }

    return (
        records.rebatch(batch_size)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def _read_shard(data_dir: str, name: str, info: DatasetInfo) -> np.ndarray:
    """The records of a file, as many as the description says."""
    path = os.path.join(data_dir, name)
    records = _read_records(path)
    if len(records) != info.shards[name]:
        raise ValueError(
            f"{path} holds {len(records)} records, {INFO_FILE} says "
            f"{info.shards[name]}. Copy or build the data set again."
        )
    return records


def _read_records(path: str) -> np.ndarray:
    batches = tf.data.TFRecordDataset(path).batch(1024)
    records = [np.zeros([0], object)]  # For a file without records.
    try:
        return np.concatenate([*records, *batches.as_numpy_iterator()])
    except tf.errors.DataLossError as error:
        good = sum(1 for _ in tf.data.TFRecordDataset(path).ignore_errors())
        raise ValueError(
            f"{path}: record {good}, counted from 0, is corrupt or cut off. "
            f"Copy or build the data set again."
        ) from error


def _count_original(data_dir: str) -> DatasetInfo:
    """Describes a folder that the original's builder wrote."""
    names = filter(_ORIGINAL_SHARD.fullmatch, tf.io.gfile.listdir(data_dir))
    names = sorted(names, key=lambda name: int(re.findall(r"\d+", name)[0]))
    if not names:
        raise ValueError(
            f"{data_dir} holds no data set: neither {INFO_FILE} nor files "
            f"named as {SHARD_PREFIX}0-of-1000."
        )
    shards, lengths = {}, set()
    for name in names:
        records = _read_records(os.path.join(data_dir, name))
        shards[name] = len(records)
        if len(records):
            lengths.add(_example_length(records[0]))
        logging.log_every_n_seconds(
            logging.INFO, "count | %s | %d files", 10, name, len(names)
        )
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"The files of {data_dir} must hold examples with input_ids of "
            f"one length, got lengths {sorted(lengths)}."
        )
    info = DatasetInfo(max_seq_length=lengths.pop(), shards=shards)
    try:
        write_info(info, data_dir)
    except tf.errors.OpError as error:  # A read-only folder.
        logging.warning("The counts cannot be kept: %s", error)
    return info


def _example_length(record: bytes) -> int:
    schema = {"input_ids": tf.io.RaggedFeature(tf.int64)}
    return len(tf.io.parse_single_example(record, schema)["input_ids"])
