r"""Measures the fused operations of a layer beside TensorFlow's own.

    python -m benchmarks.measure_chains --preset=small --precision=float32

Each operation of `electra_tf.fused`, forward and backward, as one layer of the
preset's discriminator computes it: "plain" is the same arithmetic of
TensorFlow's operations and gradients, with dropout of its generator; "chains"
has the gradients of `fused`; in "compiled" XLA compiles them, as in a training
step on a CPU. The three take turns; figures are medians in milliseconds.
"""

from collections.abc import Callable
import math
import statistics
import time
from typing import Any

from absl import flags
import tensorflow as tf

from benchmarks import idle_machine
from benchmarks import results_file
from electra_tf import config
from electra_tf import fused
from electra_tf import presets
from electra_tf import program

_PRESET = flags.DEFINE_string("preset", "small", "Sizes of the layer.")
_PRECISION = flags.DEFINE_enum(
    "precision", "float32", ["float32", "bfloat16"], "Of what layers hand on."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Examples.", lower_bound=1)
_TURNS = flags.DEFINE_integer(
    "turns", 20, "After two that do not count.", lower_bound=1
)
_RESULTS = flags.DEFINE_string(
    "results", "benchmarks/results.jsonl", "File that a line is added to."
)

_EPSILON = 1e-12


def main():
    load = idle_machine.warn_if_busy()
    run_config = presets.get(_PRESET.value)
    rows = [
        {"operation": name} | _measure(plain, chain, inputs)
        for name, (plain, chain, inputs) in _operations(run_config).items()
    ]
    print("| operation | plain ms | chains ms | compiled ms |")
    print("|---|--:|--:|--:|")
    for row in rows:
        print(
            f"| {row['operation']} | {row['plain']:.1f} | {row['chains']:.1f} "
            f"| {row['compiled']:.1f} |"
        )
    results_file.append(
        _RESULTS.value, "chains", {"load_before": load, "rows": rows}
    )


def _operations(run_config: config.PretrainConfig) -> dict[str, tuple]:
    """For each operation: plain, as a chain, and what both read."""
    rate = run_config.hidden_dropout_prob
    # Not a constant of the graph, from which draws would be made beforehand.
    seed = tf.constant([1, 2])
    length, hidden = run_config.max_seq_length, run_config.hidden_size
    heads = run_config.num_attention_heads
    tokens = _BATCH_SIZE.value * length
    wide = run_config.intermediate_size
    masked = _BATCH_SIZE.value * run_config.max_predictions_per_seq
    ids = tf.range(masked) % run_config.vocab_size
    vectors = [_normal(tokens, hidden) for _ in range(2)]
    per_head = [_BATCH_SIZE.value, heads, length, hidden // heads]
    bias = tf.zeros([_BATCH_SIZE.value, 1, 1, length])
    dropout = {"rate": rate, "seed": seed}
    gamma, beta = tf.ones([hidden]), tf.zeros([hidden])

    return {
        "dropout of attention": (
            lambda x: _plain_dropout(x, **dropout),
            lambda x: fused.dropout(x, **dropout),
            [_normal(*per_head[:-1], length)],
        ),
        "addition, dropout, normalisation": (
            lambda x, y: _plain_normalize(
                x + _plain_dropout(y, **dropout), gamma, beta
            ),
            lambda x, y: fused.add_and_normalize(
                x, y, gamma=gamma, beta=beta, epsilon=_EPSILON, **dropout
            ),
            vectors,
        ),
        "GELU": (_plain_gelu, fused.gelu, [_normal(tokens, wide)]),
        "feed-forward": (
            _plain_feed_forward,
            fused.feed_forward,
            [
                vectors[0],
                _normal(hidden, wide),
                _normal(wide),
                _normal(wide, hidden),
                _normal(hidden),
            ],
        ),
        "attention": (
            lambda *qkv: _plain_attention(*qkv, bias=bias, **dropout),
            lambda *qkv: fused.attention(*qkv, bias=bias, **dropout),
            [_normal(*per_head) for _ in range(3)],
        ),
        "cross-entropy of the vocabulary": (
            lambda logits: tf.nn.sparse_softmax_cross_entropy_with_logits(
                ids, tf.cast(logits, tf.float32)
            ),
            lambda logits: fused.softmax_cross_entropy(
                tf.cast(logits, tf.float32), ids
            ),
            [_normal(masked, run_config.vocab_size)],
        ),
    }


def _measure(plain: Callable, chain: Callable, inputs) -> dict[str, Any]:
    """Milliseconds of each variant, forward and backward."""
    variants = {
        "plain": _with_gradients(plain, is_compiled=False),
        "chains": _with_gradients(chain, is_compiled=False),
        "compiled": _with_gradients(chain, is_compiled=True),
    }
    seconds = {name: [] for name in variants}
    for turn in range(2 + _TURNS.value):
        for name, function in variants.items():
            start = time.perf_counter()
            function(*inputs)
            if turn >= 2:
                seconds[name].append(time.perf_counter() - start)
    return {
        name: 1e3 * statistics.median(times) for name, times in seconds.items()
    }


def _with_gradients(function: Callable, *, is_compiled: bool) -> Callable:
    @tf.function(autograph=False)
    def run(*inputs):
        with fused.compiled(is_compiled), tf.GradientTape() as tape:
            tape.watch(inputs)
            output = function(*inputs)
            # Gradients that are no constants, which would be multiplied away.
            return output, tape.gradient(output, inputs, output)

    return run


def _normal(*shape: int) -> tf.Tensor:
    values = tf.random.stateless_normal(shape, [len(shape), shape[-1]])
    return tf.cast(values, _PRECISION.value)


def _plain_dropout(x: tf.Tensor, *, rate: float, seed) -> tf.Tensor:
    return tf.nn.experimental.stateless_dropout(x, rate, seed=seed)


def _plain_gelu(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.gelu(x, approximate=False)


def _plain_feed_forward(x, kernel_1, bias_1, kernel_2, bias_2) -> tf.Tensor:
    inner = _plain_gelu(tf.nn.bias_add(tf.matmul(x, kernel_1), bias_1))
    return tf.nn.bias_add(tf.matmul(inner, kernel_2), bias_2)


def _plain_normalize(x: tf.Tensor, gamma, beta) -> tf.Tensor:
    wide = tf.cast(x, tf.float32)
    mean, variance = tf.nn.moments(wide, axes=[-1], keepdims=True)
    normalized = tf.nn.batch_normalization(
        wide, mean, variance, beta, gamma, _EPSILON
    )
    return tf.cast(normalized, x.dtype)


def _plain_attention(query, key, value, *, bias, rate, seed) -> tf.Tensor:
    scores = tf.matmul(query, key, transpose_b=True)
    scores = tf.cast(scores, tf.float32) / math.sqrt(query.shape[-1])
    probs = tf.cast(tf.nn.softmax(scores + bias), value.dtype)
    context = tf.matmul(_plain_dropout(probs, rate=rate, seed=seed), value)
    size = query.shape[1] * query.shape[-1]
    return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [-1, size])


if __name__ == "__main__":
    program.run(main)
