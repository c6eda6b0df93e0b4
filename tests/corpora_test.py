import gzip
import lzma
import pathlib
import statistics

from absl.testing import absltest
from absl.testing import parameterized

from data_prep import corpora

TEXT = "One.\n Two. \n\n\nThree.\n"
CODE = '''
def area(radius):
    """Returns the area of a circle with a given radius.

    It is a function (e.g. of lengths). The unit is that of
    the *radius*, squared; see :func:`~math.prod` for products.

    >>> area(2.0)
    12.566370614359172

    Args:
        radius: The distance from the center to the
            edge of the circle.
        other : float

    Table of values = 1 | 2 | 3 | 4 | 5 | 6.
    """
    text = """This is not a docstring of anything at all."""
'''


class ReadDocumentsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def test_a_blank_line_ends_a_document(self):
        path = self.write("a.txt", TEXT.encode())
        stats = corpora.CorpusStats()
        documents = corpora.read_documents([path], stats=stats)
        self.assertEqual(list(documents), [["One.", "Two."], ["Three."]])
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

    def test_a_file_is_a_document_if_blank_lines_do_not_separate(self):
        path = self.write("a.txt", TEXT.encode())
        documents = corpora.read_documents([path], blanks_separate_docs=False)
        self.assertEqual(list(documents), [["One.", "Two.", "Three."]])

    def test_a_folder_is_read_by_name_with_compressed_files(self):
        self.write("b/2.txt.xz", lzma.compress(b"xz\n"))
        self.write("b/1.txt.gz", gzip.compress(b"gz\n"))
        self.write("c.txt", b"c\n")
        self.write("a.txt", b"a\n")
        self.write(".hidden", b"hidden\n")
        documents = corpora.read_documents([str(self.folder)])
        self.assertEqual(list(documents), [["a"], ["gz"], ["xz"], ["c"]])

    def test_a_pattern_names_files(self):
        self.write("a1.txt", b"a1\n")
        self.write("a2.txt", b"a2\n")
        self.write("b.txt", b"b\n")
        documents = corpora.read_documents([str(self.folder / "a*.txt")])
        self.assertEqual(list(documents), [["a1"], ["a2"]])

    def test_bytes_that_are_not_utf8_are_replaced_and_counted(self):
        path = self.write("a.txt", b"\xef\xbb\xbffine\ncaf\xe9\n")
        stats = corpora.CorpusStats()
        documents = list(corpora.read_documents([path], stats=stats))
        self.assertEqual(documents, [["fine", "caf\ufffd"]])
        self.assertEqual(stats.invalid_lines, 1)

    def test_a_missing_source_is_refused_before_reading(self):
        with self.assertRaisesRegex(ValueError, "'.*/nowhere' holds no file"):
            corpora.read_documents([str(self.folder / "nowhere")])

    def test_a_corpus_without_text_is_refused(self):
        path = self.write("a.txt", b"\n \n")
        with self.assertRaisesRegex(ValueError, "no text: 1 file.*2 blank"):
            list(corpora.read_documents([path]))

    def test_a_broken_archive_is_named(self):
        path = self.write("a.gz", gzip.compress(b"text\n" * 999)[:-20])
        with self.assertRaisesRegex(ValueError, "a.gz cannot be read"):
            list(corpora.read_documents([path]))


class HashPositionTest(absltest.TestCase):
    def test_is_uniform_and_depends_on_the_text_only(self):
        positions = [corpora.hash_position([str(i)]) for i in range(2000)]
        self.assertEqual(positions[7], corpora.hash_position(["7"]))
        self.assertBetween(min(positions), 0.0, 0.01)
        self.assertBetween(max(positions), 0.99, 1.0)
        # The mean's standard deviation is 1 / sqrt(12 * 2000) = 0.0065.
        self.assertAlmostEqual(statistics.fmean(positions), 0.5, delta=0.02)


class EmbeddedTest(parameterized.TestCase):
    def test_prose_is_found_in_docstrings(self):
        text = corpora.docstrings(CODE)
        sentences = [
            sentence
            for paragraph in corpora.paragraphs(text)
            for sentence in corpora.prose_sentences(paragraph)
        ]
        self.assertEqual(
            sentences,
            [
                "Returns the area of a circle with a given radius.",
                "It is a function (e.g. of lengths).",
                "The unit is that of the radius, squared; see math.prod for "
                "products.",
                "The distance from the center to the edge of the circle.",
            ],
        )

    def test_is_the_same_each_time_and_has_no_sentence_twice(self):
        first, second = (
            [
                document
                for document, _ in zip(
                    corpora.read_documents([corpora.EMBEDDED]), range(150)
                )
            ]
            for _ in range(2)
        )
        self.assertEqual(first, second)
        sentences = sum(first, [])
        self.assertLen(set(sentences), len(sentences))
        self.assertGreater(len(sentences), 1000)


if __name__ == "__main__":
    absltest.main()
