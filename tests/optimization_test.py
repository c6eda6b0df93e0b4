"""Tests of one step of an optimizer, alike on all kinds of devices."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import adam
from electra_tf import checkpoints
from electra_tf import lamb
from electra_tf import optimization
from tests import testing


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

    def test_replicas_may_clip_before_the_sum_as_the_original(self):
        # Of the mean loss of each replica's own examples.
        of_replicas = {
            "kernel": np.array([[3.0, 0.0], [0.3, 0.1]], np.float32),
            "other": np.array([[4.0], [0.2]], np.float32),
        }
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            variables = [
                tf.Variable(tf.zeros_like(rows[0]), name=name)
                for name, rows in of_replicas.items()
            ]
            optimizer = tf_keras.optimizers.SGD(1.0)
            optimizer.build(variables)

        def step():
            context = tf.distribute.get_replica_context()
            # Half of it: that of the share in the mean over both.
            return optimization.apply_gradients(
                optimizer,
                gradients=[
                    tf.constant(rows / 2)[context.replica_id_in_sync_group]
                    for rows in of_replicas.values()
                ],
                variables=variables,
                clip_norm=1.0,
                clip_per_replica=True,
            )

        results = tf.function(lambda: strategy.run(step))()
        # (3, 0, 4) has norm 5, and (0.3, 0.1, 0.2) is not clipped.
        norms = np.array([5.0, np.sqrt(0.14)])
        for norm in strategy.experimental_local_results(results):
            self.assertAllClose(norm, norms.mean())
        scales = 1.0 / np.maximum(norms, 1.0)
        for variable, rows in zip(variables, of_replicas.values()):
            expected = -np.mean(rows * scales[:, np.newaxis], axis=0)
            for copy in strategy.experimental_local_results(variable):
                self.assertAllClose(copy, expected, atol=1e-7)

    def test_on_one_device_it_does_not_matter_when_is_clipped(self):
        for clip_per_replica in (False, True):
            variable = tf.Variable([0.0, 0.0], name="kernel")
            norm = optimization.apply_gradients(
                tf_keras.optimizers.SGD(1.0),
                gradients=[tf.constant([3.0, 4.0])],
                variables=[variable],
                clip_norm=1.0,
                clip_per_replica=clip_per_replica,
            )
            self.assertAllClose(norm, 5.0)
            self.assertAllClose(variable, [-0.6, -0.8])


class UnfrozenTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.names = ("electra/embeddings/x", "electra/encoder/x", "head/x")
        self.variables = [tf.Variable([1.0], name=name) for name in self.names]

    def test_what_matches_is_left_out(self):
        learning = optimization.unfrozen(self.variables, "^electra/emb|head")
        self.assertEqual([v.name for v in learning], ["electra/encoder/x:0"])

    def test_without_a_pattern_all_variables_learn(self):
        self.assertLen(optimization.unfrozen(self.variables, ""), 3)

    def test_a_pattern_without_a_match_is_an_error(self):
        with self.assertRaisesRegex(
            ValueError,
            "'elektra' matches none of the 3 variables, some of which are "
            "electra/embeddings/x, electra/encoder/x, head/x",
        ):
            optimization.unfrozen(self.variables, "elektra")

    def test_so_is_one_that_matches_everything(self):
        with self.assertRaisesRegex(ValueError, "matches all of the 3"):
            optimization.unfrozen(self.variables, "x")


_SHAPES = {
    "electra/embeddings/word_embeddings": [5, 3],
    "electra/encoder/layer_0/kernel": [3, 3],
    "electra/encoder/layer_0/bias": [3],
    "discriminator_predictions/kernel": [3, 2],
    "generator/encoder/layer_0/kernel": [3, 3],
}
_FROZEN = "electra/embeddings/word_embeddings"
_OPTIONS = {
    "default": dict(),
    "bias_correction": dict(bias_correction=True),
    "lamb": dict(optimizer="lamb"),
    "discriminator_rate": dict(disc_learning_rate=3e-3),
    "freeze": dict(freeze="/embeddings/"),
    "ema": dict(ema_momentum=0.5),
    "all": dict(
        optimizer="lamb",
        disc_learning_rate=3e-3,
        freeze="/embeddings/",
        ema_momentum=0.5,
    ),
}
_NUM_STEPS = 5


class _Run:
    """Steps of a run's optimizer on a few variables and random gradients.

    Args:
        options: fields of the configuration.
        strategy: of two replicas, which each have a share of the gradient.
        jit_compile: whether a step is compiled by XLA; None for eager ones.
    """

    def __init__(self, options: dict, *, strategy=None, jit_compile=None):
        run_config = testing.tiny_config(learning_rate=1e-2, **options)
        rng = np.random.default_rng(0)
        self._strategy = strategy or tf.distribute.get_strategy()
        with self._strategy.scope():
            self.variables = {
                name: tf.Variable(
                    rng.normal(size=shape), name=name, dtype="float"
                )
                for name, shape in _SHAPES.items()
            }
            self.optimizer = optimization.create(run_config)
            self.optimizer.build(list(self.variables.values()))
        # For every step, of both replicas.
        self._gradients = {
            name: rng.normal(size=[_NUM_STEPS, 2, *shape])
            for name, shape in _SHAPES.items()
        }
        self._config = run_config
        self._step = lambda shares: self._strategy.run(
            self._step_of_replica, args=(shares,)
        )
        if strategy is not None or jit_compile is not None:
            self._step = tf.function(self._step, jit_compile=jit_compile)

    def _step_of_replica(self, shares):
        context = tf.distribute.get_replica_context()
        learning = optimization.unfrozen(
            self.variables.values(), self._config.freeze
        )
        gradients = []
        for name in checkpoints.by_name(learning):
            if context.num_replicas_in_sync == 1:
                gradients.append(tf.reduce_sum(shares[name], axis=0))
            else:
                replica = context.replica_id_in_sync_group
                gradients.append(shares[name][replica])
        optimization.apply_gradients(
            self.optimizer,
            gradients=gradients,
            variables=learning,
            clip_norm=1.0,
            clip_per_replica=self._config.clip_per_replica,
        )

    def take_steps(self, first: int, last: int):
        """Takes the steps [first, last)."""
        for step in range(first, last):
            self._step(
                {
                    name: tf.constant(values[step], tf.float32)
                    for name, values in self._gradients.items()
                }
            )

    def state(self) -> dict[str, np.ndarray]:
        """All variables, those of the optimizer, too, by name."""
        variables = [*self.variables.values(), *self.optimizer.variables]
        named = checkpoints.by_name(variables)
        return {name: variable.numpy() for name, variable in named.items()}

    def checkpoint(self) -> tf.train.Checkpoint:
        """What restores the run."""
        return tf.train.Checkpoint(
            model=checkpoints.by_name(self.variables.values()),
            optimizer=checkpoints.by_name(self.optimizer.variables),
        )

    def finalize(self):
        """Puts moving averages, if there are any, into the variables."""
        with self._strategy.scope():
            self.optimizer.finalize_variable_values(
                list(self.variables.values())
            )


class OptionsTest(tf.test.TestCase, parameterized.TestCase):
    def _assert_same_result(self, options, **how):
        expected, actual = _Run(options), _Run(options, **how)
        for run in (expected, actual):
            run.take_steps(0, _NUM_STEPS)
            run.finalize()
        actual = actual.state()
        for name, value in expected.state().items():
            self.assertAllClose(
                actual[name], value, atol=1e-6, rtol=0.0, msg=name
            )

    @parameterized.named_parameters(*_OPTIONS.items())
    def test_two_replicas_learn_the_same_as_one_device(self, options):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        self._assert_same_result(options, strategy=strategy)

    @parameterized.named_parameters(
        *_OPTIONS.items(), ("clip_per_replica", dict(clip_per_replica=True))
    )
    def test_xla_computes_the_same(self, options):
        self._assert_same_result(options, jit_compile=True)

    @parameterized.named_parameters(*_OPTIONS.items())
    def test_a_run_that_is_continued_ends_with_the_same_bits(self, options):
        first = _Run(options)
        first.take_steps(0, 2)
        path = first.checkpoint().save(self.create_tempfile().full_path)
        first.take_steps(2, _NUM_STEPS)
        second = _Run(options)
        second.checkpoint().restore(path).assert_consumed()
        second.take_steps(2, _NUM_STEPS)
        for run in (first, second):
            run.finalize()
        second = second.state()
        for name, value in first.state().items():
            self.assertAllEqual(second[name], value, name)

    @parameterized.named_parameters(*list(_OPTIONS.items())[1:])
    def test_each_option_changes_the_result(self, options):
        runs = _Run({}), _Run(options)
        for run in runs:
            run.take_steps(0, _NUM_STEPS)
            run.finalize()
        default, other = (run.state() for run in runs)
        name = "discriminator_predictions/kernel"
        self.assertNotAllClose(other[name], default[name], atol=1e-4)

    def test_what_is_frozen_and_its_moments_stay(self):
        run = _Run(dict(freeze="/embeddings/", ema_momentum=0.5))
        before = run.state()
        run.take_steps(0, _NUM_STEPS)
        run.finalize()
        after = run.state()
        unchanged = {n for n in after if np.array_equal(before[n], after[n])}
        self.assertEqual(
            unchanged,
            {
                f"{prefix}{_FROZEN}"
                for prefix in ("", "average/", "adam_m/", "adam_v/")
            },
        )


class CreateTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        ("adam", adam.AdamWeightDecay), ("lamb", lamb.Lamb)
    )
    def test_settings_are_those_of_the_run(self, name, optimizer_class):
        optimizer = optimization.create(
            testing.tiny_config(
                optimizer=name,
                learning_rate=6e-3,
                warmup_steps=0,
                num_train_steps=4,
                lr_decay_power=0.5,
                adam_beta_1=0.878,
                adam_beta_2=0.974,
                weight_decay_rate=0.02,
            )
        )
        self.assertIs(type(optimizer), optimizer_class)
        self.assertFalse(optimizer.use_ema)
        self.assertEqual(optimizer.bias_correction, name == "lamb")
        settings = optimizer.get_config()
        self.assertEqual(settings["beta_1"], 0.878)
        self.assertEqual(settings["beta_2"], 0.974)
        self.assertEqual(settings["weight_decay_rate"], 0.02)
        variable = tf.Variable([1.0], name="kernel")
        for _ in range(4):
            optimizer.apply_gradients([(tf.ones([1]), variable)])
        # 6e-3 * (1 - 3 / 4) ** 0.5.
        self.assertAllClose(optimizer.learning_rate, 3e-3)


if __name__ == "__main__":
    tf.test.main()
