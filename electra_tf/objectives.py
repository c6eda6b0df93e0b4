"""What is learned: losses as pure functions of logits and labels.

Section 2 of the ELECTRA paper, the original's `run_pretraining.py`.
"""

import tensorflow as tf


def masked_lm_losses(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of each masked token, in nats.

    Args:
        logits: `[batch, masked, vocab]`.
        ids: int32 `[batch, masked]`, the tokens that were hidden.

    Returns:
        float32 `[batch, masked]`.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=ids, logits=tf.cast(logits, tf.float32)
    )


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


def global_mean(values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """This replica's share of the weighted mean over the global batch.

    The shares of all replicas add up to the mean, so that summed gradients
    do not depend on the number of replicas; on one device it is the mean.
    As in the original 1e-6 is added to the sum of weights.

    Args:
        values: float32 of any shape.
        weights: float32 of the same shape.

    Returns:
        float32 `[]`; 0 if all weights are 0.
    """
    total_weight = tf.reduce_sum(weights)
    context = tf.distribute.get_replica_context()
    if context is not None and context.num_replicas_in_sync > 1:
        total_weight = context.all_reduce(
            tf.distribute.ReduceOp.SUM, total_weight
        )
    return tf.reduce_sum(values * weights) / (total_weight + 1e-6)
