"""Tests of messages for tensors, as clients may send them."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields
from electra_tf.serving import tensor_protos


def _field(dtype: tf.DType, *shape) -> tensor_fields.Field:
    return tensor_fields.Field(np.dtype(dtype.as_numpy_dtype), shape)


def _decode(proto, field, max_bytes=1000) -> tf.Tensor:
    return tensor_protos.to_tensor("x", proto, field, max_bytes=max_bytes)


def _proto(dtype: tf.DType, *shape, **values) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


class TensorProtosTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ([[1, 2], [3, 4]], tf.int32),
        ([0.5, float("nan")], tf.float32),
        ([0.5, 2.0], tf.bfloat16),
        ([True, False], tf.bool),
        ([b"a", b"\xff", b""], tf.string),
        ([], tf.string),
        ([], tf.int64),
        (7, tf.int64),
    )
    def test_tensors_come_back(self, values, dtype):
        tensor = tf.constant(values, dtype)
        proto = tensor_protos.from_tensor(tensor)
        field = _field(dtype, *tensor.shape)
        decoded = _decode(proto, field)
        self.assertEqual(decoded.dtype, dtype)
        self.assertAllEqual(decoded, tensor)

    def test_a_last_value_is_repeated(self):
        proto = _proto(tf.int32, 3, int_val=[1, 2])
        self.assertAllEqual(_decode(proto, _field(tf.int32, None)), [1, 2, 2])

    @parameterized.parameters(
        (_proto(tf.int64, 1, int64_val=[1]), "DT_INT64, but DT_INT32"),
        (tensor_pb2.TensorProto(dtype=0), "DT_INVALID, but DT_INT32"),
        (tensor_pb2.TensorProto(dtype=999), "type 999, but DT_INT32"),
        (_proto(tf.int32, -1, int_val=[1]), "no full shape"),
        (_proto(tf.int32, 2, 2, int_val=[1]), r"shape \[2, 2\], but \[\?\]"),
        (_proto(tf.int32, 2, tensor_content=b"abc"), "values do not fit"),
        # 4 * 251 = 1004 bytes, of which one number came.
        (_proto(tf.int32, 251, int_val=[1]), "has 1004 bytes; 1000 are"),
        (_proto(tf.int32, 2**62, int_val=[1]), "bytes; 1000 are"),
    )
    def test_malformed_messages_are_told(self, proto, message):
        with self.assertRaisesRegex(serving_errors.ServingError, message):
            _decode(proto, _field(tf.int32, None))

    @parameterized.parameters(
        _proto(tf.string, 2**40, string_val=[b"long"]),
        _proto(tf.string, 2, string_val=[b"a"]),
        _proto(tf.string, 1, tensor_content=b"\xff\xff\xff\xff\x0fa"),
    )
    def test_strings_are_counted(self, proto):
        with self.assertRaises(serving_errors.ServingError) as raised:
            _decode(proto, _field(tf.string, None))
        self.assertEqual(raised.exception.code.name, "INVALID_ARGUMENT")


if __name__ == "__main__":
    tf.test.main()
