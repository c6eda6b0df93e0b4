"""Which tokens to predict, how to hide, sample and replace them.

Pure functions of tensors with static shapes, so that they run anywhere; all
randomness comes in as uniform draws in [0, 1). Section 3.1 of the paper and
the original's `pretrain_helpers.py`.
"""

from typing import NamedTuple

import tensorflow as tf

_SAMPLING_BLOCK = 256


class SpecialIds(NamedTuple):
    """The ids of the tokens that are never masked."""

    cls: int
    sep: int
    mask: int


class MaskedTokens(NamedTuple):
    """The tokens that the generator predicts.

    Attributes:
        positions: int32 `[batch, masked]`; 0 in unused slots.
        ids: int32 `[batch, masked]`, the tokens there; 0 in unused slots.
        weights: float32 `[batch, masked]`; 1 in used slots, else 0.
    """

    positions: tf.Tensor
    ids: tf.Tensor
    weights: tf.Tensor


def maskable(
    input_ids: tf.Tensor, input_mask: tf.Tensor, special_ids: SpecialIds
) -> tf.Tensor:
    """Where a token may be masked: bool `[batch, length]`.

    As in the original, everywhere but on padding, [CLS], [SEP] and [MASK].
    """
    candidates = tf.cast(input_mask, tf.bool)
    for special_id in special_ids:
        candidates &= tf.not_equal(input_ids, special_id)
    return candidates


def num_to_predict(
    input_mask: tf.Tensor, *, mask_prob: float, max_predictions: int
) -> tf.Tensor:
    """How many tokens of each example to predict: int32 `[batch]`.

    As in the original, a share of all real tokens, [CLS] and [SEP] included,
    rounded to the nearest even number at a tie, and at least one.
    """
    num_tokens = tf.cast(tf.reduce_sum(input_mask, axis=-1), tf.float32)
    count = tf.cast(tf.round(num_tokens * mask_prob), tf.int32)
    return tf.clip_by_value(count, 1, max_predictions)


def choose_tokens(
    uniform: tf.Tensor,
    *,
    input_ids: tf.Tensor,
    candidates: tf.Tensor,
    counts: tf.Tensor,
    max_predictions: int,
) -> MaskedTokens:
    """Chooses the tokens to predict, evenly among the candidates.

    Args:
        uniform: float32 `[batch, length]` draws.
        input_ids: int32 `[batch, length]`.
        candidates: bool `[batch, length]` from `maskable`.
        counts: int32 `[batch]` from `num_to_predict`; with fewer candidates
            all of them are chosen.
        max_predictions: number of slots, `masked` in the result's shapes.
    """
    # Unlike the original: without replacement. The original draws positions
    # with replacement, so that about 7 % of its slots repeat another one, and
    # two samples for one position became their average, an unrelated token.
    keys = tf.where(candidates, uniform, -1.0)
    values, positions = tf.math.top_k(keys, k=max_predictions)
    in_count = tf.range(max_predictions) < counts[:, tf.newaxis]
    return _masked_tokens(input_ids, positions, in_count & (values >= 0.0))


def choose_tokens_with_replacement(
    uniform: tf.Tensor,
    *,
    input_ids: tf.Tensor,
    candidates: tf.Tensor,
    counts: tf.Tensor,
    max_predictions: int,
) -> MaskedTokens:
    """The original's choice: slots may repeat a token.

    Args:
        uniform: float32 `[batch, masked]` draws.
        input_ids: int32 `[batch, length]`.
        candidates: bool `[batch, length]` from `maskable`.
        counts: int32 `[batch]` from `num_to_predict`.
        max_predictions: number of slots, `masked` in the result's shapes.
    """
    ends = tf.cumsum(tf.cast(candidates, tf.int32), axis=-1)
    num_candidates = ends[:, -1:]
    chosen = tf.cast(uniform * tf.cast(num_candidates, tf.float32), tf.int32)
    # The candidate number `chosen` is where the count of candidates passes it.
    is_passed = ends[:, tf.newaxis, :] <= chosen[:, :, tf.newaxis]
    positions = tf.reduce_sum(tf.cast(is_passed, tf.int32), axis=-1)
    in_count = tf.range(max_predictions) < counts[:, tf.newaxis]
    # Unlike the original: without a candidate nothing is masked; there the
    # probabilities are 0 / 0.
    return _masked_tokens(input_ids, positions, in_count & (num_candidates > 0))


def choose_whole_words(
    uniform: tf.Tensor,
    *,
    input_ids: tf.Tensor,
    candidates: tf.Tensor,
    counts: tf.Tensor,
    max_predictions: int,
    continues_word: tf.Tensor,
) -> MaskedTokens:
    """Chooses words, evenly among all, until the next would be too much.

    No word is masked in part, but for one that is longer than the whole
    count where it comes first.

    Args:
        uniform: float32 `[batch, length]` draws.
        input_ids: int32 `[batch, length]`.
        candidates: bool `[batch, length]` from `maskable`.
        counts: int32 `[batch]` from `num_to_predict`, of tokens.
        max_predictions: number of slots, `masked` in the result's shapes.
        continues_word: bool `[batch, length]`; whether a token goes on with
            the word of the token before.
    """
    length = input_ids.shape[1]
    # A piece at the cut start of a text continues no word that is there.
    follows = tf.pad(candidates[:, :-1], [[0, 0], [1, 0]])
    is_start = ~(continues_word & candidates & follows)
    word = tf.cumsum(tf.cast(is_start, tf.int32), axis=-1)
    # All of these are [batch, token, other token].
    other = candidates[:, tf.newaxis, :]
    is_same = word[:, :, tf.newaxis] == word[:, tf.newaxis, :]
    key = _sum_over_others(
        is_same & is_start[:, tf.newaxis, :], uniform[:, tf.newaxis, :]
    )
    is_before = key[:, tf.newaxis, :] > key[:, :, tf.newaxis]
    is_before |= (key[:, tf.newaxis, :] == key[:, :, tf.newaxis]) & (
        word[:, tf.newaxis, :] < word[:, :, tf.newaxis]
    )
    num_before = _sum_over_others(is_before & other, 1)
    size = _sum_over_others(is_same & other, 1)
    index = tf.range(length)
    is_earlier = index[tf.newaxis, :] < index[:, tf.newaxis]
    place = _sum_over_others(is_same & is_earlier & other, 1)
    counts = counts[:, tf.newaxis]
    is_chosen = num_before + size <= counts
    is_chosen |= (num_before == 0) & (place < counts)
    values, positions = tf.math.top_k(
        tf.where(is_chosen & candidates, length - num_before - place, -1),
        k=max_predictions,
    )
    return _masked_tokens(input_ids, positions, values >= 0)


def _sum_over_others(condition: tf.Tensor, values) -> tf.Tensor:
    """`[batch, token]`: sums of the values of other tokens that meet it."""
    return tf.reduce_sum(tf.where(condition, values, 0), axis=-1)


def _masked_tokens(
    input_ids: tf.Tensor, positions: tf.Tensor, is_used: tf.Tensor
) -> MaskedTokens:
    positions = tf.where(is_used, positions, 0)
    return MaskedTokens(
        positions=positions,
        ids=tf.where(is_used, gather_positions(input_ids, positions), 0),
        weights=tf.cast(is_used, tf.float32),
    )


def hide_tokens(
    uniform: tf.Tensor,
    *,
    input_ids: tf.Tensor,
    masked: MaskedTokens,
    mask_id: int,
) -> tf.Tensor:
    """What the generator reads: int32 `[batch, length]`.

    As in the original 85 % of the chosen tokens become [MASK] and 15 % stay;
    none becomes a random token.

    Args:
        uniform: float32 `[batch, masked]` draws.
        input_ids: int32 `[batch, length]`.
        masked: the chosen tokens.
        mask_id: id of [MASK].
    """
    is_hidden = tf.cast(uniform < 0.85, tf.float32)
    return replace_tokens(
        input_ids,
        masked=masked._replace(weights=masked.weights * is_hidden),
        updates=tf.fill(tf.shape(masked.positions), mask_id),
    )


def replace_tokens(
    input_ids: tf.Tensor, *, masked: MaskedTokens, updates: tf.Tensor
) -> tf.Tensor:
    """Writes `updates` over the chosen tokens: int32 `[batch, length]`.

    As in the original (`scatter_update`), several updates of one position
    become their average, rounded down.

    Args:
        input_ids: int32 `[batch, length]`.
        masked: the chosen tokens.
        updates: int32 `[batch, masked]`; ignored in unused slots.
    """
    shape = tf.shape(input_ids)
    rows = tf.broadcast_to(
        tf.range(shape[0])[:, tf.newaxis], tf.shape(masked.positions)
    )
    indices = tf.stack([rows, masked.positions], axis=-1)
    is_used = tf.cast(masked.weights > 0.0, tf.int32)
    counts = tf.scatter_nd(indices, is_used, shape)
    sums = tf.scatter_nd(indices, is_used * updates, shape)
    return tf.where(counts > 0, sums // tf.maximum(counts, 1), input_ids)


def where_masked(masked: MaskedTokens, input_ids: tf.Tensor) -> tf.Tensor:
    """1 for the chosen tokens, else 0: int32 `[batch, length]`.

    Args:
        masked: the chosen tokens.
        input_ids: int32 `[batch, length]`; only its shape is read.
    """
    return replace_tokens(
        tf.zeros_like(input_ids),
        masked=masked,
        updates=tf.ones_like(masked.ids),
    )


def gather_positions(sequence: tf.Tensor, positions: tf.Tensor) -> tf.Tensor:
    """`[batch, masked, ...]` of `[batch, length, ...]` at the positions."""
    return tf.gather(sequence, positions, batch_dims=1)


def sample(
    uniform: tf.Tensor,
    *,
    logits: tf.Tensor,
    temperature: float = 1.0,
    disallowed_ids: tf.Tensor | None = None,
) -> tf.Tensor:
    """Samples a token from each softmax: int32 `[batch, masked]`.

    Args:
        uniform: float32 `[batch, masked]` draws.
        logits: float32 `[batch, masked, vocab]`.
        temperature: divides the logits.
        disallowed_ids: int32 `[batch, masked]`, never sampled.
    """
    # Unlike the original: by the inverse of the cumulative distribution, one
    # draw a token. Its Gumbel noise has the same distribution but needs a
    # draw for each of 30522 word pieces.
    vocab_size = logits.shape[-1]
    if temperature != 1.0:
        logits = logits / temperature
    if disallowed_ids is not None:
        # As in the original: after the temperature.
        logits -= 1000.0 * tf.one_hot(disallowed_ids, vocab_size)
    probs = tf.nn.softmax(logits)
    # First a block of word pieces, then a piece of it: sums over the whole
    # vocabulary are several times faster than cumulative sums.
    num_blocks = -(-vocab_size // _SAMPLING_BLOCK)
    padding = num_blocks * _SAMPLING_BLOCK - vocab_size
    blocks = tf.reshape(
        tf.pad(probs, [[0, 0], [0, 0], [0, padding]]),
        [*tf.unstack(tf.shape(uniform)), num_blocks, _SAMPLING_BLOCK],
    )
    block, uniform = _invert(uniform, tf.reduce_sum(blocks, axis=-1))
    piece, _ = _invert(uniform, tf.gather(blocks, block, batch_dims=2))
    return block * _SAMPLING_BLOCK + piece


def _invert(
    uniform: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The bin of `[..., bins]` that each draw falls into, and where in it.

    A bin of weight 0 is never returned. The place, in [0, 1), is uniform
    again.
    """
    cumulative = tf.cumsum(weights, axis=-1)
    threshold = uniform[..., tf.newaxis] * cumulative[..., -1:]
    is_below = tf.cast(cumulative <= threshold, tf.int32)
    index = tf.reduce_sum(is_below, axis=-1)
    weight = tf.gather(weights, index, batch_dims=2)
    end = tf.gather(cumulative, index, batch_dims=2)
    place = 1.0 - (end - threshold[..., 0]) / weight
    return index, tf.clip_by_value(place, 0.0, 1.0 - 1e-6)
