"""Files of records for batch prediction, and which shard gets which of them.

Records are counted once, and each shard gets a range of them. So a shard can
be made by itself, in any order, and again.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
from typing import Any
from typing import Literal
from typing import NamedTuple

from google.protobuf import message
import tensorflow as tf

from electra_tf.serving import record_lines
from electra_tf.serving import served_signatures

Format = Literal["jsonl", "text", "tfrecord"]
FORMATS = (*record_lines.FORMATS, "tfrecord")

# What TFRecord adds to a record: its length, and two checksums.
_OVERHEAD_BYTES = 8 + 4 + 4


class Source(NamedTuple):
    """A file of records.

    Attributes:
        path: of the file.
        num_bytes: its size, by which a changed file is noticed.
        num_records: its lines, blank ones included, or its examples.
    """

    path: str
    num_bytes: int
    num_records: int


class RawRecord(NamedTuple):
    """A record as it is in its file.

    Attributes:
        data: a line without its end, or a serialised `tf.train.Example`.
        path: of the file.
        number: of the line or example, from 1.
    """

    data: bytes
    path: str
    number: int


def find(patterns: Sequence[str]) -> list[str]:
    """The files of patterns, in the patterns' and their names' order."""
    paths = []
    for pattern in patterns:
        found = sorted(tf.io.gfile.glob(pattern))
        if not found:
            raise ValueError(f"No file is named like --input={pattern}.")
        paths += [path for path in found if path not in paths]
    return paths


def guess_format(paths: Sequence[str]) -> Format:
    """What the names of files say; ValueError if they disagree."""
    formats = {
        "tfrecord" if ".tfrecord" in path else record_lines.guess_format(path)
        for path in paths
    }
    if len(formats) > 1:
        raise ValueError(
            "The names of the input files are those of different formats, "
            f"{' and '.join(sorted(formats))}. Say which with --format."
        )
    return formats.pop()


def count(path: str, record_format: Format) -> Source:
    """Reads a file once to count its records.

    Raises:
        ValueError: it is a damaged TFRecord file.
    """
    sizes = _dataset(path, record_format).batch(1024).map(_sizes)
    with _told_by_path(path):
        num_records, data_bytes = sizes.reduce(
            tf.zeros(2, tf.int64), tf.add
        ).numpy()
    num_bytes = tf.io.gfile.stat(path).length
    # TensorFlow takes a part of a record's head for the end of the file.
    if (
        record_format == "tfrecord"
        and data_bytes + num_records * _OVERHEAD_BYTES != num_bytes
    ):
        raise ValueError(f"{path} is damaged: its end is missing.")
    return Source(path, int(num_bytes), int(num_records))


def _sizes(records: tf.Tensor) -> tf.Tensor:
    """The number of records, and of their bytes; int64 `[2]`."""
    lengths = tf.cast(tf.strings.length(records), tf.int64)
    return tf.stack([tf.size(records, tf.int64), tf.reduce_sum(lengths)])


def read(
    sources: Sequence[Source],
    record_format: Format,
    *,
    start: int,
    stop: int,
) -> Iterator[RawRecord]:
    """The records from number `start` to before `stop`, of all files."""
    first = 0  # Number of the file's first record, among all.
    for source in sources:
        begin = max(start - first, 0)
        end = min(stop - first, source.num_records)
        first += source.num_records
        if begin >= end:
            continue
        dataset = _dataset(source.path, record_format)
        dataset = dataset.skip(begin).take(end - begin)
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        with _told_by_path(source.path):
            for number, data in enumerate(dataset, start=begin + 1):
                yield RawRecord(data.numpy(), source.path, number)


def parse(
    record: RawRecord,
    record_format: Format,
    inputs: Mapping[str, served_signatures.TensorInfo],
) -> dict[str, Any] | None:
    """The inputs in a record by name; None for a blank line of JSON lines.

    Raises:
        ValueError: there are none, with the file and the number.
    """
    if record_format != "tfrecord":
        if not record_lines.is_record(record.data, record_format):
            return None
        where = f"{record.path}, line {record.number}"
        return record_lines.parse(
            record.data, record_format, inputs=inputs, where=where
        )
    where = f"{record.path}, record {record.number}"
    try:
        example = tf.train.Example.FromString(record.data)
    except message.DecodeError as error:
        raise ValueError(f"{where}: it is no tf.train.Example.") from error
    features = example.features.feature
    values = {
        # Features that the model does not take may be there too.
        name: _value(features[name], info, f"{where}: feature {name!r}")
        for name, info in inputs.items()
        if name in features
    }
    record_lines.check(values, inputs=inputs, where=where)
    return values


def _value(
    feature: tf.train.Feature, info: served_signatures.TensorInfo, what: str
) -> Any:
    """A feature's one value, or its list if the model takes one."""
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    if len(info.shape) > 1:
        return values
    if len(values) != 1:
        raise ValueError(f"{what} must have one value, it has {len(values)}.")
    value = values[0]
    if info.dtype == "str" and not _is_utf8(value):
        raise ValueError(f"{what} is no text in UTF-8: {value!r:.60}.")
    return value


def _is_utf8(value) -> bool:
    if not isinstance(value, bytes):
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _dataset(path: str, record_format: Format) -> tf.data.Dataset:
    if record_format == "tfrecord":
        return tf.data.TFRecordDataset(path)
    return tf.data.TextLineDataset(path)


@contextlib.contextmanager
def _told_by_path(path: str):
    """Names the file if it is damaged: TensorFlow does not."""
    try:
        yield
    except tf.errors.DataLossError as error:
        raise ValueError(
            f"{path} is no TFRecord file, or is damaged: {error.message}. "
            "Nothing after the damage can be read."
        ) from error
