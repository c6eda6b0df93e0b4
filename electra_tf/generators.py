"""What proposes replacements for tokens: networks large and small, or none.

The original's generators (`run_pretraining.py`) and the unigram generator of
Section 3.2 of the ELECTRA paper. All are called alike:

    generator(inputs, masked, masked_ids, dropout_seed) -> Proposal
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import encoder
from electra_tf import masking
from electra_tf import pretraining_heads
from electra_tf import randomness


class Proposal(NamedTuple):
    """A distribution over word pieces for each token that is predicted.

    Attributes:
        logits: float32 `[batch, masked, vocab]`.
        hidden: `[batch, masked, hidden]`, what the logits are made of; None
            where they depend on no text.
        cloze_logits: float32 `[batch, length, vocab]`, for every token from
            all others; None for a generator that reads masked text.
    """

    logits: tf.Tensor
    hidden: tf.Tensor | None = None
    cloze_logits: tf.Tensor | None = None


class MaskedLanguageModel(tf_keras.layers.Layer):
    """An encoder that reads masked text, and a head on it.

    Args:
        text_encoder: an `encoder.Encoder`, perhaps the discriminator's.
    """

    def __init__(self, text_encoder: encoder.Encoder):
        super().__init__(name="masked_language_model")
        self.encoder = text_encoder
        self.head = pretraining_heads.MaskedLanguageModelHead(
            text_encoder.config,
            text_encoder.embeddings,
            hidden_size=text_encoder.config.hidden_size,
        )
        self.built = True

    def call(self, inputs, masked, masked_ids, dropout_seed=None) -> Proposal:
        output = self.encoder(
            inputs | {"input_ids": masked_ids}, dropout_seed=dropout_seed
        )
        hidden = masking.gather_positions(
            output.sequence_output, masked.positions
        )
        return Proposal(logits=self.head(hidden), hidden=hidden)


class TwoTowers(tf_keras.layers.Layer):
    """Two causal encoders that predict a token from those on each side.

    The cloze model of Electric (https://arxiv.org/abs/2012.08561); it reads
    the text unmasked.

    Args:
        encoder_config: shape of each tower.
        embeddings: of the discriminator, which both towers share.
    """

    def __init__(
        self,
        encoder_config: config.EncoderConfig,
        embeddings: encoder.Embeddings,
    ):
        super().__init__(name="two_towers")
        self.left_to_right = encoder.Encoder(
            encoder_config,
            name="generator_ltr",
            embeddings=embeddings,
            direction="left_to_right",
        )
        self.right_to_left = encoder.Encoder(
            encoder_config,
            name="generator_rtl",
            embeddings=embeddings,
            direction="right_to_left",
        )
        self.head = pretraining_heads.MaskedLanguageModelHead(
            encoder_config,
            embeddings,
            hidden_size=2 * encoder_config.hidden_size,
            name="cloze_predictions",
        )
        self.built = True

    def call(self, inputs, masked, masked_ids, dropout_seed=None) -> Proposal:
        del masked_ids  # No token sees itself.
        seeds = randomness.split(dropout_seed, 2)
        before = self.left_to_right(inputs, dropout_seed=seeds[0])
        after = self.right_to_left(inputs, dropout_seed=seeds[1])
        # As in the original the ends wrap around: [CLS] sees the last token,
        # and the last token [CLS]. Neither is ever predicted.
        hidden = tf.concat(
            [
                tf.roll(before.sequence_output, 1, axis=1),
                tf.roll(after.sequence_output, -1, axis=1),
            ],
            axis=-1,
        )
        cloze_logits = self.head(hidden)
        return Proposal(
            logits=masking.gather_positions(cloze_logits, masked.positions),
            hidden=masking.gather_positions(hidden, masked.positions),
            cloze_logits=cloze_logits,
        )


class UnigramModel(tf_keras.layers.Layer):
    """One learned score a word piece, whatever the text."""

    def __init__(self, vocab_size: int):
        super().__init__(name="unigram_model", dtype="float32")
        with tf.name_scope("generator_predictions"):
            self.output_bias = self.add_weight(
                name="output_bias", shape=[vocab_size], initializer="zeros"
            )
        self.built = True

    def set_counts(self, counts: np.ndarray):
        """Starts from the frequencies of word pieces.

        Args:
            counts: `[vocab]`, how often each piece is in some of the text.
        """
        self.output_bias.assign(np.log(counts + 1.0))

    def call(self, inputs, masked, masked_ids, dropout_seed=None) -> Proposal:
        del inputs, masked_ids, dropout_seed
        return Proposal(logits=_repeat(self.output_bias, masked))


class UniformModel(tf_keras.layers.Layer):
    """Every word piece alike."""

    def __init__(self, vocab_size: int):
        super().__init__(name="uniform_model")
        self.vocab_size = vocab_size
        self.built = True

    def call(self, inputs, masked, masked_ids, dropout_seed=None) -> Proposal:
        del inputs, masked_ids, dropout_seed
        return Proposal(logits=_repeat(tf.zeros([self.vocab_size]), masked))


Generator = MaskedLanguageModel | TwoTowers | UnigramModel | UniformModel


def create(
    run_config: config.PretrainConfig, main_encoder: encoder.Encoder
) -> Generator:
    """The generator of a run that shares something with the main encoder.

    For "gdes", where the main encoder is made after it, see
    `with_own_embeddings`.
    """
    if run_config.generator == "uniform":
        return UniformModel(run_config.vocab_size)
    if run_config.generator == "unigram":
        return UnigramModel(run_config.vocab_size)
    if run_config.generator == "two_tower":
        return TwoTowers(run_config.generator_encoder, main_encoder.embeddings)
    if run_config.objective == "mlm" or run_config.tying == "all":
        return MaskedLanguageModel(main_encoder)
    if run_config.tying == "none":
        return with_own_embeddings(run_config)
    return MaskedLanguageModel(
        encoder.Encoder(
            run_config.generator_encoder,
            name="generator",
            embeddings=main_encoder.embeddings,
        )
    )


def with_own_embeddings(
    run_config: config.PretrainConfig,
) -> MaskedLanguageModel:
    """A generator with `generator/embeddings`."""
    return MaskedLanguageModel(
        encoder.Encoder(run_config.generator_encoder, name="generator")
    )


def _repeat(scores: tf.Tensor, masked: masking.MaskedTokens) -> tf.Tensor:
    """The same scores for every slot: float32 `[batch, masked, vocab]`."""
    shape = tf.concat([tf.shape(masked.ids), tf.shape(scores)], axis=0)
    logits = tf.broadcast_to(scores, shape)
    return tf.ensure_shape(logits, [*masked.ids.shape, scores.shape[0]])
