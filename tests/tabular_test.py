"""Tests of the formats of a user's own files, and of what may be in them."""

from absl.testing import absltest
from absl.testing import parameterized

from finetune import tabular
from finetune import task as task_lib


def _task(file_format: str, kind: str = "classification") -> task_lib.Task:
    return task_lib.Task(
        name="custom",
        kind=kind,
        format=file_format,
        files={"train": "x"},
        text_columns=("a", "b"),
        label_column="y",
        labels=("no", "yes") if kind == "classification" else (),
        score_range=(0.0, 5.0),
        metrics=("accuracy",),
        main_metric="accuracy",
    )


def _parse(text, *, file_format="csv", split="train", **arguments):
    kind = arguments.pop("kind", "classification")
    return tabular.parse(
        text.encode() if isinstance(text, str) else text,
        task=_task(file_format, kind),
        split=split,
        file_name="FILE",
        **arguments,
    )


class CsvTest(parameterized.TestCase):
    def test_fields_may_be_quoted(self):
        text = 'y,a,b\r\nyes,"a ""b"", c","two\nlines"\nno,\t,"👍 שלום"\n'
        self.assertEqual(
            _parse(text),
            [
                task_lib.Example(0, 'a "b", c', "two\nlines", 1),
                task_lib.Example(1, "\t", "👍 שלום", 0),
            ],
        )

    def test_a_byte_order_mark_is_no_part_of_a_column(self):
        self.assertLen(_parse(b"\xef\xbb\xbfa,b,y\nx,,yes\n"), 1)

    def test_texts_may_be_empty_or_long(self):
        long_text = "a " * 100_000
        (example,) = _parse(f"a,b,y\n{long_text},,no\n")
        self.assertEqual(example.text_a, long_text)
        self.assertEqual(example.text_b, "")

    def test_test_files_need_no_label(self):
        self.assertEqual(
            _parse("b,a\nx,y\n", split="test"),
            [task_lib.Example(0, "y", "x", None)],
        )

    @parameterized.parameters(
        ("a,b,y\n1,2,yes\n1,2\n", "FILE, line 3: 2 columns instead of 3"),
        ("a,b,y\n1,2,maybe\n", "FILE, line 2: unknown label 'maybe'"),
        ("a,y\n1,yes\n", "FILE, line 1: no column b; there are a, y"),
        ('a,b,y\n"1,2,yes\n', "FILE, line 2: unexpected end of data"),
        ('a,b,y\n"1"x,2,yes\n', "FILE, line 2: ',' expected after '\"'"),
        (b"a,b,y\n1,\xff,yes\n", "FILE, line 2: not UTF-8"),
        ("a,b,y\n", "FILE holds no examples"),
        ("", "FILE holds no examples"),
    )
    def test_what_cannot_be_read_is_an_error_with_its_line(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            _parse(text)

    def test_lines_can_be_left_out_but_are_counted(self):
        with self.assertLogs(level="WARNING") as logged:
            examples = _parse(
                "a,b,y\n1,2,yes\n1,2\n1,2,x\n3,4,no\n", skip_malformed=True
            )
        self.assertEqual([e.id for e in examples], [0, 3])
        self.assertIn("FILE: left out 2 examples.", logged.output[-1])

    @parameterized.parameters("nan", "5.1", "high", "")
    def test_scores_are_numbers_in_their_range(self, score):
        with self.assertRaisesRegex(ValueError, "FILE, line 2: "):
            _parse(f"a,b,y\n1,2,{score}\n", kind="regression")


class JsonTest(parameterized.TestCase):
    def test_a_line_is_an_object(self):
        text = '{"a": "x\\ty", "b": 5, "y": "no"}\n\n{"y":"yes","a":"","b":""}'
        self.assertEqual(
            _parse(text, file_format="jsonl"),
            [
                task_lib.Example(0, "x\ty", "5", 0),
                task_lib.Example(1, "", "", 1),
            ],
        )

    @parameterized.parameters(
        ("{", "FILE, line 1: not JSON"),
        ("[1]", "FILE, line 1: no JSON object"),
        ('{"a": "x", "b": null, "y": "no"}', "b must be text or a number"),
        ('{"a": "\\ud800", "b": "", "y": "no"}', "a is no text: surrogates"),
        ('{"a": "x", "b": "y"}', "no column y; there are a, b"),
    )
    def test_what_cannot_be_read_is_an_error_with_its_line(self, text, message):
        with self.assertRaisesRegex(ValueError, message):
            _parse(text, file_format="jsonl")


class LabelNamesTest(parameterized.TestCase):
    @parameterized.parameters(
        ("csv", "a,b,y\n1,2,dog\n1,2,cat\n3,4,dog\n"),
        ("tsv", "a\tb\ty\n1\t2\tdog\n1\t2\tcat\n3\t4\tdog\n"),
        (
            "jsonl",
            '{"a": "", "b": "", "y": "dog"}\n{"a": "", "b": "", "y": "cat"}',
        ),
    )
    def test_labels_are_all_values_sorted(self, file_format, text):
        names = tabular.label_names(text.encode(), task=_task(file_format))
        self.assertEqual(names, ("cat", "dog"))

    def test_lines_that_cannot_be_read_have_none(self):
        text = b"a\tb\ty\n1\t2\n1\t2\tcat\n"
        names = tabular.label_names(text, task=_task("tsv"))
        self.assertEqual(names, ("cat",))

    def test_without_any_label_the_first_problem_is_told(self):
        for content, name, line in (
            (b"a,b\n1,2\n", "csv", 1),
            (b'{}\n{"a": "1"}\n', "jsonl", 1),
        ):
            with self.assertRaisesRegex(
                ValueError, f"FILE, line {line}: no column y"
            ):
                tabular.label_names(content, task=_task(name), file_name="FILE")


if __name__ == "__main__":
    absltest.main()
