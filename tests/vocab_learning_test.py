import collections
import os

from absl.testing import absltest
from absl.testing import parameterized

from data_prep import vocab_learning
from electra_tf import tokenization
from tests import forked

SETTINGS = {"lower_case": True, "strip_accents": True}
LINES = ("The caf\u00e9s' walkers walked; they walk.",) * 3 + ("Once",)


class BuildVocabTest(parameterized.TestCase):
    def test_words_are_counted_as_the_tokenizer_sees_them(self):
        tokenizer = tokenization.Tokenizer((*tokenization.SPECIAL_TOKENS, "a"))
        counts = vocab_learning.count_words(LINES, tokenizer)
        self.assertEqual(
            counts,
            {
                **dict.fromkeys(
                    ("the", "cafes", "'", "walkers", "walked", ";", "they"), 3
                ),
                **{"walk": 3, ".": 3, "once": 1},
            },
        )

    @parameterized.parameters(
        ("walk", ["walk"]),
        ("don't.", ["don", "'", "t", "."]),
        ("a\u2014b\u4f60c_d", ["a", "\u2014", "b", "\u4f60", "c", "_", "d"]),
        ("caf\u00e9", ["caf\u00e9"]),
    )
    def test_splits_at_punctuation(self, text, words):
        self.assertEqual(vocab_learning.split_punctuation(text), words)

    def test_a_vocabulary_starts_with_the_special_tokens_and_has_its_size(self):
        counts = collections.Counter(
            {
                f"{a}{b}{c}": 2 + i * j
                for i, a in enumerate("abcdefgh")
                for j, b in enumerate("abcdefgh")
                for c in "xyz"
            }
        )
        vocab = vocab_learning.learn_vocab(counts, 100)
        self.assertLen(vocab, 100)
        self.assertLen(set(vocab), 100)
        self.assertEqual(tuple(vocab[:5]), tokenization.SPECIAL_TOKENS)
        # Cutting it to its size leaves all characters: no word is unknown.
        self.assertContainsSubset({"a", "##a", "x", "##x"}, vocab)

    def test_a_size_below_the_characters_is_an_error(self):
        counts = collections.Counter(map(chr, range(ord("a"), ord("z") + 1)))
        # 5 special tokens and 26 letters, each with and without "##".
        with self.assertRaisesRegex(ValueError, "at least 57.*got 40"):
            vocab_learning.learn_vocab(counts, 40)

    def test_covers_the_text_it_was_learned_from(self):
        tokenizer = vocab_learning.build_vocab(
            LINES, vocab_size=100, min_frequency=2, settings=SETTINGS
        )
        self.assertIn("walk", tokenizer.vocab)
        counts = collections.Counter({"walk": 3, "\u0416": 1})
        unknown, pieces = vocab_learning.coverage(counts, tokenizer)
        self.assertEqual((unknown, pieces), (0.25, 1.0))

    def test_too_rare_words_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "occurs 9 times"):
            vocab_learning.build_vocab(
                LINES, vocab_size=100, min_frequency=9, settings=SETTINGS
            )

    def test_an_existing_output_is_not_replaced(self):
        path = self.create_tempfile(content="mine").full_path
        with self.assertRaisesRegex(ValueError, "--overwrite"):
            with vocab_learning.output(path, overwrite=False):
                pass

    def test_an_unwritable_output_is_refused(self):
        path = os.path.join(self.create_tempdir().full_path, "no", "v.txt")
        with self.assertRaisesRegex(ValueError, "cannot be written"):
            with vocab_learning.output(path, overwrite=False):
                pass

    def test_a_failure_leaves_nothing_behind(self):
        folder = self.create_tempdir().full_path
        path = os.path.join(folder, "v.txt")
        with self.assertRaises(KeyError):
            with vocab_learning.output(path, overwrite=False) as temporary:
                self.assertTrue(os.path.exists(temporary))
                raise KeyError
        self.assertEmpty(os.listdir(folder))

    def test_the_program_writes_a_vocabulary(self):
        folder = self.create_tempdir()
        corpus = folder.create_file("text.txt", "\n".join(LINES))
        output = os.path.join(folder.full_path, "vocab.txt")
        result = forked.run(
            "data_prep.build_vocab",
            f"--corpus={corpus.full_path}",
            f"--output={output}",
            "--vocab_size=60",
            "--nolower_case",
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        vocab = tokenization.Tokenizer.from_vocab_file(output).vocab
        self.assertIn("T", vocab)
        self.assertCountEqual(
            os.listdir(folder.full_path), ["text.txt", "vocab.txt"]
        )


if __name__ == "__main__":
    absltest.main()
