"""Tests of arrays as the JSON of TensorFlow Serving, and back."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import rest_tensors
from electra_tf.serving import served_signatures


def _info(dtype, *shape):
    return served_signatures.TensorInfo(dtype, shape)


def _decode(outputs, **infos):
    return rest_tensors.decode_answer(
        {"outputs": outputs}, served_signatures.Signature({}, infos)
    )


class EncodeRequestTest(absltest.TestCase):
    def test_inputs_are_columns_with_strings_as_they_are(self):
        body = rest_tensors.encode_request(
            "f",
            {
                "text": np.array(["é", "é".encode(), b"\xff"], object),
                "ids": np.array([[1, 2]], np.int32),
                "weights": np.array([np.nan, -np.inf]),
            },
        )
        self.assertIn("é".encode(), body)
        # NaN and infinity, which JSON has not, as the protocol has them.
        self.assertIn(b"[NaN, -Infinity]", body)
        request = json.loads(body)
        self.assertEqual(request["signature_name"], "f")
        # 0xFF is no UTF-8; its base64 is /w==.
        self.assertEqual(request["inputs"]["text"], ["é", "é", {"b64": "/w=="}])
        self.assertEqual(request["inputs"]["ids"], [[1, 2]])


class DecodeAnswerTest(parameterized.TestCase):
    @parameterized.parameters("int32", "int64", "float32", "bool")
    def test_types_are_those_of_the_signature(self, dtype):
        arrays = _decode(
            {"x": [[1], [0]], "y": [2]},
            x=_info(dtype, None, None),
            y=_info("int8", None),
        )
        self.assertEqual(arrays["x"].dtype, dtype)
        self.assertEqual(arrays["x"].tolist(), [[1], [0]])

    def test_a_float_is_as_exact_as_it_was(self):
        values = np.random.default_rng(0).normal(size=100).astype(np.float32)
        written = json.loads(json.dumps([float(str(v)) for v in values]))
        arrays = _decode(written, x=_info("float32", None))
        np.testing.assert_array_equal(arrays["x"], values)

    def test_bytes_are_decoded(self):
        body = '{"outputs": {"a": ["é", "\xff"], "b_bytes": [{"b64": "YQ=="}]}}'
        answer = rest_tensors.decode_json(
            body.encode("utf-8").replace(b"\xc3\xbf", b"\xff")
        )
        arrays = _decode(
            answer["outputs"], a=_info("str", None), b_bytes=_info("str", None)
        )
        self.assertEqual(arrays["a"].tolist(), ["é", b"\xff"])
        self.assertEqual(arrays["b_bytes"].tolist(), [b"a"])

    def test_dimensions_after_an_empty_one_are_those_of_the_signature(self):
        arrays = _decode(
            {"x": [[], []], "y": []},
            x=_info("float32", None, None, 10),
            y=_info("str", None, None),
        )
        self.assertEqual(arrays["x"].shape, (2, 0, 10))
        self.assertEqual(arrays["y"].shape, (0, 0))

    @parameterized.parameters(
        (["a"], "float32", "that is no float32"),
        ([[1], [1, 2]], "int32", "that is no int32"),
        ([None], "int32", "that is no int32"),
        ([2**40], "int32", "that is no int32"),
        ([1], "str", "returned 1 in x, which is no string"),
        ([["a"], []], "str", "which is no string"),
    )
    def test_other_types_are_an_error(self, values, dtype, message):
        with self.assertRaisesRegex(served_signatures.Mismatch, message):
            _decode(values, x=_info(dtype, None))

    def test_one_output_where_there_should_be_two_is_an_error(self):
        with self.assertRaisesRegex(
            served_signatures.Mismatch,
            r"one output; its metadata say \['x', 'y'",
        ):
            _decode([1], x=_info("int32", None), y=_info("int32", None))


if __name__ == "__main__":
    absltest.main()
