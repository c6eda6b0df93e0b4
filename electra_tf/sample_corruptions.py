"""A few examples as a trained model corrupts and judges them."""

from collections.abc import Sequence
import dataclasses
import os
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import corrupter
from electra_tf import dataset_info
from electra_tf import model_folder
from electra_tf import pretraining
from electra_tf import records
from electra_tf import run_record
from electra_tf import shown_tokens
from electra_tf import tokenization

_NUM_EXAMPLES = 5
# Neighbours in a file may be of one document: every so many is taken.
_STRIDE = 8


class Samples(NamedTuple):
    """Corrupted examples.

    Attributes:
        data_dir: where they are from.
        is_held_out: whether the run was not trained on them.
        step: of the weights.
        about: what decides the corruption, in words.
        shows: what there is to see.
        examples: their tokens.
    """

    data_dir: str
    is_held_out: bool
    step: int
    about: str
    shows: corrupter.Shows
    examples: Sequence[Sequence[shown_tokens.Token]]


def collect(run: run_record.Run) -> Samples | None:
    """Runs the newest checkpoint on some examples, on the CPU.

    So it needs no memory of an accelerator on which a model is trained.

    Args:
        run: of pre-training.

    Returns:
        None if there is no checkpoint, or no data of the run where it was.
    """
    prefix = tf.train.latest_checkpoint(model_folder.checkpoints(run.path))
    vocab_file = os.path.join(run.path, tokenization.VOCAB_FILE)
    if prefix is None or not tf.io.gfile.exists(vocab_file):
        return None
    tokenizer = tokenization.Tokenizer.load(run.path)
    data_dir, is_held_out = _find_data(run, tokenizer)
    if data_dir is None:
        return None
    # Neither changes what the weights mean; a CPU computes faster so.
    run_config = dataclasses.replace(
        run.pretrain_config, precision="float32", jit_compile=None
    )
    with tf.device("/CPU:0"):
        model = pretraining.ElectraPretrainer.for_tokenizer(
            run_config, tokenizer
        )
        checkpoints.restore(
            model.trainable_variables, checkpoints.read_variables(prefix)
        )
        corrupt = corrupter.Corrupter(
            model, is_trained=True, seed=run_config.seed
        )
        step = checkpoints.read_step(prefix)
        batch = _read_examples(data_dir)
        corruption = corrupt(batch, step)
    return Samples(
        data_dir=data_dir,
        is_held_out=is_held_out,
        step=step,
        about=corrupt.about,
        shows=corrupt.shows,
        examples=[
            shown_tokens.tokens(
                batch, row, vocab=tokenizer.vocab, corruption=corruption
            )
            for row in range(len(batch["input_ids"]))
        ],
    )


def _find_data(
    run: run_record.Run, tokenizer: tokenization.Tokenizer
) -> tuple[str | None, bool]:
    """A folder with held-out examples, or else one with training data."""
    held_out = run.contents.get("eval_data_dir") or run.flag("eval_data_dir")
    candidates = [(held_out, True)] if held_out else []
    candidates += [
        (entry["data_dir"], False) for entry in run.contents.get("data", ())
    ]
    for data_dir, is_held_out in candidates:
        info = read_info(data_dir)
        if (
            info is not None
            and info.max_seq_length == run.settings["max_seq_length"]
            and info.vocab_sha256 in (None, tokenizer.vocab_sha256)
        ):
            return data_dir, is_held_out
    return None, False


def read_info(data_dir: str) -> dataset_info.DatasetInfo | None:
    """The description of a data folder; None if it is there no more."""
    if not tf.io.gfile.exists(os.path.join(data_dir, dataset_info.INFO_FILE)):
        return None
    try:
        return dataset_info.load(data_dir)
    except ValueError:  # It was changed, or lost a file.
        return None


def _read_examples(data_dir: str) -> dict[str, np.ndarray]:
    """Some examples of the first file: int32 `[examples, length]` each."""
    info = dataset_info.load(data_dir)
    path = os.path.join(data_dir, info.nonempty_shards[0])
    serialized = tf.data.TFRecordDataset(path).ignore_errors()
    # With fewer examples than that, all of them are taken.
    size = info.shards[info.nonempty_shards[0]]
    stride = max(1, min(_STRIDE, size // _NUM_EXAMPLES))
    chosen = serialized.shard(stride, 0).take(_NUM_EXAMPLES)
    features = records.parse(
        list(chosen.as_numpy_iterator()), info.max_seq_length
    )
    return {name: values.numpy() for name, values in features.items()}
