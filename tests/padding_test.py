"""Tests of which positions of a batch are rows."""

import numpy as np
import tensorflow as tf

from electra_tf import padding

_MASK = [[1, 1, 0], [1, 0, 0]]


class AllRowsTest(tf.test.TestCase):
    def test_every_position_is_a_row(self):
        rows = padding.AllRows(tf.constant(_MASK))
        x = tf.reshape(tf.range(12.0), [6, 2])
        self.assertAllEqual(rows.shape, [2, 3])
        self.assertAllEqual(rows.of_tokens(x), x)
        self.assertAllEqual(rows.of_all(x), x)
        self.assertAllEqual(rows.to_batch(x), tf.reshape(x, [2, 3, 2]))


class TokenRowsTest(tf.test.TestCase):
    def test_tokens_are_rows_and_padding_is_zero(self):
        rows = padding.TokenRows(tf.constant(_MASK))
        x = rows.of_tokens(tf.constant([[1.0], [2.0], [9.0], [3.0], [9], [9]]))
        self.assertAllEqual(x, [[1.0], [2.0], [3.0]])
        self.assertAllEqual(
            tf.gather(rows.of_all(x), [0, 1, 3]), [[1.0], [2.0], [3.0]]
        )
        self.assertAllEqual(
            rows.to_batch(x), [[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]]
        )

    def test_a_batch_of_padding_has_zeros(self):
        rows = padding.TokenRows(tf.zeros([2, 2], tf.int32))
        x = rows.of_tokens(tf.ones([4, 3]))
        self.assertEqual(x.shape, [1, 3])
        self.assertAllEqual(rows.to_batch(x), np.zeros([2, 2, 3]))

    def test_an_empty_batch_stays_empty(self):
        rows = padding.TokenRows(tf.zeros([0, 2], tf.int32))
        x = rows.of_tokens(tf.ones([0, 3]))
        self.assertEqual(rows.to_batch(x).shape, [0, 2, 3])


if __name__ == "__main__":
    tf.test.main()
