"""Sentences of GLUE's SST-2 and a vocabulary, as fine-tuning reads them."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import prose
from finetune import finetune_config
from finetune import glue
from finetune import task as task_lib

# Whole buckets of batches are turns of the same examples, whoever sorts them.
BUCKET_BATCHES = finetune_config.FinetuneConfig.bucket_batches


class Batch(NamedTuple):
    """Sentences as peers are given them, who pad them in their own way.

    Attributes:
        ids: tokens of each, with [CLS] and [SEP].
        labels: of each, 0 or 1.
    """

    ids: list[list[int]]
    labels: list[int]


def read_examples(path: str | None) -> list[task_lib.Example]:
    """All examples of `train.tsv`, in their order.

    Raises:
        ValueError: no path, or a line that cannot be read.
    """
    if path is None:
        raise ValueError(
            "Name GLUE's SST-2 train.tsv by --sst_file; "
            f"{glue.SST.source} has it."
        )
    with open(path, "rb") as file:
        return glue.parse_examples(
            file.read(), task=glue.SST, split="train", file_name=path
        )


def read_vocab(path: str | None, size: int) -> list[str]:
    """A vocabulary of a size, one piece a line; made up if there is no file."""
    if path is None:
        return prose.vocabulary(size)
    with open(path, encoding="utf-8") as file:
        vocab = [line.strip() for line in file.read().rstrip().split("\n")]
    if len(vocab) != size:
        raise ValueError(
            f"{path!r} has {len(vocab)} word pieces, and the preset has {size}."
        )
    return vocab


def num_batches(num_turns: int, steps_per_turn: int) -> int:
    """Those of the first step and of all turns."""
    return 1 + num_turns * steps_per_turn


def check(
    examples: Sequence[task_lib.Example],
    *,
    num_turns: int,
    steps_per_turn: int,
    batch_size: int,
):
    """Raises ValueError if turns would not read examples of their own."""
    if steps_per_turn % BUCKET_BATCHES:
        raise ValueError(
            f"--steps_per_turn must be a multiple of {BUCKET_BATCHES}, the "
            "batches that are sorted together, so that all read the same "
            f"examples in a turn; got {steps_per_turn}."
        )
    # The first bucket is there for the first step only.
    needed = batch_size * (BUCKET_BATCHES + num_turns * steps_per_turn)
    if len(examples) < needed:
        raise ValueError(
            f"{needed} examples are needed, and there are {len(examples)}. "
            "Lower --turns, --steps_per_turn or --batch_size."
        )
