"""Sentences as rows, for tagging: `[CLS] pieces of all words [SEP]`."""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import features
from finetune import finetune_config
from finetune import task as task_lib

_CHUNK_SIZE = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingFeatures(features.Features):
    """Rows that know where their words are.

    Attributes:
        word_positions: for each row int32 `[words]`: index of the token with
            the first piece of each word, where its tag is predicted; -1 for
            words that have no piece in the row.
    """

    word_positions: tuple[np.ndarray, ...]


class _Row(NamedTuple):
    """One sentence; all int32.

    Attributes:
        input_ids: `[tokens]`.
        word_positions: `[words]`, see `TaggingFeatures`.
        labels: `[tokens]`, see `make_features`.
    """

    input_ids: np.ndarray
    word_positions: np.ndarray
    labels: np.ndarray


def make_features(
    examples: Sequence[task_lib.Sentence],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> TaggingFeatures:
    """Tokenizes each word on its own, and cuts sentences to the length.

    Unlike the original:

    - Words are kept as long as all of their pieces fit. It compares the
      length with the number of words and tokens together, so that it cuts
      much earlier.
    - A word of which the tokenizer leaves nothing has no position. There it
      is tagged at the first piece of the word after it.
    - The words "[CLS]" and "[SEP]" are text like any other. There they become
      the special token, and the tags of the rest of the sentence are
      displaced by a word.
    - The tokenizer is that of the model; there it always lower-cases.
    - The segment ids are 0, as those of all single texts in pre-training;
      there they are 1.

    Returns:
        A row for each sentence, with the target `labels`, ragged int32
        `[rows, (tokens)]`: the id of the word's tag at its first piece, and
        `features.NO_TARGET` elsewhere, for tags that are not among the
        task's, and for sentences without tags.
    """
    del is_training  # Every sentence is one row at any time.
    _warn_of_unknown_tags(examples, task)
    rows = []
    for start in range(0, len(examples), _CHUNK_SIZE):
        rows += _rows(
            examples[start : start + _CHUNK_SIZE],
            task=task,
            tokenizer=tokenizer,
            max_seq_length=run_config.max_seq_length,
        )
    input_ids = _ragged([row.input_ids for row in rows])
    return TaggingFeatures(
        input_ids=input_ids,
        segment_ids=tf.zeros_like(input_ids),
        targets={"labels": _ragged([row.labels for row in rows])},
        pad_id=tokenizer.pad_id,
        word_positions=tuple(row.word_positions for row in rows),
    )


def _warn_of_unknown_tags(
    examples: Sequence[task_lib.Sentence], task: task_lib.Task
):
    known = set(task.labels)
    unknown = [
        tag
        for example in examples
        for tag in example.tags or ()
        if tag not in known
    ]
    if unknown:
        logging.warning(
            "%d words have tags that the training data of task %r does not "
            "have and that are never predicted: %s.",
            len(unknown),
            task.name,
            ", ".join(sorted(set(unknown))),
        )


def _rows(
    examples: Sequence[task_lib.Sentence],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
) -> list[_Row]:
    words = [word for example in examples for word in example.words]
    pieces = tokenizer.tokenize(tf.constant(words, tf.string))
    ids = pieces.values.numpy()
    starts = pieces.row_splits.numpy()
    label_ids = {label: index for index, label in enumerate(task.labels)}
    rows = []
    first_word = 0
    for example in examples:
        after = first_word + len(example.words)
        splits = starts[first_word : after + 1]
        rows.append(
            _row(
                ids[splits[0] : splits[-1]],
                splits - splits[0],
                tags=[
                    label_ids.get(tag, features.NO_TARGET)
                    for tag in example.tags or ()
                ],
                tokenizer=tokenizer,
                max_seq_length=max_seq_length,
            )
        )
        first_word = after
    return rows


def _row(
    ids: np.ndarray,
    splits: np.ndarray,
    *,
    tags: Sequence[int],
    tokenizer: tokenization.Tokenizer,
    max_seq_length: int,
) -> _Row:
    """The row of one sentence.

    Args:
        ids: `[pieces]` of all words.
        splits: `[words + 1]`, where in them each word begins, and the end.
        tags: ids of the words' tags; empty if there are none.
        tokenizer: for the special tokens.
        max_seq_length: that of the row.
    """
    # [CLS] and [SEP] need a place, too.
    is_kept = splits[1:] <= max_seq_length - 2
    num_pieces = int(splits[np.count_nonzero(is_kept)])
    is_tagged = is_kept & (splits[1:] > splits[:-1])
    # 1 for [CLS].
    word_positions = np.where(is_tagged, splits[:-1] + 1, -1).astype(np.int32)
    labels = np.full(num_pieces + 2, features.NO_TARGET, np.int32)
    if len(tags):
        labels[word_positions[is_tagged]] = np.asarray(tags)[is_tagged]
    return _Row(
        input_ids=np.concatenate(
            [[tokenizer.cls_id], ids[:num_pieces], [tokenizer.sep_id]]
        ).astype(np.int32),
        word_positions=word_positions,
        labels=labels,
    )


def _ragged(rows: Sequence[np.ndarray]) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(
        np.concatenate([np.zeros(0, np.int32), *rows]),
        [len(row) for row in rows],
    )
