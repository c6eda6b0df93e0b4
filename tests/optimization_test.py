import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import optimization
from tests import testing


def _json(name: str):
    with open(testing.golden("optimizer", name)) as file:
        return json.load(file)


_CURVES = (
    "pretrain_default",
    "proportion_1000",
    "proportion_fractional_73",
    "proportion_tiny_5",
    "both_max",
    "power_2",
    "power_half",
    "no_warmup",
)
_ADAM_RUNS = ("scalar_lr", "layerwise_lr", "clipped", "no_weight_decay")


def _optimizer(learning_rate=0.1, **kwargs) -> optimization.AdamWeightDecay:
    return optimization.AdamWeightDecay(learning_rate, **kwargs)


class ScheduleTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_CURVES)
    def test_learning_rates_are_the_originals(self, name):
        settings = _json("learning_rate_curves.json")[name]
        arrays = np.load(
            testing.golden("optimizer", "learning_rate_curves.npz")
        )
        base, num_steps = settings["learning_rate"], settings["num_train_steps"]
        schedule = optimization.WarmupPolynomialDecay(
            base,
            num_train_steps=num_steps,
            # The original takes the longer one, and does not round it.
            warmup_steps=max(
                settings.get("warmup_steps", 0),
                num_steps * settings.get("warmup_proportion", 0.0),
            ),
            power=settings.get("lr_decay_power", 1.0),
        )
        self.assertAllClose(
            [schedule(step) for step in arrays[f"{name}/steps"]],
            arrays[f"{name}/learning_rate"],
            atol=1.5e-7 * base,
            rtol=2e-6,
        )

    @parameterized.parameters(
        (0, 0.0),
        (5, 0.5 * 0.95),  # Half of the warm-up, a 20th of the decay.
        (10, 0.9),
        (50, 0.5),
        (100, 0.0),
        (200, 0.0),
    )
    def test_the_warmup_multiplies_the_decay(self, step, expected):
        schedule = optimization.WarmupPolynomialDecay(
            1.0, num_train_steps=100, warmup_steps=10
        )
        self.assertAllClose(schedule(step), expected)

    def test_without_warmup_the_first_step_has_the_full_rate(self):
        schedule = optimization.WarmupPolynomialDecay(0.5, num_train_steps=10)
        self.assertAllEqual(schedule(0), 0.5)


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


def _golden_optimizer(settings) -> optimization.AdamWeightDecay:
    layerwise, rate_factors = settings["layerwise"], ()
    if layerwise is not None:
        rate_factors = optimization.layerwise_rate_factors(
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
        schedule = optimization.WarmupPolynomialDecay(
            0.1, num_train_steps=10, warmup_steps=2, power=2.0
        )
        original = _optimizer(
            schedule,
            weight_decay_rate=0.2,
            epsilon=1e-3,
            rate_factors=[("kernel", 0.5)],
        )
        again = optimization.AdamWeightDecay.from_config(
            original.get_config(),
            custom_objects={
                "WarmupPolynomialDecay": optimization.WarmupPolynomialDecay
            },
        )
        variables = [tf.Variable([1.0, 2.0], name="kernel") for _ in range(2)]
        for optimizer, variable in zip((original, again), variables):
            for _ in range(3):
                optimizer.apply_gradients([(tf.ones([2]), variable)])
        self.assertNotAllClose(variables[0], [1.0, 2.0])
        self.assertAllEqual(*variables)


class LayerwiseRatesTest(tf.test.TestCase, parameterized.TestCase):
    def test_factors_are_the_originals(self):
        for case in _json("layerwise.json")["key_factors"]:
            factors = optimization.layerwise_rate_factors(
                case["decay"], case["n_layers"]
            )
            self.assertAllClose(dict(factors), case["factors"], rtol=1e-12)

    def test_every_variable_of_a_task_has_the_originals_factor(self):
        for name, graph in _json("layerwise.json")["variables"].items():
            optimizer = _layerwise_optimizer(graph)
            for variable, expected in graph["variables"].items():
                self.assertAlmostEqual(
                    optimizer.rate_factor(variable),
                    expected["lr_factor"],
                    places=12,
                    msg=f"{name}: {variable}",
                )
                self.assertEqual(
                    optimizer.is_decayed(variable),
                    expected["weight_decay"],
                    f"{name}: {variable}",
                )


def _layerwise_optimizer(graph) -> optimization.AdamWeightDecay:
    return _optimizer(
        rate_factors=optimization.layerwise_rate_factors(
            graph["decay"], graph["n_layers"]
        )
    )


class ApplyGradientsTest(tf.test.TestCase):
    def test_repeated_rows_are_summed_before_the_norm(self):
        golden = np.load(testing.golden("optimizer", "clip_indexed_slices.npz"))
        sparse = tf.IndexedSlices(
            tf.constant(golden["values"]),
            tf.constant(golden["indices"]),
            dense_shape=tf.constant(golden["dense_shape"]),
        )
        table = tf.Variable(tf.zeros(golden["dense_shape"]), name="table")
        other = tf.Variable(tf.zeros([4]), name="other")
        norm = optimization.apply_gradients(
            tf_keras.optimizers.SGD(1.0),
            gradients=[sparse, tf.constant(golden["other_gradient"])],
            variables=[table, other],
            clip_norm=1.0,
        )
        summed_first = golden["norm_if_summed_first"]
        self.assertAllClose(norm, summed_first, rtol=1e-6)
        # The original divides by the norm of the rows one by one.
        to_ours = golden["norm_used"] / summed_first
        self.assertAllClose(-table, golden["clipped_dense"] * to_ours)
        self.assertAllClose(-other, golden["clipped_other"] * to_ours)

    def test_small_gradients_are_not_scaled(self):
        variable = tf.Variable([0.0, 0.0], name="kernel")
        norm = optimization.apply_gradients(
            tf_keras.optimizers.SGD(1.0),
            gradients=[tf.constant([0.3, 0.4])],
            variables=[variable],
            clip_norm=1.0,
        )
        self.assertAllClose(norm, 0.5)
        self.assertAllClose(variable, [-0.3, -0.4])

    def test_gradients_of_replicas_are_summed_before_the_norm(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            variable = tf.Variable([0.0, 0.0], name="kernel")
            optimizer = tf_keras.optimizers.SGD(1.0)
            optimizer.build([variable])

        def step():
            context = tf.distribute.get_replica_context()
            gradients = tf.constant([[3.0, 0.0], [0.0, 4.0]])
            return optimization.apply_gradients(
                optimizer,
                gradients=[gradients[context.replica_id_in_sync_group]],
                variables=[variable],
                clip_norm=1.0,
            )

        norms = tf.function(lambda: strategy.run(step))()
        # The norm of (3, 4) is 5.
        for norm in strategy.experimental_local_results(norms):
            self.assertAllClose(norm, 5.0)
        for copy in strategy.experimental_local_results(variable):
            self.assertAllClose(copy, [-0.6, -0.8])


if __name__ == "__main__":
    tf.test.main()
