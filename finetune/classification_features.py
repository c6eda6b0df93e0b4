"""Examples of one text or two as rows, for classification and regression."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import features
from finetune import finetune_config
from finetune import task as task_lib

_CHUNK_SIZE = 1024


def make_features(
    examples: Sequence[task_lib.Example],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> features.Features:
    """Tokenizes examples and cuts them to the length, as the original does.

    Returns:
        A row for each example, with the target `labels` `[rows]`: int32 ids
        of labels, or float32 scores mapped to [0, 1]; zeros where the
        examples have none.
    """
    del is_training  # Every example is one row at any time.
    chunks = [
        _tokenize(
            examples[start : start + _CHUNK_SIZE],
            tokenizer,
            run_config.max_seq_length,
        )
        for start in range(0, len(examples), _CHUNK_SIZE)
    ]
    input_ids, segment_ids = (
        tf.concat(parts, axis=0) for parts in zip(*chunks, strict=True)
    )
    return features.Features(
        input_ids=input_ids,
        segment_ids=segment_ids,
        targets={"labels": _labels(examples, task)},
        pad_id=tokenizer.pad_id,
    )


def _tokenize(
    examples: Sequence[task_lib.Example],
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Ids and segment ids of a chunk of examples."""
    first = tokenizer.tokenize(tf.constant([e.text_a for e in examples]))
    second = tokenizer.tokenize(tf.constant([e.text_b or "" for e in examples]))
    return tokenizer.join(first, second, max_seq_length=max_seq_length)


def _labels(
    examples: Sequence[task_lib.Example], task: task_lib.Task
) -> np.ndarray:
    labels = [0 if e.label is None else e.label for e in examples]
    if task.kind == "classification":
        return np.asarray(labels, np.int32)
    low, high = task.score_range
    scores = (np.asarray(labels, np.float64) - low) / (high - low)
    return scores.astype(np.float32)
