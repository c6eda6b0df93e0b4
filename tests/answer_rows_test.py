"""Tests of splitting answers to batches."""

import json

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np

from electra_tf.serving import answer_rows


def _lists(row):
    return {name: np.asarray(value).tolist() for name, value in row.items()}


class RowsTest(absltest.TestCase):
    def test_padding_is_left_out_where_there_is_a_mask(self):
        outputs = {
            "tokens": np.array([["a", "b"], ["c", ""]], object),
            "features": np.arange(8.0).reshape(2, 2, 2),
            "label": np.array(["x", "y"], object),
            "mask": np.array([[1, 1], [1, 0]]),
        }
        first, second = map(_lists, answer_rows.rows(outputs))
        self.assertEqual(
            first,
            {
                "tokens": ["a", "b"],
                "features": [[0.0, 1.0], [2.0, 3.0]],
                "label": "x",
            },
        )
        self.assertEqual(
            second, {"tokens": ["c"], "features": [[4.0, 5.0]], "label": "y"}
        )

    def test_a_vector_as_wide_as_the_text_is_long_stays_whole(self):
        (row,) = answer_rows.rows(
            {
                "cls": np.array([[1.0, 2.0]]),
                "mean": np.array([[3.0, 4.0]]),
                "mask": np.array([[1, 0]]),
            }
        )
        self.assertEqual(_lists(row), {"cls": [1.0, 2.0], "mean": [3.0, 4.0]})

    def test_a_mask_with_a_longer_name_is_for_outputs_like_it(self):
        (row,) = answer_rows.rows(
            {
                "words": np.array([["a", "b"]], object),
                "mask": np.array([[1, 1]]),
                "span_starts": np.array([[0, 0]]),
                "span_mask": np.array([[1, 0]]),
            }
        )
        self.assertEqual(_lists(row), {"words": ["a", "b"], "span_starts": [0]})

    def test_without_a_mask_all_stays(self):
        (row,) = answer_rows.rows({"probabilities": np.array([[0.0, 1.0]])})
        self.assertEqual(_lists(row), {"probabilities": [0.0, 1.0]})

    def test_no_inputs_have_no_rows(self):
        self.assertEmpty([*answer_rows.rows({"score": np.zeros(0)})])


class ToJsonTest(parameterized.TestCase):
    @parameterized.parameters(
        (np.float32(0.1), "0.1"),
        (np.array([0.1, 2e-30], np.float32), "[0.1, 2e-30]"),
        (np.float64(0.1), "0.1"),
        (np.array([[1, 2]], np.int32), "[[1, 2]]"),
        (np.array([["é", b"\xff"]], object), '[["é", {"b64": "/w=="}]]'),
        ("text", '"text"'),
        (b"\xff", '{"b64": "/w=="}'),
        (np.bool_(True), "true"),
        (np.zeros((0, 3), np.float32), "[]"),
        (np.array([np.nan, -np.inf], np.float32), "[NaN, -Infinity]"),
    )
    def test_values_are_as_short_as_they_are_exact(self, value, expected):
        row = answer_rows.to_json({"x": value})
        text = json.dumps(row, ensure_ascii=False)
        self.assertEqual(text, f'{{"x": {expected}}}')

    def test_a_float_comes_back_as_it_was(self):
        values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
        row = answer_rows.to_json({"x": values})
        read = np.array(json.loads(json.dumps(row))["x"], np.float32)
        np.testing.assert_array_equal(read, values)


if __name__ == "__main__":
    absltest.main()
