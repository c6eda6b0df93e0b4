"""Tokenized examples kept in files, for other runs on the same data.

The name of a file is a hash of everything that its content depends on, so it
is never stale. The files are `.npz` without pickled objects.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import io
import json
import os
from typing import Any
import zipfile

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import features
from finetune import finetune_config
from finetune import task as task_lib

# To be counted up when the same examples become other features.
_VERSION = 1
_SETTINGS = ("max_seq_length", "doc_stride", "max_query_length")
_CLASS = "class"
_VALUES, _SPLITS = "/values", "/splits"


def key(
    examples: Sequence[tuple],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> str:
    """A hash of all that features depend on, in hexadecimal."""
    settings = {
        "version": _VERSION,
        "kind": task.kind,
        "labels": list(task.labels),
        "score_range": list(task.score_range),
        "vocab": tokenizer.vocab_sha256,
        "tokenizer": tokenizer.settings(),
        "is_training": is_training,
    } | {name: getattr(run_config, name) for name in _SETTINGS}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for example in examples:
        digest.update(json.dumps(example).encode() + b"\n")
    return digest.hexdigest()


def load_or_make(
    path: str,
    make: Callable[[], features.Features],
    classes: Sequence[type[features.Features]],
) -> features.Features:
    """Features from a file, or made and written there.

    A file that cannot be read is made again, with a warning.

    Args:
        path: of the file, whose name should have `key` in it.
        make: makes the features.
        classes: that they may be of.
    """
    if tf.io.gfile.exists(path):
        try:
            loaded = _load(path, classes)
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            logging.warning("Damaged, made again: %s (%s)", path, error)
        else:
            logging.info("Features: %s", path)
            return loaded
    made = make()
    _save(path, made)
    return made


def _save(path: str, made: features.Features):
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **_to_arrays(made))
    tf.io.gfile.makedirs(os.path.dirname(path))
    # Other runs may write the same file at the same time.
    temporary = f"{path}.{os.getpid()}.tmp"
    with tf.io.gfile.GFile(temporary, "wb") as file:
        file.write(buffer.getvalue())
    tf.io.gfile.rename(temporary, path, overwrite=True)


def _load(
    path: str, classes: Sequence[type[features.Features]]
) -> features.Features:
    with tf.io.gfile.GFile(path, "rb") as file:
        content = io.BytesIO(file.read())
    with np.load(content, allow_pickle=False) as arrays:
        return _from_arrays(dict(arrays), classes)


def _to_arrays(made: features.Features) -> dict[str, np.ndarray]:
    arrays = {_CLASS: np.array(type(made).__name__)}
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if field.name == "targets":
            for name, target in value.items():
                arrays |= _flat(f"targets/{name}", target)
        else:
            arrays |= _flat(field.name, value)
    return arrays


def _flat(name: str, value: Any) -> dict[str, np.ndarray]:
    """One array, or two for rows of many lengths."""
    if isinstance(value, tuple):
        lengths = [len(part) for part in value]
        return {
            f"tuple:{name}{_VALUES}": np.concatenate(value)
            if value
            else np.zeros(0),
            f"tuple:{name}{_SPLITS}": np.cumsum([0, *lengths]),
        }
    if isinstance(value, tf.RaggedTensor):
        return {
            f"ragged:{name}{_VALUES}": value.values.numpy(),
            f"ragged:{name}{_SPLITS}": value.row_splits.numpy(),
        }
    return {f"array:{name}": np.asarray(value)}


def _from_arrays(
    arrays: Mapping[str, np.ndarray],
    classes: Sequence[type[features.Features]],
) -> features.Features:
    by_name = {cls.__name__: cls for cls in classes}
    fields: dict[str, Any] = {"targets": {}}
    for full_name, values in arrays.items():
        form, _, name = full_name.partition(":")
        if name.endswith(_SPLITS) or full_name == _CLASS:
            continue
        splits = arrays.get(full_name.replace(_VALUES, _SPLITS))
        name = name.removesuffix(_VALUES)
        value = _unflat(form, values, splits)
        if name.startswith("targets/"):
            fields["targets"][name.removeprefix("targets/")] = value
        else:
            fields[name] = value
    fields["pad_id"] = int(fields["pad_id"])
    return by_name[str(arrays[_CLASS])](**fields)


def _unflat(form: str, values: np.ndarray, splits: np.ndarray | None) -> Any:
    if form == "tuple":
        return tuple(np.split(values, splits[1:-1])) if len(splits) > 1 else ()
    if form == "ragged":
        return tf.RaggedTensor.from_row_splits(values, splits)
    return values
