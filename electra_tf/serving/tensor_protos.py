"""TensorFlow's own messages for tensors, checked before they are decoded."""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields


def to_tensor(
    name: str,
    proto: tensor_pb2.TensorProto,
    field: tensor_fields.Field,
    *,
    max_bytes: int,
) -> tf.Tensor:
    """Decodes an input of a request.

    Args:
        name: of the input.
        proto: its value.
        field: the type and shape that the signature asks for.
        max_bytes: most bytes of numbers. A message may be much smaller than
            its tensor, as a last value is repeated to fill it.

    Raises:
        ServingError: the message is malformed, or of another type or shape.
    """
    dtype = tf.as_dtype(field.dtype)
    if proto.dtype != dtype.as_datatype_enum:
        raise serving_errors.invalid(
            f"Input {name!r} is {_type_name(proto.dtype)}, but "
            f"{_type_name(dtype.as_datatype_enum)} is expected."
        )
    shape = _shape(name, proto)
    field.check_shape(name, shape)
    _check_size(name, proto, shape, field=field, max_bytes=max_bytes)
    try:
        with tf.device("CPU:0"):
            return tf.io.parse_tensor(proto.SerializeToString(), dtype)
    except tf.errors.OpError as error:
        raise serving_errors.invalid(
            f"Input {name!r} is no well-formed tensor: its shape is "
            f"{tensor_fields.shape_text(shape)}, and its values do not fit."
        ) from error


def from_tensor(tensor: tf.Tensor) -> tensor_pb2.TensorProto:
    """The message for an output."""
    return tf.make_tensor_proto(tensor.numpy(), dtype=tensor.dtype)


def _type_name(datatype: int) -> str:
    """`DT_FLOAT` and so on."""
    known = types_pb2.DataType.DESCRIPTOR.values_by_number
    return known[datatype].name if datatype in known else f"type {datatype}"


def _shape(name: str, proto: tensor_pb2.TensorProto) -> tuple[int, ...]:
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise serving_errors.invalid(
            f"Input {name!r} has no full shape; every size must be given."
        )
    return shape


def _check_size(
    name: str,
    proto: tensor_pb2.TensorProto,
    shape: tuple[int, ...],
    *,
    field: tensor_fields.Field,
    max_bytes: int,
):
    size = math.prod(shape)
    if field.dtype == np.object_:
        # A long string that fills a tensor would need any amount of memory.
        if not proto.tensor_content and len(proto.string_val) != size:
            raise serving_errors.invalid(
                f"Input {name!r} has {len(proto.string_val)} strings, but its "
                f"shape {tensor_fields.shape_text(shape)} needs {size}."
            )
    elif size * field.dtype.itemsize > max_bytes:
        raise serving_errors.invalid(
            f"Input {name!r} of shape {tensor_fields.shape_text(shape)} has "
            f"{size * field.dtype.itemsize} bytes; {max_bytes} are allowed."
        )
