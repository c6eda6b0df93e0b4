"""What the network that is kept says of a corrupted text, and what it costs.

One function for each objective: from the encoder's output to a `Verdict`.
"""

from typing import NamedTuple

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import encoder
from electra_tf import masking
from electra_tf import objectives
from electra_tf import pretraining_heads


class Corruption(NamedTuple):
    """A text in which samples of the generator stand.

    Attributes:
        original_ids: int32 `[batch, length]`.
        input_mask: int32 `[batch, length]`; 0 on padding.
        masked: the tokens that the generator predicted.
        sampled_ids: int32 `[batch, masked]`, its samples.
        ids: int32 `[batch, length]`, the text with the samples.
        is_replaced: int32 `[batch, length]`; 1 where `ids` is not the
            original id.
        cloze_logits: float32 `[batch, length, vocab]`, see
            `generators.Proposal`.
    """

    original_ids: tf.Tensor
    input_mask: tf.Tensor
    masked: masking.MaskedTokens
    sampled_ids: tf.Tensor
    ids: tf.Tensor
    is_replaced: tf.Tensor
    cloze_logits: tf.Tensor | None

    @property
    def is_masked(self) -> tf.Tensor:
        """1 where the generator predicted: int32 `[batch, length]`."""
        return masking.where_masked(self.masked, self.ids)


class Verdict(NamedTuple):
    """What is said of each token, or of each masked one.

    Attributes:
        labels: int32 `[batch, tokens]`: whether a token was replaced, or the
            original ids.
        predictions: int32 `[batch, tokens]`, what was predicted of them.
        losses: float32 `[batch, tokens]`, in nats.
        weights: float32 `[batch, tokens]`; 0 for tokens that do not count.
        logits: float32 `[batch, length]`, positive for "replaced"; None where
            original ids are predicted.
    """

    labels: tf.Tensor
    predictions: tf.Tensor
    losses: tf.Tensor
    weights: tf.Tensor
    logits: tf.Tensor | None = None


class Heads(tf_keras.layers.Layer):
    """The heads on the encoder, and what they say.

    Attributes:
        main: a `ReplacedTokenHead`, or a `MaskedLanguageModelHead`.
        copy: a `CopyHead` for "all_tokens_mlm", else None.
    """

    def __init__(
        self, run_config: config.PretrainConfig, embeddings: encoder.Embeddings
    ):
        super().__init__(name="heads")
        self.config = run_config
        self.copy = None
        if run_config.objective in ("replace_mlm", "all_tokens_mlm"):
            self.main = pretraining_heads.MaskedLanguageModelHead(
                run_config.encoder,
                embeddings,
                hidden_size=run_config.hidden_size,
                name="token_predictions",
            )
        else:
            self.main = pretraining_heads.ReplacedTokenHead(run_config.encoder)
        if run_config.objective == "all_tokens_mlm":
            self.copy = pretraining_heads.CopyHead(run_config.hidden_size)
        self.built = True

    def call(self, features, corruption: Corruption, weights) -> Verdict:
        """Judges a corrupted text.

        Args:
            features: `[batch, length, hidden]`, the encoder's output.
            corruption: the text.
            weights: float32 `[batch, tokens]`, which tokens count, see
                `objectives.loss_weights`.
        """
        judge = {
            "electra": self._replaced_tokens,
            "electra_15": self._replaced_tokens,
            "electric": self._energies,
            "replace_mlm": self._masked_tokens,
            "all_tokens_mlm": self._all_tokens,
        }[self.config.objective]
        return judge(features, corruption, weights)

    def _replaced_tokens(self, features, corruption, weights) -> Verdict:
        return _binary_verdict(
            self.main(features), labels=corruption.is_replaced, weights=weights
        )

    def _energies(self, features, corruption, weights) -> Verdict:
        logits = objectives.noise_contrastive_logits(
            self.main(features),
            -objectives.masked_lm_losses(
                corruption.cloze_logits, corruption.ids
            ),
            self.config.mask_prob,
        )
        # As in the original: a sample that is the original token is noise all
        # the same.
        return _binary_verdict(
            logits, labels=corruption.is_masked, weights=weights
        )

    def _masked_tokens(self, features, corruption, weights) -> Verdict:
        masked = corruption.masked
        logits = self.main(masking.gather_positions(features, masked.positions))
        return Verdict(
            labels=masked.ids,
            predictions=tf.argmax(logits, axis=-1, output_type=tf.int32),
            losses=objectives.masked_lm_losses(logits, masked.ids),
            weights=weights,
        )

    def _all_tokens(self, features, corruption, weights) -> Verdict:
        logits, copy_logits = self.main(features), self.copy(features)
        vocab_size = self.config.vocab_size
        # The copied token has its share beside that of the softmax.
        copied = tf.nn.sigmoid(copy_logits)[..., tf.newaxis]
        probs = (1.0 - copied) * tf.nn.softmax(logits)
        probs += copied * tf.one_hot(corruption.ids, vocab_size)
        return Verdict(
            labels=corruption.original_ids,
            predictions=tf.argmax(probs, axis=-1, output_type=tf.int32),
            losses=objectives.copy_losses(
                logits,
                copy_logits,
                input_ids=corruption.ids,
                ids=corruption.original_ids,
            ),
            weights=weights,
        )


def _binary_verdict(logits, *, labels, weights) -> Verdict:
    return Verdict(
        labels=labels,
        # More than a half, as a number: sigmoid(1e-9) is 0.5 in float32.
        predictions=tf.cast(tf.nn.sigmoid(logits) > 0.5, tf.int32),
        losses=objectives.replaced_token_losses(logits, labels),
        weights=weights,
        logits=tf.cast(logits, tf.float32),
    )
