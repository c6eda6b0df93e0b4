"""Answers to a batch as one answer an example, without the padding.

Sequences in a batch are padded to the longest, and a server that puts several
requests into one batch pads them further. An output `mask` says, with 1, what
belongs to an example; `spans_mask` or `span_mask` say so of all outputs whose
names begin with `spans_` or `span_`.
"""

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np

_MASK = "mask"
# One vector an example. It may be as wide as a text is long.
_WITHOUT_PADDING = ("cls", "mean")


def rows(outputs: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    """Splits the outputs of a batch into those of its examples.

    Args:
        outputs: by name, `[batch, ...]`. Those with a mask `[batch, length]`
            are cut to what it says; masks are left out.

    Yields:
        By name, an array, or a scalar of numpy, or str or bytes.
    """
    masks = {name: array for name, array in outputs.items() if _is_mask(name)}
    governing = {
        name: _mask_of(name, array, masks)
        for name, array in outputs.items()
        if name not in masks
    }
    for row in range(len(next(iter(outputs.values())))):
        yield {
            name: outputs[name][row]
            if mask is None
            else outputs[name][row][mask[row].astype(bool)]
            for name, mask in governing.items()
        }


def to_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON types; bytes as `{"b64": ...}`, as in REST."""
    return {name: _value_to_json(value) for name, value in row.items()}


def _is_mask(name: str) -> bool:
    return name == _MASK or name.endswith(f"_{_MASK}")


def _mask_of(
    name: str, array: np.ndarray, masks: dict[str, np.ndarray]
) -> np.ndarray | None:
    """The mask that an output is cut by; the longest matching name wins."""
    if name in _WITHOUT_PADDING or array.ndim < 2:
        return None
    prefixes = {mask.removesuffix(_MASK): mask for mask in masks}
    matching = [prefix for prefix in prefixes if name.startswith(prefix)]
    if not matching:
        return None
    mask = masks[prefixes[max(matching, key=len)]]
    return mask if mask.shape == array.shape[:2] else None


def _value_to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if not isinstance(value, np.ndarray | np.generic):
        return value
    if value.dtype == np.float32:
        # As short as it is exact: 0.2 rather than 0.20000000298023224.
        value = value.astype("U32").astype(np.float64)
    if value.dtype != object:
        return value.tolist()
    return [_value_to_json(item) for item in value]
