"""Whether converted weights compute what those that they were made of do."""

import dataclasses

import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder as encoder_lib
from electra_tf import masking
from electra_tf import networks
from electra_tf import pretraining

# Sums of embeddings may be added in another order; everything else is the
# same operation on the same numbers.
TOLERANCE = 1e-4
_BATCH_SIZE = 2
_LENGTH = 32
_GENERATOR_LOGITS = "generator logits"
_SPECIAL_IDS = masking.SpecialIds(cls=0, sep=0, mask=0)


def forward(weights: networks.Weights) -> dict[str, np.ndarray]:
    """What all networks of a model compute for fixed random ids.

    Args:
        weights: of the model; the head of a fine-tuned task is not used.

    Returns:
        float32 by description: the embeddings and each layer of the main
        encoder, `[batch, length, hidden]`, the outputs of its heads, and the
        generator's logits, `[batch, masked, vocab]`.

    Raises:
        ValueError: missing, unexpected or misshapen variables.
    """
    if weights.run_config is None:
        encoder = encoder_lib.Encoder(weights.encoder)
        checkpoints.restore(
            encoder.trainable_variables,
            weights.values,
            may_be_unused=("task_specific/",),
        )
        return _encode(encoder)[1]
    model = pretraining.ElectraPretrainer(
        # Masks are not drawn here, and the vocabulary is not known.
        dataclasses.replace(
            weights.run_config,
            masking="without_replacement",
            precision="float32",
        ),
        _SPECIAL_IDS,
    )
    checkpoints.restore(model.trainable_variables, weights.values)
    features, outputs = _encode(model.discriminator)
    if model.heads is not None:
        outputs["discriminator logits"] = model.heads.main(features).numpy()
        if model.heads.copy is not None:
            outputs["copy logits"] = model.heads.copy(features).numpy()
    batch = inputs(weights.encoder)
    proposal = model.generator(batch, _masked(batch), batch["input_ids"])
    outputs[_GENERATOR_LOGITS] = proposal.logits.numpy()
    return outputs


def compare(
    expected: dict[str, np.ndarray], parts: dict[str, networks.Weights]
) -> str:
    """Compares networks with the model that they are of.

    Args:
        expected: what `forward` returned for the model.
        parts: as of `networks.split`; or the whole model, under any name.

    Returns:
        A line that says what was compared.

    Raises:
        RuntimeError: something differs by more than `TOLERANCE`.
    """
    differences = {}
    for part, weights in parts.items():
        actual = forward(weights)
        for name in _comparable(part, expected, actual):
            difference = np.max(np.abs(actual[name] - expected[name]))
            differences[name] = float(difference)
    names, largest = list(differences), max(differences.values())
    # Not "above": what is not a number is no match either.
    wrong = [n for n in names if not differences[n] <= TOLERANCE]
    if wrong:
        raise RuntimeError(
            f"The converted model is another one: {', '.join(wrong)} differ by "
            f"up to {largest:.2g}, where {TOLERANCE} is allowed."
        )
    return (
        f"{len(names)} outputs from {names[0]} to {names[-1]}, largest "
        f"difference {largest:.2g}"
    )


def _comparable(part: str, expected: dict, actual: dict) -> list[str]:
    """Which outputs of a part are outputs of the whole model, too."""
    shared = [name for name in actual if name in expected]
    is_two = "discriminator logits" in expected
    if part == networks.GENERATOR and is_two:
        return [_GENERATOR_LOGITS]
    if part == networks.DISCRIMINATOR:
        return [name for name in shared if name != _GENERATOR_LOGITS]
    return shared


def _encode(encoder: encoder_lib.Encoder):
    """The last layer, and all of them by name."""
    output = encoder(inputs(encoder.config))
    outputs = {"embeddings": output.embedding_output.numpy()}
    for number, layer in enumerate(output.all_layer_outputs):
        outputs[f"layer {number}"] = layer.numpy()
    return output.sequence_output, outputs


def inputs(encoder_config: config.EncoderConfig) -> dict[str, tf.Tensor]:
    """The batch that `forward` reads; the second text has padding."""
    length = min(_LENGTH, encoder_config.max_position_embeddings)
    shape = (_BATCH_SIZE, length)
    ids = np.random.default_rng(0).integers(
        encoder_config.vocab_size, size=shape
    )
    positions = np.broadcast_to(np.arange(length), shape)
    lengths = np.array([[length], [2 * length // 3]])
    segments = (positions >= length // 2) % encoder_config.type_vocab_size
    batch = {
        "input_ids": ids,
        "input_mask": positions < lengths,
        "segment_ids": segments,
    }
    return {name: tf.constant(v, tf.int32) for name, v in batch.items()}


def _masked(batch: dict[str, tf.Tensor]) -> masking.MaskedTokens:
    """The first tokens of each text."""
    ids = batch["input_ids"][:, : _LENGTH // 4]
    positions = tf.broadcast_to(tf.range(tf.shape(ids)[1]), tf.shape(ids))
    return masking.MaskedTokens(
        positions=positions, ids=ids, weights=tf.ones(tf.shape(ids))
    )
