"""Tests of the words of texts as a graph."""

from absl.testing import parameterized
import tensorflow as tf

from finetune import graph_words

_TEXTS = (
    "Two words",
    "",
    " \t around \n",
    "one",
    "   ",
    "é 👩\u200d🚀\u00a0שלום\u3000深度 x",
    "a\x1cb\x85c\u2028d\u200be",
)


class SplitTest(tf.test.TestCase, parameterized.TestCase):
    def test_words_and_their_places_are_those_of_python(self):
        found = graph_words.split(tf.constant(_TEXTS))
        for row, text in enumerate(_TEXTS):
            words = [word.encode() for word in text.split()]
            self.assertAllEqual(found.words[row], words)
            places = zip(
                found.starts[row].numpy(), found.ends[row].numpy(), strict=True
            )
            encoded = text.encode()
            self.assertEqual([encoded[s:e] for s, e in places], words)

    def test_no_text_has_no_word(self):
        found = graph_words.split(tf.constant([], tf.string))
        self.assertEqual(found.words.to_tensor().shape, [0, 0])

    def test_the_spaces_are_those_of_python(self):
        spaces = [c for c in range(0x110000) if chr(c).isspace()]
        self.assertSequenceEqual(graph_words.SPACES, spaces)

    def test_single_spaces_stand_between_words(self):
        for text in _TEXTS:
            text = text.strip()
            self.assertEqual(
                graph_words.with_single_spaces(text).numpy().decode(),
                " ".join(text.split()),
            )


if __name__ == "__main__":
    tf.test.main()
