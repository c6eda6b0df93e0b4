"""Windows and outputs of the original, in the form that ours have."""

import json

import numpy as np

from tests import testing

_FEATURES = "{}_len128_stride64_query64_eval"
_BEAM_OUTPUTS = (
    "start_top_log_probs",
    "start_top_index",
    "end_top_log_probs",
    "end_top_index",
)


def read_json(*parts: str):
    with open(testing.golden(*parts), encoding="utf-8") as file:
        return json.load(file)


def rows_of(name: str, question_ids: list[str]):
    """The original's rows of a task, and their tokenizer."""
    # Here, because importing TensorFlow takes seconds.
    import tensorflow as tf

    from electra_tf import tokenization
    from finetune import window_features

    tokens = read_json(
        "squad_features", _FEATURES.format(name) + ".tokens.json"
    )
    vocab = dict.fromkeys(testing.SPECIAL_TOKENS)
    vocab |= dict.fromkeys(token for row in tokens for token in row)
    ids = {token: index for index, token in enumerate(vocab)}
    with np.load(
        testing.golden("squad_features", _FEATURES.format(name) + ".npz")
    ) as arrays:
        arrays = dict(arrays)
    examples = read_json("squad_features", f"{name}_examples.json")["dev"]
    index_of = {key: index for index, key in enumerate(question_ids)}
    key = "qid" if name == "newsqa" else "qas_id"
    lengths = [len(row) for row in tokens]

    def ragged(name, dtype):
        return tuple(
            values[:length].astype(dtype)
            for values, length in zip(arrays[name], lengths, strict=True)
        )

    rows = window_features.WindowFeatures(
        input_ids=tf.ragged.constant(
            [[ids[token] for token in row] for row in tokens], tf.int32
        ),
        segment_ids=tf.ragged.constant([[0] * n for n in lengths], tf.int32),
        targets={},
        pad_id=0,
        question_index=np.array(
            [
                index_of[examples["examples"][index][key]]
                for index in arrays["example_index"]
            ]
        ),
        token_spans=tuple(np.zeros([n, 2], np.int32) for n in lengths),
        word_index=ragged("token_to_orig_map", np.int32),
        is_max_context=tuple(
            values == 1 for values in ragged("token_is_max_context", np.int32)
        ),
    )
    return rows, tokenization.Tokenizer(list(vocab))


def outputs_of(case: str, settings) -> dict[str, np.ndarray]:
    """Outputs as our heads have them."""
    with np.load(testing.golden("qa_decoding", f"{case}.results.npz")) as all_:
        outputs = {name: values for name, values in all_.items()}
    outputs.pop("eid")
    if settings["joint_prediction"]:
        kept = {name: outputs[name] for name in _BEAM_OUTPUTS}
        if settings["answerable_classifier"]:
            kept["answerable_logit"] = outputs["answerable_logit"]
        elif settings["v2"]:
            kept["null_score"] = (
                outputs["start_logits"][:, 0] + outputs["end_logits"][:, 0]
            )
        return kept
    return outputs
