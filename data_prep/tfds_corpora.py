"""Data sets of tensorflow_datasets as corpora: each example is a document."""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import functools
import operator

import tensorflow as tf

from data_prep import documents
from data_prep import text_files
from electra_tf import tfds_builders

PREFIX = "tfds:"

# The name of a split, its first example, and the one after its last.
_Slice = tuple[str, int, int]


def plan(
    number: int,
    source: str,
    options: documents.CorpusOptions,
    unit_bytes: int,
) -> list[documents.Unit]:
    """Divides a data set into units of consecutive examples.

    Args:
        number: Of the source in the corpus.
        source: "tfds:", name, and perhaps "/" and configuration, and perhaps
            ":" and version, as in "tfds:wikipedia/20230601.en:1.0.0".
        options: Say which split, and where it is.
        unit_bytes: About how large a unit is.

    Raises:
        ValueError: if the data set is not there, or has no such text field or
            split.
    """
    name = source.removeprefix(PREFIX)
    builder = _open(name, options, may_download=options.tfds_download)
    _check_field(name, builder, options.text_field)
    slices = _slices(name, builder, options.tfds_split)
    num_examples = sum(end - start for _, start, end in slices)
    splits = [builder.info.splits[split] for split, _, _ in slices]
    example_bytes = sum(int(split.num_bytes) for split in splits) / max(
        1, sum(split.num_examples for split in splits)
    )
    step = max(1, int(unit_bytes / max(1, example_bytes)))
    unit = documents.Unit(
        source=number, kind="tfds", path=name, version=str(builder.version)
    )
    return [
        dataclasses.replace(
            unit,
            start=start,
            end=end,
            size=round((end - start) * example_bytes),
        )
        for start in range(0, num_examples, step)
        for end in [min(start + step, num_examples)]
    ]


def read(
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[documents.Document]:
    """The documents of consecutive examples, in the order they have there."""
    builder = _open(unit.path, options, may_download=False)
    if unit.version not in ("", str(builder.version)):
        raise ValueError(
            f"Data set {unit.path!r} has changed since reading the corpus was "
            f"planned: version {unit.version} is {builder.version} now. Start "
            f"again."
        )
    stats.files += unit.start == 0
    with text_files.errors_named(f"Data set {unit.path!r}"):
        lines = _text_lines(builder, unit, options, stats)
        yield from documents.group(lines, stats)


def _text_lines(
    builder,
    unit: documents.Unit,
    options: documents.CorpusOptions,
    stats: documents.CorpusStats,
) -> Iterator[str | None]:
    field = options.text_field
    slices = _slices(unit.path, builder, options.tfds_split)
    for example in _examples(builder, _part(slices, unit), field):
        stats.bytes += len(example[field])
        text, is_valid = text_files.decode(example[field])
        stats.invalid_lines += not is_valid
        yield from text_files.text_lines(text, stats)
        yield None


def _examples(builder, slices: Sequence[_Slice], field: str):
    """The examples of slices of splits, one after the other."""
    tfds = tfds_builders.tensorflow_datasets()
    instructions = (tfds.core.ReadInstruction(*part) for part in slices)
    dataset = builder.as_dataset(
        split=functools.reduce(operator.add, instructions),
        shuffle_files=False,
        # One file after the other, not some at once.
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
        decoders=tfds.decode.PartialDecoding({field: True}),
    )
    return dataset.as_numpy_iterator()


def _open(name: str, options: documents.CorpusOptions, *, may_download: bool):
    return tfds_builders.open_builder(
        name, data_dir=options.tfds_data_dir, may_download=may_download
    )


def _check_field(name: str, builder, field: str) -> None:
    """Raises ValueError if the examples have no such text."""
    fields = []
    for key, feature in dict(builder.info.features).items():
        info = feature.get_tensor_info()
        if getattr(info, "tf_dtype", None) == tf.string and info.shape == ():
            fields.append(key)
    if field not in fields:
        raise ValueError(
            f"Data set {name!r} has no text field {field!r}. Name one of "
            f"those that it has with --text_field: "
            f"{', '.join(map(repr, sorted(fields))) or 'none'}."
        )


def _slices(name: str, builder, split: str) -> list[_Slice]:
    """What a split such as "train[:10%]+test" consists of."""
    splits = builder.info.splits
    instruction = tfds_builders.tensorflow_datasets().core.ReadInstruction
    try:
        parts = instruction.from_spec(split).to_absolute(splits)
    except ValueError as error:
        raise ValueError(
            f"Data set {name!r} has no split {split!r}: {error} Name one with "
            f"--tfds_split."
        ) from error
    slices = [
        (
            part.splitname,
            part.from_ or 0,
            splits[part.splitname].num_examples if part.to is None else part.to,
        )
        for part in parts
    ]
    slices = [part for part in slices if part[1] < part[2]]
    if not slices:
        raise ValueError(
            f"Split {split!r} of data set {name!r} has no examples. Name "
            f"another one with --tfds_split: {', '.join(splits)}."
        )
    return slices


def _part(slices: Sequence[_Slice], unit: documents.Unit) -> list[_Slice]:
    """Slices of the examples of a unit."""
    parts, position = [], 0
    for split, start, end in slices:
        first = max(start, start + unit.start - position)
        last = min(end, start + unit.end - position)
        if first < last:
            parts.append((split, first, last))
        position += end - start
    return parts
