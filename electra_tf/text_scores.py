"""Pseudo-log-likelihoods of texts as a graph, see `scoring`."""

from collections.abc import Callable

import tensorflow as tf

from electra_tf import encoder as encoder_lib
from electra_tf import generators
from electra_tf import masking
from electra_tf import objectives
from electra_tf import pretraining_heads
from electra_tf import served_texts
from electra_tf import signatures

_SHORT = signatures.SAMPLE_TEXTS[0]

# From `signatures.IDS` to float32 `[batch, length]`, in nats. What it says of
# [CLS], [SEP] and padding is not looked at.
LogProbs = Callable[[dict[str, tf.Tensor]], tf.Tensor]


class TextScores:
    """How likely texts and ids are.

    Args:
        log_probs: see `of_energies` and `of_masked_model`.
        texts: how texts are read.
        max_length: most tokens that the model reads.
        is_slow: whether it needs a pass for each token; then it is tried on
            one short text.
    """

    def __init__(
        self,
        log_probs: LogProbs,
        texts: served_texts.ServedTexts,
        *,
        max_length: int,
        is_slow: bool,
    ):
        self._log_probs = log_probs
        self._texts = texts
        self._max_length = max_length
        self._is_slow = is_slow

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        of_texts = signatures.of_texts(self.score, ["text"])
        of_ids = self._texts.ids_signature(self.score_ids)
        if self._is_slow:
            of_texts = signatures.of_texts(
                self.score, ["text"], batches=[[(_SHORT,), ("",)], [("",)]]
            )
            sample = self._texts.read(tf.constant([_SHORT, ""]))
            of_ids = of_ids._replace(samples=[sample])
        return {"score": of_texts, "score_ids": of_ids}

    def score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """How likely texts are.

        Args:
            text: string `[batch]`.

        Returns:
            What `score_ids` returns, and `[batch, length]`: `tokens` (string)
            and `mask` (int32, 1 for tokens).
        """
        inputs = self._texts.read(text)
        return self.score_ids(**inputs) | self._texts.tokens(inputs)

    def score_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """How likely rows of ids are.

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`; the first and
                the last token of a row are [CLS] and [SEP].

        Returns:
            `log_probs`, float32 `[batch, length]`, in nats, 0 at [CLS], [SEP]
            and padding; `score`, float32 `[batch]`, their sum.
        """
        inputs = signatures.check_length(inputs, max_length=self._max_length)
        is_text = _is_text(inputs["input_mask"])
        log_probs = tf.where(is_text, self._log_probs(inputs), 0.0)
        # Hundreds of tokens would add up the error of rounding.
        score = tf.reduce_sum(tf.cast(log_probs, tf.float64), axis=-1)
        return {"log_probs": log_probs, "score": tf.cast(score, tf.float32)}


def of_energies(
    encoder: encoder_lib.Encoder, head: pretraining_heads.ReplacedTokenHead
) -> LogProbs:
    """Electric's: negative energies, up to a constant a token, in one pass."""

    def log_probs(inputs):
        energies = head(encoder(inputs).sequence_output)
        return -tf.cast(energies, tf.float32)

    return log_probs


def of_masked_model(
    model: generators.MaskedLanguageModel, *, mask_id: int
) -> LogProbs:
    """A masked language model's: one pass for each place of a batch.

    In each pass the tokens of all rows at one place are masked, so that no
    more memory is needed than for one batch.
    """

    def log_probs(inputs):
        ids = inputs["input_ids"]
        shape = tf.shape(ids)

        def at_place(place):
            positions = tf.fill([shape[0], 1], tf.minimum(place, shape[1] - 1))
            true_ids = masking.gather_positions(ids, positions)
            masked = masking.MaskedTokens(
                positions=positions,
                ids=true_ids,
                weights=tf.ones_like(true_ids, tf.float32),
            )
            masked_ids = masking.replace_tokens(
                ids, masked=masked, updates=tf.fill([shape[0], 1], mask_id)
            )
            proposal = model(inputs, masked, masked_ids)
            return -objectives.masked_lm_losses(proposal.logits, true_ids)[:, 0]

        longest = tf.reduce_max(tf.reduce_sum(inputs["input_mask"], axis=-1))
        # At least one place: an empty loop would have no shape.
        places = tf.range(1, tf.maximum(longest - 1, 2))
        by_place = tf.map_fn(
            at_place,
            places,
            fn_output_signature=tf.float32,
            parallel_iterations=1,
        )  # [places, batch]
        padding = [[0, 0], [1, tf.maximum(shape[1] - longest, 0) + 1]]
        return tf.pad(tf.transpose(by_place), padding)[:, : shape[1]]

    return log_probs


def _is_text(input_mask: tf.Tensor) -> tf.Tensor:
    """Which tokens are not the first or last of their row: bool."""
    has_next = tf.pad(input_mask[:, 1:], [[0, 0], [0, 1]])
    is_first = tf.range(tf.shape(input_mask)[1]) == 0
    return (input_mask > 0) & (has_next > 0) & ~is_first
