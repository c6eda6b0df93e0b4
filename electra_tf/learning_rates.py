"""Which variables learn faster or slower: factors of the learning rate."""

import typing

from electra_tf import config

RateFactors = tuple[tuple[str, float], ...]
LayerwiseRule = typing.Literal["original", "corrected"]

# All that belongs to the network that reads replacements. Section 3.4 of the
# ELECTRA paper has other heads.
_DISCRIMINATOR = (
    "^(electra|discriminator_predictions|token_predictions|copy_predictions)/"
)


def layerwise(
    decay: float, num_hidden_layers: int, *, rule: LayerwiseRule = "original"
) -> RateFactors:
    """A rate for each layer, for `adam.AdamWeightDecay`.

    A task's head has factor 1.

    Args:
        decay: factor from a layer to the one below.
        num_hidden_layers: of the encoder.
        rule: "corrected": layer `i` of `n` has `decay ** (n - i)`, the top
            layer `decay` and the embeddings `decay ** (n + 1)`. "original":
            all of them have one `decay` more.
    """
    n = num_hidden_layers
    # As in the original (`_get_layer_lrs`): the embeddings have depth 0, the
    # top layer has n, but the head n + 2; so the top layer is decayed twice.
    extra = 1 if rule == "original" else 0
    embeddings = decay ** (n + 1 + extra)
    layers = [
        (f"encoder/layer_{i}/", decay ** (n - i + extra)) for i in range(n)
    ]
    return (
        ("/embeddings/", embeddings),
        ("/embeddings_project/", embeddings),
        *layers,
        ("task_specific/", 1.0),
    )


def pretraining(run_config: config.PretrainConfig) -> RateFactors:
    """The discriminator's own rate, for `adam.AdamWeightDecay`.

    What both networks share learns with the rate of the generator.
    """
    if run_config.disc_learning_rate is None:
        return ()
    factor = run_config.disc_learning_rate / run_config.learning_rate
    return (
        *((pattern, 1.0) for pattern in _shared(run_config)),
        (_DISCRIMINATOR, factor),
        ("", 1.0),
    )


def _shared(run_config: config.PretrainConfig) -> tuple[str, ...]:
    """Patterns of the discriminator's variables that a generator uses."""
    if run_config.generator not in ("transformer", "two_tower"):
        return ()  # They have no embeddings.
    return {
        "embeddings": ("^electra/embeddings/",),
        "all": ("^electra/",),
        "none": (),
        "gdes": (),
    }[run_config.tying]
