import math

import numpy as np
import tensorflow as tf

from electra_tf import masking
from electra_tf import objectives
from tests import testing


class MaskedLmLossesTest(tf.test.TestCase):
    def test_equal_scores_cost_the_logarithm_of_the_vocabulary(self):
        losses = objectives.masked_lm_losses(tf.zeros([1, 2, 8]), [[3, 5]])
        self.assertAllClose(losses, [[math.log(8), math.log(8)]])

    def test_the_loss_is_minus_the_log_of_the_tokens_probability(self):
        probs = np.array([0.5, 0.25, 0.125, 0.125])
        losses = objectives.masked_lm_losses(
            tf.constant([[np.log(probs), np.log(probs) + 100]], tf.float32),
            [[1, 2]],
        )
        self.assertAllClose(losses, [[math.log(4), math.log(8)]], atol=1e-5)

    def test_it_is_computed_in_float32(self):
        losses = objectives.masked_lm_losses(
            tf.zeros([1, 1, 8], tf.bfloat16), [[0]]
        )
        self.assertEqual(losses.dtype, tf.float32)
        self.assertAllClose(losses, [[math.log(8)]])


class ReplacedTokenLossesTest(tf.test.TestCase):
    def test_a_score_of_zero_is_a_coin_flip(self):
        losses = objectives.replaced_token_losses(tf.zeros([1, 2]), [[0, 1]])
        self.assertAllClose(losses, [[math.log(2), math.log(2)]])

    def test_a_positive_score_means_replaced(self):
        # sigmoid(ln 3) = 3/4.
        logits = tf.fill([1, 2], math.log(3))
        losses = objectives.replaced_token_losses(logits, [[1, 0]])
        self.assertAllClose(losses, [[math.log(4 / 3), math.log(4)]])

    def test_large_scores_do_not_overflow(self):
        losses = objectives.replaced_token_losses(
            tf.constant([[1000.0, -1000.0]]), [[0, 0]]
        )
        self.assertAllClose(losses, [[1000.0, 0.0]])


class NoiseContrastiveLogitsTest(tf.test.TestCase):
    def test_it_is_the_odds_of_noise_against_text(self):
        # k q / ((n - k) p) = 0.15 * 0.2 / (0.85 * 0.4).
        logits = objectives.noise_contrastive_logits(
            tf.constant([[-math.log(0.4)]]), tf.math.log([[0.2]]), 0.15
        )
        self.assertAllClose(
            logits, [[math.log(0.15 * 0.2 / (0.85 * 0.4))]], rtol=1e-6
        )

    def test_it_does_not_train_the_generator(self):
        log_q = tf.constant([[-1.0]])
        with tf.GradientTape() as tape:
            tape.watch(log_q)
            logits = objectives.noise_contrastive_logits(
                tf.zeros([1, 1]), log_q, 0.15
            )
        self.assertIsNone(tape.gradient(logits, log_q))


class CopyLossesTest(tf.test.TestCase):
    def test_copying_and_predicting_share_the_probability(self):
        # Half is copied; of the other half each of four pieces gets a share.
        losses = objectives.copy_losses(
            tf.zeros([1, 2, 4]),
            tf.zeros([1, 2]),
            input_ids=tf.constant([[1, 1]]),
            ids=tf.constant([[1, 2]]),
        )
        self.assertAllClose(
            losses, [[-math.log(0.5 + 0.5 / 4), -math.log(0.5 / 4)]]
        )

    def test_certainty_does_not_overflow(self):
        losses = objectives.copy_losses(
            tf.zeros([1, 2, 4]),
            tf.constant([[100.0, -100.0]]),
            input_ids=tf.constant([[1, 1]]),
            ids=tf.constant([[2, 2]]),
        )
        self.assertAllClose(losses, [[100 + math.log(4), math.log(4)]])


class PolicyLossesTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.log_probs = tf.math.log([[0.5, 0.25]])
        self.rewards = -tf.math.log([[0.1, 0.8]])
        self.baseline_logits = tf.zeros([1, 2])  # A reward of ln 2.

    def test_rewards_count_above_the_baseline(self):
        losses, _ = objectives.policy_losses(
            self.log_probs, self.rewards, self.baseline_logits
        )
        # -(-ln 0.1 - ln 2) ln 0.5, and -(-ln 0.8 - ln 2) ln 0.25.
        self.assertAllClose(
            losses,
            [[-math.log(5) * math.log(0.5), -math.log(0.625) * math.log(0.25)]],
        )

    def test_the_baseline_learns_the_reward_by_cross_entropy(self):
        _, losses = objectives.policy_losses(
            self.log_probs, self.rewards, self.baseline_logits
        )
        # Of exp(-reward) and a half.
        self.assertAllClose(losses, [[math.log(2), math.log(2)]])
        with tf.GradientTape() as tape:
            tape.watch(self.baseline_logits)
            _, losses = objectives.policy_losses(
                self.log_probs, self.rewards, self.baseline_logits
            )
        self.assertAllClose(
            tape.gradient(losses, self.baseline_logits), [[0.4, -0.3]]
        )

    def test_only_likelihoods_of_samples_are_trained_by_rewards(self):
        watched = (self.log_probs, self.rewards, self.baseline_logits)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            losses, _ = objectives.policy_losses(*watched)
        gradients = tape.gradient(losses, watched)
        self.assertAllClose(gradients[0], [[-math.log(5), -math.log(0.625)]])
        self.assertEqual(gradients[1:], (None, None))


class LossWeightsTest(tf.test.TestCase):
    def _weights(self, **overrides) -> dict[str, tf.Tensor]:
        run_config = testing.tiny_config(**overrides)
        # [CLS] a b c [SEP] and padding; a is predicted twice.
        return objectives.loss_weights(
            run_config,
            input_mask=tf.constant([[1, 1, 1, 1, 1, 0]]),
            masked=masking.MaskedTokens(
                positions=tf.constant([[1, 1, 0]]),
                ids=tf.constant([[7, 7, 0]]),
                weights=tf.constant([[1.0, 1.0, 0.0]]),
            ),
            maskable=tf.constant([[False, True, True, True, False, False]]),
        )

    def test_each_loss_counts_its_tokens(self):
        masked, real = [[1, 1, 0]], [[1, 1, 1, 1, 1, 0]]
        for overrides, expected in (
            ({}, {"masked_lm_loss": masked, "disc_loss": real}),
            (dict(objective="mlm"), {"masked_lm_loss": masked}),
            (
                dict(objective="electric", generator="two_tower"),
                {"cloze_loss": [[0, 1, 1, 1, 0, 0]], "disc_loss": real},
            ),
            (
                dict(objective="electra_15"),
                {"masked_lm_loss": masked, "disc_loss": [[0, 1, 0, 0, 0, 0]]},
            ),
            (
                dict(objective="replace_mlm"),
                {"masked_lm_loss": masked, "token_loss": masked},
            ),
            (
                dict(objective="all_tokens_mlm"),
                {"masked_lm_loss": masked, "token_loss": real},
            ),
            (
                dict(generator_training="adversarial"),
                {
                    "policy_loss": masked,
                    "baseline_loss": masked,
                    "disc_loss": real,
                },
            ),
        ):
            weights = self._weights(**overrides)
            self.assertSameElements(weights, expected)
            for name, values in expected.items():
                self.assertEqual(weights[name].dtype, tf.float32)
                self.assertAllEqual(weights[name], values, f"{overrides}")


class GlobalMeanTest(tf.test.TestCase):
    def test_the_shares_of_parts_add_up_to_it(self):
        values, weights = tf.constant([1.0, 2.0, 6.0]), tf.ones([3])
        total_weight = objectives.global_sum(weights)
        shares = [
            objectives.mean_share(values[part], weights[part], total_weight)
            for part in (slice(0, 1), slice(1, 3))
        ]
        self.assertAllClose(shares, [1 / 3, 8 / 3])

    def test_it_is_the_weighted_mean(self):
        mean = objectives.global_mean(
            tf.constant([1.0, 2.0, 9.0]), tf.constant([1.0, 1.0, 0.0])
        )
        self.assertAllClose(mean, 1.5)

    def test_no_weight_gives_zero(self):
        mean = objectives.global_mean(tf.constant([5.0]), tf.constant([0.0]))
        self.assertAllEqual(mean, 0.0)

    def test_the_shares_of_replicas_add_up_to_the_mean_over_all(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

        @tf.function
        def shares():
            def share():
                context = tf.distribute.get_replica_context()
                replica = context.replica_id_in_sync_group
                return objectives.global_mean(
                    tf.constant([[1.0, 2.0], [6.0, 99.0]])[replica],
                    tf.constant([[1.0, 1.0], [1.0, 0.0]])[replica],
                )

            return strategy.run(share)

        per_replica = strategy.experimental_local_results(shares())
        # (1 + 2) / 3 and 6 / 3; the mean of 1, 2 and 6 is 3.
        self.assertAllClose(per_replica, [1.0, 2.0], atol=2e-6)


if __name__ == "__main__":
    tf.test.main()
