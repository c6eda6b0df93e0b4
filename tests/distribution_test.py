"""Tests of which devices train, and of what each of them reads."""

import json
import os
from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import distribution


def _numbers(num_pipelines, pipeline):
    """This host's rows of endless batches of 8 numbers."""
    rows = 8 // num_pipelines
    return (
        tf.data.Dataset.counter()
        .map(
            lambda batch: tf.ensure_shape(
                8 * batch + pipeline * rows + tf.range(rows, dtype=tf.int64),
                [rows],
            )
        )
        .apply(
            tf.data.experimental.assert_cardinality(
                tf.data.INFINITE_CARDINALITY
            )
        )
    )


class CreateTest(parameterized.TestCase, tf.test.TestCase):
    def test_one_device_is_one_replica(self):
        strategy = distribution.create("one_device")
        self.assertEqual(strategy.num_replicas_in_sync, 1)
        self.assertTrue(distribution.is_chief(strategy))

    def test_mirrored_has_a_replica_on_every_device(self):
        strategy = distribution.create("mirrored")
        self.assertEqual(
            strategy.num_replicas_in_sync,
            len(tf.config.list_logical_devices("CPU")),
        )
        self.assertTrue(distribution.is_chief(strategy))

    def test_its_devices_are_logged(self):
        with self.assertLogs("absl", "INFO") as logs:
            distribution.create("mirrored")
        self.assertIn("CPU:0, /", logs.output[-1])
        self.assertIn("CPU:1", logs.output[-1])

    @parameterized.parameters(
        (["horovod"], {}, "'horovod'.*one_device, mir"),
        (["mirrored"], dict(tpu="t"), "TPU is for strategy 'tpu'"),
        (["one_device"], dict(num_gpus=1), "GPUs is for strategy 'mirrored'"),
        (["mirrored"], dict(num_gpus=1), "must be in 1 to 0, .*got 1"),
    )
    def test_what_is_not_there_is_an_error(self, name, options, message):
        with self.assertRaisesRegex(ValueError, message):
            distribution.create(*name, **options)

    @parameterized.parameters(
        "", "{", "[]", '{"cluster": {"worker": ["a:1"]}}', '{"cluster": 1}'
    )
    def test_several_hosts_need_tf_config(self, text):
        with mock.patch.dict(os.environ, {"TF_CONFIG": text}):
            with self.assertRaisesRegex(ValueError, "such as TF_CONFIG='{"):
                distribution.create("multi_worker_mirrored")

    def test_a_cluster_without_workers_is_an_error(self):
        config = {
            "cluster": {"ps": ["a:1"]},
            "task": {"type": "ps", "index": 0},
        }
        with mock.patch.dict(os.environ, {"TF_CONFIG": json.dumps(config)}):
            with self.assertRaisesRegex(ValueError, "names no worker"):
                distribution.create("multi_worker_mirrored")

    def test_batches_must_divide_evenly(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        distribution.check_batch_size(strategy, 6)
        with self.assertRaisesRegex(
            ValueError, "batch of 7 .* among 2 devices.* are 6 and 8"
        ):
            distribution.check_batch_size(strategy, 7)


class DistributeTest(tf.test.TestCase):
    def test_one_device_reads_whole_batches(self):
        dataset = distribution.distribute(
            tf.distribute.get_strategy(), _numbers, batch_size=8
        )
        first, second = dataset.take(2)
        self.assertAllEqual(first, np.arange(8))
        self.assertAllEqual(second, np.arange(8, 16))

    def test_replicas_read_their_rows_of_each_batch(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        dataset = distribution.distribute(strategy, _numbers, batch_size=8)
        iterator = iter(dataset)
        for batch in range(3):
            values = strategy.experimental_local_results(next(iterator))
            for replica, value in enumerate(values):
                start = 8 * batch + 4 * replica
                self.assertAllEqual(value, np.arange(start, start + 4))

    def test_shapes_are_static(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        dataset = distribution.distribute(strategy, _numbers, batch_size=8)
        self.assertEqual(dataset.element_spec._value_specs[0].shape, [4])


if __name__ == "__main__":
    tf.test.main()
