"""Tests of the search for normalised text, most against the original's."""

import json

from absl.testing import absltest
from absl.testing import parameterized

from finetune import answer_text
from tests import testing


class FindTest(parameterized.TestCase):
    @parameterized.parameters(
        ("steve smith", "Steve Smith's", "Steve Smith"),
        ("1895 - 1943", "(1895-1943).", "1895-1943"),
        ("cafe", "\u201cCaf\u00e9\u201d,", "Caf\u00e9"),
        # The accent is a character that the normalised text lacks.
        ("cafe", "Cafe\u0301,", "Cafe\u0301,"),
        ("not there", "Steve Smith's", "Steve Smith's"),
        ("", "Steve Smith's", "Steve Smith's"),
        ("\u4e1c \u4eac", "\u5728\u4e1c\u4eac", "\u4e1c\u4eac"),
    )
    def test_the_part_is(self, normalized, text, part):
        first, end = answer_text.find(normalized, text)
        self.assertEqual(text[first:end], part)

    def test_accents_that_the_tokenizer_keeps_are_kept_here(self):
        # Both are "e" only if accents are removed.
        self.assertEqual(
            answer_text.find("\u00e9", "\u00e9-e", strip_accents=False), (0, 1)
        )
        self.assertEqual(
            answer_text.find("e", "\u00e9-e", strip_accents=False), (2, 3)
        )
        self.assertEqual(answer_text.find("e", "\u00e9-e"), (0, 1))

    def test_a_cased_tokenizer_keeps_case_and_accents(self):
        self.assertEqual(
            answer_text.basic_tokens("\u00c9l\u00e8ve, A$", lower_case=False),
            ("\u00c9l\u00e8ve", ",", "A", "$"),
        )

    def test_it_is_the_original_s(self):
        path = testing.golden("squad_features", "get_final_text.jsonl")
        with open(path, encoding="utf-8") as file:
            cases = [json.loads(line) for line in file]
        self.assertGreater(len(cases), 100)
        for case in cases:
            text = case["orig_text"]
            first, end = answer_text.find(
                case["pred_text"], text, lower_case=case["do_lower_case"]
            )
            self.assertEqual(text[first:end], case["final_text"], msg=case)


class BasicTokensTest(absltest.TestCase):
    def test_tokens_of_hard_texts_are_the_original_s(self):
        path = testing.golden("tokenization", "basic_tokens_hard.jsonl")
        with open(path, encoding="utf-8") as file:
            cases = [json.loads(line) for line in file]
        self.assertNotEmpty(cases)
        for case in cases:
            for key, settings in (
                ("uncased", {}),
                ("uncased_keep_accents", {"strip_accents": False}),
                ("cased", {"lower_case": False}),
            ):
                tokens = answer_text.basic_tokens(case["text"], **settings)
                self.assertEqual(list(tokens), case[key], msg=case["text"])


class JoinPiecesTest(absltest.TestCase):
    def test_pieces_of_a_word_are_joined(self):
        self.assertEqual(
            answer_text.join_pieces(["##ing", "play", "##ed", ",", "so"]),
            "ing played , so",
        )


if __name__ == "__main__":
    absltest.main()
