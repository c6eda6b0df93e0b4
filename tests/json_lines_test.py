"""Tests of reading JSON lines."""

import json
import os
import pathlib
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import hypothesis
from hypothesis import strategies

from data_prep import corpora
from data_prep import documents
from data_prep import json_lines
from data_prep import text_files

_LINES = strategies.lists(
    strategies.sampled_from(
        [
            b'{"text": "a"}',
            b'{"text": "one\\n\\ntwo and more\\nthree"}\r',
            b'{"text": "\\u00e9 \\ud83d", "id": 7}',
            b'{"text": " "}',
            b'{"id": "text"}',
            b'{"text": "\xff"}',
            b"{",
            b" ",
            b"",
        ]
    ),
    max_size=8,
).map(b"\n".join)


class JsonLinesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def read(self, data, unit_bytes=8 << 20, **options):
        options = corpora.CorpusOptions(**options)
        path = os.path.join(self.folder, "a.jsonl")
        pathlib.Path(path).write_bytes(data)
        found, total = [], corpora.CorpusStats()
        for unit in corpora.plan([path], options, unit_bytes=unit_bytes):
            stats = corpora.CorpusStats()
            found += corpora.read_unit(unit, options, stats)
            total += stats
        return found, total

    @parameterized.parameters("blank_lines", "line", "file")
    def test_each_line_is_a_document(self, separator):
        data = b'{"id": 7, "text": "a\\n\\n b "}\n\n{"text": "c"}\n'
        found, stats = self.read(data, documents=separator)
        self.assertEqual(
            found,
            [documents.Document(["a", "b"]), documents.Document(["c"])],
        )
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1, documents=2, lines=3, bytes=len(data), empty_lines=2
            ),
        )

    def test_the_field_of_the_text_can_be_named(self):
        found, _ = self.read(b'{"body": "a", "text": 1}', text_field="body")
        self.assertEqual(found, [documents.Document(["a"])])

    def test_documents_without_text_are_counted(self):
        found, stats = self.read(
            b'{"text": ""}\n{"text": "\\n "}\n{"text":"a"}'
        )
        self.assertEqual(found, [documents.Document(["a"])])
        self.assertEqual(stats.empty_documents, 2)
        self.assertEqual(stats.documents, 1)

    @parameterized.parameters(
        (b"{", "It is not JSON: Expecting property name"),
        (b"[1]", "It is a list, not an object"),
        (b"3.5", "It is a number, not an object"),
        (b'{"text": null}', "Its field 'text' is null, not a string"),
        (b'{"b": 1, "a": 2}', "no field 'text'. Its fields are: 'b', 'a'"),
        (b"{}", "no field 'text'. Its fields are: none"),
        (100_000 * b"[", "It is not JSON"),
    )
    def test_a_malformed_line_is_named(self, line, reason):
        good = b'{"text": "a"}\n'
        # The third line, read as part of all, or from its middle on.
        data = good + b"\n" + line + b"\n" + good
        for unit_bytes in (8 << 20, 14, 3, 1):
            with self.assertRaisesRegex(
                ValueError, rf"a.jsonl, line 3: .*{reason}.*--text_field"
            ):
                self.read(data, unit_bytes)
        found, stats = self.read(data, skip_malformed_lines=True)
        self.assertEqual([d.lines for d in found], [["a"], ["a"]])
        self.assertEqual(stats.malformed_lines, 1)

    def test_the_line_of_an_error_counts_from_the_start_of_the_file(self):
        lines = [json.dumps({"text": f"document {i}"}) for i in range(100)]
        lines[72] = "{}"
        data = "\n".join(lines).encode()
        options = corpora.CorpusOptions()
        path = pathlib.Path(self.folder, "a.jsonl")
        path.write_bytes(data)
        units = corpora.plan([str(path)], options, unit_bytes=len(data) // 2)
        for unit in units[:1]:
            list(corpora.read_unit(unit, options, corpora.CorpusStats()))
        with self.assertRaisesRegex(ValueError, "line 73: "):
            list(corpora.read_unit(units[1], options, corpora.CorpusStats()))

    @mock.patch.object(json_lines, "MAX_LINE_BYTES", 20)
    def test_a_line_that_is_too_long_is_malformed(self):
        data = b'{"text": "ab"}\n{"text": "too long, this"}\n{"text": "c"}'
        with self.assertRaisesRegex(ValueError, "line 2: .*longer than 20 by"):
            self.read(data)
        found, stats = self.read(data, skip_malformed_lines=True)
        self.assertEqual([d.lines for d in found], [["ab"], ["c"]])
        self.assertEqual(stats.malformed_lines, 1)
        self.assertEqual(stats.bytes, len(data))

    def test_nothing_depends_on_the_size_of_units(self):
        @hypothesis.settings(
            max_examples=50, deadline=None, derandomize=True, database=None
        )
        @hypothesis.given(_LINES)
        def check(data):
            with (
                mock.patch.object(documents, "PART_CHARACTERS", 8),
                mock.patch.object(json_lines, "MAX_LINE_BYTES", 40),
                mock.patch.multiple(
                    text_files, MAX_LINE_BYTES=8, _BLOCK_BYTES=5, _SCAN_BYTES=3
                ),
            ):
                whole = self.read(data, skip_malformed_lines=True)
                for unit_bytes in (
                    1,
                    2,
                    3,
                    5,
                    8,
                    13,
                    21,
                    34,
                    55,
                    len(data) + 1,
                ):
                    read = self.read(
                        data, unit_bytes, skip_malformed_lines=True
                    )
                    self.assertEqual(read, whole, unit_bytes)

        check()


if __name__ == "__main__":
    absltest.main()
