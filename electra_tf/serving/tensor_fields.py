"""What a signature says about its tensors, without TensorFlow."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from electra_tf.serving import serving_errors


class Field(NamedTuple):
    """One named input.

    Attributes:
        dtype: of its elements; that of objects for strings of bytes.
        shape: its sizes, None where any size goes; None for any rank.
    """

    dtype: np.dtype
    shape: tuple[int | None, ...] | None

    def check_shape(self, name: str, shape: tuple[int, ...]):
        """Raises ServingError unless a tensor of this shape is taken."""
        if self.shape is None:
            return
        if len(shape) != len(self.shape) or any(
            wanted is not None and size != wanted
            for size, wanted in zip(shape, self.shape)
        ):
            raise serving_errors.invalid(
                f"Input {name!r} has the shape {shape_text(shape)}, but "
                f"{shape_text(self.shape)} is expected."
            )


def shape_text(shape: tuple[int | None, ...]) -> str:
    """`[?, 128]` and so on."""
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"[{', '.join(sizes)}]"


def check_names(given: Iterable[str], fields: dict[str, Field]):
    """Raises ServingError unless exactly the inputs of a signature are there.

    Args:
        given: names of a request.
        fields: those of the signature, by name.
    """
    given = set(given)
    missing = sorted(set(fields) - given)
    unknown = sorted(given - set(fields))
    if not missing and not unknown:
        return
    problems = []
    if missing:
        problems.append(f"missing {', '.join(missing)}")
    if unknown:
        names = ", ".join(serving_errors.shown(name) for name in unknown[:5])
        problems.append(f"unknown {names}")
    raise serving_errors.invalid(
        f"Wrong inputs: {'; '.join(problems)}. The signature takes exactly "
        f"{', '.join(sorted(fields))}."
    )
