"""What the functions of a served model take and return.

Inputs are checked and converted before they are sent: the server's own words
about a wrong type or a missing input are the same for every mistake.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

# The signature that is called if a caller names none.
DEFAULT = "serving_default"

# numpy's names for what TensorFlow calls its types; both protocols carry them.
_DTYPES = {
    "DT_BOOL": "bool",
    "DT_DOUBLE": "float64",
    "DT_FLOAT": "float32",
    "DT_INT8": "int8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_STRING": "str",
    "DT_UINT8": "uint8",
    "DT_UINT32": "uint32",
    "DT_UINT64": "uint64",
}


class Mismatch(ValueError):
    """Inputs or outputs that are not those of a signature."""


class TensorInfo(NamedTuple):
    """Type and shape of an input or output.

    Attributes:
        dtype: of numpy; "str" for strings, which are arrays of objects.
        shape: its sizes, None where any is allowed.
    """

    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self):
        sizes = ["?" if size is None else str(size) for size in self.shape]
        return f"{self.dtype}[{', '.join(sizes)}]"


class Signature(NamedTuple):
    """One function of a served model: tensors by name."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


class VersionStatus(NamedTuple):
    """One version of a model on a server.

    Attributes:
        version: its number.
        state: "START", "LOADING", "AVAILABLE", "UNLOADING" or "END".
        error: why it could not be loaded; empty if nothing is wrong.
    """

    version: int
    state: str
    error: str


def tensor_info(type_name: str, sizes: Iterable[int]) -> TensorInfo:
    """What the metadata of a server say of a tensor.

    Args:
        type_name: such as "DT_INT32".
        sizes: of its dimensions; -1 where any is allowed.

    Raises:
        ValueError: the type is none that both protocols carry.
    """
    if type_name not in _DTYPES:
        raise ValueError(
            f"The model takes or returns {type_name}, which this client does "
            f"not know. It knows {', '.join(sorted(_DTYPES))}."
        )
    shape = tuple(None if size < 0 else size for size in sizes)
    return TensorInfo(_DTYPES[type_name], shape)


def find(signatures: Mapping[str, Signature], name: str) -> Signature:
    """The signature of a name; ValueError lists those that there are."""
    if name not in signatures:
        raise Mismatch(
            f"The model has no signature {name!r}. Its signatures: "
            f"{', '.join(sorted(signatures))}."
        )
    return signatures[name]


def check_names(names: Iterable[str], signature: Signature, what: str):
    """Raises `Mismatch` unless these are the names of all inputs.

    Args:
        names: that were given.
        signature: has the names that are needed.
        what: was given, for the message: "Signature 'x'", "Record 3".
    """
    names = set(names)
    missing = sorted(signature.inputs.keys() - names)
    unknown = sorted(names - signature.inputs.keys())
    if missing or unknown:
        problems = [f"lacks {', '.join(missing)}"] * bool(missing)
        problems += [f"has unknown {', '.join(unknown)}"] * bool(unknown)
        raise Mismatch(
            f"{what} {' and '.join(problems)}. The inputs are "
            f"{_listing(signature.inputs)}."
        )


def prepare(
    inputs: Mapping[str, object], signature: Signature
) -> dict[str, np.ndarray]:
    """Inputs as arrays of the types and shapes that a signature takes.

    Args:
        inputs: arrays, or nested lists, by name; batch first.
        signature: says what they must be.

    Raises:
        Mismatch: a name, type or shape is wrong, or the sizes of the batch
            differ among the inputs.
    """
    check_names(inputs, signature, "The request")
    arrays = {
        name: _array(name, values, signature.inputs[name])
        for name, values in inputs.items()
    }
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        raise Mismatch(f"The inputs have different numbers of rows: {sizes}.")
    return arrays


def check_answers(
    outputs: Mapping[str, np.ndarray], signature: Signature, num_rows: int
):
    """Raises `Mismatch` unless each output has one row for each input."""
    if outputs.keys() != signature.outputs.keys():
        raise Mismatch(
            f"The server returned {sorted(outputs)}; its metadata say "
            f"{sorted(signature.outputs)}."
        )
    for name, array in outputs.items():
        if not array.ndim or len(array) != num_rows:
            raise Mismatch(
                f"The server returned {name} of shape {array.shape} for "
                f"{num_rows} inputs; there must be a row for each."
            )


def _array(name: str, values, info: TensorInfo) -> np.ndarray:
    dtype = object if info.dtype == "str" else None
    try:
        array = np.asarray(values, dtype)
    except ValueError as error:
        raise Mismatch(
            f"Input {name!r} is no {info}: its rows differ in length."
        ) from error
    array = _strings(name, array) if dtype else _numbers(name, array, info)
    fits = array.ndim == len(info.shape) and all(
        wanted in (None, size) for wanted, size in zip(info.shape, array.shape)
    )
    if not fits:
        raise Mismatch(
            f"Input {name!r} must be {info}, got the shape {array.shape}."
        )
    return array


def _strings(name: str, array: np.ndarray) -> np.ndarray:
    """Checks that all can be sent: str, as UTF-8, or bytes."""
    for value in array.flat:
        if not isinstance(value, str | bytes):
            raise Mismatch(f"Input {name!r} must be text, got {value!r}.")
        if isinstance(value, str) and not _is_encodable(value):
            raise Mismatch(
                f"Input {name!r} holds half of a character (a lone surrogate) "
                f"in {value[:60]!r}, which UTF-8 cannot express."
            )
    return array


def _is_encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _numbers(name: str, array: np.ndarray, info: TensorInfo) -> np.ndarray:
    if not array.size:  # An empty list has no type of its own.
        return array.astype(info.dtype)
    if not np.can_cast(array.dtype, info.dtype, "same_kind"):
        raise Mismatch(f"Input {name!r} must be {info}, got {array.dtype}.")
    converted = array.astype(info.dtype)
    if array.dtype.kind in "iu" and not np.array_equal(array, converted):
        raise Mismatch(f"Input {name!r} has numbers too large for {info}.")
    return converted


def _listing(tensors: Mapping[str, TensorInfo]) -> str:
    return ", ".join(f"{name}: {info}" for name, info in tensors.items())
