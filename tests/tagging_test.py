"""Tests of the reader of files with a word a line."""

import dataclasses
import json
import os

from absl.testing import absltest
from absl.testing import parameterized

from finetune import readers
from finetune import tag_schemes
from finetune import tagging
from tests import testing

_FIXTURES = {
    "chunk": "He PRP B-NP\nran VBD B-VP\nup IN I-VP\n\n",
    "wnut17": "He\tB-NP\nran\tB-VP\nup\tI-VP\n\t\n",
    "conll2003": "-DOCSTART- -X- O O\n\nHe A B I-NP\nran A B I-VP\n"
    "up A B I-VP\n",
}
# Sentences and entities of the real files; CoNLL-2000's test set is known to
# have 23852 chunks.
_REAL_COUNTS = {
    ("chunk", "train"): (8936, 106978),
    ("chunk", "dev"): (2012, 23852),
    ("wnut17", "train"): (3394, 1975),
    ("wnut17", "dev"): (1009, 836),
    ("wnut17", "dev_test"): (1287, 1079),
}


def _task(name: str = "chunk", **changes):
    (task,) = [task for task in tagging.TASKS if task.name == name]
    return dataclasses.replace(task, **changes)


def _parse(content: str | bytes, task=None, split="dev", **kwargs):
    if isinstance(content, str):
        content = content.encode()
    return tagging.parse_conll(
        content,
        task=task or _task(),
        split=split,
        file_name="test.txt",
        **kwargs,
    )


def _read(content: str, **kwargs) -> list[tuple[str, str]]:
    """Words and tags, with spaces between."""
    return [
        (" ".join(s.words), " ".join(s.tags)) for s in _parse(content, **kwargs)
    ]


class TaggingTest(parameterized.TestCase):
    def test_every_task_has_a_fixture(self):
        self.assertEqual({t.name for t in tagging.TASKS}, set(_FIXTURES))

    @parameterized.parameters(*_FIXTURES)
    def test_a_file_of_each_task_is_read(self, name):
        self.assertEqual(
            _parse(_FIXTURES[name], _task(name)),
            [(0, ("He", "ran", "up"), ("S-NP", "B-VP", "E-VP"))],
        )

    def test_the_last_sentence_needs_no_blank_line(self):
        self.assertEqual(
            _read("a B-X\n\n\nb O\nc B-X"), [("a", "S-X"), ("b c", "O S-X")]
        )

    def test_marks_and_carriage_returns_are_no_text(self):
        self.assertEqual(
            _read("\ufeffa B-X\r\n\r\nb O"), [("a", "S-X"), ("b", "O")]
        )

    def test_other_spaces_and_line_breaks_belong_to_words(self):
        word = "1\u00a0000\u2028x\u0085"
        self.assertEqual(_read(f"{word} B-X\n"), [(word, "S-X")])

    def test_a_new_document_ends_the_sentence(self):
        self.assertEqual(
            _read("a B-X\n-DOCSTART- O\nb I-X\n", skip_malformed=True),
            [("a", "S-X")],
        )

    def test_columns_are_numbered_from_1(self):
        task = _task(text_columns=("2",), label_column="1")
        self.assertEqual(
            _parse("B-X a N\nI-X b N\n", task),
            [(0, ("a", "b"), ("B-X", "E-X"))],
        )

    @parameterized.parameters("word", "0", "-1")
    def test_columns_have_no_names(self, name):
        with self.assertRaisesRegex(ValueError, f"'{name}'.*give the number"):
            _parse("a O\n", _task(text_columns=(name,)))

    def test_only_one_column_has_words(self):
        with self.assertRaisesRegex(ValueError, "names 2 columns of text"):
            _parse("a O\n", _task(text_columns=("1", "2")))

    def test_too_few_columns_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "1 columns.* in 2 or more"):
            _parse("a\nb\n")
        with self.assertRaisesRegex(ValueError, "2 columns.* in 3 or more"):
            _parse("a O\nb O\n", _task(label_column="3"))

    def test_test_files_need_no_tags(self):
        for content in ("a\nb\n\nc\n", "a NN\nb NN\n\nc NN\n"):
            self.assertEqual(
                _parse(content, split="test"),
                [(0, ("a", "b"), None), (1, ("c",), None)],
            )

    @parameterized.parameters(
        ("a N O\nb O\n", "line 5: 2 columns instead of 3"),
        ("a N O\nb N NN\n", "line 5: 'NN' is no tag"),
        ("a N O\nb N I-X\n", "line 5: I-X after O does not fit IOB2"),
        ("a N I-X\nb N O\n", "line 4: I-X after the start does not fit IOB2"),
    )
    def test_a_malformed_line_is_named_or_its_sentence_left_out(
        self, sentence, message
    ):
        content = f"x N B-X\ny N I-X\n\n{sentence}\nz N B-X\n"
        with self.assertRaisesRegex(
            ValueError, f"test.txt, {message}.*--skip_malformed_lines"
        ):
            _parse(content)
        with self.assertLogs(level="WARNING") as logs:
            result = _parse(content, skip_malformed=True)
        self.assertRegex(logs.output[0], message)
        self.assertIn("left out 1 of 3 sentences", logs.output[1])
        # Those left out are counted.
        self.assertEqual([sentence.id for sentence in result], [0, 2])

    def test_an_entity_that_does_not_end_is_named(self):
        with self.assertRaisesRegex(
            ValueError, "line 4: the end after B-X does not fit BIOES"
        ):
            _parse("a B-X\nb E-X\n\nc B-X\n\nd S-X\n")

    def test_an_encoding_error_names_its_line(self):
        with self.assertRaisesRegex(ValueError, "test.txt, line 2: not UTF-8"):
            _parse(b"a O\n\xff O\n")

    @parameterized.parameters("", "\n\n", "-DOCSTART- -X- O\n\n")
    def test_a_file_without_sentences_is_an_error(self, content):
        with self.assertRaisesRegex(ValueError, "holds no sentences"):
            _parse(content)

    def test_a_missing_file_is_named_with_its_source(self):
        with self.assertRaisesRegex(
            ValueError, "No file .*chunk/test.txt.*clips.uantwerpen"
        ):
            readers.read(
                tagging.CHUNK, split="dev", data_dir=self.create_tempdir()
            )

    @parameterized.parameters(*_REAL_COUNTS)
    def test_real_files_are_read_completely(self, name, split):
        task = _task(name)
        testing.real_data(*task.folder.split("/"))  # Or the test is skipped.
        sentences = readers.read(
            task, split=split, data_dir=testing.real_data("")
        )
        num_spans = sum(len(tag_schemes.spans(s.tags)) for s in sentences)
        self.assertEqual((len(sentences), num_spans), _REAL_COUNTS[name, split])

    def test_sentences_are_the_original_s(self):
        folder = testing.golden("tagging_features")
        with open(os.path.join(folder, "examples.json")) as file:
            golden = json.load(file)
        tags = list(golden["label_mapping"])
        for split in ("train", "dev"):
            with open(
                os.path.join(folder, "data", f"{split}.txt"), "rb"
            ) as file:
                result = _parse(file.read(), skip_malformed=True)
            expected = [
                (
                    example["eid"],
                    tuple(example["words"]),
                    tuple(tags[label] for label in example["labels"]),
                )
                for example in golden["examples"][split]
                # Written with tags in IOB1, where all others have IOB2.
                if example["words"][0] != "I-first"
            ]
            # The original loses the last one: no blank line follows it.
            self.assertEqual(result[:-1], expected)
            self.assertEqual(result[-1].id, len(golden["examples"][split]))


if __name__ == "__main__":
    absltest.main()
