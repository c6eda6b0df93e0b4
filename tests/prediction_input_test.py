"""Tests of lines of new text."""

from absl.testing import absltest
from absl.testing import parameterized

from finetune import prediction_input
from finetune import registry
from finetune import task as task_lib


def _parse(task_name: str, line: str, number: int = 1):
    return prediction_input.parse_line(
        line, task=registry.get(task_name), number=number
    )


class ParseLineTest(parameterized.TestCase):
    @parameterized.parameters(
        ("cola", "A text.", task_lib.Example(2, "A text.")),
        ("cola", '{"text_a": "A\\ttab."}', task_lib.Example(2, "A\ttab.")),
        ("rte", "One.\tTwo.", task_lib.Example(2, "One.", "Two.")),
        (
            "rte",
            '{"text_b": "Two.", "text_a": "One."}',
            task_lib.Example(2, "One.", "Two."),
        ),
        ("chunk", "two words", task_lib.Sentence(2, ("two", "words"))),
        ("chunk", '{"words": ["a b"]}', task_lib.Sentence(2, ("a b",))),
        ("squad", "Who?\tHe.", task_lib.Question("2", "Who?", "He.")),
        (
            "squad",
            '{"id": "q", "question": "Who?", "context": "He."}',
            task_lib.Question("q", "Who?", "He."),
        ),
    )
    def test_lines_are_examples(self, task_name, line, expected):
        self.assertEqual(_parse(task_name, line, number=3), expected)

    @parameterized.parameters(
        ("rte", "One.", r"Line 1: no text_b.* text_a and text_b with a tab"),
        ("rte", "a\tb\tc", "Line 1: 3 texts with tabs between"),
        ("cola", '{"text": "a"}', r'no text_a. A line is JSON, {"text_a": '),
        ("cola", '{"text_a": 5}', "text_a must be text, got 5"),
        ("cola", '{"text_a"', "Line 1: not JSON"),
        ("chunk", '{"words": [1]}', r"words must be a list of words, got \[1"),
    )
    def test_other_lines_are_errors(self, task_name, line, message):
        with self.assertRaisesRegex(ValueError, message):
            _parse(task_name, line)

    def test_empty_lines_are_left_out_but_counted(self):
        batches = prediction_input.batches(
            ["a\n", "\n", "b\r\n", "c"], task=registry.get("sst"), size=2
        )
        self.assertEqual(
            list(batches),
            [
                [task_lib.Example(0, "a"), task_lib.Example(2, "b")],
                [task_lib.Example(3, "c")],
            ],
        )


if __name__ == "__main__":
    absltest.main()
