"""Tests of finding prose in what every installation has."""

from absl.testing import absltest

from data_prep import corpora
from data_prep import embedded_corpus

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


class EmbeddedCorpusTest(absltest.TestCase):
    def test_prose_is_found_in_docstrings(self):
        text = embedded_corpus.docstrings(CODE)
        sentences = [
            sentence
            for paragraph in embedded_corpus.paragraphs(text)
            for sentence in embedded_corpus.prose_sentences(paragraph)
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
                document.lines
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
