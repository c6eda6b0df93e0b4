import base64
import functools
import json
import os
import random

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import tokenization

DATA = os.environ.get("ELECTRA_TEST_DATA")
GOLDEN = os.environ.get("ELECTRA_GOLDEN")
MODES = {
    "uncased": {},
    "uncased_keep_accents": {"strip_accents": False},
    "cased": {"lower_case": False},
}
PIECES = ("the", "cafe", "##s", "un", "##able", ",", "'", "s", "[", "]", "mask")
VOCAB = (*tokenization.SPECIAL_TOKENS, *PIECES)


@functools.cache
def golden_lines(name):
    path = os.path.join(GOLDEN, "tokenization", name + ".jsonl")
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def text_bytes(line):
    if "bytes_base64" in line:
        return base64.b64decode(line["bytes_base64"])
    return line["text"].encode("utf-8", errors="surrogatepass")


def texts_of(lines):
    return [text_bytes(line) for line in lines]


class ByHandTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokenizer = tokenization.Tokenizer(VOCAB)

    def tokens(self, text):
        return self.tokenizer.tokens(self.tokenizer.tokenize([text])[0])

    @parameterized.parameters(
        ("The unable, cafes", ["the", "un", "##able", ",", "cafe", "##s"]),
        ("Caf\u00e9s cafe\u0301s", ["cafe", "##s", "cafe", "##s"]),
        ("ca\u200bfe\x00", ["cafe"]),  # Format and control characters.
        ("the\u2003the\u2028the", ["the"] * 3),
        ("[MASK]", ["[", "mask", "]"]),  # Not the special token.
        ("unthe cafe", ["[UNK]", "cafe"]),
        (b"caf\xe9\xffe", ["cafe"]),  # Bytes that are not UTF-8.
        ("", []),
        (" \n", []),
    )
    def test_splits(self, text, expected):
        self.assertEqual(self.tokens(text), expected)

    def test_offsets_are_bytes_of_the_text_as_given(self):
        #         0    5 6  8 10     13      18
        texts = ["Caf\u00e9s, the", "the ca\u200bfe\u0301s", "the's"]
        pieces = self.tokenizer.tokenize_with_offsets(texts)
        self.assertEqual(
            pieces.starts.to_list(), [[0, 5, 6, 8], [0, 4, 13], [0, 3, 4]]
        )
        # In the second text U+200B takes three bytes, U+0301 takes two.
        self.assertEqual(
            pieces.ends.to_list(), [[5, 6, 7, 11], [3, 13, 14], [3, 4, 5]]
        )
        self.assertEqual(
            pieces.word_ids.to_list(), [[0, 0, 1, 2], [0, 1, 1], [0, 1, 2]]
        )

    def test_a_word_is_unknown_from_201_characters_on(self):
        texts = ["the un" + "able" * 49 + "s" * extra for extra in (2, 3)]
        short, long = self.tokenizer.tokenize(texts).to_list()
        self.assertLen(short, 1 + 1 + 49 + 2)  # "the", "un", ...; 200.
        self.assertEqual(self.tokenizer.tokens(long), ["the", "[UNK]"])
        pieces = self.tokenizer.tokenize_with_offsets(texts)
        self.assertEqual(pieces.ids[1].numpy().tolist(), long)
        self.assertEqual(pieces.ends[1].numpy().tolist(), [3, 4 + 201])
        self.assertEqual(pieces.word_ids[1].numpy().tolist(), [0, 1])

    def test_a_word_is_measured_in_characters_not_in_bytes(self):
        tokenizer = tokenization.Tokenizer(
            (*VOCAB, "\u4f60", "\u0436", "##\u0436")
        )
        self.assertLen(tokenizer.tokenize(["\u0436" * 200])[0], 200)
        self.assertLen(tokenizer.tokenize(["\u0436" * 201])[0], 1)
        # Every Chinese character is a word.
        self.assertLen(tokenizer.tokenize(["\u4f60" * 300])[0], 300)

    def test_is_the_same_in_a_data_set_and_in_a_saved_model(self):
        texts = ["The caf\u00e9s", "unable," * 99, ""]
        expected = self.tokenizer.tokenize_with_offsets(texts)
        dataset = tf.data.Dataset.from_tensor_slices(texts).batch(3)
        (pieces,) = dataset.map(self.tokenizer.tokenize_with_offsets)
        module = tf.Module()
        module.tokenizer = self.tokenizer
        module.serve = tf.function(
            lambda texts: self.tokenizer.tokenize_with_offsets(texts)._asdict(),
            input_signature=[tf.TensorSpec([None], tf.string)],
        )
        path = self.create_tempdir().full_path
        tf.saved_model.save(module, path)
        saved = tf.saved_model.load(path).serve(tf.constant(texts))
        for name, part in expected._asdict().items():
            self.assertEqual(getattr(pieces, name).to_list(), part.to_list())
            self.assertEqual(saved[name].to_list(), part.to_list())

    def test_its_graph_has_only_operations_of_old_servers(self):
        graph = tf.function(self.tokenizer.tokenize_with_offsets)
        graph = graph.get_concrete_function(tf.TensorSpec([None], tf.string))
        names = {node.op for node in graph.graph.as_graph_def().node}
        for function in graph.graph.as_graph_def().library.function:
            names |= {node.op for node in function.node_def}
        self.assertContainsSubset(
            {"FastWordpieceTokenizeWithOffsets", "NormalizeUTF8"}, names
        )
        self.assertNoCommonElements({"PyFunc", "EagerPyFunc"}, names)
        self.assertFalse([name for name in names if name.startswith("TFText>")])

    def test_characters_newer_than_the_original_are_unknown(self):
        # U+1F971 came with Unicode 12; the original on Python 3.7 drops it.
        self.assertEqual(self.tokens("the \U0001f971"), ["the", "[UNK]"])

    def test_character_offsets_count_characters(self):
        self.assertEqual(
            tokenization.character_offsets("caf\u00e9s", [0, 3, 5, 6]),
            [0, 3, 4, 5],
        )

    def test_a_saved_tokenizer_loads(self):
        folder = self.create_tempdir().full_path
        tokenizer = tokenization.Tokenizer(VOCAB, strip_accents=False)
        tokenizer.save(folder)
        loaded = tokenization.Tokenizer.load(folder)
        self.assertEqual(loaded.vocab, VOCAB)
        self.assertEqual(loaded.vocab_sha256, tokenizer.vocab_sha256)
        self.assertEqual(
            loaded.settings(), {"lower_case": True, "strip_accents": False}
        )
        self.assertCountEqual(
            os.listdir(folder), ["vocab.txt", "tokenizer.json"]
        )

    def test_unknown_settings_are_refused(self):
        folder = self.create_tempdir()
        self.tokenizer.save(folder.full_path)
        folder.create_file("tokenizer.json", '{"lower_case": true, "x": 1}')
        with self.assertRaisesRegex(ValueError, "exactly the settings"):
            tokenization.Tokenizer.load(folder.full_path)

    @parameterized.parameters(
        ((), "lacks"),
        (("the",), r"lacks \['\[PAD\]'"),
        ((*VOCAB[:4], "the"), r"lacks \['\[MASK\]'\]"),
        ((*VOCAB, "the"), "'the' twice, as entries 5 and 16"),
        ((*VOCAB, ""), "Entry 16 of the vocabulary is empty"),
        (VOCAB[:5], "nothing but special tokens"),
    )
    def test_bad_vocabularies_are_refused(self, vocab, message):
        with self.assertRaisesRegex(ValueError, message):
            tokenization.Tokenizer(vocab)

    def test_a_bad_vocabulary_file_is_named(self):
        path = self.create_tempfile(content="the\ncafe\n").full_path
        with self.assertRaisesRegex(ValueError, path):
            tokenization.Tokenizer.from_vocab_file(path)

    def test_a_single_text_is_refused(self):
        with self.assertRaisesRegex(ValueError, "rank 1"):
            self.tokenizer.tokenize("the")


class GoldenTest(tf.test.TestCase, parameterized.TestCase):
    """Compares with what the original's `FullTokenizer` gave."""

    def setUp(self):
        super().setUp()
        if not (DATA and GOLDEN):
            self.skipTest("ELECTRA_TEST_DATA or ELECTRA_GOLDEN is not set.")

    @staticmethod
    @functools.cache
    def tokenizer(mode):
        path = os.path.join(DATA, "vocab", "vocab.txt")
        return tokenization.Tokenizer.from_vocab_file(path, **MODES[mode])

    @parameterized.product(
        mode=tuple(MODES),
        name=("tokenization", "tokenization_bytes_and_surrogates"),
    )
    def test_ids_are_the_original_s(self, mode, name):
        lines = golden_lines(name)
        tokenizer = self.tokenizer(mode)
        texts = [text_bytes(line) for line in lines]
        random.Random(0).shuffle(texts)
        expected = {text_bytes(line): line[mode] for line in lines}
        ids = tokenizer.tokenize(texts).to_list()
        self.assertEqual(ids, [expected[text] for text in texts])
        pieces = tokenizer.tokenize_with_offsets(texts)
        self.assertEqual(pieces.ids.to_list(), ids)

    @parameterized.parameters(*MODES)
    def test_words_are_the_original_s(self, mode):
        lines = golden_lines("basic_tokens_hard")
        tokenizer = self.tokenizer(mode)
        pieces = tokenizer.tokenize_with_offsets(texts_of(lines))
        num_words = tf.reduce_max(pieces.word_ids, axis=1) + 1
        self.assertEqual(
            tf.maximum(num_words, 0).numpy().tolist(),
            [len(line[mode]) for line in lines],
        )

    @parameterized.parameters(*MODES)
    def test_each_piece_is_the_normal_form_of_its_bytes(self, mode):
        tokenizer = self.tokenizer(mode)
        texts = texts_of(golden_lines("tokenization"))
        pieces = tokenizer.tokenize_with_offsets(texts)
        tokens, sources = [], []
        for text, *row in zip(texts, *(part.to_list() for part in pieces[:3])):
            for index, start, end in zip(*row):
                if index != tokenizer.unk_id:
                    tokens.append(tokenizer.vocab[index].removeprefix("##"))
                    sources.append(text[start:end])
        self.assertGreater(len(tokens), 20_000)
        forms = tokenizer.normalize(sources).numpy()
        for token, source, form in zip(tokens, sources, forms):
            # Out of its word, a sigma is not a final one.
            token, form = (
                text.replace("\u03c2", "\u03c3")
                for text in (token, form.decode())
            )
            if form != token:
                # One Korean character is two or three pieces.
                self.assertLen(source.decode(), 1)
                self.assertIn(token, form)


if __name__ == "__main__":
    tf.test.main()
