"""Starting pre-training from weights of any format instead of random ones.

Only weights are taken: training starts at step 0 with a new optimizer.
"""

from collections.abc import Iterable

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import encoder
from electra_tf import networks
from electra_tf import positions
from electra_tf import sources
from electra_tf import tokenization

_MAIN, _OWN = "electra/embeddings/", "generator/embeddings/"
_DISCRIMINATOR = ("electra/", "discriminator_predictions/")


def initialise(
    variables: Iterable[tf.Variable],
    *,
    init_checkpoint: str = "",
    init_generator: str = "",
    init_discriminator: str = "",
    extend_positions: bool = False,
    tokenizer: tokenization.Tokenizer | None = None,
) -> checkpoints.Restored:
    """Gives variables of a pre-training model the values of other models.

    A model with one network, such as BERT, becomes the main encoder when it
    is the `init_checkpoint`, the generator when it is the `init_generator`.
    Embeddings that both networks share come from the `init_generator` only if
    it is alone. Variables that no source has keep their values.

    Args:
        variables: of a `pretraining.ElectraPretrainer`.
        init_checkpoint: path as for `sources.load`, for all that it holds.
        init_generator: likewise, for the generator; goes before the former.
        init_discriminator: likewise, for the discriminator.
        extend_positions: make position tables as long as the model's, see
            `positions`.
        tokenizer: of the run; a source with another vocabulary is reported.

    Returns:
        What was restored, what was not, and what of the sources was not used;
        also logged.

    Raises:
        ValueError: a source that cannot be read or does not have the network,
            misshapen variables, or nothing that could be restored.
    """
    model = checkpoints.by_name(variables)
    paths = (init_checkpoint, init_discriminator, init_generator)
    if not any(paths):
        raise ValueError("No weights to start from are named.")
    whole, discriminator, generator = (
        _load(path, tokenizer) if path else None for path in paths
    )
    values, unused = {}, []
    if whole is not None:
        is_alone = discriminator is None and generator is None
        values = _of_whole(whole.weights, model, is_alone=is_alone)
    if discriminator is not None:
        values |= _of_discriminator(discriminator.weights)
    if generator is not None:
        part = _of_generator(generator, model)
        if discriminator is not None and not _has(model, "generator/"):
            raise ValueError(
                "The model's generator is its discriminator: give it one of "
                "init_generator and init_discriminator."
            )
        if _has(model, "generator/"):
            unused = [n for n in part if n.startswith(_MAIN) and n in values]
        values |= {n: v for n, v in part.items() if n not in unused}
    values = _with_own_embeddings(values, model)
    if extend_positions:
        values = _extended(values, model)
    everything = ("",)  # What is missing or unused is reported below.
    result = checkpoints.restore(
        model.values(),
        values,
        may_be_missing=everything,
        may_be_unused=everything,
    )
    if not result.restored:
        raise ValueError(
            f"Nothing in {', '.join(filter(None, paths))} is a variable of the "
            f"model. It holds: {checkpoints.scopes(result.unused)}."
        )
    checkpoints.log_restored(result, ", ".join(filter(None, paths)))
    if unused:
        logging.info(
            "The embeddings of %s are not used: the generator shares those of "
            "the discriminator.",
            init_generator,
        )
    return result._replace(unused=result.unused + unused)


def _load(
    path: str, tokenizer: tokenization.Tokenizer | None
) -> sources.Source:
    source = sources.load(path)
    for name, why in source.unused.items():
        logging.info("Not used of %s: %s: %s.", path, name, why)
    theirs = source.read_tokenizer() if tokenizer else None
    if theirs is not None and theirs.vocab != tokenizer.vocab:
        same = sum(map(str.__eq__, theirs.vocab, tokenizer.vocab))
        logging.warning(
            "The vocabulary of %s is another one: %d of its %d entries are "
            "those of the %d of this run.",
            path,
            same,
            theirs.vocab_size,
            tokenizer.vocab_size,
        )
    return source


def _of_whole(
    weights: networks.Weights, model: dict, *, is_alone: bool
) -> networks.Values:
    values = weights.values
    # Differences stay as they are only where nothing else changes.
    if not (is_alone and _has_deltas(model)):
        values = checkpoints.fold_deltas(values)
    if not _has(values, "generator/") and _has(model, "generator/"):
        # A head without the encoder that it reads.
        values = {
            name: value
            for name, value in values.items()
            if not name.startswith("generator_predictions/")
        }
    return values


def _of_discriminator(weights: networks.Weights) -> networks.Values:
    """The main encoder of a model, and the discriminator's head."""
    folded = checkpoints.fold_deltas(weights.values)
    return {n: v for n, v in folded.items() if n.startswith(_DISCRIMINATOR)}


def _of_generator(source: sources.Source, model: dict) -> networks.Values:
    """A masked language model as the generator of the model.

    Its embeddings are the generator's own if the model's are, else those that
    both networks share.
    """
    if "generator_predictions/dense/kernel" not in model:
        raise ValueError(
            "The model has no generator that init_generator could be for."
        )
    parts = networks.split(source.weights)
    part = parts.get(networks.GENERATOR)
    if part is None and source.kind == "pretraining":
        raise ValueError(f"{source.path!r} holds no generator.")
    values = (part or parts[networks.DISCRIMINATOR]).values
    if not _has(model, "generator/"):
        return values
    kept = () if _has(model, _OWN) else (_MAIN,)
    return {
        name
        if name.startswith(kept)
        else name.replace("electra/", "generator/", 1): value
        for name, value in values.items()
    }


def _with_own_embeddings(
    values: networks.Values, model: dict
) -> networks.Values:
    """Values for a generator with embeddings of its own, from shared ones."""
    if not _has(model, _OWN) or not _has(values, _MAIN):
        return values
    values = dict(values)
    has_deltas = _has_deltas(model)
    for name in [n for n in values if n.startswith(_MAIN)]:
        own = name.replace(_MAIN, _OWN)
        fits = own in model and tuple(model[own].shape) == values[name].shape
        wanted = has_deltas or _has(values, "generator/encoder/")
        if fits and wanted:
            values.setdefault(own, values[name])
        delta = name + encoder.DELTA_SUFFIX
        if delta in model and np.shape(values.get(own)) == values[name].shape:
            values[delta] = values.pop(name) - values[own]
    return values


def _extended(values: networks.Values, model: dict) -> networks.Values:
    """Values with position tables of the model's length."""
    num_positions = next(
        variable.shape[0]
        for name, variable in model.items()
        if name.startswith(_MAIN + "position_embeddings")
    )
    return positions.extend_positions(values, num_positions)


def _has(names: Iterable[str], scope: str) -> bool:
    return any(name.startswith(scope) for name in names)


def _has_deltas(model: dict) -> bool:
    return f"{_MAIN}word_embeddings{encoder.DELTA_SUFFIX}" in model
