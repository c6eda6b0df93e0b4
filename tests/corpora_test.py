"""Tests of planning and reading a corpus, whatever its files are."""

import bz2
import dataclasses
import gzip
import lzma
import os
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from data_prep import corpora

TEXT = "One.\n Two. \n\n\nThree.\n"


class CorporaTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def lines(self, sources, stats=None, **options):
        options = corpora.CorpusOptions(**options)
        documents = list(
            corpora.read_documents(sources, options=options, stats=stats)
        )
        self.assertTrue(all(d.starts and d.ends for d in documents))
        return [document.lines for document in documents]

    def test_a_blank_line_ends_a_document(self):
        path = self.write("a.txt", TEXT.encode())
        stats = corpora.CorpusStats()
        lines = self.lines([path], stats)
        self.assertEqual(lines, [["One.", "Two."], ["Three."]])
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1,
                documents=2,
                lines=3,
                bytes=len(TEXT),
                empty_lines=2,
            ),
        )

    def test_a_file_or_a_line_can_be_a_document(self):
        path = self.write("a.txt", TEXT.encode())
        lines = self.lines([path], documents="file")
        self.assertEqual(lines, [["One.", "Two.", "Three."]])
        lines = self.lines([path], documents="line")
        self.assertEqual(lines, [["One."], ["Two."], ["Three."]])

    def test_a_folder_is_read_by_name_with_compressed_files(self):
        self.write("b/4.txt.xz", lzma.compress(b"xz\n"))
        self.write("b/3.jsonl", b'{"text": "json"}\n')
        self.write("b/2.txt.bz2", bz2.compress(b"bz2\n"))
        self.write("b/1.txt.gz", gzip.compress(b"gz\n"))
        self.write("c.txt", b"c\n")
        self.write("a.txt", b"a\n")
        self.assertEqual(
            self.lines([str(self.folder)]),
            [["a"], ["gz"], ["bz2"], ["json"], ["xz"], ["c"]],
        )

    def test_what_is_hidden_is_read_if_it_is_named(self):
        self.write("a.txt", b"a\n")
        self.write(".git/b.txt", b"b\n")
        path = self.write(".hidden", b"hidden\n")
        self.assertEqual(self.lines([str(self.folder)]), [["a"]])
        self.assertEqual(self.lines([path]), [["hidden"]])
        self.assertEqual(self.lines([str(self.folder / ".git")]), [["b"]])

    def test_a_pattern_names_files(self):
        self.write("a1.txt", b"a1\n")
        self.write("a2.txt", b"a2\n")
        self.write("b.txt", b"b\n")
        lines = self.lines([str(self.folder / "a*.txt")])
        self.assertEqual(lines, [["a1"], ["a2"]])

    def test_units_name_their_source_and_version(self):
        first = self.write("a.txt", b"0123456789")
        packed = gzip.compress(b"b")
        second = self.write("b.txt.gz", packed)
        units = corpora.plan(
            [first, second], corpora.CorpusOptions(), unit_bytes=4
        )
        self.assertEqual(
            [(unit.source, unit.start, unit.end, unit.size) for unit in units],
            [
                (0, 0, 4, 4),
                (0, 4, 8, 4),
                (0, 8, 10, 2),
                (1, 0, 1, 4 * len(packed)),
            ],
        )
        versions = {unit.version for unit in units[:3]}
        self.assertLen(versions, 1)
        seconds = int(os.stat(first).st_mtime)
        self.assertStartsWith(versions.pop(), f"10-{seconds}")

    def test_a_file_that_changed_after_planning_is_refused(self):
        path = self.write("a.txt", b"a\n")
        options = corpora.CorpusOptions()
        (unit,) = corpora.plan([path], options)
        self.write("a.txt", b"a and more\n")
        with self.assertRaisesRegex(ValueError, "a.txt has changed since"):
            list(corpora.read_unit(unit, options, corpora.CorpusStats()))
        unit = dataclasses.replace(unit, version="")
        stats = corpora.CorpusStats()
        self.assertLen(list(corpora.read_unit(unit, options, stats)), 1)

    def test_a_missing_source_is_refused_before_reading(self):
        with self.assertRaisesRegex(ValueError, "'.*/nowhere' holds no file"):
            corpora.read_documents([str(self.folder / "nowhere")])
        with self.assertRaisesRegex(ValueError, "No corpus was given"):
            corpora.read_documents([])
        with self.assertRaisesRegex(ValueError, "Corpus 'no://x' cannot be"):
            corpora.read_documents(["no://x"])

    def test_units_have_a_size(self):
        with self.assertRaisesRegex(ValueError, "unit_bytes must be at least"):
            corpora.plan(["a"], corpora.CorpusOptions(), unit_bytes=0)

    def test_a_corpus_without_text_is_refused(self):
        path = self.write("a.txt", b"\n \n")
        empty = self.write("b.txt", b"")
        with self.assertRaisesRegex(ValueError, "no text: 1 file.*2 blank"):
            list(corpora.read_documents([path]))
        with self.assertRaisesRegex(ValueError, "no text: 1 file.* 0 bytes"):
            list(corpora.read_documents([empty]))

    def test_a_corpus_of_lines_that_were_left_out_is_refused(self):
        path = self.write("a.jsonl", b'[]\n{"text": ""}\n')
        options = corpora.CorpusOptions(skip_malformed_lines=True)
        with self.assertRaisesRegex(
            ValueError, "1 documents without text, 1 malformed lines"
        ):
            list(corpora.read_documents([path], options=options))


if __name__ == "__main__":
    absltest.main()
