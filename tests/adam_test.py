"""Tests of Adam with weight decay, some against numbers of the original."""

import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import adam
from electra_tf import learning_rates
from electra_tf import optimization
from electra_tf import schedules
from tests import testing

_ADAM_RUNS = ("scalar_lr", "layerwise_lr", "clipped", "no_weight_decay")


def _json(name: str):
    with open(testing.golden("optimizer", name)) as file:
        return json.load(file)


def _optimizer(learning_rate=0.1, **kwargs) -> adam.AdamWeightDecay:
    return adam.AdamWeightDecay(learning_rate, **kwargs)


class GoldenAdamTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_ADAM_RUNS)
    def test_five_steps_are_the_originals(self, run):
        settings = _json("adam_steps.json")[run]
        arrays = np.load(testing.golden("optimizer", "adam_steps.npz"))
        variables = _golden_variables(arrays, run)
        optimizer = _golden_optimizer(settings)
        for step in range(5):
            gradients = [
                None
                if name in settings["no_gradient"]
                else tf.constant(arrays[f"{run}/gradient/{name}"][step])
                for name in variables
            ]
            norm = optimization.apply_gradients(
                optimizer,
                gradients=gradients,
                variables=list(variables.values()),
                clip_norm=settings["clip_by_global_norm"],
            )
            self.assertAllClose(norm, settings["global_norms"][step])
            for name, variable in variables.items():
                expected = arrays[f"{run}/init/{name}"]
                if name not in settings["no_gradient"]:
                    expected = arrays[f"{run}/variable/{name}"][step]
                self.assertAllClose(
                    variable, expected, atol=3e-6, rtol=0, msg=name
                )

    @parameterized.parameters(*_ADAM_RUNS)
    def test_the_same_variables_are_decayed(self, run):
        settings = _json("adam_steps.json")[run]
        optimizer = _golden_optimizer(settings)
        self.assertEqual(
            {
                name: optimizer.is_decayed(name)
                for name in settings["weight_decay_applied"]
            },
            settings["weight_decay_applied"],
        )


def _golden_variables(arrays, run: str) -> dict[str, tf.Variable]:
    prefix = f"{run}/init/"
    names = [k.removeprefix(prefix) for k in arrays if k.startswith(prefix)]
    return {
        name: tf.Variable(arrays[prefix + name], name=name) for name in names
    }


def _golden_optimizer(settings) -> adam.AdamWeightDecay:
    layerwise, rate_factors = settings["layerwise"], ()
    if layerwise is not None:
        rate_factors = learning_rates.layerwise(
            layerwise["decay"], layerwise["n_layers"]
        )
    return _optimizer(
        settings["learning_rate"],
        weight_decay_rate=settings["weight_decay_rate"],
        rate_factors=rate_factors,
    )


class AdamWeightDecayTest(tf.test.TestCase):
    def test_the_first_step_has_no_bias_correction(self):
        variable = tf.Variable([0.0, 0.0], name="kernel")
        _optimizer(0.1).apply_gradients([(tf.constant([1.0, -4.0]), variable)])
        # m = 0.1 g and v = 0.001 g^2, so m / sqrt(v) = 3.162 times the sign.
        self.assertAllClose(variable, [-0.3162, 0.3162], atol=1e-4)

    def test_with_bias_correction_the_first_step_is_the_rate(self):
        variable = tf.Variable([0.0, 0.0], name="kernel")
        _optimizer(0.1, bias_correction=True).apply_gradients(
            [(tf.constant([1.0, -4.0]), variable)]
        )
        # m / 0.1 = g and v / 0.001 = g^2, so m / sqrt(v) is the sign.
        self.assertAllClose(variable, [-0.1, 0.1], atol=1e-6)

    def test_corrected_moments_are_those_of_the_paper_of_adam(self):
        rng = np.random.default_rng(0)
        gradients = rng.normal(size=(4, 5)).astype(np.float32)
        start = rng.normal(size=5).astype(np.float32)
        variable = tf.Variable(start, name="kernel")
        optimizer = _optimizer(
            0.1, weight_decay_rate=0.2, epsilon=0.5, bias_correction=True
        )
        for gradient in gradients:
            optimizer.apply_gradients([(tf.constant(gradient), variable)])
        expected, m, v = start, 0.0, 0.0
        for t, gradient in enumerate(gradients, start=1):
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            update = (m / (1 - 0.9**t)) / (
                np.sqrt(v / (1 - 0.999**t)) + 0.5  # Epsilon.
            )
            expected = expected - 0.1 * (update + 0.2 * expected)
        self.assertAllClose(variable, expected, atol=2e-6)

    def test_with_bias_correction_it_is_adamw_of_keras(self):
        rng = np.random.default_rng(0)
        variables = [tf.Variable(tf.ones([5]), name="kernel") for _ in range(2)]
        # Keras adds epsilon to the root before the correction; this small, it
        # makes no difference.
        optimizers = (
            _optimizer(
                0.1, weight_decay_rate=0.2, epsilon=1e-12, bias_correction=True
            ),
            tf_keras.optimizers.AdamW(0.1, weight_decay=0.2, epsilon=1e-12),
        )
        for _ in range(4):
            gradient = tf.constant(rng.normal(size=5), tf.float32)
            for optimizer, variable in zip(optimizers, variables):
                optimizer.apply_gradients([(gradient, variable)])
        self.assertAllClose(*variables, atol=1e-6)

    def test_the_bias_is_corrected_from_where_a_variable_begins(self):
        variable = tf.Variable([0.0], name="kernel")
        optimizer = _optimizer(
            0.1,
            bias_correction=True,
            weight_decay_rate=0.0,
            active_steps=[("kernel", 2, 9)],
        )
        for gradient in (0.0, 0.0, 3.0):
            optimizer.apply_gradients([(tf.constant([gradient]), variable)])
        self.assertAllClose(variable, [-0.1], atol=1e-6)

    def test_decay_is_a_share_of_the_rate_and_the_variable(self):
        kernel = tf.Variable([2.0], name="kernel")
        bias = tf.Variable([2.0], name="bias")
        zero = tf.constant([0.0])
        _optimizer(0.1, weight_decay_rate=0.5).apply_gradients(
            [(zero, kernel), (zero, bias)]
        )
        self.assertAllClose(kernel, [1.9])  # 2 - 0.1 * 0.5 * 2.
        self.assertAllClose(bias, [2.0])

    def test_epsilon_is_added_outside_of_the_root(self):
        variable = tf.Variable([0.0], name="kernel")
        _optimizer(1.0, epsilon=1.0).apply_gradients(
            [(tf.constant([1.0]), variable)]
        )
        # 0.1 / (sqrt(0.001) + 1) = 0.1 / 1.03162.
        self.assertAllClose(variable, [-0.09693], atol=1e-5)

    def test_the_first_rate_factor_that_matches_counts(self):
        optimizer = _optimizer(rate_factors=[("a/", 0.5), ("a", 0.25)])
        self.assertEqual(optimizer.rate_factor("a/b"), 0.5)
        self.assertEqual(optimizer.rate_factor("ab"), 0.25)

    def test_a_variable_without_a_rate_is_an_error(self):
        optimizer = _optimizer(rate_factors=[("a/", 0.5)])
        with self.assertRaisesRegex(ValueError, "No learning rate .* 'b/c'"):
            optimizer.rate_factor("b/c")

    def test_it_is_made_again_from_its_config(self):
        schedule = schedules.WarmupPolynomialDecay(
            0.1, num_train_steps=10, warmup_steps=2, power=2.0
        )
        original = _optimizer(
            schedule,
            weight_decay_rate=0.2,
            epsilon=1e-3,
            bias_correction=True,
            rate_factors=[("kernel", 0.5)],
            active_steps=[("kernel", 1, 9)],
        )
        again = adam.AdamWeightDecay.from_config(
            original.get_config(),
            custom_objects={
                "WarmupPolynomialDecay": schedules.WarmupPolynomialDecay
            },
        )
        variables = [tf.Variable([1.0, 2.0], name="kernel") for _ in range(2)]
        for optimizer, variable in zip((original, again), variables):
            for _ in range(3):
                optimizer.apply_gradients([(tf.ones([2]), variable)])
        self.assertNotAllClose(variables[0], [1.0, 2.0])
        self.assertAllEqual(*variables)


class MovingAverageTest(tf.test.TestCase):
    def _optimizer(self):
        return _optimizer(
            1.0,
            weight_decay_rate=0.0,
            bias_correction=True,
            use_ema=True,
            ema_momentum=0.5,
        )

    def test_it_follows_the_variable(self):
        variable = tf.Variable([0.0], name="kernel")
        optimizer = self._optimizer()
        for _ in range(3):
            optimizer.apply_gradients([(tf.ones([1]), variable)])
        self.assertAllClose(variable, [-3.0], atol=1e-4)
        optimizer.finalize_variable_values([variable])
        # 0, -1 / 2, (-0.5 - 2) / 2 = -1.25, (-1.25 - 3) / 2 = -2.125.
        self.assertAllClose(variable, [-2.125], atol=1e-4)

    def test_a_variable_that_is_not_trained_stays(self):
        trained, other = tf.Variable([0.0]), tf.Variable([7.0])
        optimizer = self._optimizer()
        optimizer.apply_gradients([(tf.ones([1]), trained)])
        optimizer.finalize_variable_values([trained, other])
        self.assertAllClose(trained, [-0.5], atol=1e-4)
        self.assertAllEqual(other, [7.0])


if __name__ == "__main__":
    tf.test.main()
