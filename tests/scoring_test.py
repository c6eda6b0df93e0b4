import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import pretraining
from electra_tf import scoring
from electra_tf import tokenization
from tests import testing

# The last one has more than the 22 tokens that fit between [CLS] and [SEP].
_TEXTS = ["the of and", "", "to be", "time " * 30]


def _scorer(batch_size=3, **overrides) -> scoring.Scorer:
    tf_keras.utils.set_random_seed(0)
    tokenizer = tokenization.Tokenizer(testing.tiny_vocab())
    model = pretraining.ElectraPretrainer.for_tokenizer(
        testing.tiny_config(**overrides), tokenizer
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.2, variable.shape))
    scorer = scoring.Scorer(model, tokenizer, batch_size=batch_size)
    scorer.model, scorer.tokenizer = model, tokenizer
    return scorer


class ScorerTest(tf.test.TestCase):
    def test_electric_sums_negative_energies(self):
        scorer = _scorer(objective="electric", generator="two_tower")
        scores = scorer.score(_TEXTS)
        for text, score in zip(_TEXTS, scores, strict=True):
            inputs = scorer.tokenizer.pack(
                scorer.tokenizer.tokenize(tf.constant([text])),
                max_seq_length=24,
            )
            features = scorer.model.discriminator(inputs).sequence_output
            energies = scorer.model.heads.main(features)[0].numpy()
            num_tokens = int(inputs["input_mask"].numpy().sum()) - 2
            self.assertAllClose(
                score.log_probs, -energies[1 : 1 + num_tokens], atol=1e-5
            )
            self.assertAllClose(
                score.score, -energies[1 : 1 + num_tokens].sum(), atol=1e-4
            )

    def test_a_masked_language_model_predicts_each_token_from_all_others(self):
        scorer = _scorer(objective="mlm")
        (score,) = scorer.score(["the of and"])
        ids = scorer.tokenizer.tokenize(tf.constant(["the of and"]))
        inputs = scorer.tokenizer.pack(ids, max_seq_length=24)
        for place in (1, 2, 3):
            masked_ids = inputs["input_ids"].numpy()
            masked_ids[0, place] = scorer.tokenizer.mask_id
            hidden = scorer.model.discriminator(
                inputs | {"input_ids": masked_ids}
            ).sequence_output
            logits = scorer.model.generator.head(hidden)[0, place].numpy()
            true_id = int(inputs["input_ids"][0, place])
            self.assertAllClose(
                score.log_probs[place - 1],
                logits[true_id] - np.log(np.exp(logits).sum()),
                atol=1e-5,
            )
        self.assertEqual(score.tokens, ["the", "of", "and"])

    def test_neither_the_batch_nor_its_other_texts_matter(self):
        for overrides in (
            dict(objective="mlm"),
            dict(objective="electric", generator="two_tower"),
        ):
            scores = _scorer(3, **overrides).score(_TEXTS)
            alone = _scorer(1, **overrides).score(_TEXTS)
            for score, expected in zip(scores, alone, strict=True):
                self.assertAllClose(score.score, expected.score, atol=1e-4)

    def test_an_empty_text_costs_nothing_and_a_long_one_is_cut(self):
        scores = _scorer(objective="mlm").score(_TEXTS)
        self.assertEqual(scores[1], (0.0, [], [], False))
        self.assertEqual([s.is_cut for s in scores], [False] * 3 + [True])
        self.assertLen(scores[3].tokens, 22)

    def test_a_model_without_likelihoods_is_refused(self):
        with self.assertRaisesRegex(ValueError, "generator='uniform'"):
            _scorer(generator="uniform")


if __name__ == "__main__":
    tf.test.main()
