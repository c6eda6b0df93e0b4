"""Flags of all programs that export: where to, and for what machines."""

import typing
from typing import Any

from absl import flags

from electra_tf import config

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder that gets the SavedModel as a numbered version, such as 1/.",
    required=True,
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "Number of the version; one more than the newest by default.",
    lower_bound=0,
)
_FIXED_LENGTH = flags.DEFINE_boolean(
    "fixed_length",
    False,
    "Pad all rows to the longest that the model reads, for devices that want "
    "static shapes; otherwise to the longest of their batch.",
)
_PRECISION = flags.DEFINE_enum(
    "precision",
    "float32",
    typing.get_args(config.Precision),
    "Of the products of matrices. Weights, softmax, normalisation and answers "
    "are float32.",
)
_WARMUP_BATCH_SIZES = flags.DEFINE_list(
    "warmup_batch_sizes",
    [],
    "Sizes of batches, such as 1,8, that a server tries before it takes "
    "requests: the first of each size is not slower then.",
)


def arguments() -> dict[str, Any]:
    """What the flags say, as keyword arguments of functions that export."""
    return {
        "output_dir": _OUTPUT_DIR.value,
        "version": _VERSION.value,
        "fixed_length": _FIXED_LENGTH.value,
        "precision": _PRECISION.value,
        "warmup_batch_sizes": _batch_sizes(_WARMUP_BATCH_SIZES.value),
    }


def _batch_sizes(values: list[str]) -> tuple[int, ...]:
    try:
        sizes = tuple(map(int, values))
    except ValueError as error:
        raise ValueError(f"--{_WARMUP_BATCH_SIZES.name}: {error}.") from error
    if any(size < 1 for size in sizes):
        raise ValueError(
            f"--{_WARMUP_BATCH_SIZES.name} must be at least 1, got "
            f"{','.join(values)}."
        )
    return sizes
