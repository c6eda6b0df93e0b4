"""What networks a set of variables makes up, told by names and shapes.

A checkpoint of the original says nothing else of its configuration.
"""

from collections.abc import Mapping
import re
from typing import Any

from electra_tf import config

Shapes = Mapping[str, tuple[int, ...]]

# Fields of an encoder's configuration that change no variable's shape.
NOT_IN_SHAPES = (
    "num_attention_heads",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "initializer_range",
)

# Original: `get_generator_config`, and the released models of every size.
_HEAD_SIZE = 64
_DELTA = "_delta"
_QUERY = "encoder/layer_0/attention/self/query/kernel"
# As the training data of the released models.
_MAX_SEQ_LENGTH = 512
_OBJECTIVE_OF_HEAD = {
    # In this order: the first that is there decides.
    "copy_predictions": "all_tokens_mlm",
    "token_predictions": "replace_mlm",
    "cloze_predictions": "electric",
    "discriminator_predictions": "electra",
}


def encoder_config(
    shapes: Shapes, stated: Mapping[str, Any] | None = None
) -> config.EncoderConfig:
    """The configuration of the encoder `electra/`.

    Args:
        shapes: of all variables, by the original's names.
        stated: what a file beside the variables says, whatever else is in it:
            `NOT_IN_SHAPES` are taken from it, or have their defaults; the
            number of attention heads is the original's by default, one for
            64 units and at least one.

    Raises:
        ValueError: variables that tell the shape are missing, or sizes are
            not as stated.
    """
    stated = stated or {}
    # A difference has the shape of the table that it is added to.
    shapes = {name.removesuffix(_DELTA): s for name, s in shapes.items()}
    names = {
        "words": "electra/embeddings/word_embeddings",
        "positions": "electra/embeddings/position_embeddings",
        "types": "electra/embeddings/token_type_embeddings",
        "query": f"electra/{_QUERY}",
        "feed_forward": "electra/encoder/layer_0/intermediate/dense/kernel",
    }
    missing = [name for name in names.values() if len(shapes.get(name, ())) < 2]
    if missing:
        scopes = sorted({name.partition("/")[0] for name in shapes})
        raise ValueError(
            f"No encoder of ELECTRA or BERT: {', '.join(missing)} not found "
            f"among {len(shapes)} variables (scopes: {', '.join(scopes)})."
        )
    sizes = {key: shapes[name] for key, name in names.items()}
    hidden_size = sizes["query"][0]
    not_in_shapes = {
        "num_attention_heads": max(1, hidden_size // _HEAD_SIZE)
    } | {name: stated[name] for name in NOT_IN_SHAPES if name in stated}
    found = config.EncoderConfig(
        vocab_size=sizes["words"][0],
        embedding_size=sizes["words"][1],
        hidden_size=hidden_size,
        num_hidden_layers=num_layers(shapes, "electra"),
        intermediate_size=sizes["feed_forward"][1],
        max_position_embeddings=sizes["positions"][0],
        type_vocab_size=sizes["types"][0],
        **not_in_shapes,
    )
    wrong = [
        f"{name} {stated[name]} is stated, the variables have {value}"
        for name, value in config.to_dict(found).items()
        if stated.get(name, value) != value
    ]
    if wrong:
        raise ValueError(
            f"A configuration that is not of its weights: {'; '.join(wrong)}."
        )
    return found


def pretrain_config(
    shapes: Shapes, encoder: config.EncoderConfig
) -> config.PretrainConfig | None:
    """The configuration of the run that makes variables of these names.

    Names do not tell "electra" from "electra_15", nor whether two towers
    were trained by "electra" or "electric": the original's default is taken.
    A discriminator alone is that of a run with a uniform generator, which has
    no variables.

    Args:
        shapes: of all variables, by the original's names.
        encoder: of the main network.

    Returns:
        None if there are no heads of pre-training.
    """
    scopes = {name.partition("/")[0] for name in shapes}
    generator = _generator(shapes, scopes)
    objective = next(
        (o for head, o in _OBJECTIVE_OF_HEAD.items() if head in scopes), None
    )
    if objective is None:
        if generator != "transformer" or num_layers(shapes, "generator"):
            return None
        objective = "mlm"
    tower = "generator_ltr" if generator == "two_tower" else "generator"
    return config.PretrainConfig(
        **config.to_dict(encoder),
        objective=objective,
        generator=generator,
        generator_training=_generator_training(shapes, scopes),
        tying=tying(shapes) or "embeddings",
        **_generator_shares(shapes, tower, encoder),
        max_seq_length=min(_MAX_SEQ_LENGTH, encoder.max_position_embeddings),
    )


def num_layers(shapes: Shapes, scope: str) -> int:
    """The number of an encoder's layers: 0 if there is no such encoder."""
    layers = re.compile(re.escape(scope) + r"/encoder/layer_(\d+)/")
    return 1 + max(
        (int(m[1]) for name in shapes if (m := layers.match(name))), default=-1
    )


def tying(shapes: Shapes) -> str | None:
    """What generator and discriminator share; None if one is not there."""
    scopes = {name.partition("/")[0] for name in shapes}
    has_main_head = scopes & {"discriminator_predictions", "token_predictions"}
    if not has_main_head or _generator(shapes, scopes) != "transformer":
        return None
    if not num_layers(shapes, "generator"):
        return "all"
    if "electra/embeddings/word_embeddings" + _DELTA in shapes:
        return "gdes"
    if "generator/embeddings/word_embeddings" in shapes:
        return "none"
    return "embeddings"


def _generator(shapes: Shapes, scopes: set[str]) -> str:
    if "generator_ltr" in scopes:
        return "two_tower"
    if "generator_predictions/dense/kernel" in shapes:
        return "transformer"
    return "unigram" if "generator_predictions" in scopes else "uniform"


def _generator_training(shapes: Shapes, scopes: set[str]) -> str:
    if "generator_baseline" in scopes:
        return "adversarial"
    # A generator that is not as wide as embeddings of its own is that of the
    # discriminator's shape, which starts from it.
    is_two_stage = (
        tying(shapes) == "none"
        and "generator/embeddings_project/kernel" in shapes
        and shapes[f"generator/{_QUERY}"] == shapes[f"electra/{_QUERY}"]
    )
    return "two_stage" if is_two_stage else "joint"


def _generator_shares(
    shapes: Shapes, scope: str, encoder: config.EncoderConfig
) -> dict[str, float]:
    """Width and depth as shares of the main network's."""
    depth = num_layers(shapes, scope)
    if not depth:
        return {"generator_hidden_size": 1.0, "generator_layers": 1.0}
    width = shapes[f"{scope}/{_QUERY}"][0]
    return {
        "generator_hidden_size": width / encoder.hidden_size,
        "generator_layers": depth / encoder.num_hidden_layers,
    }
