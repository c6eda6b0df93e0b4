"""Names and configurations of Hugging Face, as ours and back.

A folder of theirs holds one network: `ElectraForPreTraining` is a
discriminator, `ElectraForMaskedLM` a generator (or any masked language
model), `ElectraModel` an encoder. BERT is read as ELECTRA without a
projection, its masked language model as that of a generator.
"""

from collections.abc import Iterable
import json
import os
import re
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf import architecture
from electra_tf import config
from electra_tf import huggingface_files
from electra_tf import model_folder
from electra_tf import tokenization
from electra_tf import tokenizer_files

CONFIG_FILE = "config.json"

# Regular expressions and replacements, one after the other.
_TO_THEIRS = (
    (r"/", "."),
    (r"\.layer_(\d+)\.", r".layer.\1."),
    (r"_embeddings$", "_embeddings.weight"),
    (r"\.gamma$|\.kernel$", ".weight"),
    (r"\.beta$", ".bias"),
    (r"^(discriminator_predictions)\.dense_1\.", r"\1.dense_prediction."),
    (r"^generator_predictions\.output_bias$", "generator_lm_head.bias"),
)
_TO_OURS = (
    # An encoder alone has no prefix; BERT has its own.
    (r"^(embeddings|embeddings_project|encoder)\.", r"electra.\1."),
    (r"^bert\.", "electra."),
    (r"^cls\.predictions\.transform\.", "generator_predictions."),
    (
        r"^(cls\.predictions|generator_lm_head)\.bias$",
        "generator_predictions.output_bias",
    ),
    (r"^(discriminator_predictions)\.dense_prediction\.", r"\1.dense_1."),
    (r"\.layer\.(\d+)\.", r".layer_\1."),
    (r"_embeddings\.weight$", "_embeddings"),
    # Files that are older than PyTorch's names have TensorFlow's.
    (r"\.LayerNorm\.weight$", ".LayerNorm.gamma"),
    (r"\.LayerNorm\.bias$", ".LayerNorm.beta"),
    (r"\.weight$", ".kernel"),
    (r"\.", "/"),
)
_TIED = r"^(generator_lm_head\.weight|cls\.predictions\.decoder\.\w+)$"
_UNUSED = {
    r"(^|\.)(position_ids|token_type_ids)$": "counts up, and is no weight",
    _TIED: "the same numbers as another tensor",
    r"^(bert\.)?pooler\.": "ELECTRA has no pooler",
    r"^cls\.seq_relationship\.": "ELECTRA predicts no next sentence",
    r"^classifier\.(dense|out_proj)\.": "a head with a hidden layer; ours, "
    "as the original's, has none",
    r"^(classifier|qa_outputs|sequence_summary)\.": "a head whose task and "
    "labels no task of ours is known to have",
}
# As far as theirs and ours are called alike: all but the embeddings of BERT.
_MUST_BE = {
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "is_decoder": False,
}


def is_folder(directory: str) -> bool:
    """Whether a folder holds a model of Hugging Face, of whatever kind."""
    return "model_type" in _read_config(directory)


def our_names(names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The names that tensors have here.

    Returns:
        Their names by ours, and the reasons why others are not used, by
        their names.
    """
    used, unused = {}, {}
    for name in names:
        reasons = [r for p, r in _UNUSED.items() if re.search(p, name)]
        if reasons:
            unused[name] = reasons[0]
        else:
            used[_replace(name, _TO_OURS)] = name
    return used, unused


def our_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of our variable of that name, from the tensor's."""
    return shape[::-1] if _is_transposed(name) else shape


def their_name(name: str) -> str:
    """The name of a variable of ours in a file of Hugging Face."""
    return _replace(name, _TO_THEIRS)


def encoder_config(
    directory: str, shapes: architecture.Shapes
) -> config.EncoderConfig:
    """The configuration of the encoder in a folder.

    Args:
        directory: of the model.
        shapes: of its variables, by our names.

    Raises:
        ValueError: not a model of ELECTRA or BERT, one that computes
            something else, or one whose tensors are not of its sizes.
    """
    theirs = _read_config(directory)
    _check_kind(directory, theirs)
    try:
        return architecture.encoder_config(shapes, theirs)
    except ValueError as error:
        raise ValueError(f"{directory!r}: {error}") from error


def read(directory: str) -> dict[str, np.ndarray]:
    """The variables of the model in a folder by our names, float32."""
    tensors = huggingface_files.read(directory)
    used, _ = our_names(tensors)
    values = {
        name: tensors[their].T if _is_transposed(name) else tensors[their]
        for name, their in used.items()
    }
    for name in filter(re.compile(_TIED).search, tensors):
        tied_to = "generator_predictions/output_bias"
        if name.endswith("weight"):
            tied_to = "electra/embeddings/word_embeddings"
        if not np.array_equal(tensors[name], values.get(tied_to)):
            raise ValueError(
                f"{name} in {directory!r} is not equal to {tied_to}: the "
                "model's output embeddings are not tied to its input "
                "embeddings, as ELECTRA's always are."
            )
    return values


def write(
    directory: str,
    values: dict[str, np.ndarray],
    *,
    encoder: config.EncoderConfig,
    tokenizer: tokenization.Tokenizer,
):
    """Writes a model that transformers loads.

    Args:
        directory: of the model.
        values: `electra/...`, and the variables of one head or none.
        encoder: its configuration.
        tokenizer: of the model.
    """
    tensors = {
        their_name(name): value.T if _is_transposed(name) else value
        for name, value in values.items()
    }
    tf.io.gfile.makedirs(directory)
    huggingface_files.write(directory, tensors)
    model_folder.write_json(
        os.path.join(directory, CONFIG_FILE),
        {
            "architectures": [_their_class(values)],
            "model_type": "electra",
            **config.to_dict(encoder),
            "hidden_act": _MUST_BE["hidden_act"],
            "layer_norm_eps": _MUST_BE["layer_norm_eps"],
            "pad_token_id": tokenizer.pad_id,
            "tie_word_embeddings": True,
            "dtype": "float32",
        },
    )
    tokenizer_files.write_huggingface(
        directory, tokenizer, max_length=encoder.max_position_embeddings
    )


def _read_config(directory: str) -> dict[str, Any]:
    path = os.path.join(directory, CONFIG_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def _check_kind(directory: str, theirs: dict[str, Any]):
    if theirs["model_type"] not in ("electra", "bert"):
        raise ValueError(
            f"{directory!r} holds a model of type {theirs['model_type']!r}; "
            "only 'electra' and 'bert' can be read."
        )
    wrong = [
        f"{name} is {theirs[name]!r}, not {value!r}"
        for name, value in _MUST_BE.items()
        if theirs.get(name, value) != value
    ]
    if wrong:
        raise ValueError(
            f"The model in {directory!r} computes something else than "
            f"ELECTRA: {'; '.join(wrong)}."
        )


def _their_class(names: Iterable[str]) -> str:
    scopes = {name.partition("/")[0] for name in names}
    if "discriminator_predictions" in scopes:
        return "ElectraForPreTraining"
    if "generator_predictions" in scopes:
        return "ElectraForMaskedLM"
    return "ElectraModel"


def _replace(name: str, replacements: Iterable[tuple[str, str]]) -> str:
    for pattern, replacement in replacements:
        name = re.sub(pattern, replacement, name)
    return name


def _is_transposed(name: str) -> bool:
    """PyTorch's kernels are `[outputs, inputs]`."""
    return name.endswith("/kernel")
