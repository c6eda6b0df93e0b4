"""What is learned: losses as pure functions of logits and labels.

Sections 2 and 3.4 and Appendix F of the ELECTRA paper, Section 2 of the
Electric paper, and the original's `run_pretraining.py`.
"""

import math
from typing import NamedTuple

import tensorflow as tf

from electra_tf import config
from electra_tf import fused
from electra_tf import masking


class LossTerm(NamedTuple):
    """One part of the total loss, before its mean is taken.

    Attributes:
        values: float32 of any shape, in nats.
        weights: float32 of the same shape, 0 or 1.
        total_weight: float32 `[]`, the sum of the weights of the global
            batch, of which these may be a part.
        scale: what its mean is multiplied by in the total; a number, or
            float32 `[]`.
    """

    values: tf.Tensor
    weights: tf.Tensor
    total_weight: tf.Tensor
    scale: float | tf.Tensor

    @property
    def share(self) -> tf.Tensor:
        """What these values add to the mean, not scaled: float32 `[]`."""
        return mean_share(self.values, self.weights, self.total_weight)


def loss_scales(run_config: config.PretrainConfig) -> dict[str, float]:
    """The parts of the total loss, and what each is multiplied by."""
    if run_config.generator_training == "adversarial":
        generator_losses = ("policy_loss", "baseline_loss")
    elif run_config.generator == "two_tower":
        generator_losses = ("cloze_loss",)
    else:
        generator_losses = ("masked_lm_loss",)
    scales = dict.fromkeys(generator_losses, run_config.gen_weight)
    if run_config.has_discriminator:
        scales[kept_loss(run_config)] = run_config.disc_weight
    return scales


def kept_loss(run_config: config.PretrainConfig) -> str:
    """Which of them is that of the network that reads the replacements."""
    predicts_tokens = run_config.objective in ("replace_mlm", "all_tokens_mlm")
    return "token_loss" if predicts_tokens else "disc_loss"


def loss_weights(
    run_config: config.PretrainConfig,
    *,
    input_mask: tf.Tensor,
    masked: masking.MaskedTokens,
    maskable: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Which tokens count in each part of the total loss.

    They depend on the text and the masks only, so that their sums over a
    batch are known before any of its losses.

    Args:
        run_config: of the run.
        input_mask: int32 `[batch, length]`; 0 on padding.
        masked: the tokens that the generator predicts.
        maskable: bool `[batch, length]` from `masking.maskable`.

    Returns:
        float32, 0 or 1, for each name of `loss_scales`: `[batch, masked]` for
        losses of masked tokens, `[batch, length]` for the others.
    """
    names = loss_scales(run_config)
    weights = dict.fromkeys(names, masked.weights)
    if "cloze_loss" in names:
        # As in the original every token that may be masked counts.
        weights["cloze_loss"] = tf.cast(maskable, tf.float32)
    if run_config.objective == "electra_15":
        weights["disc_loss"] = tf.cast(
            masking.where_masked(masked, input_mask), tf.float32
        )
    elif run_config.objective in ("electra", "electric", "all_tokens_mlm"):
        weights[kept_loss(run_config)] = tf.cast(input_mask, tf.float32)
    return weights


def masked_lm_losses(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of each token, in nats.

    Args:
        logits: `[batch, tokens, vocab]`.
        ids: int32 `[batch, tokens]`, the original tokens.

    Returns:
        float32 `[batch, tokens]`.
    """
    return fused.softmax_cross_entropy(tf.cast(logits, tf.float32), ids)


def replaced_token_losses(
    logits: tf.Tensor, is_replaced: tf.Tensor
) -> tf.Tensor:
    """Binary cross-entropy of each token, in nats.

    Args:
        logits: `[batch, length]`; positive means "replaced".
        is_replaced: int32 `[batch, length]`; 1 where the token is not the
            original one.

    Returns:
        float32 `[batch, length]`.
    """
    return tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.cast(is_replaced, tf.float32),
        logits=tf.cast(logits, tf.float32),
    )


def noise_contrastive_logits(
    energies: tf.Tensor, log_q: tf.Tensor, mask_prob: float
) -> tf.Tensor:
    """Log odds that a token is the generator's, from the token's energy.

    Electric paper, equation 2: `k q(x) / ((n - k) p(x))`, with `log p = -E`,
    and `k / n = mask_prob`, the share of tokens that are replaced.

    Args:
        energies: float32 `[batch, length]`.
        log_q: float32 `[batch, length]`, the generator's log likelihood of
            the token; no gradient flows into it.
        mask_prob: in (0, 1).

    Returns:
        float32 `[batch, length]`.
    """
    prior = math.log(mask_prob / (1.0 - mask_prob))
    return energies + tf.stop_gradient(log_q) + prior


def copy_losses(
    token_logits: tf.Tensor,
    copy_logits: tf.Tensor,
    *,
    input_ids: tf.Tensor,
    ids: tf.Tensor,
) -> tf.Tensor:
    """Negative log likelihood under a mixture of copying and predicting.

    "All-Tokens MLM" of Section 3.4: the token that stands there has the share
    `sigmoid(copy_logits)`, the softmax over all word pieces the rest.

    Args:
        token_logits: float32 `[batch, length, vocab]`.
        copy_logits: float32 `[batch, length]`.
        input_ids: int32 `[batch, length]`, what stands there.
        ids: int32 `[batch, length]`, the original tokens.

    Returns:
        float32 `[batch, length]`, in nats.
    """
    predicted = tf.math.log_sigmoid(-copy_logits)
    predicted -= masked_lm_losses(token_logits, ids)
    copied = tf.math.log_sigmoid(copy_logits)
    # log(exp(copied) + exp(predicted)) where the token is the original one.
    either = tf.maximum(copied, predicted) + tf.math.softplus(
        -tf.abs(copied - predicted)
    )
    return -tf.where(input_ids == ids, either, predicted)


def policy_losses(
    log_probs: tf.Tensor, rewards: tf.Tensor, baseline_logits: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """REINFORCE with a learned baseline, for an adversarial generator.

    Appendix F: the reward of a sample is the discriminator's loss on it. The
    baseline is `-log sigmoid(baseline_logits)`, and learns to match the
    reward by cross-entropy with `exp(-reward)`.

    Args:
        log_probs: float32 `[batch, masked]`, the generator's log likelihood
            of its samples.
        rewards: float32 `[batch, masked]`, in nats.
        baseline_logits: float32 `[batch, masked]`.

    Returns:
        Both float32 `[batch, masked]`: losses whose gradient raises the
        expected reward, and those of the baseline.
    """
    rewards = tf.stop_gradient(rewards)
    baseline = tf.stop_gradient(tf.math.softplus(-baseline_logits))
    return (
        -(rewards - baseline) * log_probs,
        tf.nn.sigmoid_cross_entropy_with_logits(
            labels=tf.exp(-rewards), logits=baseline_logits
        ),
    )


def total(terms: dict[str, LossTerm]) -> tf.Tensor:
    """This replica's share of the scaled sum of all means: float32 `[]`."""
    return tf.add_n([term.scale * term.share for term in terms.values()])


def global_sum(weights: tf.Tensor) -> tf.Tensor:
    """The sum of the weights on all replicas: float32 `[]`."""
    total_weight = tf.reduce_sum(weights)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        total_weight = context.all_reduce(
            tf.distribute.ReduceOp.SUM, total_weight
        )
    return total_weight


def mean_share(
    values: tf.Tensor, weights: tf.Tensor, total_weight: tf.Tensor
) -> tf.Tensor:
    """What some values add to the weighted mean over the global batch.

    The shares of all replicas, and of all parts of their batches, add up to
    the mean, so that summed gradients depend on the number of neither. As in
    the original 1e-6 is added to the sum of weights.

    Args:
        values: float32 of any shape.
        weights: float32 of the same shape.
        total_weight: float32 `[]`, of the global batch, see `global_sum`.

    Returns:
        float32 `[]`; 0 if all weights are 0.
    """
    return tf.reduce_sum(values * weights) / (total_weight + 1e-6)


def global_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean, as of `mean_share`: float32 `[]`.

    Args:
        values: float32 of any shape.
        weights: float32 of the same shape.
    """
    return mean_share(values, weights, global_sum(weights))
