"""Tests of the stateless random draws."""

import numpy as np
import tensorflow as tf

from electra_tf import randomness


class DropoutTest(tf.test.TestCase):
    def test_a_share_of_the_values_is_zeroed_and_the_mean_kept(self):
        dropped = randomness.dropout(tf.ones([10_000]), rate=0.2, seed=[1, 2])
        # 2000 zeros, give or take 4 standard deviations of 40.
        self.assertBetween(np.sum(dropped.numpy() == 0.0), 1840, 2160)
        self.assertAllInSet(dropped, [0.0, 1.25])  # 1 / (1 - 0.2).

    def test_without_a_seed_or_a_rate_nothing_is_dropped(self):
        x = tf.random.stateless_normal([100], [0, 0])
        self.assertAllEqual(randomness.dropout(x, rate=0.5, seed=None), x)
        self.assertAllEqual(randomness.dropout(x, rate=0.0, seed=[1, 2]), x)

    def test_a_value_is_dropped_whatever_others_are(self):
        def dropped(seed):
            # More rows and columns than a batch of attention has.
            kept = randomness.dropout(tf.ones([4096, 512]), rate=0.1, seed=seed)
            return (kept.numpy() == 0.0).reshape(-1)

        one = dropped([0, 0])
        pairs = [(one[lag:], one[:-lag]) for lag in (1, 2, 64, 512, 4096)]
        pairs += [(one, dropped(seed)) for seed in ([0, 1], [1, 0], [1, 1])]
        for first, second in pairs:
            # 0.1 ** 2 of 2.1 million, give or take 5 standard deviations.
            deviation = np.sqrt(0.01 * 0.99 / len(first))
            self.assertAllClose(
                np.mean(first & second), 0.01, atol=5 * deviation, rtol=0
            )

    def test_half_precision_keeps_what_float32_does(self):
        x = tf.ones([50, 20])
        half = randomness.dropout(
            tf.cast(x, tf.bfloat16), rate=0.5, seed=[1, 2]
        )
        self.assertEqual(half.dtype, tf.bfloat16)
        self.assertAllEqual(
            tf.cast(half, tf.float32),
            randomness.dropout(x, rate=0.5, seed=[1, 2]),
        )


class UniformTest(tf.test.TestCase):
    def test_draws_fill_the_unit_interval_evenly(self):
        draws = randomness.uniform([10, 10_000], [1, 2]).numpy()
        self.assertAllInRange(draws, 0.0, 1.0, open_upper_bound=True)
        counts, _ = np.histogram(draws, bins=10, range=(0.0, 1.0))
        # 10,000 in each tenth, give or take 5 standard deviations of 95.
        self.assertAllInRange(counts, 9525, 10475)

    def test_draws_are_the_same_under_xla(self):
        def draw(seed):
            x = tf.ones([7, 33])
            return (
                randomness.uniform([7, 33], seed),
                randomness.dropout(x, rate=0.3, seed=seed),
            )

        seed = tf.constant([3, 4])
        compiled = tf.function(draw, jit_compile=True)
        for one, other in zip(draw(seed), compiled(seed), strict=True):
            self.assertAllEqual(one, other)


class SeedsTest(tf.test.TestCase):
    def test_seeds_split_into_different_ones_or_none(self):
        seeds = randomness.split(tf.constant([1, 2]), 3)
        self.assertLen({tuple(seed.numpy()) for seed in seeds}, 3)
        self.assertEqual(randomness.split(None, 3), [None] * 3)

    def test_every_step_and_every_run_has_its_own_seed(self):
        seeds = {
            tuple(randomness.step_seed(seed, step).numpy())
            for seed in (0, 1)
            for step in (-2, -1, 0, 1, 2)
        }
        self.assertLen(seeds, 10)

    def test_replicas_have_seeds_of_their_own(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        seeds = strategy.run(randomness.replica_seed, [tf.constant([1, 2])])
        first, second = strategy.experimental_local_results(seeds)
        self.assertNotAllEqual(first, second)

    def test_parts_of_a_batch_have_seeds_of_their_own(self):
        seed = tf.constant([1, 2])
        seeds = [randomness.part_seed(seed, index) for index in (0, 1)]
        self.assertLen({tuple(s.numpy()) for s in [seed, *seeds]}, 3)
        self.assertIs(randomness.part_seed(seed, None), seed)
        self.assertIsNone(randomness.part_seed(None, 1))

    def test_outside_of_replicas_there_is_one(self):
        self.assertEqual(randomness.replica(), (0, 1))


if __name__ == "__main__":
    tf.test.main()
