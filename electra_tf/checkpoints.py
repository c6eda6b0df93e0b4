"""Saving, finding and strictly loading the variables of a model.

A checkpoint of ours holds each variable under the name that it has in the
original's TensorFlow 1 checkpoints, so that both are read in the same way.
"""

import collections
from collections.abc import Iterable
from collections.abc import Sequence
import os
import re
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import encoder
from electra_tf import mismatch

_MODEL_KEY = re.compile(r"^model/(.*)/\.ATTRIBUTES/VARIABLE_VALUE$")
_OPTIMIZER_SLOT = re.compile(r"/adam_[mv]$|^global_step$")
_FILE_OF_CHECKPOINT = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")


class Checkpointer:
    """Numbered checkpoints of a model and its optimizer in one folder.

    Args:
        directory: made if needed.
        model: with all its variables.
        keep: number of newest checkpoints that are kept.
    """

    def __init__(self, directory: str, *, model: tf_keras.Model, keep: int):
        optimizer = model.optimizer
        # In the scope, or all replicas would share one set of moments.
        with model.distribute_strategy.scope():
            optimizer.build(model.trainable_variables)
        checkpoint = tf.train.Checkpoint(
            model=by_name(model.trainable_variables),
            optimizer=by_name(optimizer.variables),
        )
        self._optimizer = optimizer
        self._checkpoint = checkpoint
        self._manager = tf.train.CheckpointManager(
            checkpoint, directory, max_to_keep=keep
        )

    def restore_latest(self) -> int:
        """Loads the newest checkpoint if there is one; returns its step."""
        path = self._manager.latest_checkpoint
        if path is None:
            return 0
        self._checkpoint.restore(path).assert_consumed()
        return int(self._optimizer.iterations.numpy())

    def save(self, step: int) -> str:
        """Writes a checkpoint with the number of the step."""
        return self._manager.save(checkpoint_number=step)


class Restored(NamedTuple):
    """What `restore` did, names of variables each.

    Attributes:
        restored: got their values from the checkpoint.
        initialised: are not in the checkpoint and were left as they were.
        unused: are in the checkpoint and were not asked for.
    """

    restored: list[str]
    initialised: list[str]
    unused: list[str]


def by_name(variables: Iterable[tf.Variable]) -> dict[str, tf.Variable]:
    """Variables by their names, without the `:0`."""
    named = {}
    for variable in variables:
        name = variable.name.partition(":")[0]
        if name in named:
            raise ValueError(f"Two variables have the name {name!r}.")
        named[name] = variable
    return named


def find(path: str) -> str:
    """The prefix of the checkpoint that a path stands for.

    Args:
        path: a model folder, a folder of checkpoints (the newest is taken),
            or the prefix of one checkpoint, such as `DIR/model.ckpt-1000`, or
            one of its files.
    """
    for candidate in (os.path.join(path, "checkpoints"), path):
        if tf.io.gfile.isdir(candidate):
            latest = tf.train.latest_checkpoint(candidate)
            if latest is not None:
                return latest
    indices = tf.io.gfile.glob(os.path.join(path, "*.index"))
    if len(indices) == 1:  # In a folder that does not name its newest.
        path = indices[0]
    path = _FILE_OF_CHECKPOINT.sub("", path)
    if tf.io.gfile.exists(path + ".index"):
        return path
    raise ValueError(
        f"No checkpoint in {path!r}. Expected a model folder with "
        "checkpoints/, a folder of checkpoints, or the prefix of one, such "
        "as DIR/model.ckpt-1000; or, where weights of any format are read, a "
        "folder of Hugging Face. Nothing is downloaded."
    )


def read_variables(path: str) -> dict[str, np.ndarray]:
    """Every variable of a model's checkpoint by name, without the optimizer.

    Args:
        path: as for `find`; ours or the original's.
    """
    reader = tf.train.load_checkpoint(find(path))
    keys = _keys(reader.get_variable_to_shape_map())
    return {name: reader.get_tensor(key) for name, key in keys.items()}


def read_shapes(path: str) -> dict[str, tuple[int, ...]]:
    """The shapes of what `read_variables` returns; reads no values."""
    shapes = tf.train.load_checkpoint(find(path)).get_variable_to_shape_map()
    return {name: tuple(shapes[key]) for name, key in _keys(shapes).items()}


def _keys(all_keys: Iterable[str]) -> dict[str, str]:
    """The keys in the file of the model's variables, by their names."""
    names = {
        _unescape(match[1]): key
        for key in all_keys
        if (match := _MODEL_KEY.match(key))
    }
    return names or {
        key: key for key in all_keys if not _OPTIMIZER_SLOT.search(key)
    }


def read_step(prefix: str) -> int:
    """The training step of a checkpoint; 0 if it does not tell it."""
    reader = tf.train.load_checkpoint(prefix)
    if reader.has_tensor("global_step"):  # In the original's.
        return int(reader.get_tensor("global_step"))
    number = re.search(r"-(\d+)$", prefix)
    return int(number[1]) if number else 0


def write_variables(
    directory: str, values: dict[str, np.ndarray], *, step: int
) -> str:
    """Writes a checkpoint that `read_variables` reads; returns its prefix."""
    variables = {name: tf.Variable(value) for name, value in values.items()}
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(model=variables), directory, max_to_keep=1
    )
    return manager.save(checkpoint_number=step)


def fold_deltas(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values in which no table is a difference to another one.

    With gradient-disentangled embedding sharing a checkpoint holds
    `electra/embeddings/X_delta`; for whoever reads the discriminator only,
    `electra/embeddings/X` is the sum of that and `generator/embeddings/X`.
    """
    suffix = encoder.DELTA_SUFFIX
    folded = {}
    for name, value in values.items():
        if name.endswith(suffix):
            name = name.removesuffix(suffix)
            value = value + values[name.replace("electra/", "generator/", 1)]
        folded[name] = value
    return folded


def restore(
    variables: Iterable[tf.Variable],
    values: dict[str, np.ndarray],
    *,
    may_be_missing: Sequence[str] = (),
    may_be_unused: Sequence[str] = (),
) -> Restored:
    """Gives every variable its value by name, or raises one full error.

    Args:
        variables: of the model.
        values: from `read_variables`.
        may_be_missing: regular expressions, matched from the start of the
            name, of variables that `values` need not have.
        may_be_unused: likewise, of values that `variables` need not have.

    Raises:
        ValueError: for missing, unexpected or misshapen variables; it lists
            all of them and the likely causes, and no variable has been
            changed.
    """
    named = by_name(variables)
    missing = sorted(set(named) - set(values))
    unused = sorted(set(values) - set(named))
    shared = [name for name in named if name in values]
    _check_fit(
        {name: value.shape for name, value in values.items()},
        {name: tuple(variable.shape) for name, variable in named.items()},
        missing=[n for n in missing if not _matches(n, may_be_missing)],
        unexpected=[n for n in unused if not _matches(n, may_be_unused)],
    )
    for name in shared:
        named[name].assign(values[name])
    return Restored(restored=shared, initialised=missing, unused=unused)


def log_restored(result: Restored, path: str):
    """Logs what came from where."""
    logging.info(
        "Restored %d variables from %s. Newly initialised: %s. Not used: %s.",
        len(result.restored),
        path,
        ", ".join(result.initialised) or "none",
        scopes(result.unused) or "none",
    )


def _check_fit(
    checkpoint: mismatch.Shapes,
    model: mismatch.Shapes,
    *,
    missing: Sequence[str],
    unexpected: Sequence[str],
):
    """Raises ValueError for these variables, and for misshapen ones."""
    problems = [
        *(f"missing from the checkpoint: {n} {model[n]}" for n in missing),
        *(f"not in the model: {n} {checkpoint[n]}" for n in unexpected),
        *(
            f"of another shape: {name} {checkpoint[name]} in the checkpoint, "
            f"{shape} in the model"
            for name, shape in model.items()
            if checkpoint.get(name, shape) != shape
        ),
    ]
    if problems:
        lines = ["The checkpoint does not fit the model. Likely causes:"]
        lines += mismatch.causes(checkpoint, model) or [
            "a configuration that is not that of the checkpoint."
        ]
        lines += [f"Variables ({len(problems)}):", *problems]
        raise ValueError("\n  ".join(lines))


def scopes(names: list[str]) -> str:
    """`generator (39), ...` for names that are too many to list."""
    counts = collections.Counter(name.partition("/")[0] for name in names)
    return ", ".join(f"{name} ({count})" for name, count in counts.items())


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(re.match(pattern, name) for pattern in patterns)


def _unescape(key: str) -> str:
    """A dictionary key as tf.train.Checkpoint writes it, read back."""
    return key.replace(".S", "/").replace("..", ".")
