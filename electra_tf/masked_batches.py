"""Batches with the tokens to predict, as a run's configuration asks for them.

The tensors come from `masking`, the draws from `randomness`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from electra_tf import config
from electra_tf import masking
from electra_tf import randomness


class MaskedBatch(NamedTuple):
    """What both networks need of a batch; all tensors have its rows.

    Attributes:
        inputs: the batch: `input_ids`, `input_mask` and `segment_ids`, int32
            `[batch, length]`.
        masked: the tokens to predict.
        masked_ids: int32 `[batch, length]`, what the generator reads.
        uniform: float32 `[batch, masked]` draws for the replacements.
    """

    inputs: dict[str, tf.Tensor]
    masked: masking.MaskedTokens
    masked_ids: tf.Tensor
    uniform: tf.Tensor


class Masker:
    """Chooses and hides tokens.

    Args:
        run_config: decides how many, and how they are drawn.
        special_ids: tokens that are never masked.
        continues_word: for whole-word masking, whether each word piece goes
            on with the word of the piece before: bool `[vocab]`.
    """

    def __init__(
        self,
        run_config: config.PretrainConfig,
        special_ids: masking.SpecialIds,
        continues_word: Sequence[bool] | None = None,
    ):
        if run_config.masking == "whole_words" and continues_word is None:
            raise ValueError("masking='whole_words' needs continues_word.")
        self._config = run_config
        self._special_ids = special_ids
        self._continues_word = continues_word

    def __call__(self, inputs: dict[str, tf.Tensor], seed) -> MaskedBatch:
        """Masks this replica's part of the global batch.

        Args:
            inputs: a batch.
            seed: int32 `[2]`, of the global batch.
        """
        length = self._config.max_seq_length
        num_slots = self._config.max_predictions_per_seq
        draws = _draws(
            seed,
            batch_size=tf.shape(inputs["input_ids"])[0],
            width=length + 2 * num_slots,
        )
        masked = self._choose_tokens(
            inputs, draws[:, num_slots : num_slots + length]
        )
        masked_ids = masking.hide_tokens(
            draws[:, num_slots + length :],
            input_ids=inputs["input_ids"],
            masked=masked,
            mask_id=self._special_ids.mask,
        )
        return MaskedBatch(inputs, masked, masked_ids, draws[:, :num_slots])

    def maskable(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Where a token may be masked: bool `[batch, length]`."""
        return masking.maskable(
            inputs["input_ids"], inputs["input_mask"], self._special_ids
        )

    def _choose_tokens(self, inputs, uniform) -> masking.MaskedTokens:
        max_predictions = self._config.max_predictions_per_seq
        arguments = dict(
            input_ids=inputs["input_ids"],
            candidates=self.maskable(inputs),
            counts=masking.num_to_predict(
                inputs["input_mask"],
                mask_prob=self._config.mask_prob,
                max_predictions=max_predictions,
            ),
            max_predictions=max_predictions,
        )
        if self._config.masking == "with_replacement":
            return masking.choose_tokens_with_replacement(
                uniform[:, :max_predictions], **arguments
            )
        if self._config.masking == "whole_words":
            continues_word = tf.gather(
                tf.constant(self._continues_word), inputs["input_ids"]
            )
            return masking.choose_whole_words(
                uniform, continues_word=continues_word, **arguments
            )
        return masking.choose_tokens(uniform, **arguments)


def _draws(seed, *, batch_size: tf.Tensor, width: int) -> tf.Tensor:
    """This replica's rows of the global batch's uniform draws.

    The global batch is drawn on every replica, so that an example's masks do
    not depend on the number of replicas.
    """
    replica, num_replicas = randomness.replica()
    draws = randomness.uniform([batch_size * num_replicas, width], seed)
    start = tf.cast(replica, tf.int32) * batch_size
    return draws[start : start + batch_size]
