import math

import numpy as np
import tensorflow as tf

from electra_tf import objectives


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


class GlobalMeanTest(tf.test.TestCase):
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
