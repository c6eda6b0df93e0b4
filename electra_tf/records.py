"""The files of examples: TFRecords in the format of the original.

A record is a `tf.train.Example` of three int64 lists, one for each name of
FEATURES, all of the length of the data set's examples.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import functools
import re

import numpy as np
import tensorflow as tf

FEATURES = ("input_ids", "input_mask", "segment_ids")
SHARD_PREFIX = "pretrain_data.tfrecord-"


class DamagedFileError(ValueError):
    """A file from which not all records can be read.

    Attributes:
        readable: bytes `[records]`; those before the damage.
    """

    def __init__(self, message: str, *, readable: np.ndarray):
        super().__init__(message)
        self.readable = readable


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Raises a DamagedFileError of a `tf.data` pipeline as a ValueError.

    TensorFlow hides it in an error of its own, amid stack traces.
    """
    try:
        yield
    except tf.errors.OpError as error:
        name = DamagedFileError.__name__
        message = re.search(
            rf"{name}: (.*?)\nTraceback", str(error), flags=re.DOTALL
        )
        if message is None:
            raise
        raise ValueError(message[1]) from error


def shard_names(num: int) -> list[str]:
    return [f"{SHARD_PREFIX}{i:05d}-of-{num:05d}" for i in range(num)]


def serialize_examples(features: Mapping[str, np.ndarray]) -> list[bytes]:
    """The bytes of the `tf.train.Example` of each example.

    It writes the protocol buffers itself, which is faster than the class.

    Args:
        features: int `[examples, length]` for each name of FEATURES; no value
            is negative.
    """
    values = [np.asarray(features[name]) for name in FEATURES]
    shapes = [array.shape for array in values]
    if len(shapes[0]) != 2 or len(set(shapes)) != 1:
        raise ValueError(
            f"{', '.join(FEATURES)} must have one shape, [examples, length], "
            f"got {', '.join(map(str, shapes))}."
        )
    records = []
    for ids, mask, segments in zip(*map(_varints, values)):
        before_ids, before_mask, before_segments = _headers(
            len(ids), len(mask), len(segments)
        )
        records.append(
            b"".join(
                (before_ids, ids, before_mask, mask, before_segments, segments)
            )
        )
    return records


def read_file(path: str) -> np.ndarray:
    """The records of a file, bytes `[records]`.

    Raises:
        DamagedFileError: a record is corrupt or cut off.
    """
    records = tf.data.TFRecordDataset(path)
    try:
        return _concatenate(records)
    except tf.errors.DataLossError as error:
        readable = _concatenate(records.ignore_errors())
        raise DamagedFileError(
            f"{path}: record {len(readable)}, counted from 0, is corrupt or "
            "cut off. Copy or build the data set again, or leave such records "
            "out by skip_corrupt.",
            readable=readable,
        ) from error


def parse(records: tf.Tensor, length: int) -> dict[str, tf.Tensor]:
    """The features of examples.

    Args:
        records: string `[examples]`.
        length: of the examples.

    Returns:
        For each name of FEATURES an int32 `[examples, length]`.
    """
    schema = {
        name: tf.io.FixedLenFeature([length], tf.int64) for name in FEATURES
    }
    return {
        name: tf.cast(values, tf.int32)
        for name, values in tf.io.parse_example(records, schema).items()
    }


def example_length(record: bytes) -> int:
    """The number of tokens of an example, with padding; 0 if it has none."""
    schema = {"input_ids": tf.io.RaggedFeature(tf.int64)}
    return len(tf.io.parse_single_example(record, schema)["input_ids"])


def _concatenate(records: tf.data.Dataset) -> np.ndarray:
    options = tf.data.Options()
    # Planning how to read a file of a few records takes longer than that.
    options.autotune.enabled = False
    options.experimental_optimization.apply_default_optimizations = False
    batches = records.batch(1024).with_options(options).as_numpy_iterator()
    nothing = np.zeros([0], object)  # For a file without records.
    return np.concatenate([nothing, *batches])


def _varints(values: np.ndarray) -> list[bytes]:
    """Each row in groups of 7 bits, lowest first; bit 7 says more follow."""
    if values.dtype.kind not in "iu":
        raise ValueError(f"Features must be integers, got {values.dtype}.")
    largest = int(values.max(initial=0))
    if values.min(initial=0) < 0 or largest >= 2**63:
        raise ValueError(
            f"Features must be in [0, 2**63), got {values.min()} to {largest}."
        )
    num_groups = max(1, -(-largest.bit_length() // 7))
    values = values.astype(np.min_scalar_type(largest))
    groups = np.empty([*values.shape, num_groups], np.uint8)
    is_used = np.ones(groups.shape, bool)
    for i in range(num_groups):
        groups[..., i] = values & 127
        values = values >> 7
        has_more = values > 0
        groups[..., i] |= has_more.view(np.uint8) << 7
        is_used[..., i + 1 :] = has_more[..., None]
    content = groups[is_used].tobytes()
    ends = np.cumsum([0, *is_used.sum(axis=(1, 2))]).tolist()
    return [content[i:j] for i, j in zip(ends[:-1], ends[1:])]


@functools.lru_cache(maxsize=1 << 16)
def _headers(*sizes: int) -> tuple[bytes, ...]:
    """What an example has before the bytes of each feature's values.

    Args:
        *sizes: of these bytes.
    """
    headers = []
    for name, size in zip(FEATURES, sizes, strict=True):
        # Feature.int64_list (3) holds one packed Int64List.value (1).
        header = _field(1, size)
        header = _field(3, len(header) + size) + header
        # Features.feature (1) is a map: key (1) and value (2).
        header = _field(2, len(header) + size) + header
        header = _field(1, len(name)) + name.encode() + header
        headers.append(_field(1, len(header) + size) + header)
    total = sum(sizes) + sum(map(len, headers))
    headers[0] = _field(1, total) + headers[0]
    return tuple(headers)


def _field(number: int, size: int) -> bytes:
    """What precedes the content of a field of a protocol buffer."""
    prefix = [number << 3 | 2]  # 2: bytes of a given number follow.
    while size > 127:
        prefix.append(size & 127 | 128)
        size >>= 7
    return bytes((*prefix, size))
