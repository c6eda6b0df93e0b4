"""Tests of the batches that all implementations are measured on."""

from absl.testing import absltest
import numpy as np

from benchmarks import random_batches


def _make(**changes):
    settings = dict(
        num_batches=2, batch_size=50, max_seq_length=9, vocab_size=1010
    )
    return random_batches.make(**settings | changes)


class RandomBatchesTest(absltest.TestCase):
    def test_examples_are_words_between_cls_and_sep(self):
        for batch in _make():
            ids = batch["input_ids"]
            self.assertEqual(ids.shape, (50, 9))
            self.assertTrue(np.all(ids[:, 0] == 101))
            self.assertTrue(np.all(ids[:, -1] == 102))
            words = ids[:, 1:-1]
            # 350 draws of 11 words miss one with a chance of 11 * e**-33.
            self.assertEqual(set(words.flat), set(range(999, 1010)))
            self.assertTrue(np.all(batch["input_mask"] == 1))
            self.assertTrue(np.all(batch["segment_ids"] == 0))
            for values in batch.values():
                self.assertEqual(values.dtype, np.int32)

    def test_equal_seeds_begin_alike_and_batches_differ(self):
        (one, two), three = _make(), _make(num_batches=3)
        np.testing.assert_array_equal(one["input_ids"], three[0]["input_ids"])
        np.testing.assert_array_equal(two["input_ids"], three[1]["input_ids"])
        self.assertTrue(np.any(one["input_ids"] != two["input_ids"]))
        other = _make(seed=1)[0]
        self.assertTrue(np.any(one["input_ids"] != other["input_ids"]))

    def test_a_vocabulary_without_words_is_refused(self):
        with self.assertRaisesRegex(ValueError, "more than 999.*got 999"):
            _make(vocab_size=999)


if __name__ == "__main__":
    absltest.main()
