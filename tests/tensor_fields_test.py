"""Tests of what signatures take."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields

_FIELD = tensor_fields.Field(np.dtype(np.int32), (None, 2))


class TensorFieldsTest(parameterized.TestCase):
    @parameterized.parameters((0, 2), (7, 2))
    def test_an_open_size_takes_any(self, *shape):
        _FIELD.check_shape("x", shape)

    @parameterized.parameters(((2,),), ((7, 3),), ((1, 2, 1),), ((),))
    def test_other_shapes_are_told(self, shape):
        with self.assertRaisesRegex(
            serving_errors.ServingError, r"'x' has the shape .* \[\?, 2\] is"
        ):
            _FIELD.check_shape("x", shape)

    def test_an_open_rank_takes_any(self):
        tensor_fields.Field(np.dtype(np.int32), None).check_shape("x", (1, 2))

    def test_all_names_that_are_wrong_are_told(self):
        fields = {"a": _FIELD, "b": _FIELD}
        tensor_fields.check_names({"b": 1, "a": 2}, fields)
        with self.assertRaisesRegex(
            serving_errors.ServingError,
            "missing b; unknown 'c', 'd'. The signature takes exactly a, b.",
        ):
            tensor_fields.check_names(["d", "a", "c"], fields)


if __name__ == "__main__":
    absltest.main()
