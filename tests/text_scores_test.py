"""Tests of the likelihood of texts as a graph, against `scoring`."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import pretrained_export
from electra_tf import pretrained_networks
from electra_tf import pretraining
from electra_tf import scoring
from electra_tf import served_texts
from tests import shared_tokenizers
from tests import testing

# The last one has more than the 22 tokens that fit between [CLS] and [SEP].
_TEXTS = ["The time, then!", "Thé 👍🏽 שלום", "", "one of them " * 9]


def _model(**fields) -> pretraining.ElectraPretrainer:
    tf_keras.utils.set_random_seed(0)
    model = pretraining.ElectraPretrainer.for_tokenizer(
        testing.tiny_config(**fields), shared_tokenizers.tiny()
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.2, variable.shape))
    return model


class TextScoresTest(tf.test.TestCase, parameterized.TestCase):
    def _function(self, model: pretraining.ElectraPretrainer):
        """The signature `score` as a graph."""
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        texts = served_texts.ServedTexts(
            tokenizer=shared_tokenizers.tiny(),
            vocab_table=served_texts.vocab_table(vocab_file),
            max_seq_length=model.config.max_seq_length,
        )
        networks = pretrained_networks.of_pretrainer(model)
        found = pretrained_export.all_signatures(networks, texts)
        return tf.function(found["score"].function, autograph=False)

    @parameterized.named_parameters(
        ("electric", {"objective": "electric", "generator": "two_tower"}),
        ("mlm", {"objective": "mlm"}),
        ("electra", {}),
        ("electra_without_shared_embeddings", {"tying": "gdes"}),
    )
    def test_scores_are_those_of_the_scorer(self, fields):
        model = _model(**fields)
        answer = self._function(model)(text=tf.constant(_TEXTS))
        expected = scoring.Scorer(model, shared_tokenizers.tiny()).score(_TEXTS)
        for row, score in enumerate(expected):
            self.assertAllClose(
                answer["score"][row], score.score, rtol=1e-5, atol=1e-5
            )
            log_probs = answer["log_probs"][row].numpy()
            count = len(score.log_probs)
            self.assertAllClose(
                log_probs[1 : 1 + count], score.log_probs, rtol=0, atol=1e-5
            )
            # Of [CLS], [SEP] and padding.
            self.assertEqual(np.count_nonzero(log_probs), count)
            self.assertAllEqual(
                answer["tokens"][row, 1 : 1 + count],
                [token.encode() for token in score.tokens],
            )

    def test_empty_texts_cost_nothing(self):
        function = self._function(_model(objective="mlm"))
        answer = function(text=tf.constant(["", ""]))
        self.assertAllEqual(answer["score"], [0.0, 0.0])
        self.assertAllEqual(answer["log_probs"], np.zeros([2, 2]))


if __name__ == "__main__":
    tf.test.main()
