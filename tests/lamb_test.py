"""Tests of LAMB against arithmetic and official's own class."""

from absl.testing import parameterized
import numpy as np
from official.modeling.optimization import lamb as official
import tensorflow as tf

from electra_tf import adam
from electra_tf import lamb


def _step(name, *, start, gradient, **kwargs) -> np.ndarray:
    """A variable after one step with rate 0.1, without weight decay."""
    variable = tf.Variable(start, name=name)
    optimizer = lamb.Lamb(0.1, **{"weight_decay_rate": 0.0} | kwargs)
    optimizer.apply_gradients([(tf.constant(gradient), variable)])
    return variable.numpy()


class LambTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_step_is_a_share_of_the_norm_of_the_variable(self):
        after = _step("kernel", start=[3.0, 4.0], gradient=[0.2, -7.0])
        # The direction is (1, -1), of norm 1.41421; the variable's is 5.
        change = 0.1 * 5 / 1.41421
        self.assertAllClose(after, [3.0 - change, 4.0 + change], atol=1e-5)

    @parameterized.parameters("dense/bias", "LayerNorm/gamma", "layer_norm")
    def test_what_is_not_decayed_is_not_scaled(self, name):
        after = _step(
            name, start=[3.0, 4.0], gradient=[0.2, -7.0], weight_decay_rate=0.5
        )
        self.assertAllClose(after, [2.9, 4.1], atol=1e-5)

    def test_a_variable_of_zeros_can_leave_them(self):
        after = _step("kernel", start=[0.0, 0.0], gradient=[0.2, -7.0])
        self.assertAllClose(after, [-0.1, 0.1], atol=1e-5)

    def test_weight_decay_is_part_of_the_direction(self):
        after = _step(
            "kernel",
            start=[3.0, 4.0],
            gradient=[0.0, 0.0],
            weight_decay_rate=0.5,
        )
        # The direction (1.5, 2) of norm 2.5 is scaled to norm 5.
        self.assertAllClose(after, [3.0 - 0.1 * 3.0, 4.0 - 0.1 * 4.0])

    def test_ten_steps_are_those_of_the_official_class(self):
        rng = np.random.default_rng(0)
        settings = dict(
            beta_1=0.878, beta_2=0.974, epsilon=1e-6, weight_decay_rate=0.01
        )
        exclusions = ["LayerNorm", "layer_norm", "bias"]
        optimizers = (
            lamb.Lamb(0.02, **settings),
            official.LAMB(
                0.02, exclude_from_weight_decay=exclusions, **settings
            ),
        )
        names = ("dense/kernel", "dense/bias", "LayerNorm/gamma")
        start = rng.normal(size=(3, 6))
        variables = [
            [
                tf.Variable(row, name=name, dtype=tf.float32)
                for name, row in zip(names, start)
            ]
            for _ in optimizers
        ]
        for _ in range(10):
            gradients = tf.unstack(
                tf.constant(rng.normal(size=[3, 6]), "float")
            )
            for optimizer, copies in zip(optimizers, variables):
                optimizer.apply_gradients(zip(gradients, copies))
        for name, ours, theirs in zip(names, *variables):
            self.assertAllClose(ours, theirs, atol=1e-6, msg=name)
        self.assertNotAllClose(variables[0], start, atol=0.05)

    def test_its_state_is_adams(self):
        def state(optimizer_class):
            optimizer = optimizer_class(0.1)
            optimizer.build([tf.Variable([1.0], name="a/kernel")])
            return [variable.name for variable in optimizer.variables]

        self.assertEqual(
            state(lamb.Lamb),
            ["iteration:0", "adam_m/a/kernel:0", "adam_v/a/kernel:0"],
        )
        self.assertEqual(state(lamb.Lamb), state(adam.AdamWeightDecay))

    def test_it_is_made_again_from_its_config(self):
        first = lamb.Lamb(0.5, beta_1=0.7, rate_factors=[("", 0.5)])
        again = lamb.Lamb.from_config(first.get_config())
        self.assertEqual(again.get_config(), first.get_config())


if __name__ == "__main__":
    tf.test.main()
