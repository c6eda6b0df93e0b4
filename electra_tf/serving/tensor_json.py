"""TensorFlow Serving's JSON for tensors, in both of its forms.

    {"signature_name": "encode", "instances": [{"text": "a"}, {"text": "b"}]}
    {"signature_name": "encode", "inputs": {"text": ["a", "b"]}}

By row, an answer has "predictions", one for each instance; by column it has
"outputs". Where there is but one tensor its name may be left out, and in
answers it is. Bytes are {"b64": ...}; NaN, Infinity and -Infinity are written
so, which Python's `json` reads and JavaScript's does not.
"""

import base64
import binascii
import json
from typing import Any
from typing import NamedTuple

import numpy as np

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields

# Outputs that are named so are bytes, and not text.
_BYTES_SUFFIX = "_bytes"
# Of numpy's arrays; a list may be nested deeper.
_MAX_RANK = 32


class PredictBody(NamedTuple):
    """The body of a request.

    Attributes:
        signature_name: empty for the default one.
        by_row: whether it has `instances`, and not `inputs`.
        values: of the one or of the other.
    """

    signature_name: str
    by_row: bool
    values: Any


def parse(body: bytes) -> PredictBody:
    """Reads the body of a request; ServingError if it is malformed."""
    content = _load(body)
    if not isinstance(content, dict):
        raise serving_errors.invalid(
            f"The body must be a JSON object, not {_kind(content)}."
        )
    signature_name = content.get("signature_name", "")
    if not isinstance(signature_name, str):
        raise serving_errors.invalid(
            f"'signature_name' must be a string, not {_kind(signature_name)}."
        )
    given = [key for key in ("instances", "inputs") if key in content]
    if len(given) != 1:
        raise serving_errors.invalid(
            "The body must have 'instances' (a list with an entry for each "
            "row) or 'inputs' (tensors by name), and "
            + ("not both." if given else "has neither.")
        )
    by_row = given == ["instances"]
    values = content[given[0]]
    if by_row and not (isinstance(values, list) and values):
        raise serving_errors.invalid(
            "'instances' must be a list with at least one entry."
        )
    return PredictBody(signature_name, by_row, values)


def to_arrays(
    body: PredictBody, fields: dict[str, tensor_fields.Field]
) -> dict[str, np.ndarray]:
    """The inputs of a request.

    Args:
        body: the request.
        fields: what the signature takes, by name.

    Returns:
        Arrays by name, with the types and shapes that the signature asks
        for; strings are bytes in arrays of objects.

    Raises:
        ServingError: a value is missing, unknown, or of another type or shape.
    """
    values = _columns(body, fields)
    tensor_fields.check_names(values, fields)
    return {
        name: _to_array(name, values[name], field)
        for name, field in fields.items()
    }


def from_arrays(outputs: dict[str, np.ndarray], *, by_row: bool) -> bytes:
    """The body of an answer.

    Args:
        outputs: arrays by name, strings as bytes in arrays of objects.
        by_row: whether the request had `instances`.

    Raises:
        ServingError: an array is of a type that JSON has not, or by row the
            first dimensions differ.
    """
    if by_row:
        _check_batch(outputs)
    lists = {name: _to_list(name, array) for name, array in outputs.items()}
    key = "predictions" if by_row else "outputs"
    if len(lists) == 1:
        (value,) = lists.values()
    elif by_row:
        value = [
            dict(zip(lists, row)) for row in zip(*lists.values(), strict=True)
        ]
    else:
        value = lists
    return json.dumps({key: value}, ensure_ascii=False).encode()


def _load(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise serving_errors.invalid(
            f"The body is not JSON: {error.msg} at character {error.pos}."
        ) from error
    except ValueError as error:  # No Unicode, or a number of 5000 digits.
        raise serving_errors.invalid(
            f"The body is not JSON: {error}."
        ) from error
    except RecursionError as error:
        raise serving_errors.invalid(
            "The body is nested too deeply."
        ) from error


def _columns(
    body: PredictBody, fields: dict[str, tensor_fields.Field]
) -> dict[str, Any]:
    """Nested lists by name."""
    if not body.by_row:
        if _is_named(body.values):
            return body.values
        return {_only_name(fields, "inputs"): body.values}
    if not _is_named(body.values[0]):
        name = _only_name(fields, "instances")
        for number, instance in enumerate(body.values):
            if _is_named(instance):
                raise serving_errors.invalid(
                    f"Instance {number} is an object, but the first is none."
                )
        return {name: body.values}
    for number, instance in enumerate(body.values):
        if not _is_named(instance):
            raise serving_errors.invalid(
                f"Instance {number} must be an object with values by name, as "
                f"the first one is, not {_kind(instance)}."
            )
        tensor_fields.check_names(instance, fields)
    return {
        name: [instance[name] for instance in body.values] for name in fields
    }


def _only_name(fields: dict[str, tensor_fields.Field], key: str) -> str:
    if len(fields) != 1:
        raise serving_errors.invalid(
            f"{key!r} must give values by name, as the signature takes "
            f"{', '.join(sorted(fields))}."
        )
    return next(iter(fields))


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _to_array(name: str, value: Any, field: tensor_fields.Field) -> np.ndarray:
    shape, leaves = _flatten(name, value)
    field.check_shape(name, shape)
    if field.dtype == np.object_:
        array = np.empty(len(leaves), np.object_)
        array[:] = [_to_bytes(name, leaf) for leaf in leaves]
    else:
        array = _to_numbers(name, leaves, field)
    return array.reshape(shape)


def _flatten(name: str, value: Any) -> tuple[tuple[int, ...], list]:
    """The shape of nested lists, and what is in them."""
    shape, level = [], [value]
    while level and isinstance(level[0], list):
        size = len(level[0])
        for item in level:
            if not isinstance(item, list) or len(item) != size:
                raise serving_errors.invalid(
                    f"Input {name!r} must be lists of equal lengths, but "
                    f"{serving_errors.shown(item)} is beside a list of {size}."
                )
        shape.append(size)
        if len(shape) > _MAX_RANK:
            raise serving_errors.invalid(
                f"Input {name!r} is nested more than {_MAX_RANK} times."
            )
        level = [leaf for item in level for leaf in item]
    return tuple(shape), level


def _to_bytes(name: str, value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError as error:  # Half of a surrogate pair.
            raise serving_errors.invalid(
                f"Input {name!r}: {serving_errors.shown(value)} is no Unicode."
            ) from error
    if not _is_base64(value):
        raise _wrong_type(name, value, "string")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise serving_errors.invalid(
            f"Input {name!r}: {serving_errors.shown(value['b64'])} is not "
            f"base64: {error}."
        ) from error


def _to_numbers(
    name: str, leaves: list, field: tensor_fields.Field
) -> np.ndarray:
    dtype = field.dtype
    allowed = _allowed(dtype)
    if allowed is None:
        raise serving_errors.ServingError(
            serving_errors.Code.UNIMPLEMENTED,
            f"Input {name!r} is {dtype.name}, which JSON cannot give.",
        )
    for leaf in leaves:
        # As True is an int for Python, types are compared.
        if type(leaf) not in allowed:
            raise _wrong_type(name, leaf, dtype.name)
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        for leaf in leaves:
            if not bounds.min <= leaf <= bounds.max:
                raise _wrong_type(name, leaf, dtype.name)
        return np.array(leaves, dtype)
    if dtype.kind == "b":
        return np.array(leaves, dtype)
    return _to_floats(name, leaves, dtype)


def _allowed(dtype: np.dtype) -> tuple[type, ...] | None:
    if dtype.kind == "b":
        return (bool,)
    if dtype.kind in "iu":
        return (int,)
    if dtype.kind == "f":
        return (int, float)
    return None


def _to_floats(name: str, leaves: list, dtype: np.dtype) -> np.ndarray:
    try:
        exact = np.array([float(leaf) for leaf in leaves], np.float64)
    except OverflowError as error:  # An int.
        raise serving_errors.invalid(
            f"Input {name!r} has a number that is too large for {dtype.name}."
        ) from error
    with np.errstate(over="ignore"):
        array = exact.astype(dtype)
    too_large = np.isinf(array) & ~np.isinf(exact)
    if np.any(too_large):
        raise _wrong_type(name, float(exact[too_large][0]), dtype.name)
    return array


def _wrong_type(
    name: str, value: Any, wanted: str
) -> serving_errors.ServingError:
    return serving_errors.invalid(
        f"Input {name!r}: {serving_errors.shown(value)} ({_kind(value)}) is "
        f"not of the type {wanted}."
    )


def _kind(value: Any) -> str:
    """What JSON calls the type of a value."""
    if value is None:
        return "null"
    kinds = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return kinds[type(value)]


def _check_batch(outputs: dict[str, np.ndarray]):
    sizes = {name: array.shape[:1] for name, array in outputs.items()}
    if () in sizes.values() or len(set(sizes.values())) > 1:
        raise serving_errors.invalid(
            "The outputs do not have one entry for each instance; ask with "
            f"'inputs' instead of 'instances'. First dimensions: {sizes}."
        )


def _to_list(name: str, array: np.ndarray) -> Any:
    if array.dtype == np.object_:
        return _strings(name, array)
    if array.dtype.kind in "biu" or array.dtype == np.float64:
        return array.tolist()
    if array.dtype.name in ("float32", "float16", "bfloat16"):
        # In the fewest digits that give the same float32, as TensorFlow
        # Serving writes them: 0.2, and not 0.20000000298023224.
        return array.astype(np.float32).astype("U").astype(np.float64).tolist()
    raise serving_errors.ServingError(
        serving_errors.Code.UNIMPLEMENTED,
        f"Output {name!r} is {array.dtype.name}, which JSON cannot give.",
    )


def _strings(name: str, array: np.ndarray) -> Any:
    is_bytes = name.endswith(_BYTES_SUFFIX)
    values = np.empty(array.size, np.object_)
    values[:] = [_string(item, is_bytes) for item in array.reshape(-1)]
    return values.reshape(array.shape).tolist()


def _string(value: bytes, is_bytes: bool) -> str | dict[str, str]:
    if not is_bytes:
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass  # Only base64 can give it.
    return {"b64": base64.b64encode(value).decode()}
