"""Tests of checking inputs and answers against a signature."""

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import served_signatures

_TEXT = served_signatures.TensorInfo("str", (None,))
_IDS = served_signatures.TensorInfo("int32", (None, None))
_SIGNATURE = served_signatures.Signature(
    {"text": _TEXT, "ids": _IDS},
    {"score": served_signatures.TensorInfo("float32", (None,))},
)


class PrepareTest(parameterized.TestCase):
    def test_inputs_get_the_types_of_the_signature(self):
        arrays = served_signatures.prepare(
            {"text": ["a", b"b"], "ids": np.array([[1], [2]], np.int64)},
            _SIGNATURE,
        )
        self.assertEqual(arrays["text"].dtype, object)
        self.assertEqual(arrays["text"].tolist(), ["a", b"b"])
        self.assertEqual(arrays["ids"].dtype, np.int32)
        self.assertEqual(arrays["ids"].tolist(), [[1], [2]])

    def test_no_ids_are_ids_too(self):
        arrays = served_signatures.prepare(
            {"text": ["a", "b"], "ids": [[], []]}, _SIGNATURE
        )
        self.assertEqual(arrays["ids"].shape, (2, 0))
        self.assertEqual(arrays["ids"].dtype, np.int32)

    @parameterized.parameters(
        (dict(text="a"), r"'text' must be str\[\?\], got the shape \(\)"),
        (dict(text=[["a"]]), r"'text' must be str.*got the shape \(1, 1\)"),
        (dict(text=[7]), "'text' must be text, got 7"),
        (dict(text=[None]), "'text' must be text, got None"),
        (dict(text=[["a"], []]), "'text' must be text, got"),
        (dict(text=["\ud83d"]), "half of a character"),
        (dict(ids=[[1.5]]), r"'ids' must be int32\[\?, \?\], got float64"),
        (dict(ids=[["1"]]), "'ids' must be int32.*got <U1"),
        (dict(ids=[[1], [1, 2]]), "its rows differ in length"),
        (dict(ids=[[2**40]]), "numbers too large"),
        (dict(ids=[1]), r"got the shape \(1,\)"),
        (dict(text=["a", "b"]), "different numbers of rows: {'text': 2, 'ids'"),
        (dict(more=1), "has unknown more. The inputs are text: str"),
    )
    def test_wrong_inputs_are_told(self, inputs, message):
        inputs = {"text": ["a"], "ids": [[1]]} | inputs
        with self.assertRaisesRegex(served_signatures.Mismatch, message):
            served_signatures.prepare(inputs, _SIGNATURE)

    def test_sizes_that_the_signature_fixes_are_checked(self):
        signature = served_signatures.Signature(
            {"ids": served_signatures.TensorInfo("int32", (None, 3))}, {}
        )
        with self.assertRaisesRegex(
            served_signatures.Mismatch, r"int32\[\?, 3\], got the shape \(1, 2"
        ):
            served_signatures.prepare({"ids": [[1, 2]]}, signature)

    def test_an_unknown_type_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "DT_COMPLEX64.*DT_BOOL"):
            served_signatures.tensor_info("DT_COMPLEX64", [-1])


class CheckAnswersTest(parameterized.TestCase):
    @parameterized.parameters(
        (dict(score=np.zeros(3)), r"score of shape \(3,\) for 2 inputs"),
        (dict(score=np.float32(1.0)), r"score of shape \(\) for 2 inputs"),
        (dict(scores=np.zeros(2)), r"\['scores'\]; its metadata say"),
    )
    def test_there_is_a_row_for_each_input(self, outputs, message):
        with self.assertRaisesRegex(served_signatures.Mismatch, message):
            served_signatures.check_answers(outputs, _SIGNATURE, 2)


if __name__ == "__main__":
    absltest.main()
