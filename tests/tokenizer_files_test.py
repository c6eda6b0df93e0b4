"""Tests of reading tokenizers that others wrote."""

import json
import os

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import tokenization
from electra_tf import tokenizer_files
from tests import testing

_VOCAB = testing.tiny_vocab()
_CASED = [*_VOCAB, "Paris"]


def _hugging_face(vocab: list[str], **normalizer) -> dict:
    return {
        "model": {
            "type": "WordPiece",
            # In the order of a dictionary that was sorted by its keys.
            "vocab": {token: vocab.index(token) for token in sorted(vocab)},
        },
        "normalizer": normalizer,
    }


class TokenizerFilesTest(tf.test.TestCase, parameterized.TestCase):
    def _folder(self, vocab=None, **files) -> str:
        """A folder with `vocab.txt` and JSON files by their stems."""
        directory = self.create_tempdir().full_path
        if vocab is not None:
            with open(os.path.join(directory, "vocab.txt"), "w") as file:
                file.write("\n".join(vocab) + "\n")
        for name, contents in files.items():
            with open(os.path.join(directory, f"{name}.json"), "w") as file:
                json.dump(contents, file)
        return directory

    @parameterized.parameters(
        ({}, True, True),
        ({"tokenizer_config": {}}, True, True),
        ({"tokenizer_config": {"do_lower_case": True}}, True, True),
        ({"tokenizer_config": {"do_lower_case": False}}, False, True),
        (
            {
                "tokenizer_config": {
                    "do_lower_case": True,
                    "strip_accents": False,
                }
            },
            True,
            False,
        ),
        (
            {
                "tokenizer_config": {
                    "do_lower_case": False,
                    "strip_accents": None,
                }
            },
            False,
            True,
        ),
        (
            {"tokenizer": {"lower_case": False, "strip_accents": False}},
            False,
            False,
        ),
    )
    def test_settings_are_read(self, files, lower_case, strip_accents):
        tokenizer = tokenizer_files.read(self._folder(_VOCAB, **files))
        self.assertEqual(tokenizer.lower_case, lower_case)
        self.assertEqual(tokenizer.strip_accents, strip_accents)
        self.assertEqual(list(tokenizer.vocab), _VOCAB)

    def test_what_is_given_goes_before_what_is_read(self):
        directory = self._folder(
            _VOCAB, tokenizer_config={"do_lower_case": True}
        )
        other = os.path.join(self._folder(_CASED), "vocab.txt")
        tokenizer = tokenizer_files.read(
            directory, vocab_file=other, lower_case=False, strip_accents=False
        )
        self.assertEqual(list(tokenizer.vocab), _CASED)
        self.assertFalse(tokenizer.lower_case)
        self.assertFalse(tokenizer.strip_accents)

    def test_a_vocabulary_of_hugging_face_is_in_the_order_of_its_ids(self):
        tokenizer = tokenizer_files.read(
            self._folder(
                tokenizer=_hugging_face(
                    _VOCAB, lowercase=True, strip_accents=False
                )
            )
        )
        self.assertEqual(list(tokenizer.vocab), _VOCAB)
        self.assertTrue(tokenizer.lower_case)
        self.assertFalse(tokenizer.strip_accents)

    def test_no_vocabulary_is_none(self):
        self.assertIsNone(tokenizer_files.read(self._folder()))

    def test_capitals_in_the_vocabulary_need_a_word_about_case(self):
        with self.assertRaisesRegex(ValueError, "has capital letters"):
            tokenizer_files.read(self._folder(_CASED))
        tokenizer = tokenizer_files.read(self._folder(_CASED), lower_case=False)
        self.assertFalse(tokenizer.lower_case)

    @parameterized.parameters(
        (
            {"tokenizer_config": {"tokenize_chinese_chars": False}},
            "keeps Chinese words whole",
        ),
        (
            {
                "tokenizer_config": {
                    "do_lower_case": False,
                    "strip_accents": True,
                }
            },
            "cannot do both",
        ),
    )
    def test_what_no_tokenizer_of_ours_does_is_an_error(self, files, message):
        with self.assertRaisesRegex(ValueError, message):
            tokenizer_files.read(self._folder(_VOCAB, **files))

    def test_another_kind_of_tokenizer_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "'BPE'; only WordPiece"):
            tokenizer_files.read(
                self._folder(tokenizer={"model": {"type": "BPE"}})
            )

    @parameterized.parameters((True, True), (True, False), (False, True))
    def test_what_is_written_is_read_back(self, lower_case, strip_accents):
        directory = self.create_tempdir().full_path
        written = tokenization.Tokenizer(
            _VOCAB, lower_case=lower_case, strip_accents=strip_accents
        )
        tokenizer_files.write_huggingface(directory, written, max_length=8)
        read = tokenizer_files.read(directory)
        self.assertEqual(read.vocab, written.vocab)
        texts = ["The Café"]
        self.assertAllEqual(read.normalize(texts), written.normalize(texts))


if __name__ == "__main__":
    tf.test.main()
