"""Tests of chains of operations, against what TensorFlow differentiates."""

import math

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import fused
from electra_tf import randomness

_SEED = (3, 4)
_RATE = 0.3


def _values(seed: int, *shape: int) -> tf.Tensor:
    return tf.constant(
        np.random.default_rng(seed).normal(size=shape), tf.float32
    )


def _values_and_gradients(function, inputs, *, is_compiled=False):
    """Of a function, for a gradient that is different everywhere."""

    @tf.function(autograph=False)
    def run(*inputs):
        with fused.compiled(is_compiled), tf.GradientTape() as tape:
            tape.watch(inputs)
            output = function(*inputs)
            loss = tf.reduce_sum(
                tf.cast(output, tf.float32)
                * tf.reshape(
                    tf.sin(1.0 + tf.range(tf.size(output), dtype=tf.float32)),
                    tf.shape(output),
                )
            )
            return output, tape.gradient(loss, inputs)

    return run(*inputs)


class _ChainTest(parameterized.TestCase, tf.test.TestCase):
    def assert_same(self, function, reference, inputs, *, is_compiled):
        """Both have the same values and gradients, to 1e-5."""
        actual = _values_and_gradients(
            function, inputs, is_compiled=is_compiled
        )
        expected = _values_and_gradients(reference, inputs)
        for one, other in zip(
            tf.nest.flatten(actual), tf.nest.flatten(expected), strict=True
        ):
            self.assertAllClose(one, other, atol=1e-5, rtol=1e-5)


class GeluTest(_ChainTest):
    @parameterized.parameters(False, True)
    def test_it_is_that_of_tensorflow(self, is_compiled):
        self.assert_same(
            fused.gelu,
            lambda x: tf.nn.gelu(x, approximate=False),
            [4.0 * _values(0, 6, 10)],
            is_compiled=is_compiled,
        )

    def test_its_slope_is_that_of_the_formula(self):
        # d/dx x * Phi(x) = Phi(x) + x * phi(x), at 1.
        x = tf.constant([1.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = fused.gelu(x)
        cdf = 0.5 * (1.0 + math.erf(math.sqrt(0.5)))
        density = math.exp(-0.5) / math.sqrt(2.0 * math.pi)
        self.assertAllClose(y, [cdf])
        self.assertAllClose(tape.gradient(y, x), [cdf + density])

    def test_in_half_precision_only_results_are_rounded(self):
        x = tf.cast(_values(0, 50), tf.bfloat16)
        output, (gradient,) = _values_and_gradients(
            fused.gelu, [x], is_compiled=True
        )
        self.assertEqual((output.dtype, gradient.dtype), (x.dtype, x.dtype))
        exact = tf.nn.gelu(tf.cast(x, tf.float32), approximate=False)
        # bfloat16 has steps of 2**-8 of a value.
        self.assertAllClose(
            tf.cast(output, tf.float32), exact, atol=1e-3, rtol=2.0**-7
        )


class DropoutTest(_ChainTest):
    @parameterized.parameters(False, True)
    def test_the_gradient_is_dropped_where_values_are(self, is_compiled):
        x = _values(0, 20, 30)
        output, (gradient,) = _values_and_gradients(
            lambda x: fused.dropout(x, rate=_RATE, seed=_SEED),
            [x],
            is_compiled=is_compiled,
        )
        self.assertAllEqual(output == 0.0, gradient == 0.0)
        self.assertAllClose(
            output, randomness.dropout(x, rate=_RATE, seed=_SEED)
        )
        self.assertBetween(np.mean(gradient.numpy() == 0.0), 0.2, 0.4)

    def test_without_a_seed_nothing_is_dropped(self):
        x = _values(0, 3, 4)
        self.assertIs(fused.dropout(x, rate=0.5, seed=None), x)


class AddAndNormalizeTest(_ChainTest):
    @parameterized.product(
        is_compiled=[False, True], has_update=[False, True], rate=[0.0, _RATE]
    )
    def test_it_is_layer_normalisation(self, is_compiled, has_update, rate):
        def normalize(gamma, beta, x, *updates):
            return fused.add_and_normalize(
                x,
                *updates,
                gamma=gamma,
                beta=beta,
                epsilon=1e-3,
                rate=rate,
                seed=_SEED,
            )

        def reference(gamma, beta, x, *updates):
            for update in updates:
                x += randomness.dropout(update, rate=rate, seed=_SEED)
            mean = tf.reduce_mean(x, -1, keepdims=True)
            variance = tf.math.reduce_variance(x, -1, keepdims=True)
            return (x - mean) / tf.sqrt(variance + 1e-3) * gamma + beta

        inputs = [_values(0, 8), _values(1, 8), _values(2, 2, 5, 8)]
        if has_update:
            inputs.append(_values(3, 2, 5, 8))
        self.assert_same(normalize, reference, inputs, is_compiled=is_compiled)


class AttentionTest(_ChainTest):
    @parameterized.product(is_compiled=[False, True], rate=[0.0, _RATE])
    def test_it_is_a_weighted_mean_of_values(self, is_compiled, rate):
        bias = tf.constant([0.0, 0.0, -10000.0, 0.0])
        bias = tf.reshape(bias, [1, 1, 1, 4])

        def attend(query, key, value):
            return fused.attention(
                query, key, value, bias=bias, rate=rate, seed=_SEED
            )

        def reference(query, key, value):
            scores = tf.einsum("bhqd,bhkd->bhqk", query, key) / math.sqrt(6)
            probs = tf.nn.softmax(scores + bias)
            probs = randomness.dropout(probs, rate=rate, seed=_SEED)
            context = tf.einsum("bhqk,bhkd->bqhd", probs, value)
            return tf.reshape(context, [2 * 4, 3 * 6])

        self.assert_same(
            attend,
            reference,
            [_values(i, 2, 3, 4, 6) for i in range(3)],
            is_compiled=is_compiled,
        )


class FeedForwardTest(_ChainTest):
    @parameterized.parameters(False, True)
    def test_it_is_two_dense_layers(self, is_compiled):
        def reference(x, kernel_1, bias_1, kernel_2, bias_2):
            inner = tf.nn.gelu(x @ kernel_1 + bias_1, approximate=False)
            return inner @ kernel_2 + bias_2

        shapes = ([5, 4], [4, 8], [8], [8, 4], [4])
        self.assert_same(
            fused.feed_forward,
            reference,
            [_values(i, *shape) for i, shape in enumerate(shapes)],
            is_compiled=is_compiled,
        )


class SoftmaxCrossEntropyTest(_ChainTest):
    @parameterized.parameters(False, True)
    def test_it_is_that_of_tensorflow(self, is_compiled):
        ids = tf.constant([[0, 2], [4, 4], [1, 3]])
        self.assert_same(
            lambda logits: fused.softmax_cross_entropy(logits, ids),
            lambda logits: tf.nn.sparse_softmax_cross_entropy_with_logits(
                ids, logits
            ),
            [3.0 * _values(0, 3, 2, 5)],
            is_compiled=is_compiled,
        )

    def test_a_token_without_any_probability_has_a_finite_loss(self):
        losses = fused.softmax_cross_entropy(tf.constant([[300.0, 0.0]]), [1])
        self.assertAllClose(losses, [300.0])


class CompiledTest(tf.test.TestCase):
    def test_only_what_is_traced_meanwhile_is_compiled(self):
        def count_calls():
            graph = tf.function(fused.gelu, autograph=False)
            return [
                op.type
                for op in graph.get_concrete_function(
                    tf.TensorSpec([2])
                ).graph.get_operations()
            ].count("PartitionedCall")

        self.assertEqual(count_calls(), 0)
        with fused.compiled(True):
            self.assertEqual(count_calls(), 1)
            with fused.compiled(False):
                self.assertEqual(count_calls(), 0)
        self.assertEqual(count_calls(), 0)


if __name__ == "__main__":
    tf.test.main()
