"""Stateless random draws: functions of a seed, the step and the replica.

A seed is int32 `[2]`. TensorFlow draws integers alike with and without XLA,
unlike its floats; so all draws here are made of integers.
"""

import tensorflow as tf

# TensorFlow's number for the Philox generator.
_PHILOX = 1


def step_seed(seed: int, step) -> tf.Tensor:
    """The seed of a step of a run."""
    return _fold_in(tf.constant([seed, 0], tf.int32), step)


def replica_seed(seed: tf.Tensor) -> tf.Tensor:
    """A seed of this replica's own."""
    number, _ = replica()
    return _fold_in(seed, number)


def part_seed(seed: tf.Tensor | None, index) -> tf.Tensor | None:
    """The seed of a part of a batch, from that of the batch.

    Args:
        seed: int32 `[2]`; None for no seed, of which there is no part.
        index: int32 `[]`, of the part; None for the whole batch.
    """
    if seed is None or index is None:
        return seed
    return _fold_in(seed, index)


def replica() -> tuple[tf.Tensor | int, int]:
    """The number of this replica, and of how many."""
    context = tf.distribute.get_replica_context()
    if context is None:  # Outside of `strategy.run`.
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def split(seed: tf.Tensor | None, count: int) -> list[tf.Tensor | None]:
    """`count` independent seeds from one; Nones from None."""
    if seed is None:
        return [None] * count
    return tf.unstack(_bits([count, 2], seed))


def uniform(shape, seed: tf.Tensor) -> tf.Tensor:
    """Draws in [0, 1): float32 of the shape, multiples of 2**-24."""
    bits = tf.bitcast(_bits(shape, seed), tf.uint32)
    return tf.cast(tf.bitwise.right_shift(bits, 8), tf.float32) * 2.0**-24


def dropout(x: tf.Tensor, *, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """Zeroes a share of `x`, and scales the rest to the same expectation.

    Without a seed (evaluation) or with rate 0 the input is returned.
    """
    if seed is None or rate == 0.0:
        return x
    kept = tf.cast(1.0 / (1.0 - rate), x.dtype)
    # A hash below this share of all integers drops the value.
    is_kept = _hashes(x, seed) >= tf.constant(round(rate * 2**32), tf.uint32)
    return tf.where(is_kept, x * kept, tf.zeros([], x.dtype))


def _hashes(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Evenly distributed uint32 values, one for each place in `x`.

    The finalizer of MurmurHash3, of the number of the place and one half of
    the seed, then of that and the other half. Unlike TensorFlow's generators
    it is arithmetic that XLA makes part of the loop which uses it: drawing
    dropout by Philox took up to 8 % of a training step on a CPU.
    """
    shape = tf.shape(x)
    size = shape[-1]
    rows = tf.range(tf.reduce_prod(shape[:-1]))[:, tf.newaxis]
    # Beyond 2**32 places their numbers begin anew.
    place = _uint32(rows) * _uint32(size) + _uint32(tf.range(size))
    first, second = tf.unstack(tf.bitcast(seed, tf.uint32))
    mixed = _mix(_mix(place + first) + second)
    return tf.reshape(mixed, shape)


def _mix(bits: tf.Tensor) -> tf.Tensor:
    bits = _xor_shifted(bits, 16) * _uint32(0x85EBCA6B)
    bits = _xor_shifted(bits, 13) * _uint32(0xC2B2AE35)
    return _xor_shifted(bits, 16)


def _xor_shifted(bits: tf.Tensor, count: int) -> tf.Tensor:
    shifted = tf.bitwise.right_shift(bits, _uint32(count))
    return tf.bitwise.bitwise_xor(bits, shifted)


def _uint32(value) -> tf.Tensor:
    if isinstance(value, int):
        return tf.constant(value, tf.uint32)
    return tf.cast(value, tf.uint32)


def _fold_in(seed: tf.Tensor, number) -> tf.Tensor:
    """A seed for each number, from one."""
    return tf.stack([_bits([], seed), tf.cast(number, tf.int32)])


def _bits(shape, seed: tf.Tensor) -> tf.Tensor:
    """Evenly distributed int32 values.

    The seed is Philox's key, which may be any number. `tf.random` would mix it
    first, by 40 nodes of the graph, and take another generator under XLA.
    """
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=shape,
        key=tf.reshape(tf.bitcast(seed, tf.uint64), [1]),
        counter=tf.zeros([2], tf.uint64),
        alg=_PHILOX,
        dtype=tf.int32,
    )
