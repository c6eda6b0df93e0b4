"""Tests of reading records from lines."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf.serving import record_lines
from electra_tf.serving import served_signatures

_STRING = served_signatures.TensorInfo("str", (None,))
_IDS = served_signatures.TensorInfo("int32", (None, None))


class ReadTest(parameterized.TestCase):
    def read(self, lines, line_format, inputs=None):
        return [
            *record_lines.read(
                lines,
                line_format=line_format,
                inputs=inputs or {"text": _STRING},
                source="in",
            )
        ]

    def test_a_line_of_json_is_a_record_and_a_blank_one_is_none(self):
        self.assertEqual(
            self.read(
                [b'{"text": "a\\nb"}\r\n', b" \n", '{"text": "é"}'.encode()],
                "jsonl",
            ),
            [{"text": "a\nb"}, {"text": "é"}],
        )

    def test_every_line_of_text_is_a_record(self):
        self.assertEqual(
            self.read([b" a\tb \r\n", b"\n", b"{c"], "text"),
            [{"text": " a\tb "}, {"text": ""}, {"text": "{c"}],
        )

    def test_lists_of_ids_are_records(self):
        self.assertEqual(
            self.read([b'{"ids": [1, 2]}'], "jsonl", {"ids": _IDS}),
            [{"ids": [1, 2]}],
        )

    @parameterized.parameters(
        (b"{", "in, line 2: it is not JSON: Expecting"),
        (b"[1]", "in, line 2: it must be an object with the keys text"),
        (b"{}", r"in, line 2: The request lacks text"),
        (b'{"text": "a", "id": 1}', "in, line 2: .*has unknown id"),
        (b'{"text": 7}', "in, line 2: Input 'text' must be text, got 7"),
        (b'{"text": ["a"]}', r"in, line 2: .*must be str\[\?\]"),
        (b'{"text": "\\ud83d"}', "in, line 2: .*half of a character"),
        (b"\xff", "in, line 2: it is not UTF-8"),
    )
    def test_a_malformed_line_is_an_error_with_its_number(self, line, message):
        with self.assertRaisesRegex(ValueError, message):
            self.read([b'{"text": "a"}', line], "jsonl")

    @parameterized.parameters(
        dict(question=_STRING, context=_STRING), dict(input_ids=_IDS)
    )
    def test_plain_text_is_for_signatures_of_one_text(self, **inputs):
        with self.assertRaisesRegex(
            ValueError, f"takes {', '.join(inputs)[:5]}.*Give JSON lines"
        ):
            self.read([b"a"], "text", inputs)

    @parameterized.parameters(
        ("-", "jsonl"),
        ("a.jsonl", "jsonl"),
        ("a.txt", "text"),
        ("txt", "jsonl"),
    )
    def test_the_name_tells_the_format(self, name, expected):
        self.assertEqual(record_lines.guess_format(name), expected)


if __name__ == "__main__":
    absltest.main()
