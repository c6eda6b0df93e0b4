"""Data folders of random examples, as `build_pretraining_data` writes them."""

from collections.abc import Iterator
from collections.abc import Mapping
import os

import numpy as np
import tensorflow as tf

from benchmarks import random_batches
from electra_tf import dataset_info
from electra_tf import records

EXAMPLES_PER_FILE = 8192


def write(
    directory: str,
    *,
    num_folders: int,
    num_examples: int,
    max_seq_length: int,
    vocab_size: int = 30_522,
) -> list[str]:
    """Writes folders of examples of full length; returns their paths.

    Ids are drawn evenly, so that they take more bytes than those of text, of
    which most are small.

    Args:
        directory: gets the folders.
        num_folders: how many.
        num_examples: in all folders together; evenly, so far as it goes.
        max_seq_length: tokens an example.
        vocab_size: word pieces of the vocabulary.
    """
    if not 1 <= num_folders <= num_examples:
        raise ValueError(
            f"There must be at least 1 folder, and an example in each, got "
            f"{num_folders} folders and {num_examples} examples."
        )
    paths = []
    for i, part in enumerate(_split(num_examples, num_folders)):
        paths.append(os.path.join(directory, f"folder-{i}"))
        os.mkdir(paths[-1])
        num_files = -(-part // EXAMPLES_PER_FILE)
        sizes = _split(part, num_files)
        names = records.shard_names(num_files)
        batches = _batches(sizes, max_seq_length, vocab_size, seed=i)
        for name, batch in zip(names, batches, strict=True):
            _write_file(os.path.join(paths[-1], name), batch)
        info = dataset_info.DatasetInfo(
            max_seq_length=max_seq_length,
            shards=dict(zip(names, sizes, strict=True)),
            vocab_size=vocab_size,
        )
        dataset_info.write(info, paths[-1])
    return paths


def num_bytes(data_dirs: list[str]) -> int:
    """Of the files of records in folders."""
    return sum(
        os.path.getsize(os.path.join(data_dir, name))
        for data_dir in data_dirs
        for name in dataset_info.load(data_dir).shards
    )


def _split(number: int, num_parts: int) -> list[int]:
    """Parts of nearly equal size."""
    return [(number + i) // num_parts for i in range(num_parts)]


def _batches(
    sizes: list[int], max_seq_length: int, vocab_size: int, *, seed: int
) -> Iterator[Mapping[str, np.ndarray]]:
    for number, size in enumerate(sizes):
        (batch,) = random_batches.make(
            num_batches=1,
            batch_size=size,
            max_seq_length=max_seq_length,
            vocab_size=vocab_size,
            # Files differ, and so do those of other folders.
            seed=1_000_000 * seed + number,
        )
        yield batch


def _write_file(path: str, batch: Mapping[str, np.ndarray]):
    with tf.io.TFRecordWriter(path) as file:
        for record in records.serialize_examples(batch):
            file.write(record)
