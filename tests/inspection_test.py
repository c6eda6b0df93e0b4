"""Tests of what is counted, by examples that can be counted by hand."""

import tensorflow as tf

from data_prep import data_folder
from data_prep import inspection
from tests import testing
from tests import tiny_data


class InspectionTest(tf.test.TestCase):
    def count(self, sample_size=0, *, vocab=True):
        path = self.create_tempdir().full_path
        tiny_data.write(path, original=not vocab)
        return inspection.count(data_folder.load(path), sample_size)

    def test_lengths_and_segments(self):
        counted = self.count()
        self.assertAllEqual(
            # Of 0, 1, 2, ... tokens.
            counted.length_counts,
            [0, 0, 0, 0, 2, 0, 0, 1, 1],
        )
        self.assertEqual(counted.num_tokens, 4 + 7 + 4 + 8)
        self.assertEqual(counted.padding_share, 9 / 32)
        self.assertEqual(counted.num_two_segments, 2)
        self.assertEqual(counted.first_segment_mean, (5 + 4) / 2)

    def test_pieces(self):
        counted = self.count()
        self.assertEqual(
            counted.special_counts,
            {"[UNK]": 1, "[CLS]": 4, "[SEP]": 6, "[MASK]": 0},
        )
        # "the time", "the of ##s", "the", "the time", "[UNK] the to ##s ##t".
        self.assertEqual(counted.num_pieces, 2 + 3 + 1 + 2 + 5)
        self.assertEqual(counted.num_continuations, 3)
        self.assertEqual(counted.num_with_unknown, 1)
        # the, time, of, ##s, ##t, to and [UNK].
        self.assertEqual(counted.num_seen, 7)
        self.assertEqual(counted.num_unseen, len(testing.tiny_vocab()) - 5 - 6)

    def test_the_most_frequent_pieces_come_first_and_then_the_lower_ids(self):
        vocab = testing.tiny_vocab()
        self.assertEqual(
            [
                (vocab[index], count)
                for index, count in self.count().most_frequent(4)
            ],
            [("the", 5), ("##s", 2), ("time", 2), ("##t", 1)],
        )
        self.assertLen(self.count().most_frequent(100), 6)

    def test_equal_examples_are_duplicates(self):
        self.assertEqual(self.count().num_duplicates, 1)

    def test_a_sample_is_called_so(self):
        sample = self.count(sample_size=2)  # The first example twice.
        self.assertTrue(sample.is_sample)
        self.assertEqual(sample.num_examples, 2)
        self.assertEqual(sample.num_in_folder, 4)
        self.assertEqual(sample.num_tokens, 8)
        self.assertEqual(sample.num_duplicates, 1)
        self.assertFalse(self.count(sample_size=4).is_sample)

    def test_ids_are_counted_without_a_vocabulary(self):
        counted = self.count(vocab=False)
        self.assertEqual(counted.num_tokens, 23)
        self.assertEqual(counted.special_counts, {})
        sep, the = (testing.tiny_vocab().index(p) for p in ("[SEP]", "the"))
        self.assertEqual(counted.most_frequent(2), [(sep, 6), (the, 5)])
        self.assertEqual(counted.num_seen, 7 + 2)


if __name__ == "__main__":
    tf.test.main()
