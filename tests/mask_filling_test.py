"""Tests of what fills [MASK] in texts."""

import numpy as np
import tensorflow as tf

from electra_tf import mask_filling
from electra_tf import pretraining
from electra_tf import served_texts
from tests import shared_tokenizers
from tests import testing

_TOP_K = 3


class MaskFillingTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokenizer = shared_tokenizers.tiny()
        cls.model = pretraining.ElectraPretrainer.for_tokenizer(
            testing.tiny_config(), cls.tokenizer
        )

    def setUp(self):
        super().setUp()
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        self.filling = mask_filling.MaskFilling(
            self.model.generator,
            served_texts.ServedTexts(
                tokenizer=self.tokenizer,
                vocab_table=served_texts.vocab_table(vocab_file),
                max_seq_length=24,
            ),
            top_k=_TOP_K,
        )

    def _probabilities(self, pieces: str) -> np.ndarray:
        """The generator's, of each [MASK] among some pieces."""
        vocab = testing.tiny_vocab()
        ids = np.array([[vocab.index(piece) for piece in pieces.split()]])
        inputs = {
            "input_ids": tf.constant(ids, tf.int32),
            "input_mask": tf.ones_like(ids, tf.int32),
            "segment_ids": tf.zeros_like(ids, tf.int32),
        }
        generator = self.model.generator
        hidden = generator.encoder(inputs).sequence_output
        probabilities = tf.nn.softmax(generator.head(hidden)).numpy()
        return probabilities[ids == self.tokenizer.mask_id]

    def test_the_generator_s_best_pieces_fill_each_mask(self):
        answer = self.filling.fill_mask(
            tf.constant(["The [MASK]time[MASK]!", "no mask", "[MASK]"])
        )
        self.assertEqual(answer["tokens"].shape, [3, 2, _TOP_K])
        self.assertAllEqual(answer["mask"], [[1, 1], [0, 0], [1, 0]])
        rows = {
            0: "[CLS] the [MASK] time [MASK] ! [SEP]",
            2: "[CLS] [MASK] [SEP]",
        }
        for row, pieces in rows.items():
            for place, expected in enumerate(self._probabilities(pieces)):
                best = np.argsort(-expected)[:_TOP_K]
                self.assertAllEqual(answer["ids"][row, place], best)
                self.assertAllEqual(
                    answer["tokens"][row, place],
                    [testing.tiny_vocab()[i].encode() for i in best],
                )
                self.assertAllClose(
                    answer["probabilities"][row, place],
                    expected[best],
                    rtol=0,
                    atol=1e-6,
                )

    def test_padding_is_empty(self):
        answer = self.filling.fill_mask(tf.constant(["[MASK]", "no mask"]))
        self.assertAllEqual(answer["tokens"][1], [[b""] * _TOP_K])
        self.assertAllEqual(answer["probabilities"][1], [[0.0] * _TOP_K])

    def test_texts_without_a_mask_have_no_answers(self):
        answer = self.filling.fill_mask(tf.constant(["the time", "[mask]", ""]))
        self.assertEqual(answer["tokens"].shape, [3, 0, _TOP_K])
        self.assertEqual(answer["mask"].shape, [3, 0])

    def test_a_mask_that_is_cut_off_is_not_seen(self):
        # 22 places between [CLS] and [SEP].
        texts = ["the " * 21 + "[MASK] [MASK]", "the " * 22 + "[MASK]"]
        answer = self.filling.fill_mask(tf.constant(texts))
        self.assertAllEqual(answer["mask"], [[1], [0]])


if __name__ == "__main__":
    tf.test.main()
