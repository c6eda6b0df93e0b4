"""A training run as small as they get, for tests of the loop around it."""

import functools
import sys
import time

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import guards
from electra_tf import model_folder
from electra_tf import program
from electra_tf import training
from tests import forked
from tests import testing

BATCH_SIZE = 4


class Momentum(tf_keras.optimizers.Optimizer):
    """An optimizer with a moment, that leaves held-back steps out."""

    def __init__(self):
        super().__init__(name="Momentum", jit_compile=False)
        self._learning_rate = self._build_learning_rate(0.1)

    def build(self, var_list):
        super().build(var_list)
        if not getattr(self, "_built", False):
            self._moments = [
                self.add_variable_from_reference(variable, "m")
                for variable in var_list
            ]
            self._built = True

    def update_step(self, gradient, variable):
        m = self._moments[self._index_dict[self._var_key(variable)]]
        is_good = ~guards.is_withheld(gradient)
        gradient = tf.where(is_good, gradient, 0.0)
        m.assign(
            tf.where(is_good, 0.9, 1.0) * m
            + tf.where(is_good, 1.0 - 0.9, 0.0) * gradient
        )
        variable.assign_sub(tf.where(is_good, self.learning_rate, 0.0) * m)

    def get_config(self):
        return super().get_config()


class Model(tf_keras.Model):
    """Follows the numbers of a data set with a few weights.

    Args:
        size: number of weights.
        max_skipped: for the guard.
    """

    def __init__(self, *, size: int = 8, max_skipped: int = 0):
        super().__init__(name="small")
        self._weight = self.add_weight("weight", [size], initializer="zeros")
        self.built = True
        self.guard = guards.Guard(
            ("fit_loss", "size_loss", "gradient_norm"), max_skipped=max_skipped
        )
        self._means = {
            name: tf_keras.metrics.Mean(name=name)
            for name in ("fit_loss", "size_loss")
        }

    def train_step(self, numbers):
        sums = [v for m in self.metrics for v in m.variables]
        earlier = [tf.identity(variable) for variable in sums]
        with tf.GradientTape() as tape:
            terms = {
                "fit_loss": tf.reduce_mean(
                    tf.square(tf.reduce_mean(numbers) - self._weight)
                ),
                "size_loss": tf.reduce_mean(tf.square(self._weight)),
            }
            loss = tf.add_n(list(terms.values()))
        for name, value in terms.items():
            self._means[name].update_state(value)
        gradients = tape.gradient(loss, self.trainable_variables)
        norm = tf.linalg.global_norm(gradients)
        is_good = self.guard.admit(
            self.optimizer.iterations,
            # What one step adds to a finite sum is finite if the sum is.
            {name: mean.total for name, mean in self._means.items()}
            | {"gradient_norm": norm},
        )
        guards.undo_unless(is_good, sums, earlier)
        scale = guards.mark(1.0 / tf.maximum(norm, 1.0), is_good)
        self.optimizer.apply_gradients(
            zip([g * scale for g in gradients], self.trainable_variables)
        )
        return {"loss": tf.add_n([m.result() for m in self.metrics])}

    @property
    def metrics(self):
        return list(self._means.values())

    def new_evaluation(self, values=None):
        """What evaluates: the first weight, or given values by the step."""

        def evaluate():
            # As evaluations of Keras do, in the same sums.
            self._means["fit_loss"].update_state(1e9)
            step = int(self.optimizer.iterations)
            value = values[step] if values else float(self._weight[0])
            return {"score": value, "loss": -value}

        return evaluate


def create(**arguments) -> Model:
    model = Model(**arguments)
    model.compile(optimizer=Momentum())
    return model


def dataset(step: int, *, bad_steps=(), pause: float = 0.0) -> tf.data.Dataset:
    """Batches from a step on; steps count from 1 in `bad_steps`."""

    def batch(number):
        time.sleep(pause)
        value = np.sin(float(number)) if number + 1 not in bad_steps else np.nan
        return np.full([BATCH_SIZE], value, np.float32)

    def make_batch(number):
        values = tf.numpy_function(batch, [number], tf.float32)
        return tf.ensure_shape(values, [BATCH_SIZE])

    numbers = tf.data.Dataset.range(step, 1_000_000)
    return numbers.map(make_batch).apply(
        tf.data.experimental.assert_cardinality(1_000_000 - step)
    )


def train(
    model_dir: str,
    *,
    num_steps: int = 30,
    size: int = 8,
    max_skipped: int = 0,
    bad_steps=(),
    pause: float = 0.0,
    values=None,
    callbacks=(),
    **schedule,
) -> Model:
    """Trains, or goes on; with an evaluation at each checkpoint."""
    model = create(size=size, max_skipped=max_skipped)
    model_folder.start(
        model_dir, kind="pretraining", run_config=testing.tiny_config()
    )
    training.fit(
        model,
        make_dataset=functools.partial(
            dataset, bad_steps=bad_steps, pause=pause
        ),
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=num_steps,
            **dict(log_steps=5, save_checkpoints_steps=10) | schedule,
        ),
        batch_size=BATCH_SIZE,
        evaluate=model.new_evaluation(values),
        callbacks=callbacks,
    )
    return model


def run_program(output_path: str, arguments: dict, slow_writes: bool = False):
    """Trains as a program, in a process of its own.

    Args:
        output_path: gets what the program prints.
        arguments: for `train`.
        slow_writes: whether there are pauses between and within the steps of
            writing a checkpoint.
    """
    for stream in (sys.stdout, sys.stderr):
        forked.redirect(stream, output_path)
    sys.argv = ["small_run"]
    logging.set_verbosity(logging.INFO)
    if slow_writes:
        slow_down()
    program.run(lambda: train(**arguments))


def slow_down():
    """Puts pauses into the writing of checkpoints.

    Data and index are first written in part, as by a slow disk.
    """
    write, rename = tf.train.Checkpoint.write, tf.io.gfile.rename
    remove = tf.io.gfile.remove

    def slow_write(self, path):
        write(self, path + "_temp/part")
        for suffix in (".data-00000-of-00001", ".index"):
            with open(path + "_temp/part" + suffix, "rb") as file:
                content = file.read()
            with open(path + suffix, "wb", buffering=0) as file:
                for part in np.array_split(np.frombuffer(content, "u1"), 3):
                    file.write(part.tobytes())
                    time.sleep(0.02)
        tf.io.gfile.rmtree(path + "_temp")
        return path

    def slow_rename(*arguments, **options):
        time.sleep(0.02)
        rename(*arguments, **options)
        time.sleep(0.02)

    def slow_remove(path):
        remove(path)
        time.sleep(0.02)

    tf.train.Checkpoint.write = slow_write
    tf.io.gfile.rename = slow_rename
    tf.io.gfile.remove = slow_remove
