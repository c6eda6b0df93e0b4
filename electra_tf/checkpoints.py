"""Saving, finding and strictly loading the variables of a model.

A checkpoint of ours holds each variable under the name that it has in the
original's TensorFlow 1 checkpoints, so that both are read in the same way.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import os
import re
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

_MODEL_KEY = re.compile(r"^model/(.*)/\.ATTRIBUTES/VARIABLE_VALUE$")
_OPTIMIZER_SLOT = re.compile(r"/adam_[mv]$|^global_step$")


class Checkpointer:
    """Numbered checkpoints of a model and its optimizer in one folder.

    Args:
        directory: made if needed.
        model: with all its variables.
        keep: number of newest checkpoints that are kept.
    """

    def __init__(self, directory: str, *, model: tf_keras.Model, keep: int):
        optimizer = model.optimizer
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
            or the prefix of one checkpoint, such as `DIR/model.ckpt-1000`.
    """
    for candidate in (os.path.join(path, "checkpoints"), path):
        if tf.io.gfile.isdir(candidate):
            latest = tf.train.latest_checkpoint(candidate)
            if latest is not None:
                return latest
    path = path.removesuffix(".index")
    if tf.io.gfile.exists(path + ".index"):
        return path
    raise ValueError(
        f"No checkpoint in {path!r}. Expected a model folder with "
        "checkpoints/, a folder of checkpoints, or the prefix of one, such "
        "as DIR/model.ckpt-1000."
    )


def read_variables(path: str) -> dict[str, np.ndarray]:
    """Every variable of a model's checkpoint by name, without the optimizer.

    Args:
        path: as for `find`; ours or the original's.
    """
    reader = tf.train.load_checkpoint(find(path))
    keys = reader.get_variable_to_shape_map()
    if any(_MODEL_KEY.match(key) for key in keys):
        names = {
            _unescape(match[1]): key
            for key in keys
            if (match := _MODEL_KEY.match(key))
        }
    else:
        names = {key: key for key in keys if not _OPTIMIZER_SLOT.search(key)}
    return {name: reader.get_tensor(key) for name, key in names.items()}


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
            all of them, and no variable has been changed.
    """
    named = by_name(variables)
    missing = sorted(set(named) - set(values))
    unused = sorted(set(values) - set(named))
    shared = [name for name in named if name in values]
    problems = [
        f"missing from the checkpoint: {name} {named[name].shape}"
        for name in missing
        if not _matches(name, may_be_missing)
    ]
    problems += [
        f"not in the model: {name} {values[name].shape}"
        for name in unused
        if not _matches(name, may_be_unused)
    ]
    problems += [
        f"of another shape: {name} {values[name].shape} in the checkpoint, "
        f"{named[name].shape} in the model"
        for name in shared
        if tuple(named[name].shape) != values[name].shape
    ]
    if problems:
        raise ValueError(
            "The checkpoint does not fit the model; is the configuration "
            "(vocab_size, generator_hidden_size, ...) that of the checkpoint? "
            "Variables\n  " + "\n  ".join(problems)
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
        _scopes(result.unused) or "none",
    )


def _scopes(names: list[str]) -> str:
    """`generator/ (39), ...` for names that are too many to list."""
    scopes = [name.partition("/")[0] for name in names]
    return ", ".join(
        f"{scope} ({scopes.count(scope)})" for scope in sorted(set(scopes))
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(re.match(pattern, name) for pattern in patterns)


def _unescape(key: str) -> str:
    """A dictionary key as tf.train.Checkpoint writes it, read back."""
    return key.replace(".S", "/").replace("..", ".")
