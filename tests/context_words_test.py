"""Tests of the words of a context."""

import json

from absl.testing import absltest
from absl.testing import parameterized

from finetune import context_words
from tests import testing


def _words(context: str) -> list[str]:
    return [context[slice(*span)] for span in context_words.spans(context)]


class ContextWordsTest(parameterized.TestCase):
    def test_spans_are_characters_with_an_exclusive_end(self):
        #                                       0123456789
        self.assertEqual(context_words.spans(" a  (bc). "), [(1, 2), (4, 9)])

    @parameterized.parameters(" ", "\t", "\r", "\n", "\u202f", " \r\n ")
    def test_these_characters_divide_words(self, space):
        self.assertEqual(_words(f"one{space}two"), ["one", "two"])

    @parameterized.parameters(
        "\u00a0", "\u2003", "\u3000", "\u2028", "\x0b", "\x0c", "\u200b"
    )
    def test_other_spaces_are_part_of_a_word(self, char):
        self.assertEqual(_words(f"one{char}two"), [f"one{char}two"])

    @parameterized.parameters("", " ", "\t\n\u202f")
    def test_blank_contexts_have_no_words(self, context):
        self.assertEqual(context_words.spans(context), [])

    @parameterized.parameters("👍", "e\u0301", "中文")
    def test_characters_are_counted_as_python_does(self, word):
        self.assertEqual(
            context_words.spans(f"{word} a"),
            [(0, len(word)), (len(word) + 1, len(word) + 2)],
        )

    @parameterized.parameters("squad.json", "squadv1.json")
    def test_words_are_the_original_s(self, file_name):
        with open(testing.golden("squad_features", "data", file_name)) as file:
            articles = json.load(file)["data"]
        name = file_name.replace(".json", "_examples.json")
        with open(testing.golden("squad_features", name)) as file:
            golden = json.load(file)["dev"]
        contexts = {
            qa["id"]: paragraph["context"]
            for article in articles
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
        }
        self.assertNotEmpty(golden["examples"])
        for example in golden["examples"]:
            self.assertEqual(
                _words(contexts[example["qas_id"]]),
                golden["doc_tokens"][example["doc_tokens_index"]],
            )


if __name__ == "__main__":
    absltest.main()
