"""Where a build's output goes, and what of a user's folder it may replace."""

from collections.abc import Iterable
import os
import re

import tensorflow as tf

from data_prep import build_plan
from data_prep import work_folder
from electra_tf import dataset_info
from electra_tf import records
from electra_tf import tokenization

# What a data set consists of; nothing else in a user's folder is deleted.
_RECORDS = re.compile(rf"{re.escape(records.SHARD_PREFIX)}\d+-of-\d+")
_BESIDE_RECORDS = (tokenization.VOCAB_FILE, tokenization.SETTINGS_FILE)


def normalize(output_dir: str) -> str:
    """The same folder by another name, without links if it is a local one."""
    if work_folder.is_local(output_dir):
        return os.path.realpath(output_dir)
    return output_dir.rstrip("/")


def check(output_dir: str, *, overwrite: bool) -> None:
    """Raises ValueError unless the output is new, empty, or may be replaced."""
    if not tf.io.gfile.isdir(output_dir):
        if tf.io.gfile.exists(output_dir):
            raise ValueError(f"{output_dir} is a file. Name a folder.")
        return
    names = [
        name
        for name in tf.io.gfile.listdir(output_dir)
        if not name.startswith(work_folder.SUFFIX)
    ]
    if names and not overwrite:
        raise ValueError(
            f"{output_dir} is not empty. Name another folder, or replace the "
            f"data set in it with --overwrite."
        )
    if names and not any(map(_RECORDS.fullmatch, names)):
        raise ValueError(
            f"{output_dir} is not empty, and holds no data set that "
            f"--overwrite could replace. Name another folder."
        )


def check_corpus(output_dir: str, plan: build_plan.Plan) -> None:
    """Raises ValueError if the output is in a folder that would be read."""
    for unit in plan.units:
        for folder in (output_dir, output_dir + work_folder.SUFFIX):
            if normalize(unit.path).startswith(folder + "/"):
                raise ValueError(
                    f"The output {output_dir} lies within the corpus: "
                    f"{unit.path} would be read as text. Name another folder."
                )


def publish(work: work_folder.WorkFolder, output_dir: str) -> None:
    """Moves the data to their place, and removes what is left of the work."""
    is_dir = tf.io.gfile.isdir(output_dir)
    if is_dir and tf.io.gfile.listdir(output_dir):
        _replace(work.data, output_dir)
    else:
        tf.io.gfile.rename(work.data, output_dir, overwrite=is_dir)
    work.discard()


def _replace(data_dir: str, output_dir: str) -> None:
    """Replaces a data set in a folder that may hold other things."""
    eval_dir = os.path.join(output_dir, build_plan.EVAL_FOLDER)
    for directory in (output_dir, eval_dir):
        _remove_data(directory)
    if tf.io.gfile.isdir(eval_dir) and not tf.io.gfile.listdir(eval_dir):
        tf.io.gfile.rmtree(eval_dir)
    for folder in (build_plan.EVAL_FOLDER, ""):
        source = os.path.join(data_dir, folder)
        if not tf.io.gfile.isdir(source):
            continue
        target = os.path.join(output_dir, folder)
        tf.io.gfile.makedirs(target)
        names = [
            name
            for name in tf.io.gfile.listdir(source)
            if not tf.io.gfile.isdir(os.path.join(source, name))
        ]
        for name in _description_last(names):
            tf.io.gfile.rename(
                os.path.join(source, name),
                os.path.join(target, name),
                overwrite=True,
            )


def _remove_data(directory: str) -> None:
    """Removes the data set in a folder, if there is one."""
    if not tf.io.gfile.isdir(directory):
        return
    names = tf.io.gfile.listdir(directory)
    data = [name for name in names if _RECORDS.fullmatch(name)]
    if not data:
        return
    beside = (dataset_info.INFO_FILE, *_BESIDE_RECORDS)
    data += [name for name in names if name in beside]
    # Without its description, there is no data set.
    for name in reversed(_description_last(data)):
        tf.io.gfile.remove(os.path.join(directory, name))


def _description_last(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name == dataset_info.INFO_FILE)
