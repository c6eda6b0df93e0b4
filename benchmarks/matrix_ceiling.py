"""How fast the machine multiplies matrices: the limit of any training step.

The ceiling is the rate of the best of some products, by TensorFlow, in the
precision of the training. To be measured by the process that trains: what
else the machine does slows both down.
"""

from collections.abc import Callable
import functools
import statistics
import time

import tensorflow as tf

from electra_tf import config

# A timing is so long that starting it is a small part; but products of a tiny
# network would go on for ever.
_CPU_FLOPS, _GPU_FLOPS = 1e10, 1e13
_MOST_CALLS = 100
_NUM_TIMINGS = 5


def measure(
    precision: config.Precision, *, tokens: int, hidden_size: int
) -> dict[str, float]:
    """FLOPs a second of each of `products`, by its shapes.

    Args:
        precision: what is multiplied; sums are the device's affair.
        tokens: of a batch.
        hidden_size: of the network.
    """
    on_gpu = bool(tf.config.list_logical_devices("GPU"))
    return {
        f"[{rows}, {inner}] x [{inner}, {columns}]": rate(
            _product(precision, rows, inner, columns),
            flops=2.0 * rows * inner * columns,
            enough_flops=_GPU_FLOPS if on_gpu else _CPU_FLOPS,
        )
        for rows, inner, columns in products(tokens, hidden_size, on_gpu=on_gpu)
    }


def products(
    tokens: int, hidden_size: int, *, on_gpu: bool = False
) -> list[tuple[int, int, int]]:
    """Rows, inner size and columns: large ones, and a feed-forward layer's."""
    # A GPU is not busy with less.
    large = 8192 if on_gpu else 2048
    return [
        (large, large, large),
        (tokens, hidden_size, 4 * hidden_size),
        (tokens, 4 * hidden_size, hidden_size),
    ]


def rate(
    run: Callable[[], None],
    *,
    flops: float,
    enough_flops: float = _CPU_FLOPS,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """FLOPs a second, by the median of some timings after a first call.

    Args:
        run: computes once; when the devices are in step again, it is done.
        flops: of one call.
        enough_flops: of each timing, if that does not take too many calls.
        clock: tells seconds.
    """
    calls = min(max(1, round(enough_flops / flops)), _MOST_CALLS)
    run()
    seconds = []
    for _ in range(_NUM_TIMINGS):
        start = clock()
        for _ in range(calls):
            run()
        tf.test.experimental.sync_devices()
        seconds.append(clock() - start)
    return calls * flops / statistics.median(seconds)


def _product(
    precision: config.Precision, rows: int, inner: int, columns: int
) -> Callable[[], None]:
    left, right = (
        tf.cast(tf.random.stateless_normal(shape, seed=(0, 0)), precision)
        for shape in ([rows, inner], [inner, columns])
    )
    # As a graph, because that is what TensorFlow gives to oneDNN.
    return functools.partial(tf.function(tf.linalg.matmul), left, right)
