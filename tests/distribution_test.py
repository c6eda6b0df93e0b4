"""Tests of which devices train."""

import tensorflow as tf

from electra_tf import distribution


class DistributionTest(tf.test.TestCase):
    def test_one_device_is_one_replica(self):
        strategy = distribution.create("one_device")
        self.assertEqual(strategy.num_replicas_in_sync, 1)

    def test_mirrored_has_a_replica_on_every_device(self):
        strategy = distribution.create("mirrored")
        self.assertEqual(
            strategy.num_replicas_in_sync,
            len(tf.config.list_logical_devices("CPU")),
        )

    def test_an_unknown_strategy_is_an_error_that_lists_the_known(self):
        with self.assertRaisesRegex(ValueError, "'horovod'.*one_device, mir"):
            distribution.create("horovod")

    def test_batches_must_divide_evenly(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        distribution.check_batch_size(strategy, 6)
        with self.assertRaisesRegex(
            ValueError, "batch of 7 .* among 2 devices.* are 6 and 8"
        ):
            distribution.check_batch_size(strategy, 7)


if __name__ == "__main__":
    tf.test.main()
