"""A SavedModel on all devices of a strategy."""

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
import tensorflow_text  # noqa: F401  Registers its operations.

from electra_tf.serving import answer_rows
from electra_tf.serving import served_signatures
from electra_tf.serving import string_arrays


class ReplicatedModel:
    """Answers batches, each device a part of one.

    Args:
        path: folder of one version.
        signature: the function to call.
        strategy: decides which devices.

    Attributes:
        inputs: of the function, by name.
    """

    def __init__(
        self, path: str, *, signature: str, strategy: tf.distribute.Strategy
    ):
        self._strategy = strategy
        with strategy.scope():
            # Kept, or the function's variables would be gone.
            self._loaded = tf.saved_model.load(path)
        functions = self._loaded.signatures
        if signature not in functions:
            raise ValueError(
                f"{path!r} has no signature {signature!r}. Its signatures: "
                f"{', '.join(sorted(functions))}."
            )
        self._function = functions[signature]
        _, specs = self._function.structured_input_signature
        self.inputs = {
            name: served_signatures.tensor_info(
                types_pb2.DataType.Name(spec.dtype.as_datatype_enum),
                (-1 if size is None else size for size in spec.shape),
            )
            for name, spec in specs.items()
        }

    def answer(self, inputs: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows that `answer_rows.rows` makes of the outputs.

        Args:
            inputs: by name, arrays or lists of the types and shapes of
                `self.inputs`.
        """
        arrays = served_signatures.prepare(
            inputs, served_signatures.Signature(self.inputs, {})
        )
        num_rows = len(next(iter(arrays.values())))
        parts = _equal_parts(num_rows, self._strategy.num_replicas_in_sync)
        outputs = self._strategy.run(
            self._function,
            kwargs={
                name: self._distribute(array, parts)
                for name, array in arrays.items()
            },
        )
        results = {
            name: self._strategy.experimental_local_results(values)
            for name, values in outputs.items()
        }
        rows = []
        for replica in range(len(parts)):
            rows += answer_rows.rows(
                {
                    name: string_arrays.decode(name, values[replica].numpy())
                    for name, values in results.items()
                }
            )
        return rows[:num_rows]

    def _distribute(self, array: np.ndarray, parts: list[np.ndarray]):
        """Each replica's rows of an input."""
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                array[parts[context.replica_id_in_sync_group]]
            )
        )


def _equal_parts(num_rows: int, num_parts: int) -> list[np.ndarray]:
    """Numbers of rows, in order; the last row fills up what is lacking."""
    size = -(-num_rows // num_parts)
    numbers = np.minimum(np.arange(size * num_parts), num_rows - 1)
    return np.split(numbers, num_parts)
