"""Tests of looking at an existing vocabulary."""

import collections

from absl.testing import absltest

from data_prep import vocab_check
from electra_tf import tokenization

_SETTINGS = {"lower_case": True, "strip_accents": True}
_SPECIAL = list(tokenization.SPECIAL_TOKENS)


class VocabCheckTest(absltest.TestCase):
    def load(self, pieces):
        path = self.create_tempfile(content="\n".join(pieces)).full_path
        return vocab_check.load(path, _SETTINGS)

    def test_all_that_is_wrong_is_in_one_error(self):
        with self.assertRaisesRegex(
            ValueError,
            r"is no vocabulary: it lacks \[MASK\]; empty: line 6; 'a' stands "
            r"in lines 5, 7\.",
        ):
            self.load(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "", "a"])

    def test_long_lists_are_cut(self):
        pieces = [c for c in "abcdefghijkl" for _ in range(2)]
        with self.assertRaisesRegex(ValueError, "'j' .*; and 2 more"):
            self.load([*_SPECIAL, *pieces])

    def test_a_vocabulary_is_described(self):
        tokenizer = self.load(
            ["[unused0]", *_SPECIAL, "a", "##b", "ab", "##ab", "Ab", "a.b"]
        )
        lines = vocab_check.describe(tokenizer)
        self.assertEqual(
            lines[0],
            "12 entries: 5 special tokens, 3 words, 2 single characters, "
            "1 unused, 1 continuations",
        )
        self.assertEqual(
            lines[1],
            "special tokens: [PAD] 1, [UNK] 2, [CLS] 3, [SEP] 4, [MASK] 5",
        )
        self.assertStartsWith(lines[2], "WARNING: [PAD] is not the first")
        # One has a capital letter, the other is three words.
        self.assertRegex(lines[3], r"WARNING: 2 word\(s\) .*: 'Ab', 'a.b'$")

    def test_a_sound_vocabulary_has_no_warning(self):
        lines = vocab_check.describe(self.load([*_SPECIAL, "a", "##b"]))
        self.assertLen(lines, 2)

    def test_it_is_compared_with_a_text(self):
        tokenizer = self.load([*_SPECIAL, "a", "##b", "c", "##d"])
        counts = collections.Counter({"ab": 6, "c": 1, "e": 2, "f": 1})
        self.assertEqual(
            vocab_check.compare(tokenizer, counts),
            [
                "text: 10 words, 4 different ones",
                "[UNK]: 30.0000% of the words",
                "pieces per word: 1.600",  # (6 * 2 + 4) / 10.
                # [UNK], a, ##b and c are used; 5 of 9 are not.
                "never used: 55.6% of the entries",
                "most frequent unknown words: e (2), f (1)",
            ],
        )


if __name__ == "__main__":
    absltest.main()
