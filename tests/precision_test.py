"""Policies of layers, loss scaling, and when XLA compiles."""

from unittest import mock

from absl.testing import parameterized
import tensorflow as tf
import tf_keras

from electra_tf import precision
from electra_tf import pretraining_run
from tests import testing


class LayersOfTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters("float32", "bfloat16", "float16")
    def test_layers_compute_in_it_with_variables_of_32_bits(self, name):
        with precision.layers_of(name):
            layer = tf_keras.layers.Dense(3)
            exact = tf_keras.layers.Dense(3, dtype="float32")
        x = tf.ones([2, 2])
        self.assertEqual(layer(x).dtype, name)
        self.assertEqual(layer.kernel.dtype, tf.float32)
        self.assertEqual(exact(tf.cast(x, name)).dtype, tf.float32)

    def test_layers_that_are_made_later_are_as_before(self):
        with self.assertRaises(ZeroDivisionError):
            with precision.layers_of("bfloat16"):
                raise ZeroDivisionError
        self.assertEqual(
            tf_keras.mixed_precision.global_policy().name, "float32"
        )


class LossScaleTest(tf.test.TestCase):
    def test_only_float16_needs_it(self):
        for name in ("float32", "bfloat16"):
            sgd = tf_keras.optimizers.SGD()
            self.assertIs(precision.wrap_optimizer(sgd, name), sgd)
            self.assertIs(precision.scale_loss(sgd, 2.0), 2.0)
            gradients = [tf.constant(1.0), None]
            self.assertIs(
                precision.unscale_gradients(sgd, gradients), gradients
            )
            self.assertEmpty(precision.loss_scale_variables(sgd))
            precision.check_optimizer(sgd, name)
        with self.assertRaisesRegex(ValueError, "wrap_optimizer"):
            precision.check_optimizer(sgd, "float16")

    def test_float16_scales_losses_and_gradients_back(self):
        optimizer = precision.wrap_optimizer(
            tf_keras.optimizers.SGD(), "float16"
        )
        precision.check_optimizer(optimizer, "float16")
        self.assertAllEqual(
            precision.scale_loss(optimizer, tf.constant(2.0)), 2.0 * 2**15
        )
        gradients = precision.unscale_gradients(
            optimizer, [tf.constant(2.0**15), None]
        )
        self.assertAllEqual(gradients[0], 1.0)
        self.assertIsNone(gradients[1])
        scale, good_steps = precision.loss_scale_variables(optimizer)
        self.assertAllEqual(scale, 2**15)
        self.assertAllEqual(good_steps, 0)


class CheckStrategyTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        # Stands for one; a real one needs a TPU.
        self.tpu = mock.create_autospec(
            tf.distribute.TPUStrategy, instance=True
        )

    def test_float16_is_refused_on_a_tpu(self):
        with self.assertRaisesRegex(ValueError, "on a TPU use 'bfloat16'"):
            precision.check_strategy(self.tpu, "float16")

    @parameterized.parameters("float32", "bfloat16")
    def test_other_precisions_are_not(self, name):
        precision.check_strategy(self.tpu, name)

    def test_nor_is_it_on_other_devices(self):
        for strategy in (
            tf.distribute.get_strategy(),
            tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        ):
            precision.check_strategy(strategy, "float16")

    def test_pretraining_checks_before_it_looks_at_the_data(self):
        with self.assertRaisesRegex(ValueError, "on a TPU use"):
            pretraining_run.pretrain(
                testing.tiny_config(precision="float16"),
                data_dirs=["/no/such/folder"],
                model_dir="/no/such/folder",
                strategy=self.tpu,
            )

    def test_so_does_whoever_wraps_an_optimizer(self):
        with (
            mock.patch.object(
                tf.distribute, "get_strategy", return_value=self.tpu
            ),
            self.assertRaisesRegex(ValueError, "on a TPU use"),
        ):
            precision.wrap_optimizer(tf_keras.optimizers.SGD(), "float16")


class ShouldJitCompileTest(tf.test.TestCase):
    def test_an_answer_is_taken(self):
        self.assertTrue(precision.should_jit_compile(True))
        self.assertFalse(precision.should_jit_compile(False))

    def test_by_default_not_on_a_cpu(self):
        self.assertFalse(precision.should_jit_compile(None))
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            self.assertFalse(precision.should_jit_compile(None))

    def test_by_default_on_a_gpu_unless_a_cpu_was_asked_for(self):
        devices = [
            tf.config.LogicalDevice(f"/device:{kind}:0", kind)
            for kind in ("CPU", "GPU")
        ]
        with mock.patch.object(
            tf.config, "list_logical_devices", return_value=devices
        ):
            self.assertTrue(precision.should_jit_compile(None))
            with tf.distribute.OneDeviceStrategy("CPU:0").scope():
                self.assertFalse(precision.should_jit_compile(None))


if __name__ == "__main__":
    tf.test.main()
