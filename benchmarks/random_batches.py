"""Batches of random tokens, the same ones for every implementation."""

import numpy as np

from benchmarks import trainer_settings

# Those of the published vocabulary, of 30,522 word pieces; a smaller one has
# none of its own here.
CLS_ID, SEP_ID, MASK_ID = 101, 102, 103
FIRST_WORD_ID = 999

_NUM_BATCHES = 8


def of_settings(
    settings: trainer_settings.TrainerSettings,
) -> list[dict[str, np.ndarray]]:
    """Those that trainers of such settings go through again and again."""
    return make(
        num_batches=_NUM_BATCHES,
        batch_size=settings.batch_size,
        max_seq_length=settings.max_seq_length,
        vocab_size=settings.run_config.vocab_size,
        seed=settings.seed,
    )


def make(
    *,
    num_batches: int,
    batch_size: int,
    max_seq_length: int,
    vocab_size: int,
    seed: int = 0,
) -> list[dict[str, np.ndarray]]:
    """Examples of full length: [CLS], random words, [SEP].

    Args:
        num_batches: how many.
        batch_size: examples in each.
        max_seq_length: tokens of each example.
        vocab_size: word pieces of the vocabulary.
        seed: equal seeds give equal batches, of which more begin alike.

    Returns:
        Of each batch `input_ids`, `input_mask` and `segment_ids`, int32
        `[batch, length]`.
    """
    if vocab_size <= FIRST_WORD_ID:
        raise ValueError(
            f"Random batches need a vocabulary of more than {FIRST_WORD_ID} "
            f"word pieces, got {vocab_size}."
        )
    rng = np.random.default_rng(seed)
    shape = (batch_size, max_seq_length)
    batches = []
    for _ in range(num_batches):
        ids = rng.integers(FIRST_WORD_ID, vocab_size, shape, dtype=np.int32)
        ids[:, 0], ids[:, -1] = CLS_ID, SEP_ID
        batches.append(
            {
                "input_ids": ids,
                "input_mask": np.ones(shape, np.int32),
                "segment_ids": np.zeros(shape, np.int32),
            }
        )
    return batches
