"""Strings of TensorFlow, which are bytes, as text."""

import numpy as np

# An output with such a name holds bytes, not text; REST sends it as base64.
BYTES_SUFFIX = "_bytes"


def decode(name: str, array: np.ndarray) -> np.ndarray:
    """An output of a model: str instead of bytes, in an array of objects.

    Args:
        name: of the output.
        array: of any type and shape; only objects, which are bytes, change.
    """
    if array.dtype != object:
        return array
    texts = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        texts[index] = text_or_bytes(name, value)
    return texts


def text_or_bytes(name: str, value: bytes) -> str | bytes:
    """Text, unless the output's name or the value says that it is none."""
    if name.endswith(BYTES_SUFFIX):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
