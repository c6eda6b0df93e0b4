"""Data folders whose examples can be recognised by their numbers."""

import os

import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import records

LENGTH = 6


def features(numbers) -> dict[str, np.ndarray]:
    """Examples `[CLS] number [SEP]` with padding, int `[examples, LENGTH]`."""
    zeros = np.zeros([np.size(numbers), LENGTH], int)
    ids = zeros + [2, 0, 3, 0, 0, 0]
    ids[:, 1] = numbers
    return {
        "input_ids": ids,
        "input_mask": zeros + [1, 1, 1, 0, 0, 0],
        "segment_ids": zeros,
    }


def write_files(directory: str, sizes: dict[str, int], first: int = 100):
    """Writes files of as many examples each, numbered from `first` on."""
    for name, size in sizes.items():
        examples = features(np.arange(first, first + size))
        with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
            for record in records.serialize_examples(examples):
                file.write(record)
        first += size


def write(directory: str, sizes: list[int], first: int = 100, **fields) -> str:
    """The same with our names and a description; returns the directory."""
    shards = dict(zip(records.shard_names(len(sizes)), sizes))
    write_files(directory, shards, first)
    values = dict(max_seq_length=LENGTH, shards=shards) | fields
    dataset_info.write(dataset_info.DatasetInfo(**values), directory)
    return directory


def batches(dataset: tf.data.Dataset, num_batches: int) -> list[list[int]]:
    """The numbers of the examples in each batch."""
    return [
        batch["input_ids"][:, 1].numpy().tolist()
        for batch in dataset.take(num_batches)
    ]
