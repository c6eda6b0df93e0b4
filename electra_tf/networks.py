"""The networks among the variables of one model, taken apart and joined.

A network of its own has the scope `electra/`, as in the folders of Hugging
Face, which hold one network each.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from electra_tf import architecture
from electra_tf import checkpoints
from electra_tf import config

DISCRIMINATOR, GENERATOR = "discriminator", "generator"

Values = dict[str, np.ndarray]

# Fields of encoders that generator and discriminator may differ in.
_NOT_COMPARED = ("dropout_prob", "initializer_range")


class Weights(NamedTuple):
    """Variables, and the configuration that gives them their meaning.

    Attributes:
        values: by the original's names.
        encoder: shape of `electra/...`.
        run_config: of a pre-training run with exactly these variables; None
            if there are no heads of pre-training.
    """

    values: Values
    encoder: config.EncoderConfig
    run_config: config.PretrainConfig | None = None


def split(weights: Weights) -> dict[str, Weights]:
    """The networks of a model that can do something on their own.

    Returns:
        A DISCRIMINATOR, which stands for any main encoder, with the
        discriminator's head if there is one; a GENERATOR, which is a masked
        language model; or both. Differences between their embeddings are
        added up, heads that no network of theirs has are left out.
    """
    run_config = weights.run_config
    if run_config is not None and run_config.objective == "mlm":
        return {GENERATOR: weights}
    parts = {DISCRIMINATOR: _discriminator(weights)}
    if run_config is not None and run_config.generator == "transformer":
        parts[GENERATOR] = _generator(weights)
    return parts


def join(discriminator: Weights, generator: Weights) -> Weights:
    """One model of two networks; undoes `split`.

    What is equal in both, bit by bit, is shared: the whole encoder, or the
    embeddings, or nothing.

    Raises:
        ValueError: no pre-training run makes such a pair.
    """
    for scope in ("electra/", "electra/embeddings/"):
        shared = _scoped(generator.values, scope)
        if equal(shared, _scoped(discriminator.values, scope)):
            break
    else:
        shared = {}
    values = discriminator.values | {
        name.replace("electra/", "generator/", 1): value
        for name, value in generator.values.items()
        if name not in shared
    }
    shapes = {name: value.shape for name, value in values.items()}
    run_config = architecture.pretrain_config(shapes, discriminator.encoder)
    _check_pair(run_config, discriminator, generator)
    return Weights(values, discriminator.encoder, run_config)


def equal(one: Values, other: Values) -> bool:
    """Whether two sets of variables are equal, bit by bit."""
    return set(one) == set(other) and all(
        np.array_equal(value, other[name]) for name, value in one.items()
    )


def _discriminator(weights: Weights) -> Weights:
    values = checkpoints.fold_deltas(weights.values)
    encoder = _scoped(values, "electra/")
    head = _scoped(values, "discriminator_predictions/")
    if not head:
        return Weights(encoder, weights.encoder)
    return Weights(
        encoder | head,
        weights.encoder,
        _without_generator(weights.run_config, objective="electra"),
    )


def _generator(weights: Weights) -> Weights:
    values = weights.values
    own = {
        name.replace("generator/", "electra/", 1): value
        for name, value in _scoped(values, "generator/").items()
    }
    if not own:
        own = _scoped(values, "electra/")
    elif "electra/embeddings/word_embeddings" not in own:
        own |= _scoped(values, "electra/embeddings/")
    encoder = weights.run_config.generator_encoder
    return Weights(
        own | _scoped(values, "generator_predictions/"),
        encoder,
        dataclasses.replace(
            _without_generator(weights.run_config, objective="mlm"),
            **config.to_dict(encoder),
        ),
    )


def _without_generator(
    run_config: config.PretrainConfig, *, objective: str
) -> config.PretrainConfig:
    """The configuration of a run with one network with variables."""
    return dataclasses.replace(
        run_config,
        objective=objective,
        generator="transformer" if objective == "mlm" else "uniform",
        generator_training="joint",
        generator_hidden_size=1.0,
        generator_layers=1.0,
        tying="embeddings",
        disallow_correct=False,
    )


def _check_pair(
    run_config: config.PretrainConfig | None,
    discriminator: Weights,
    generator: Weights,
):
    if run_config is None or discriminator.run_config is None:
        raise ValueError(
            "A discriminator without its head and a generator make no model "
            "of pre-training: name the folder of one of them."
        )
    expected = config.to_dict(run_config.generator_encoder)
    wrong = [
        f"{name} {value}, not {expected[name]}"
        for name, value in config.to_dict(generator.encoder).items()
        if value != expected[name] and not name.endswith(_NOT_COMPARED)
    ]
    if wrong:
        raise ValueError(
            "Discriminator and generator do not make one model: with tying="
            f"{run_config.tying!r} (whether their embeddings are equal decides "
            f"that) the generator would not have {'; '.join(wrong)}. Use them "
            "separately, by --init_discriminator and --init_generator."
        )


def _scoped(values: Values, scope: str) -> Values:
    return {n: value for n, value in values.items() if n.startswith(scope)}
