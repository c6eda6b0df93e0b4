"""The networks of a pre-trained model that answer questions about texts."""

import dataclasses
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder as encoder_lib
from electra_tf import generators
from electra_tf import precision as precision_lib
from electra_tf import pretraining
from electra_tf import pretraining_heads
from electra_tf import tokenization

_MAX_SEQ_LENGTH = 512


class Networks(NamedTuple):
    """What a folder's model is made of.

    Attributes:
        encoder: the one that people keep.
        head: on it; None if there is none that says something of each token.
        head_says: what the scores of the head mean: that a token was
            "replaced", or its "energy", see Electric; "" without a head.
        masked_model: that predicts masked tokens; None if there is none.
        trained_length: most tokens of an example in training.
    """

    encoder: encoder_lib.Encoder
    head: pretraining_heads.ReplacedTokenHead | None
    head_says: str
    masked_model: generators.MaskedLanguageModel | None
    trained_length: int

    def prepare_for_inference(self):
        """See `encoder.Encoder.prepare_for_inference`."""
        self.encoder.prepare_for_inference()
        if self.masked_model is None:
            return
        if self.masked_model.encoder is not self.encoder:
            self.masked_model.encoder.prepare_for_inference()

    @property
    def variables(self) -> list[tf.Variable]:
        """Of all networks, those that several share once."""
        layers = (self.encoder, self.head, self.masked_model)
        variables = [v for layer in layers if layer for v in layer.variables]
        return list({v.ref(): v for v in variables}.values())


def load(
    contents: dict[str, Any],
    checkpoint: str,
    *,
    tokenizer: tokenization.Tokenizer,
    precision: config.Precision,
) -> Networks:
    """The networks of a model folder, with their weights.

    Args:
        contents: of the folder's `config.json`, of kind "pretraining" or
            "encoder".
        checkpoint: prefix of the checkpoint.
        tokenizer: of the model.
        precision: what they compute in.
    """
    values = checkpoints.read_variables(checkpoint)
    if contents["kind"] == "encoder":
        encoder_config = config.from_dict(
            config.EncoderConfig, contents["config"]
        )
        with precision_lib.layers_of(precision):
            encoder = encoder_lib.Encoder(encoder_config)
        restored = checkpoints.restore(
            encoder.variables, values, may_be_unused=(r"(?!electra/)",)
        )
        checkpoints.log_restored(restored, checkpoint)
        length = min(_MAX_SEQ_LENGTH, encoder_config.max_position_embeddings)
        return Networks(encoder, None, "", None, length)
    run_config = dataclasses.replace(
        config.from_dict(config.PretrainConfig, contents["config"]),
        precision=precision,
    )
    model = pretraining.ElectraPretrainer.for_tokenizer(run_config, tokenizer)
    restored = checkpoints.restore(model.trainable_variables, values)
    checkpoints.log_restored(restored, checkpoint)
    return of_pretrainer(model)


def of_pretrainer(model: pretraining.ElectraPretrainer) -> Networks:
    """The networks of a model that holds all of pre-training."""
    head_says = {
        "electra": "replaced",
        "electra_15": "replaced",
        "electric": "energy",
    }.get(model.config.objective, "")
    has_masked_model = isinstance(
        model.generator, generators.MaskedLanguageModel
    )
    return Networks(
        encoder=model.discriminator,
        head=model.heads.main if head_says else None,
        head_says=head_says,
        masked_model=model.generator if has_masked_model else None,
        trained_length=model.config.max_seq_length,
    )
