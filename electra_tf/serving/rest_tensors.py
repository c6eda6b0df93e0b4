"""Arrays as the JSON of TensorFlow Serving's REST protocol, and back.

Requests and answers are in its column form: tensors by name, as nested lists.
JSON has no types, so what comes back gets those of the signature. NaN and
Infinity are written as such, which Python's JSON reads.
https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import json
from typing import Any

import numpy as np

from electra_tf.serving import served_signatures
from electra_tf.serving import string_arrays


def encode_request(signature_name: str, inputs: dict[str, np.ndarray]) -> bytes:
    """The body of a request for predictions."""
    columns = {name: _to_json(array) for name, array in inputs.items()}
    request = {"signature_name": signature_name, "inputs": columns}
    return json.dumps(request, ensure_ascii=False).encode("utf-8")


def decode_json(body: bytes) -> Any:
    """What a server sent; ValueError if it is no JSON.

    TensorFlow Serving copies strings into its JSON as they are. Bytes that are
    no UTF-8 become surrogates here, and bytes again in `decode_answer`.
    """
    return json.loads(body.decode("utf-8", "surrogateescape"))


def decode_answer(
    answer: dict[str, Any], signature: served_signatures.Signature
) -> dict[str, np.ndarray]:
    """The outputs in an answer, as arrays of the signature's types.

    Raises:
        served_signatures.Mismatch: they are not those of the signature.
    """
    outputs = answer["outputs"]
    if len(signature.outputs) == 1:
        (name,) = signature.outputs  # A single output comes without its name.
        outputs = {name: outputs}
    if not isinstance(outputs, dict):
        raise served_signatures.Mismatch(
            "The server returned one output; its metadata say "
            f"{sorted(signature.outputs)}."
        )
    return {
        name: _from_json(name, values, signature.outputs[name])
        for name, values in outputs.items()
        if name in signature.outputs
    }


def _to_json(array: np.ndarray) -> list:
    if array.dtype != object:
        return array.tolist()
    values = np.empty(array.shape, object)
    for index, value in np.ndenumerate(array):
        values[index] = _string_to_json(value)
    return values.tolist()


def _string_to_json(value: str | bytes) -> str | dict[str, str]:
    if isinstance(value, bytes):
        value = string_arrays.text_or_bytes("", value)
    if isinstance(value, str):
        return value
    return {"b64": base64.b64encode(value).decode("ascii")}


def _from_json(
    name: str, values: Any, info: served_signatures.TensorInfo
) -> np.ndarray:
    dtype = object if info.dtype == "str" else info.dtype
    try:
        array = np.array(values, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise served_signatures.Mismatch(
            f"The server returned {name} that is no {info}: {error}"
        ) from error
    if not array.size:
        # `[[], []]` may have had more dimensions, which JSON does not tell.
        more = info.shape[array.ndim :]
        array = array.reshape(*array.shape, *(size or 0 for size in more))
    if dtype is object:
        for index, value in np.ndenumerate(array):
            array[index] = _string_from_json(name, value)
    return array


def _string_from_json(name: str, value: Any) -> str | bytes:
    match value:
        case {"b64": str(encoded)}:
            return string_arrays.text_or_bytes(name, base64.b64decode(encoded))
        case str():
            return string_arrays.text_or_bytes(
                name, value.encode("utf-8", "surrogateescape")
            )
    raise served_signatures.Mismatch(
        f"The server returned {value!r} in {name}, which is no string."
    )
