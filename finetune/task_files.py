"""The files of tasks: found, decompressed, decoded."""

import gzip
import io
import zlib

from finetune import task as task_lib

# Of a compressed file that is larger, at most so many times its size is read.
_FREE_BYTES = 64 << 20
_MAX_RATIO = 200


def find(task: task_lib.Task, *, split: str, data_dir: str) -> str | None:
    """The path of a split's file, which may end in .gz; None without one."""
    # Here, because everything else needs no TensorFlow, which takes seconds.
    import tensorflow as tf

    named = task.path(data_dir, split)
    plain = named.removesuffix(".gz")
    for path in (named, plain if named != plain else f"{named}.gz"):
        if tf.io.gfile.exists(path):
            return path
    return None


def read(
    task: task_lib.Task, *, split: str, data_dir: str
) -> tuple[str, bytes]:
    """The path and the content of a split's file, decompressed.

    Raises:
        ValueError: there is no such file, with where it can be had, or it is
            damaged.
    """
    import tensorflow as tf

    path = find(task, split=split, data_dir=data_dir)
    if path is None:
        raise ValueError(
            f"No file {task.path(data_dir, split)!r}. Task {task.name!r} reads "
            f"{', '.join(task.files.values())}, with or without .gz, in the "
            f"folder {task.folder} of the data folder; "
            f"{task.source or 'its author'} has them."
        )
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    return path, _decompress(content, path) if path.endswith(".gz") else content


def _decompress(content: bytes, path: str) -> bytes:
    limit = _FREE_BYTES + _MAX_RATIO * len(content)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            text = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no whole gzip file: {error}.") from error
    if len(text) > limit:
        raise ValueError(
            f"{path} holds more than {limit} bytes, over {_MAX_RATIO} times "
            "its own size. No text does; decompress it yourself if it is right."
        )
    return text


def lines(content: bytes, file_name: str) -> list[str]:
    """The lines of a file, without byte-order mark and carriage returns.

    Only line feeds end a line: texts may hold other characters that Python's
    splitlines() breaks at.

    Raises:
        ValueError: it is not UTF-8, with the line.
    """
    return decode(content, file_name).replace("\r", "").split("\n")


def decode(content: bytes, file_name: str) -> str:
    """The text of a file, without byte-order mark.

    Raises:
        ValueError: it is not UTF-8, with the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{file_name}, line {number}: not UTF-8 ({error.reason})."
        ) from error
