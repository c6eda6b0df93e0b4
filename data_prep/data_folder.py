"""A data folder as it is looked at: its description, vocabulary, examples.

Examples are numbered from 0, through all files in the order that
`dataset_info.json` lists them in.
"""

from collections.abc import Iterator
import os
import random
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import records
from electra_tf import tokenization
from electra_tf import tokenizer_files

_BATCH_SIZE = 4096


class DataFolder(NamedTuple):
    """A folder of records.

    Attributes:
        path: of the folder.
        info: its description.
        tokenizer: with the vocabulary that it was built with; None if that
            is not known.
    """

    path: str
    info: dataset_info.DatasetInfo
    tokenizer: tokenization.Tokenizer | None

    @property
    def vocab(self) -> tuple[str, ...] | None:
        """All pieces by their ids."""
        return self.tokenizer and self.tokenizer.vocab

    def spread(self, count: int) -> np.ndarray:
        """Numbers of examples, evenly over all files: int64 `[count]`.

        All of them if `count` is 0, or if there are not so many.
        """
        total = self.info.num_examples
        if not 0 < count < total:
            return np.arange(total)
        return np.arange(count) * total // count

    def choose(self, count: int, seed: int) -> np.ndarray:
        """Numbers of random examples, in order: int64 `[count]` or fewer."""
        total = self.info.num_examples
        numbers = random.Random(seed).sample(range(total), min(count, total))
        return np.array(sorted(numbers), np.int64)


class Batch(NamedTuple):
    """Examples of one file.

    Attributes:
        file: its name.
        numbers: of its records, from 0: int64 `[batch]`.
        features: for each name of `records.FEATURES`, int32
            `[batch, length]`.
    """

    file: str
    numbers: np.ndarray
    features: dict[str, np.ndarray]


def load(path: str, vocab_file: str | None = None) -> DataFolder:
    """The data folder of that path.

    Args:
        path: with records; also those of the original's builder.
        vocab_file: goes before `vocab.txt` in the folder.

    Raises:
        ValueError: no data folder, or the vocabulary is not that of the data.
    """
    if not tf.io.gfile.isdir(path):
        raise ValueError(f"There is no folder {path!r}.")
    info = dataset_info.load(path)
    # No text is tokenized here, so that it does not matter if no file says
    # whether it is lower-cased.
    tokenizer = tokenizer_files.read(
        path,
        vocab_file=vocab_file,
        lower_case=(info.tokenizer or {}).get("lower_case", True),
    )
    if tokenizer is not None and info.vocab_sha256 not in (
        None,
        tokenizer.vocab_sha256,
    ):
        raise ValueError(
            f"The vocabulary {vocab_file or 'vocab.txt in ' + path} is not the "
            f"one that the data was built with: its SHA-256 begins with "
            f"{tokenizer.vocab_sha256[:8]}, not {info.vocab_sha256[:8]}."
        )
    return DataFolder(path, info, tokenizer)


def read(folder: DataFolder, numbers: np.ndarray) -> Iterator[Batch]:
    """The examples of these numbers.

    Args:
        folder: with the records.
        numbers: int64 `[examples]`, in ascending order.

    Raises:
        ValueError: a file is not what the description says, or an id is not
            in the vocabulary.
    """
    start = 0
    for name, size in folder.info.shards.items():
        first, last = np.searchsorted(numbers, [start, start + size])
        in_file = numbers[first:last] - start
        start += size
        if len(in_file):
            yield from _read_file(folder, name, in_file)


def _read_file(
    folder: DataFolder, name: str, numbers: np.ndarray
) -> Iterator[Batch]:
    path = os.path.join(folder.path, name)
    size = folder.info.shards[name]
    serialized = records.read_file(path)
    if len(serialized) != size:
        raise ValueError(
            f"{path} holds {len(serialized)} records, "
            f"{dataset_info.INFO_FILE} says {size}. Copy or build the data "
            f"set again."
        )
    for start in range(0, len(numbers), _BATCH_SIZE):
        part = numbers[start : start + _BATCH_SIZE]
        features = _parse(
            serialized[part], length=folder.info.max_seq_length, path=path
        )
        _check_ids(features["input_ids"], folder, path)
        yield Batch(name, part, features)


def _parse(
    serialized: np.ndarray, *, length: int, path: str
) -> dict[str, np.ndarray]:
    try:
        features = records.parse(serialized, length)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"{path} holds records that are no examples of {length} tokens "
            f"with {', '.join(records.FEATURES)}: {error.message}"
        ) from error
    return {name: values.numpy() for name, values in features.items()}


def _check_ids(ids: np.ndarray, folder: DataFolder, path: str):
    tokenizer = folder.tokenizer
    if tokenizer is not None and ids.max() >= tokenizer.vocab_size:
        raise ValueError(
            f"{path} holds the id {ids.max()}, the vocabulary only "
            f"{tokenizer.vocab_size} pieces. Name the vocabulary that the "
            f"data was built with, by --vocab_file."
        )
