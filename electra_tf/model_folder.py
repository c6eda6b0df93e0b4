"""The folder of one run: what it was told to do, and where things are.

`config.json`, `vocab.txt`, `tokenizer.json`, `checkpoints/`,
`metrics.jsonl`, TensorBoard's event files.
"""

import json
import os
import sys
from typing import Any

import tensorflow as tf

from electra_tf import config as config_lib


def checkpoints(model_dir: str) -> str:
    """The folder of the run's checkpoints."""
    return os.path.join(model_dir, "checkpoints")


def is_folder(path: str) -> bool:
    """Whether a path is a folder that `start` made."""
    return tf.io.gfile.exists(_config_path(path)) and "kind" in read(path)


def start(model_dir: str, *, kind: str, run_config, extra: dict | None = None):
    """Makes a run's folder, or checks that it is the folder of this run.

    Args:
        model_dir: new, empty, or of an earlier start of the same run.
        kind: "pretraining" or "finetuning".
        run_config: the run's configuration.
        extra: more to be kept in `config.json`, as JSON types.

    Raises:
        ValueError: the folder belongs to a run with another configuration,
            or cannot be written.
    """
    if tf.io.gfile.exists(_config_path(model_dir)):
        _check_same_run(model_dir, kind=kind, run_config=run_config)
    elif tf.io.gfile.isdir(model_dir) and tf.io.gfile.listdir(model_dir):
        raise ValueError(
            f"{model_dir!r} is not empty and holds no config.json of an "
            "earlier start of this run. Name a new folder."
        )
    contents = {"config": config_lib.to_dict(run_config)} | (extra or {})
    try:
        write(model_dir, kind, contents)
    except tf.errors.OpError as error:
        raise ValueError(
            f"Cannot write to {model_dir!r}: {error.message}"
        ) from error


def write(model_dir: str, kind: str, contents: dict[str, Any]):
    """Writes `config.json`; the folder is made if needed.

    Args:
        model_dir: the folder.
        kind: "pretraining", "finetuning", or "encoder" for converted weights
            that are of neither.
        contents: `config`, the configuration of that kind, and more, as JSON
            types.
    """
    tf.io.gfile.makedirs(model_dir)
    write_json(
        _config_path(model_dir),
        {"kind": kind}
        | contents
        | {"versions": {"tensorflow": tf.__version__}, "command": sys.argv},
    )


def read(model_dir: str) -> dict[str, Any]:
    """What `start` wrote: `kind`, `config` and more."""
    path = _config_path(model_dir)
    if not tf.io.gfile.exists(path):
        raise ValueError(
            f"{model_dir!r} is no model folder: it holds no config.json."
        )
    return read_json(path)


def read_json(path: str) -> Any:
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)


def write_json(path: str, value):
    """Writes JSON under a temporary name and renames it when complete."""
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        file.write(json.dumps(value, indent=2) + "\n")
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def _config_path(model_dir: str) -> str:
    return os.path.join(model_dir, "config.json")


def _check_same_run(model_dir: str, *, kind: str, run_config):
    earlier = read(model_dir)
    if earlier["kind"] != kind:
        raise ValueError(
            f"{model_dir!r} holds a {earlier['kind']} run, not {kind}. Name "
            "another folder."
        )
    if "converted_from" in earlier:
        raise ValueError(
            f"{model_dir!r} holds converted weights without a state of "
            "training to go on from. Name it as --init_checkpoint of a run in "
            "a new folder."
        )
    old_config = config_lib.from_dict(type(run_config), earlier["config"])
    differences = config_lib.differences(old_config, run_config)
    if differences:
        raise ValueError(
            f"{model_dir!r} holds a run with another configuration:\n  "
            + "\n  ".join(differences)
            + "\nRepeat the earlier flags to continue it, or name another "
            "folder."
        )
