"""Which positions of a batch are rows of the matrices that layers multiply.

Attention needs whole sequences; all else computes each token by itself, and
padding need not be there.
"""

import tensorflow as tf


class AllRows:
    """Every position is a row, padding, too.

    Args:
        input_mask: int32 `[batch, length]`; 0 on padding.

    Attributes:
        shape: int32 `[2]`, of the batch.
    """

    def __init__(self, input_mask: tf.Tensor):
        self.shape = tf.shape(input_mask)
        self._static_shape = input_mask.shape

    def of_tokens(self, x: tf.Tensor) -> tf.Tensor:
        """`[rows, size]` of `[batch * length, size]`."""
        return x

    def of_all(self, x: tf.Tensor) -> tf.Tensor:
        """`[batch * length, size]` of `[rows, size]`; anything on padding."""
        return x

    def to_batch(self, x: tf.Tensor) -> tf.Tensor:
        """`[batch, length, size]` of `[rows, size]`."""
        size = x.shape[-1]
        x = tf.reshape(x, tf.concat([self.shape, [size]], axis=0))
        return tf.ensure_shape(x, [*self._static_shape, size])


class TokenRows(AllRows):
    """Positions that hold a token are rows.

    How many there are is not known before a batch is, so XLA cannot compile
    it.
    """

    def __init__(self, input_mask: tf.Tensor):
        super().__init__(input_mask)
        is_token = tf.reshape(input_mask, [-1]) != 0
        # There is a row even if all of a batch is padding.
        is_row = is_token | (tf.range(tf.size(is_token)) == 0)
        self._positions = tf.where(is_row)[:, 0]
        # Padding gets the row of the token before it.
        self._row = tf.cumsum(tf.cast(is_row, tf.int32)) - 1
        self._is_token = is_token[:, tf.newaxis]

    def of_tokens(self, x: tf.Tensor) -> tf.Tensor:
        """`[rows, size]` of `[batch * length, size]`."""
        return tf.gather(x, self._positions)

    def of_all(self, x: tf.Tensor) -> tf.Tensor:
        """`[batch * length, size]` of `[rows, size]`; anything on padding."""
        return tf.gather(x, self._row)

    def to_batch(self, x: tf.Tensor) -> tf.Tensor:
        """`[batch, length, size]` of `[rows, size]`, 0 on padding."""
        zero = tf.zeros([], x.dtype)
        return super().to_batch(tf.where(self._is_token, self.of_all(x), zero))
