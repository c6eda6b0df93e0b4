"""Chains of element-wise operations with gradients of their own.

TensorFlow would run each multiplication of a gradient as a pass over memory,
and keep every value between two of them until then. Here a chain keeps only
what its gradient needs, draws dropout again instead of storing it, and does
its arithmetic in float32. On a CPU `compiled` makes one loop of each; where
XLA compiles the whole step, it does so by itself.
"""

from collections.abc import Callable
from collections.abc import Iterator
import contextlib
import contextvars
import functools
import math

import tensorflow as tf

from electra_tf import randomness

_is_compiled = contextvars.ContextVar("is_compiled", default=False)


@contextlib.contextmanager
def compiled(is_on: bool) -> Iterator[None]:
    """Chains that are traced meanwhile, in this thread, are compiled by XLA.

    Each by itself, while matrix products stay TensorFlow's, which are faster
    on a CPU.
    """
    token = _is_compiled.set(is_on)
    try:
        yield
    finally:
        _is_compiled.reset(token)


def _chain(function: Callable) -> Callable:
    """A chain of operations that is compiled if `compiled` says so."""
    as_one = tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def run(*args):
        # A step that runs eagerly is there to be looked into.
        if not _is_compiled.get() or tf.executing_eagerly():
            return function(*args)
        # TensorFlow plans the rest of the step by these shapes.
        return tf.nest.map_structure(
            lambda result: tf.ensure_shape(result, result.shape),
            as_one(*args),
        )

    return run


def gelu(x: tf.Tensor) -> tf.Tensor:
    """The exact GELU, by the error function."""

    @tf.custom_gradient
    def run(x):
        return _gelu(x), lambda gradient: _gelu_gradient(x, gradient)

    return run(x)


def dropout(x: tf.Tensor, *, rate: float, seed: tf.Tensor | None) -> tf.Tensor:
    """As `randomness.dropout`."""
    if seed is None or rate == 0.0:
        return x

    @tf.custom_gradient
    def run(x):
        return _drop(x, seed, rate), lambda gradient: _drop(
            gradient, seed, rate
        )

    return run(x)


def add_and_normalize(
    x: tf.Tensor,
    *updates: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    epsilon: float,
    rate: float = 0.0,
    seed: tf.Tensor | None = None,
) -> tf.Tensor:
    """Layer normalisation of `x`, or of its sum with one update.

    Args:
        x: `[..., size]`.
        *updates: none or one, of the same shape; it has dropout.
        gamma: float32 `[size]`.
        beta: float32 `[size]`.
        epsilon: added to the variance.
        rate: of dropout.
        seed: int32 `[2]`; None turns dropout off.

    Returns:
        The shape and type of `x`.
    """

    @tf.custom_gradient
    def run(gamma, beta, x, *updates):
        output, normalized, inverse = _normalize(
            gamma, beta, seed, rate, epsilon, x, *updates
        )

        def gradients(gradient):
            return _normalize_gradients(
                gradient, normalized, inverse, gamma, seed, rate
            )[: 3 + len(updates)]

        return output, gradients

    return run(gamma, beta, x, *updates)


def attention(
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    *,
    bias: tf.Tensor,
    rate: float = 0.0,
    seed: tf.Tensor | None = None,
) -> tf.Tensor:
    """Scaled dot-product attention, which keeps its probabilities only.

    Args:
        query: `[batch, heads, length, head_size]`.
        key: of the same shape.
        value: of the same shape.
        bias: float32 `[batch, 1, 1 or length, length]`, added to the scores.
        rate: of dropout of the probabilities.
        seed: int32 `[2]`; None turns dropout off.

    Returns:
        `[batch * length, heads * head_size]`.
    """
    head_size = query.shape[-1]
    size = query.shape[1] * head_size
    scale = 1.0 / math.sqrt(head_size)
    by_token = tf.gather(tf.shape(query), [0, 2, 1, 3])

    @tf.custom_gradient
    def run(query, key, value):
        scores = _biased(tf.matmul(query, key, transpose_b=True), bias, scale)
        probs = tf.cast(tf.nn.softmax(scores), value.dtype)
        context = tf.matmul(_drop(probs, seed, rate), value)
        context = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, size])

        def gradients(gradient):
            means = _products(context, gradient, by_token)
            gradient = tf.transpose(
                tf.reshape(gradient, by_token), [0, 2, 1, 3]
            )
            scores_gradient = _scores_gradient(
                probs,
                tf.matmul(gradient, value, transpose_b=True),
                means,
                seed,
                rate,
                scale,
            )
            return (
                tf.matmul(scores_gradient, key),
                tf.matmul(scores_gradient, query, transpose_a=True),
                tf.matmul(
                    _again(_drop, gradient, probs, seed, rate),
                    gradient,
                    transpose_a=True,
                ),
            )

        return context, gradients

    return run(query, key, value)


def feed_forward(
    x: tf.Tensor,
    kernel_1: tf.Tensor,
    bias_1: tf.Tensor,
    kernel_2: tf.Tensor,
    bias_2: tf.Tensor,
) -> tf.Tensor:
    """Two dense layers with a GELU between, whose output is not kept.

    Args:
        x: `[rows, size]`.
        kernel_1: `[size, wide]`.
        bias_1: `[wide]`.
        kernel_2: `[wide, size]`.
        bias_2: `[size]`.

    Returns:
        `[rows, size]`.
    """

    @tf.custom_gradient
    def run(x, kernel_1, bias_1, kernel_2, bias_2):
        inner = tf.nn.bias_add(tf.matmul(x, kernel_1), bias_1)
        output = tf.nn.bias_add(tf.matmul(_gelu(inner), kernel_2), bias_2)

        def gradients(gradient):
            inner_gradient = _gelu_gradient(
                inner, tf.matmul(gradient, kernel_2, transpose_b=True)
            )
            return (
                tf.matmul(inner_gradient, kernel_1, transpose_b=True),
                tf.matmul(x, inner_gradient, transpose_a=True),
                tf.raw_ops.BiasAddGrad(out_backprop=inner_gradient),
                tf.matmul(
                    _again(_gelu, gradient, inner), gradient, transpose_a=True
                ),
                tf.raw_ops.BiasAddGrad(out_backprop=gradient),
            )

        return output, gradients

    return run(x, kernel_1, bias_1, kernel_2, bias_2)


def softmax_cross_entropy(logits: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of each id, in nats.

    The softmax and the best id that it is made of are those that others
    compute of the same logits, so that TensorFlow computes them once.

    Args:
        logits: float32 `[..., classes]`.
        ids: int32 `[...]`.

    Returns:
        float32 `[...]`.
    """
    ids = tf.convert_to_tensor(ids)

    @tf.custom_gradient
    def run(logits):
        probs = tf.nn.softmax(logits)
        best = tf.argmax(logits, axis=-1, output_type=tf.int32)
        # The probability of the best is at least 1 / classes, so its
        # logarithm is exact where that of another may be of zero.
        log_sum = _pick(logits, best) - tf.math.log(_pick(probs, best))

        def gradients(gradient):
            return _cross_entropy_gradient(probs, ids, gradient)

        return log_sum - _pick(logits, ids), gradients

    return run(logits)


def _again(chain: Callable, gradient: tf.Tensor, *args) -> tf.Tensor:
    """Computes something once more, not before the gradient is there.

    Otherwise TensorFlow would find that it has computed it, and keep it.
    """
    with tf.control_dependencies([gradient]):
        return chain(*args)


def _pick(values: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """The values of some ids: `[...]` of `[..., classes]`."""
    return tf.gather(values, ids, batch_dims=ids.shape.rank)


@_chain
def _gelu(x):
    return tf.nn.gelu(x, approximate=False)


@_chain
def _gelu_gradient(x, gradient):
    wide = tf.cast(x, tf.float32)
    share = 0.5 * (1.0 + tf.math.erf(wide * math.sqrt(0.5)))
    density = tf.exp(-0.5 * wide * wide) / math.sqrt(2.0 * math.pi)
    product = tf.cast(gradient, tf.float32) * (share + wide * density)
    return tf.cast(product, x.dtype)


@_chain
def _drop(x, seed, rate):
    return randomness.dropout(x, rate=rate, seed=seed)


@_chain
def _normalize(gamma, beta, seed, rate, epsilon, x, *updates):
    total = tf.cast(x, tf.float32)
    for update in updates:
        total += randomness.dropout(
            tf.cast(update, tf.float32), rate=rate, seed=seed
        )
    centred = total - tf.reduce_mean(total, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    inverse = tf.math.rsqrt(variance + epsilon)
    output = centred * (inverse * gamma) + beta
    normalized = centred * inverse
    return tf.cast(output, x.dtype), tf.cast(normalized, x.dtype), inverse


@_chain
def _normalize_gradients(gradient, normalized, inverse, gamma, seed, rate):
    """Of gamma, beta, x and the update."""
    dtype = gradient.dtype
    gradient = tf.cast(gradient, tf.float32)
    normalized = tf.cast(normalized, tf.float32)
    others = list(range(normalized.shape.rank - 1))
    scaled = gradient * gamma
    x_gradient = inverse * (
        scaled
        - tf.reduce_mean(scaled, axis=-1, keepdims=True)
        - normalized
        * tf.reduce_mean(scaled * normalized, axis=-1, keepdims=True)
    )
    return (
        tf.reduce_sum(gradient * normalized, axis=others),
        tf.reduce_sum(gradient, axis=others),
        tf.cast(x_gradient, dtype),
        tf.cast(randomness.dropout(x_gradient, rate=rate, seed=seed), dtype),
    )


@_chain
def _biased(scores, bias, scale):
    return tf.cast(scores, tf.float32) * scale + bias


@_chain
def _products(context, gradient, by_token):
    """`[batch, heads, length, 1]`, of the context and its gradient."""
    products = tf.cast(context, tf.float32) * tf.cast(gradient, tf.float32)
    sums = tf.reduce_sum(tf.reshape(products, by_token), axis=-1)
    return tf.transpose(sums, [0, 2, 1])[..., tf.newaxis]


@_chain
def _scores_gradient(probs, dropped_gradient, means, seed, rate, scale):
    # The sum over keys of each probability times its gradient is, with
    # dropout or without, the product of the context and its gradient
    # (Appendix B of https://arxiv.org/abs/2205.14135).
    probs_gradient = randomness.dropout(
        tf.cast(dropped_gradient, tf.float32), rate=rate, seed=seed
    )
    product = tf.cast(probs, tf.float32) * (probs_gradient - means)
    return tf.cast(scale * product, probs.dtype)


@_chain
def _cross_entropy_gradient(probs, ids, gradient):
    ones = tf.one_hot(ids, probs.shape[-1])
    return (probs - ones) * gradient[..., tf.newaxis]
