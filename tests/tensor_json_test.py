"""Tests of TensorFlow Serving's JSON."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import ml_dtypes
import numpy as np

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields
from electra_tf.serving import tensor_json


def _field(dtype, *shape) -> tensor_fields.Field:
    return tensor_fields.Field(np.dtype(dtype), shape)


_TEXT = {"text": _field(np.object_, None)}
_PAIR = _TEXT | {"ids": _field(np.int32, None, 2)}


def _read(body, fields) -> dict[str, np.ndarray]:
    return tensor_json.to_arrays(
        tensor_json.parse(json.dumps(body).encode()), fields
    )


def _strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), np.object_)
    array[:] = values
    return array


class ParseTest(parameterized.TestCase):
    def test_signature_and_form_are_found(self):
        body = tensor_json.parse(b'{"instances": [1], "signature_name": "s"}')
        self.assertEqual(body, ("s", True, [1]))
        body = tensor_json.parse(b'{"inputs": {"x": 1}}')
        self.assertEqual(body, ("", False, {"x": 1}))

    @parameterized.parameters(
        (b"", "not JSON"),
        (b'{"inputs": ', "not JSON: Expecting value at character 11"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[1]", "must be a JSON object, not a list"),
        (b"{}", "has neither"),
        (b'{"inputs": [1], "instances": [1]}', "not both"),
        (b'{"instances": []}', "at least one entry"),
        (b'{"instances": {"x": 1}}', "must be a list"),
        (b'{"inputs": 1, "signature_name": 1}', "string, not a number"),
        (b'{"inputs": ' + b"1" * 5000 + b"}", "not JSON: Exceeds the limit"),
        (b'{"inputs": ' + b"[" * 100_000, "nested too deeply"),
    )
    def test_malformed_bodies_are_told(self, body, message):
        with self.assertRaisesRegex(serving_errors.ServingError, message):
            tensor_json.parse(body)


class ToArraysTest(parameterized.TestCase):
    @parameterized.parameters(
        {"instances": ["a", "é"]},
        {"instances": [{"text": "a"}, {"text": "é"}]},
        {"instances": [{"b64": "YQ=="}, {"b64": "w6k="}]},
        {"inputs": ["a", "é"]},
        {"inputs": {"text": ["a", {"b64": "w6k="}]}},
    )
    def test_all_forms_give_the_same(self, **body):
        array = _read(body, _TEXT)["text"]
        self.assertEqual(array.tolist(), [b"a", "é".encode()])

    def test_rows_are_stacked(self):
        rows = [{"text": "a", "ids": [1, 2]}, {"text": "b", "ids": [3, 4]}]
        arrays = _read({"instances": rows}, _PAIR)
        self.assertEqual(arrays["ids"].tolist(), [[1, 2], [3, 4]])
        self.assertEqual(arrays["ids"].dtype, np.int32)
        self.assertEqual(arrays["text"].tolist(), [b"a", b"b"])

    def test_a_batch_may_be_empty(self):
        body = {"inputs": {"text": [], "ids": []}}
        with self.assertRaisesRegex(serving_errors.ServingError, r"\[0\]"):
            _read(body, _PAIR)  # A second dimension cannot be seen.
        self.assertEqual(_read({"inputs": []}, _TEXT)["text"].shape, (0,))

    @parameterized.parameters(
        (np.float32, [1, 0.1, float("nan"), float("-inf")]),
        (np.float64, [0.1, 1e300]),
        (np.int8, [-128, 127]),
        (np.uint64, [0, 2**64 - 1]),
        (np.bool_, [True, False]),
    )
    def test_numbers_get_the_type_of_the_signature(self, dtype, values):
        array = _read({"inputs": values}, {"x": _field(dtype, None)})["x"]
        self.assertEqual(array.dtype, dtype)
        np.testing.assert_array_equal(array, np.array(values, dtype))

    @parameterized.parameters(
        (np.int32, 1.0),
        (np.int32, True),
        (np.int32, "1"),
        (np.int32, 2**31),
        (np.int8, -129),
        (np.uint8, -1),
        (np.float32, "1"),
        (np.float32, None),
        (np.float32, False),
        (np.float32, 1e39),
        (np.float32, 10**400),
        (np.float32, {"b64": "YQ=="}),
        (np.bool_, 1),
        (np.object_, 1),
        (np.object_, None),
        (np.object_, {"b64": "YQ"}),
        (np.object_, {"b64": "é"}),
        (np.object_, {"b64": 1}),
        (np.object_, "\ud800"),
    )
    def test_values_of_other_types_are_refused(self, dtype, value):
        fields = {"x": _field(dtype, None)}
        with self.assertRaisesRegex(serving_errors.ServingError, "'x'|b64"):
            _read({"inputs": {"x": [value]}}, fields)

    @parameterized.parameters(
        ([[1, 2], [3]], "lists of equal lengths"),
        ([[1, 2], 3], "lists of equal lengths"),
        ([1, [2, 3]], "is not of the type int32|has the shape"),
        ([[1, 2, 3]], r"shape \[1, 3\], but \[\?, 2\]"),
        (1, r"shape \[\]"),
    )
    def test_values_of_other_shapes_are_refused(self, value, message):
        with self.assertRaisesRegex(serving_errors.ServingError, message):
            _read({"inputs": value}, {"ids": _PAIR["ids"]})

    def test_deep_lists_are_refused(self):
        value = 1
        for _ in range(40):
            value = [value]
        field = tensor_fields.Field(np.dtype(np.int32), None)
        with self.assertRaisesRegex(serving_errors.ServingError, "32 times"):
            _read({"inputs": value}, {"x": field})

    @parameterized.parameters(
        ({"inputs": ["a"]}, "takes ids, text"),
        ({"inputs": {"text": ["a"]}}, "missing ids"),
        ({"instances": ["a"]}, "takes ids, text"),
        ({"instances": [{"text": "a", "ids": [1, 2], "c": 1}]}, "unknown 'c'"),
        ({"instances": [{"text": "a", "ids": [1, 2]}, 3]}, "Instance 1 must"),
        ({"instances": [{"text": "a", "ids": [1, 2]}, {}]}, "missing ids"),
    )
    def test_names_are_checked(self, body, message):
        with self.assertRaisesRegex(serving_errors.ServingError, message):
            _read(body, _PAIR)

    def test_values_and_objects_do_not_mix(self):
        with self.assertRaisesRegex(serving_errors.ServingError, "Instance 1"):
            _read({"instances": ["a", {"text": "b"}]}, _TEXT)

    def test_types_that_json_lacks_are_told(self):
        with self.assertRaises(serving_errors.ServingError) as raised:
            _read({"inputs": [1]}, {"x": _field(np.complex64, None)})
        self.assertEqual(raised.exception.code.name, "UNIMPLEMENTED")


class FromArraysTest(parameterized.TestCase):
    def _written(self, outputs, by_row) -> str:
        return tensor_json.from_arrays(outputs, by_row=by_row).decode()

    def test_the_name_of_an_only_output_is_left_out(self):
        outputs = {"y": np.array([1, 2])}
        self.assertEqual(
            self._written(outputs, True), '{"predictions": [1, 2]}'
        )
        self.assertEqual(self._written(outputs, False), '{"outputs": [1, 2]}')

    def test_rows_are_objects_and_columns_are_lists(self):
        outputs = {"y": np.array([[1, 2]]), "ok": np.array([True])}
        self.assertEqual(
            self._written(outputs, True),
            '{"predictions": [{"y": [1, 2], "ok": true}]}',
        )
        self.assertEqual(
            self._written(outputs, False),
            '{"outputs": {"y": [[1, 2]], "ok": [true]}}',
        )

    @parameterized.parameters(np.float32, np.float64)
    def test_floats_have_the_fewest_digits_that_give_them_back(self, dtype):
        values = np.array([0.2, 1, 1e-7, np.pi], dtype)
        written = self._written({"y": values}, False)
        self.assertStartsWith(written, '{"outputs": [0.2, 1.0, 1e-07, 3.14159')
        read = np.array(json.loads(written)["outputs"], dtype)
        np.testing.assert_array_equal(read, values)

    def test_bfloat16_is_written(self):
        outputs = {"y": np.array([0.5, 3.0], ml_dtypes.bfloat16)}
        self.assertEqual(
            self._written(outputs, False), '{"outputs": [0.5, 3.0]}'
        )

    def test_what_is_no_number_is_written_as_tensorflow_serving_does(self):
        values = np.array([np.nan, np.inf, -np.inf], np.float32)
        self.assertEqual(
            self._written({"y": values}, False),
            '{"outputs": [NaN, Infinity, -Infinity]}',
        )

    def test_strings_are_text_where_they_can_be(self):
        values = _strings("é\n".encode(), b"\xff", b"")
        self.assertEqual(
            self._written({"y": values}, False),
            '{"outputs": ["é\\n", {"b64": "/w=="}, ""]}',
        )
        self.assertEqual(
            self._written({"y_bytes": values[:1]}, False),
            '{"outputs": [{"b64": "w6kK"}]}',
        )

    def test_strings_keep_their_shape(self):
        values = _strings(b"a", b"b", b"c", b"d").reshape(2, 2)
        self.assertEqual(
            self._written({"y": values}, True),
            '{"predictions": [["a", "b"], ["c", "d"]]}',
        )

    @parameterized.parameters(
        ({"y": np.array(1)},),
        ({"y": np.array([1]), "z": np.array([1, 2])},),
    )
    def test_rows_need_one_output_each(self, outputs):
        with self.assertRaisesRegex(serving_errors.ServingError, "'inputs'"):
            self._written(outputs, True)

    def test_types_that_json_lacks_are_told(self):
        with self.assertRaises(serving_errors.ServingError) as raised:
            self._written({"y": np.array([1j])}, False)
        self.assertEqual(raised.exception.code.name, "UNIMPLEMENTED")


if __name__ == "__main__":
    absltest.main()
