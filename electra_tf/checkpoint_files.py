"""The files of numbered checkpoints: which there are, which are whole.

A checkpoint is `ckpt-STEP.index` and `ckpt-STEP.data-*`. TensorFlow writes the
data under a temporary name, and the index last; the file `checkpoint`, which
names the newest, is replaced in one piece after that.
"""

from collections.abc import Iterable
import os
import re

from absl import logging
import tensorflow as tf

_NUMBERED = re.compile(r"^ckpt-(\d+)(?:\.|_temp)")
_STATE_FILE = "checkpoint"
# The reader makes the last two of OUT_OF_RANGE and INVALID_ARGUMENT.
_UNREADABLE = (tf.errors.OpError, IndexError, ValueError)


def prefix(directory: str, step: int) -> str:
    """What the names of a checkpoint's files begin with."""
    return os.path.join(directory, f"ckpt-{step}")


def steps(directory: str) -> list[int]:
    """The steps of all numbered checkpoints, whole or not, ascending."""
    names = _list(directory) + [os.path.basename(p) for p in _named(directory)]
    numbers = [_NUMBERED.match(name + ".") for name in names]
    return sorted({int(match[1]) for match in numbers if match})


def newest(directory: str) -> str | None:
    """The prefix of the newest checkpoint that looks whole; None without one.

    Those that do not are named in a warning. Sizes are compared, but values
    are not read: `damage` does that.
    """
    candidates = _named(directory) or [
        prefix(directory, step) for step in reversed(steps(directory))
    ]
    for candidate in candidates:
        problem = _missing_bytes(candidate)
        if problem is None:
            return candidate
        logging.warning("Not a whole checkpoint: %s (%s)", candidate, problem)
    return None


def damage(path: str) -> str | None:
    """Why a checkpoint cannot be read; None if all of its values can.

    TensorFlow compares the checksum of each value.

    Args:
        path: prefix of the checkpoint.
    """
    try:
        reader = tf.train.load_checkpoint(path)
        for key in reader.get_variable_to_shape_map():
            reader.get_tensor(key)
    except _UNREADABLE as error:
        return str(error)
    return None


def write_state(directory: str, kept_steps: Iterable[int]):
    """Names checkpoints in the file that TensorFlow finds the newest with."""
    names = [f"ckpt-{step}" for step in sorted(kept_steps)]
    lines = [f'model_checkpoint_path: "{names[-1]}"\n']
    lines += [f'all_model_checkpoint_paths: "{name}"\n' for name in names]
    path = os.path.join(directory, _STATE_FILE)
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write("".join(lines))
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def has_state(directory: str) -> bool:
    """Whether any checkpoint was ever complete, see `write_state`."""
    return tf.io.gfile.exists(os.path.join(directory, _STATE_FILE))


def delete(directory: str, step: int):
    """Deletes all files of a checkpoint, also of a part of one."""
    names = [
        name
        for name in _list(directory)
        if (match := _NUMBERED.match(name)) and int(match[1]) == step
    ]
    # Without its index the rest is no checkpoint any more.
    for name in sorted(names, key=lambda name: not name.endswith(".index")):
        path = os.path.join(directory, name)
        if tf.io.gfile.isdir(path):
            tf.io.gfile.rmtree(path)
        else:
            tf.io.gfile.remove(path)


def delete_unfinished(directory: str):
    """Deletes what a killed process has left of the data that it wrote."""
    for name in _list(directory):
        if _NUMBERED.match(name) and name.endswith("_temp"):
            tf.io.gfile.rmtree(os.path.join(directory, name))


def _list(directory: str) -> list[str]:
    if not tf.io.gfile.isdir(directory):
        return []
    # Object stores mark folders with a slash.
    return [name.rstrip("/") for name in tf.io.gfile.listdir(directory)]


def _named(directory: str) -> list[str]:
    """What the file `checkpoint` names, newest first."""
    try:
        state = tf.train.get_checkpoint_state(directory)
    except ValueError:  # Empty, or garbage that is not even text.
        return []
    if state is None:
        return []
    paths = [state.model_checkpoint_path]
    paths += reversed(state.all_model_checkpoint_paths)
    return list(dict.fromkeys(paths))


def _missing_bytes(path: str) -> str | None:
    """Why a checkpoint cannot be whole, from its index and its size."""
    try:
        reader = tf.train.load_checkpoint(path)
    except _UNREADABLE as error:
        return str(error)
    dtypes = reader.get_variable_to_dtype_map()
    needed = sum(
        tf.TensorShape(shape).num_elements() * dtypes[key].size
        for key, shape in reader.get_variable_to_shape_map().items()
        if dtypes[key] != tf.string  # Whose lengths the index does not tell.
    )
    directory, name = os.path.split(path)
    size = sum(
        tf.io.gfile.stat(os.path.join(directory, file)).length
        for file in _list(directory or ".")
        if file.startswith(name + ".data-")
    )
    if size < needed:
        return f"{size} of at least {needed} bytes of data"
    return None
