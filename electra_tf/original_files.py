"""TensorFlow 1 checkpoints: those of the original, and those of BERT.

The original's `tf.train.Saver` writes plain variable names, which are ours,
Adam's slots, which are never converted, and `global_step`. BERT's differ in
the names of scopes.
"""

from collections.abc import Iterable
import json
import os
import re
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf import config
from electra_tf import encoder
from electra_tf import model_folder

_CONFIG_FILE = "bert_config.json"
_GLOBAL_STEP = "global_step"
_OF_BERT = (
    (r"^bert/(?!pooler/)", "electra/"),
    (r"^cls/predictions/transform/", "generator_predictions/"),
    (r"^cls/predictions/output_bias$", "generator_predictions/output_bias"),
)
_UNUSED_OF_BERT = {
    r"^bert/pooler/": "ELECTRA has no pooler",
    r"^cls/seq_relationship/": "ELECTRA predicts no next sentence",
}


def our_names(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The names that variables of a TensorFlow 1 checkpoint have here.

    Returns:
        Their names by ours, and the reasons why others are not used, by
        their names.
    """
    used, unused = {}, {}
    for name in names:
        reasons = [r for p, r in _UNUSED_OF_BERT.items() if re.match(p, name)]
        if reasons:
            unused[name] = reasons[0]
            continue
        new_name = name
        for pattern, replacement in _OF_BERT:
            new_name = re.sub(pattern, replacement, new_name)
        used[new_name] = name
    return used, unused


def read_config(directory: str) -> dict[str, Any]:
    """What the `bert_config.json` of BERT says, if one is there."""
    path = os.path.join(directory, _CONFIG_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def write(
    directory: str,
    values: dict[str, np.ndarray],
    *,
    encoder_config: config.EncoderConfig,
    step: int,
) -> str:
    """Writes what the original's `tf.train.Saver` restores.

    Args:
        directory: gets `model.ckpt-STEP.*`, the `checkpoint` file that names
            it the latest, and a `bert_config.json` as BERT has it, for what
            the checkpoint does not tell.
        values: variables by name.
        encoder_config: shape of the main encoder.
        step: the value of `global_step`.

    Returns:
        The prefix of the checkpoint.
    """
    name = f"model.ckpt-{step}"
    prefix = os.path.join(directory, name)
    tensors = dict(sorted(values.items())) | {_GLOBAL_STEP: np.int64(step)}
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.constant(value) for value in tensors.values()],
    )
    with tf.io.gfile.GFile(os.path.join(directory, "checkpoint"), "w") as file:
        file.write(
            f'model_checkpoint_path: "{name}"\n'
            f'all_model_checkpoint_paths: "{name}"\n'
        )
    model_folder.write_json(
        os.path.join(directory, _CONFIG_FILE),
        config.to_dict(encoder_config) | {"hidden_act": "gelu"},
    )
    return prefix


def fits(names: Iterable[str]) -> bool:
    """Whether a configuration of the original has variables of these names.

    It knows no differences between embeddings, and its generator with
    embeddings of its own never projects them.
    """
    names = set(names)
    is_projected = {
        "generator/embeddings/word_embeddings",
        "generator/embeddings_project/kernel",
    } <= names
    has_deltas = any(name.endswith(encoder.DELTA_SUFFIX) for name in names)
    return not (is_projected or has_deltas)
