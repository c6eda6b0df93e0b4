"""Tiny SavedModels whose answers anyone can tell, for tests of servers."""

import os

import tensorflow as tf


class Line(tf.Module):
    """`y = 2 x + offset`, and what it was told.

    Signatures: `serving_default` takes `x` (float32 `[batch]`) and gives `y`;
    `echo` takes `text` (string `[batch]`) and `x`, and gives `text`, `y` and
    `raw_bytes`; `check` fails in the graph if any `x` is negative; `total`
    gives a single number; `slow` repeats a loop `num_steps` times.
    """

    def __init__(self, offset: float):
        super().__init__()
        self.offset = tf.Variable(offset)

    @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
    def line(self, x):
        return {"y": 2.0 * x + self.offset}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([None], name="x"),
        ]
    )
    def echo(self, text, x):
        return {"text": text, "raw_bytes": text, "y": 2.0 * x + self.offset}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.int32, name="x")])
    def check(self, x):
        with tf.control_dependencies(
            [tf.debugging.assert_non_negative(x, "no negative x")]
        ):
            return {"sum": tf.reduce_sum(x, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], name="x")])
    def total(self, x):
        return {"total": tf.reduce_sum(x)}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int32, name="num_steps")]
    )
    def slow(self, num_steps):
        steps = tf.zeros_like(num_steps)
        for _ in tf.range(tf.reduce_max(num_steps)):
            steps += 1
        return {"steps": steps}


def save(base_path: str, version: int, *, offset: float = 1.0) -> str:
    """Writes a version under another name, and renames it; its path."""
    path = os.path.join(base_path, str(version))
    temporary = os.path.join(base_path, f"tmp-{version}")
    module = Line(offset)
    tf.saved_model.save(
        module,
        temporary,
        signatures={
            "serving_default": module.line,
            "echo": module.echo,
            "check": module.check,
            "total": module.total,
            "slow": module.slow,
        },
    )
    os.rename(temporary, path)
    return path
