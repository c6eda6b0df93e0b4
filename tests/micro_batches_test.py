"""Batches in parts: alone, and in the steps of pre-training."""

from absl.testing import parameterized
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import micro_batches
from electra_tf import optimization
from electra_tf import pretraining
from tests import testing

_OBJECTIVES = (
    dict(objective="electra"),
    dict(objective="mlm"),
    dict(objective="electric", generator="two_tower"),
    dict(objective="electra_15", masking="with_replacement"),
    dict(objective="replace_mlm"),
    dict(objective="all_tokens_mlm"),
    dict(generator_training="adversarial"),
)


class CheckBatchSizeTest(tf.test.TestCase):
    def test_the_error_says_which_sizes_fit(self):
        micro_batches.check_batch_size(8, 4)
        with self.assertRaisesRegex(
            ValueError, r"batch of 10 examples .*=4 equal parts.* 8 and 12\."
        ):
            micro_batches.check_batch_size(10, 4)
        with self.assertRaisesRegex(ValueError, r"sizes that can are 4\."):
            micro_batches.check_batch_size(3, 4)


class PartTest(tf.test.TestCase):
    def test_parts_are_the_rows_one_after_the_other(self):
        batch = {
            "a": tf.reshape(tf.range(12), [6, 2]),
            "b": (None, tf.range(6)),
        }
        part = micro_batches.part(batch, tf.constant(1), 3)
        self.assertAllEqual(part["a"], [[4, 5], [6, 7]])
        self.assertIsNone(part["b"][0])
        self.assertAllEqual(part["b"][1], [2, 3])

    def test_shapes_stay_known(self):
        function = tf.function(
            lambda batch: micro_batches.part(batch, tf.constant(0), 2)
        ).get_concrete_function(tf.TensorSpec([6, 5]))
        self.assertEqual(function.output_shapes, [3, 5])

    def test_the_number_of_rows_may_be_unknown(self):
        @tf.function(input_signature=[tf.TensorSpec([None, None])])
        def second_half(batch):
            return micro_batches.part(batch, tf.constant(1), 2)

        self.assertAllEqual(second_half([[1.0], [2.0]]), [[2.0]])
        with self.assertRaises(tf.errors.InvalidArgumentError):
            second_half([[1.0], [2.0], [3.0]])


class SumGradientsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.table = tf.Variable([[1.0], [2.0], [3.0]])
        self.unused = tf.Variable(1.0)
        self.ids = tf.constant([0, 2, 2, 1])
        self.factors = tf.constant([1.0, 10.0, 100.0, 1000.0])
        self.variables = [self.table, self.unused]

    def _compute(self, part, index):
        del index
        ids, factors = part
        with tf.GradientTape() as tape:
            rows = tf.gather(self.table, ids)[:, 0]
            loss = tf.reduce_sum(rows * factors)
        return tape.gradient(loss, self.variables)

    def _sum(self, num_micro_batches: int):
        return micro_batches.sum_gradients(
            self._compute,
            (self.ids, self.factors),
            variables=self.variables,
            num_micro_batches=num_micro_batches,
        )

    def test_they_are_those_of_the_whole_batch(self):
        for function in (self._sum, tf.function(self._sum)):
            for num_micro_batches in (1, 2, 4):
                table, unused = function(num_micro_batches)
                # Rows 0, 2, 2 and 1 have the factors 1, 10, 100 and 1000.
                self.assertAllEqual(
                    tf.convert_to_tensor(table), [[1.0], [1000.0], [110.0]]
                )
                self.assertIsNone(unused)

    def test_the_graph_does_not_grow_with_the_number_of_parts(self):
        function = tf.function(lambda count: self._sum(count)[0])
        counts = [
            sum(len(f.node_def) for f in graph.as_graph_def().library.function)
            for graph in (
                function.get_concrete_function(n).graph for n in (2, 4)
            )
        ]
        self.assertGreater(counts[0], 0)
        self.assertEqual(*counts)


class _RecordingPretrainer(pretraining.ElectraPretrainer):
    """Keeps seeds and masks of every pass; runs eagerly."""

    def compute_losses(self, inputs, *, masked, dropout_seed=None, **kwargs):
        self.recorded.append((masked, dropout_seed))
        return super().compute_losses(
            inputs, masked=masked, dropout_seed=dropout_seed, **kwargs
        )


def _config(num_micro_batches: int, **overrides):
    values = dict(
        num_hidden_layers=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        warmup_steps=0,
    )
    return testing.tiny_config(
        num_micro_batches=num_micro_batches, **values | overrides
    )


def _one_step(run_config):
    """The step of plain gradient descent, without clipping, and metrics."""
    tf_keras.utils.set_random_seed(0)
    model = _RecordingPretrainer(run_config, testing.special_ids())
    model.recorded = []
    model.compile(
        tf_keras.optimizers.SGD(1.0, jit_compile=False), run_eagerly=True
    )
    before = _values(model)
    metrics = model.train_on_batch(
        testing.random_batch(run_config, 4), return_dict=True
    )
    after = _values(model)
    return {n: before[n] - after[n] for n in before}, metrics, model.recorded


def _values(model) -> dict[str, np.ndarray]:
    variables = checkpoints.by_name(model.trainable_variables)
    return {name: variable.numpy() for name, variable in variables.items()}


class OneStepTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_OBJECTIVES)
    def test_gradients_and_metrics_are_those_of_the_whole_batch(
        self, **overrides
    ):
        # Chains of operations are compiled in the training of 6 steps, below.
        overrides |= dict(clip_norm=1e9, jit_compile=False)
        expected, expected_metrics, _ = _one_step(_config(1, **overrides))
        gradients, metrics, recorded = _one_step(_config(2, **overrides))
        self.assertLen(recorded, 2)
        self.assertAllClose(metrics, expected_metrics, rtol=1e-5)
        for name, gradient in gradients.items():
            # They are differences of numbers below 1, rounded to 2**-24.
            self.assertAllClose(
                gradient,
                expected[name],
                rtol=0,
                atol=2e-5 * np.abs(expected[name]).max() + 2e-7,
                msg=name,
            )

    def test_masks_are_those_of_the_batch_and_dropout_is_of_the_part(self):
        dropout = dict(hidden_dropout_prob=0.1, jit_compile=False)
        *_, whole = _one_step(_config(1, **dropout))
        *_, parts = _one_step(_config(4, **dropout))
        self.assertAllEqual(
            np.concatenate([masked.positions for masked, _ in parts]),
            whole[0][0].positions,
        )
        seeds = {tuple(seed.numpy()) for _, seed in [*whole, *parts]}
        self.assertLen(seeds, 5)

    def test_a_batch_that_cannot_be_divided_is_an_error(self):
        with self.assertRaisesRegex(ValueError, r"batch of 4 .* 3 and 6\."):
            _one_step(_config(3))


def _train(run_config, strategy: tf.distribute.Strategy | None = None):
    """The variables after 6 steps."""
    tf_keras.utils.set_random_seed(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
        model.compile(optimization.create(run_config))
        # A step that makes variables would be traced twice.
        model.optimizer.build(model.trainable_variables)
    batches = [testing.random_batch(run_config, 8, seed=i) for i in range(6)]
    dataset = tf.data.Dataset.from_tensor_slices(
        {name: [batch[name] for batch in batches] for name in batches[0]}
    )
    model.fit(dataset, verbose=0)
    return _values(model)


class TrainingTest(tf.test.TestCase):
    def _assert_same(self, actual, expected):
        for name, values in expected.items():
            # Biases of keys have no gradient but rounding.
            self.assertAllClose(
                actual[name],
                values,
                rtol=0,
                atol=1e-5 * np.abs(values).max() + 1e-7,
                msg=name,
            )

    def test_parts_and_replicas_together_train_the_same_weights(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        self._assert_same(_train(_config(4), strategy), _train(_config(1)))

    @pytest.mark.slow
    def test_any_number_of_parts_and_replicas_trains_the_same_weights(self):
        expected = _train(_config(1))
        for num_micro_batches in (1, 2, 4):
            tf.distribute.MirroredStrategy._collective_key_base += 1000
            for strategy in (
                None,
                tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
            ):
                self._assert_same(
                    _train(_config(num_micro_batches), strategy), expected
                )


if __name__ == "__main__":
    tf.test.main()
