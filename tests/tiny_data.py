"""A data folder whose numbers can be counted by hand."""

from collections.abc import Sequence
import os

import numpy as np
import tensorflow as tf

from electra_tf import dataset_info
from electra_tf import records
from electra_tf import tokenization
from tests import testing

LENGTH = 8
# 4 + 7 + 4 + 8 = 23 tokens, the second and the last in two segments.
EXAMPLES = (
    "[CLS] the time [SEP]",
    "[CLS] the of ##s [SEP] | the [SEP]",
    "[CLS] the time [SEP]",
    "[CLS] [UNK] the [SEP] | to ##s ##t [SEP]",
)
FILE_SIZES = (2, 0, 2)


def features(example: str, length: int = LENGTH) -> dict[str, list[int]]:
    """The features of pieces of `testing.tiny_vocab`; | starts a segment."""
    vocab = testing.tiny_vocab()
    first, _, second = (part.split() for part in example.partition("|"))
    ids = [vocab.index(piece) for piece in (*first, *second)]
    padding = [0] * (length - len(ids))
    return {
        "input_ids": ids + padding,
        "input_mask": [1] * len(ids) + padding,
        "segment_ids": [0] * len(first) + [1] * len(second) + padding,
    }


def write(directory: str, *, original: bool = False, **info) -> str:
    """Writes EXAMPLES into files of FILE_SIZES; returns the folder.

    Args:
        directory: gets the files.
        original: whether they are named as by the original's builder, and
            nothing is beside them.
        **info: fields of `dataset_info.DatasetInfo`.
    """
    names = records.shard_names(len(FILE_SIZES))
    if original:
        names = [f"pretrain_data.tfrecord-{i}-of-3" for i in range(3)]
    start = 0
    for name, size in zip(names, FILE_SIZES):
        with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
            for record in _records(EXAMPLES[start : start + size]):
                file.write(record)
        start += size
    if not original:
        tokenizer = tokenization.Tokenizer(testing.tiny_vocab())
        tokenizer.save(directory)
        values = dict(
            max_seq_length=LENGTH,
            shards=dict(zip(names, FILE_SIZES)),
            vocab_size=tokenizer.vocab_size,
            vocab_sha256=tokenizer.vocab_sha256,
            tokenizer=tokenizer.settings(),
            source=["corpus.txt"],
            seed=3,
            command=["build.py", "--corpus=my text"],
            counts={"documents": 1234, "dropped_tokens": 0},
        )
        dataset_info.write(dataset_info.DatasetInfo(**values | info), directory)
    return directory


def _records(examples: Sequence[str]) -> list[bytes]:
    rows = [features(example) for example in examples]
    return records.serialize_examples(
        {
            name: np.array([row[name] for row in rows], int).reshape(-1, LENGTH)
            for name in records.FEATURES
        }
    )
