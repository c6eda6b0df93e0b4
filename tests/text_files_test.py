"""Tests of lines, pieces of lines, and byte ranges of text files."""

import io
import os
import tempfile
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized
import hypothesis
from hypothesis import strategies

from data_prep import corpora
from data_prep import documents
from data_prep import text_files

# What can go wrong at the edge of a range: kinds of blank lines, characters
# of two and three bytes (one of them white space), bytes that are no UTF-8.
_TOKENS = (b"\n", b"\n", b"\n\n", b"\r\n", b" ", b"\t", b"a", b"bcd", b"ef gh")
_TOKENS += (b"\n" + 9 * b" ", 3 * b"ijk")  # Longer than 8 bytes.
_TOKENS += ("\u00e9".encode(), "\u3000".encode(), b"\xff", b"\xef\xbb\xbf")
_TEXTS = strategies.lists(strategies.sampled_from(_TOKENS), max_size=30).map(
    b"".join
)
_EXAMPLES = hypothesis.settings(
    max_examples=50, deadline=None, derandomize=True, database=None
)


def _small_limits():
    """Lines of more than 8 bytes are long, documents of more characters too."""
    return mock.patch.multiple(
        text_files, MAX_LINE_BYTES=8, _BLOCK_BYTES=5, _SCAN_BYTES=3
    ), mock.patch.object(documents, "PART_CHARACTERS", 8)


def _read(data, separator="blank_lines", unit_bytes=8 << 20):
    """What all units of a file give, and the sum of what they count."""
    options = corpora.CorpusOptions(documents=separator)
    found, total = [], corpora.CorpusStats()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.txt")
        with open(path, "wb") as file:
            file.write(data)
        for unit in corpora.plan([path], options, unit_bytes=unit_bytes):
            stats = corpora.CorpusStats()
            found += corpora.read_unit(unit, options, stats)
            total += stats
    return found, total


def _expected(data, separator):
    """The documents of a short text, said as simply as possible."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    lines = [line.strip() for line in text.split("\n")]
    if separator == "line":
        return [[line] for line in lines if line]
    if separator == "file":
        return [list(filter(None, lines))] if any(lines) else []
    found = [[]]
    for line in lines:
        if line:
            found[-1].append(line)
        else:
            found.append([])
    return list(filter(None, found))


class TextFilesTest(parameterized.TestCase):
    @parameterized.parameters("blank_lines", "line", "file")
    def test_documents_are_as_they_say(self, separator):
        @_EXAMPLES
        @hypothesis.given(_TEXTS, strategies.integers(1, 40))
        def check(data, unit_bytes):
            found, stats = _read(data, separator, unit_bytes)
            lines = [document.lines for document in found]
            self.assertEqual(lines, _expected(data, separator))
            self.assertEqual(stats.documents, len(lines))
            self.assertEqual(stats.bytes, len(data))

        check()

    @parameterized.parameters("blank_lines", "line", "file")
    def test_nothing_depends_on_the_size_of_units(self, separator):
        @_EXAMPLES
        @hypothesis.given(_TEXTS)
        def check(data):
            limits, parts = _small_limits()
            with limits, parts:
                whole = _read(data, separator)
                for unit_bytes in range(1, len(data) + 2):
                    read = _read(data, separator, unit_bytes)
                    self.assertEqual(read, whole, unit_bytes)

        check()

    @hypothesis.settings(_EXAMPLES)
    @hypothesis.given(_TEXTS)
    def test_cutting_loses_nothing(self, data):
        limits, parts = _small_limits()
        with limits, parts:
            cut, cut_stats = _read(data)
        whole, stats = _read(data)
        texts = [
            "".join(line for document in found for line in document.lines)
            for found in (cut, whole)
        ]
        if not stats.invalid_lines:  # They may get more of U+FFFD.
            cut_text, text = ("".join(text.split()) for text in texts)
            self.assertEqual(cut_text, text)
        self.assertEqual(cut_stats.documents, stats.documents)
        self.assertEqual(cut_stats.bytes, stats.bytes)
        self.assertEqual(cut_stats.empty_lines, stats.empty_lines)
        self.assertEqual(cut_stats.invalid_lines, stats.invalid_lines)

    def test_a_unit_has_the_documents_that_begin_in_it(self):
        #       0   3   6 7   10  13 14
        data = b"a1\na2\n\nb1\nb2\n\nc\n"
        found = {}
        for offset in range(len(data)):
            file = io.BytesIO(data)
            unit = documents.Unit(
                source=0, kind="text", path="a", start=0, end=offset
            )
            _, end = text_files.owned_range(file, unit, by_blank=True)
            found.setdefault(end, []).append(offset)
        self.assertEqual(
            found,
            {
                # The first blank line that starts behind 1 to 5 is at 6.
                0: [0],
                7: [1, 2, 3, 4, 5],
                14: [6, 7, 8, 9, 10, 11, 12],
                16: [13, 14, 15],
            },
        )

    @parameterized.parameters((True, 99 * b"a" + b"\n"), (False, 100 * b"a"))
    def test_a_file_of_one_document_is_scanned_once(self, by_blank, line):
        # 2,000 times 100 bytes in 20 units of 10,000 bytes.
        file = _CountingFile(2000 * line)
        ranges = []
        for start in range(0, 200_000, 10_000):
            unit = documents.Unit(
                source=0, kind="text", path="", start=start, end=start + 10_000
            )
            with mock.patch.object(text_files, "_SCAN_BYTES", 1000):
                with mock.patch.object(text_files, "MAX_LINE_BYTES", 1000):
                    ranges.append(
                        text_files.owned_range(file, unit, by_blank=by_blank)
                    )
        self.assertEqual(ranges[0], (0, 200_000))
        self.assertEqual({start - end for start, end in ranges[1:]}, {0})
        # The first one looks for the end, the others through their part.
        self.assertLess(file.num_bytes, 2 * 200_000 + 20 * 3000)

    def test_long_lines_are_cut_at_white_space_or_between_characters(self):
        limits, _ = _small_limits()
        with limits:
            found, stats = _read(b"ab cd efgh\n1234567890\n" + 5 * b"\xc3\xa9")
        self.assertEqual(
            found[0].lines,
            ["ab cd", "efgh", "12345678", "90", 4 * "\u00e9", "\u00e9"],
        )
        self.assertEqual(stats.long_lines, 3)
        self.assertEqual(stats.lines, 6)
        self.assertEqual(stats.invalid_lines, 0)

    def test_a_long_line_is_one_document(self):
        limits, _ = _small_limits()
        with limits:
            found, stats = _read(b"one two three\nfour\n", "line")
        lines = [document.lines for document in found]
        self.assertEqual(lines, [["one two", "three"], ["four"]])
        self.assertEqual(stats.long_lines, 1)

    def test_a_line_of_a_mebibyte_is_not_long(self):
        for size, num_long in (((1 << 20), 0), ((1 << 20) + 1, 1)):
            found, stats = _read(size * b"a" + b"\nb\n")
            self.assertEqual(stats.long_lines, num_long)
            self.assertEqual(sum(len(d.lines) for d in found), 2 + num_long)

    def test_a_huge_document_comes_in_parts(self):
        # 3,000 lines of 1,000 characters; 1,049 make more than a mebibyte.
        found, stats = _read(3000 * (1000 * b"a" + b"\n"), unit_bytes=1 << 19)
        self.assertEqual([len(d.lines) for d in found], [1049, 1049, 902])
        self.assertEqual([d.starts for d in found], [True, False, False])
        self.assertEqual([d.ends for d in found], [False, False, True])
        self.assertEqual(stats.documents, 1)
        self.assertEqual(stats.files, 1)

    def test_windows_files_are_read(self):
        found, stats = _read(b"\xef\xbb\xbfone\r\ntwo\r\n\r\nthree\r\n")
        lines = [document.lines for document in found]
        self.assertEqual(lines, [["one", "two"], ["three"]])
        self.assertEqual(stats.invalid_lines, 0)

    def test_bytes_that_are_not_utf8_are_replaced_and_counted(self):
        found, stats = _read(b"fine\ncaf\xe9 \xff\xff\n")
        self.assertEqual(found[0].lines, ["fine", "caf\ufffd \ufffd\ufffd"])
        self.assertEqual(stats.invalid_lines, 1)

    def test_a_file_without_text_is_an_empty_document(self):
        _, stats = _read(b"\n \n", "file")
        self.assertEqual(
            stats,
            corpora.CorpusStats(
                files=1, bytes=3, empty_lines=2, empty_documents=1
            ),
        )


class TextLinesTest(absltest.TestCase):
    def test_lines_are_stripped_and_counted(self):
        stats = corpora.CorpusStats()
        lines = list(text_files.text_lines("\n a\n\n \nb\r\n", stats))
        self.assertEqual(lines, ["a", "b"])
        self.assertEqual(stats, corpora.CorpusStats(empty_lines=2))

    def test_a_text_of_nothing_is_counted(self):
        for text in ("", "\n \n", "\u3000"):
            stats = corpora.CorpusStats()
            self.assertEmpty(list(text_files.text_lines(text, stats)))
            self.assertEqual(stats, corpora.CorpusStats(empty_documents=1))

    def test_half_a_character_is_replaced(self):
        stats = corpora.CorpusStats()
        text = "a\ud83d and \ud83d\ude00"
        lines = list(text_files.text_lines(text, stats))
        self.assertEqual(lines, ["a\ufffd and \U0001f600"])
        self.assertEqual(stats.invalid_lines, 1)

    @mock.patch.object(text_files, "MAX_LINE_BYTES", 8)
    def test_long_lines_are_cut(self):
        stats = corpora.CorpusStats()
        lines = list(text_files.text_lines("one two three\nfour", stats))
        self.assertEqual(lines, ["one two", "three", "four"])
        self.assertEqual(stats.long_lines, 1)


class _CountingFile(io.BytesIO):
    num_bytes = 0

    def read(self, size=-1):
        data = super().read(size)
        self.num_bytes += len(data)
        return data


if __name__ == "__main__":
    absltest.main()
