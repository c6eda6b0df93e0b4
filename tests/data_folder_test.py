"""Tests of finding and reading the examples of a data folder."""

import os

import numpy as np
import tensorflow as tf

from data_prep import data_folder
from electra_tf import records
from tests import testing
from tests import tiny_data


class DataFolderTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = tiny_data.write(self.create_tempdir().full_path)

    def test_examples_are_read_by_their_numbers(self):
        folder = data_folder.load(self.path)
        batches = list(data_folder.read(folder, np.array([1, 2, 3])))
        first, _, last = records.shard_names(3)
        self.assertEqual([batch.file for batch in batches], [first, last])
        self.assertAllEqual(batches[0].numbers, [1])
        self.assertAllEqual(batches[1].numbers, [0, 1])
        read = [row for b in batches for row in b.features["input_ids"]]
        for row, example in zip(read, tiny_data.EXAMPLES[1:], strict=True):
            expected = tiny_data.features(example)["input_ids"]
            self.assertAllEqual(row, expected)
        self.assertEqual(read[0].dtype, np.int32)

    def test_a_sample_is_spread_evenly(self):
        folder = data_folder.load(self.path)
        self.assertAllEqual(folder.spread(2), [0, 2])  # One of each file.
        self.assertAllEqual(folder.spread(3), [0, 1, 2])
        for count in (0, 4, 100):
            self.assertAllEqual(folder.spread(count), [0, 1, 2, 3])

    def test_the_seed_chooses_examples(self):
        folder = data_folder.load(self.path)
        chosen = {tuple(folder.choose(2, seed)) for seed in range(40)}
        self.assertLen(chosen, 6)  # Every pair of the four.
        self.assertAllEqual(folder.choose(2, 7), folder.choose(2, 7))
        self.assertAllEqual(folder.choose(9, 0), [0, 1, 2, 3])

    def test_the_folder_tells_the_vocabulary(self):
        folder = data_folder.load(self.path)
        self.assertEqual(folder.vocab, tuple(testing.tiny_vocab()))

    def test_a_folder_of_the_original_needs_a_vocabulary(self):
        path = self.create_tempdir().full_path
        tiny_data.write(path, original=True)
        self.assertIsNone(data_folder.load(path).vocab)
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        folder = data_folder.load(path, vocab_file)
        self.assertEqual(folder.vocab, tuple(testing.tiny_vocab()))

    def test_what_is_no_data_folder_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no folder '/nowhere'"):
            data_folder.load("/nowhere")
        with self.assertRaisesRegex(ValueError, "holds no data set"):
            data_folder.load(self.create_tempdir().full_path)

    def test_another_vocabulary_is_refused(self):
        pieces = testing.tiny_vocab()[:-1]
        vocab_file = self.create_tempfile(content="\n".join(pieces)).full_path
        with self.assertRaisesRegex(ValueError, "not the one that the data"):
            data_folder.load(self.path, vocab_file)

    def test_an_id_beyond_the_vocabulary_is_refused(self):
        path = self.create_tempdir().full_path
        tiny_data.write(path, original=True)
        pieces = testing.tiny_vocab()[:50]
        vocab_file = self.create_tempfile(content="\n".join(pieces)).full_path
        folder = data_folder.load(path, vocab_file)
        with self.assertRaisesRegex(ValueError, r"holds the id \d+, .* 50 pie"):
            list(data_folder.read(folder, np.arange(4)))

    def test_a_file_of_another_size_is_refused(self):
        first, _, last = records.shard_names(3)
        with open(os.path.join(self.path, last), "rb") as file:
            content = file.read()
        with open(os.path.join(self.path, first), "ab") as file:
            file.write(content)
        folder = data_folder.load(self.path)
        with self.assertRaisesRegex(ValueError, "holds 4 records, .* says 2"):
            list(data_folder.read(folder, np.arange(4)))

    def test_examples_of_another_length_are_refused(self):
        tiny_data.write(self.path, max_seq_length=9)
        folder = data_folder.load(self.path)
        with self.assertRaisesRegex(ValueError, "no examples of 9 tokens"):
            list(data_folder.read(folder, np.arange(4)))


if __name__ == "__main__":
    tf.test.main()
