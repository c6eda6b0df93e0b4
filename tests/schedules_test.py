"""Tests of learning-rate schedules, some against numbers of the original."""

import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import schedules
from tests import testing

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


def _json(name: str):
    with open(testing.golden("optimizer", name)) as file:
        return json.load(file)


class ScheduleTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_CURVES)
    def test_learning_rates_are_the_originals(self, name):
        settings = _json("learning_rate_curves.json")[name]
        arrays = np.load(
            testing.golden("optimizer", "learning_rate_curves.npz")
        )
        base, num_steps = settings["learning_rate"], settings["num_train_steps"]
        schedule = schedules.WarmupPolynomialDecay(
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
        schedule = schedules.WarmupPolynomialDecay(
            1.0, num_train_steps=100, warmup_steps=10
        )
        self.assertAllClose(schedule(step), expected)

    def test_without_warmup_the_first_step_has_the_full_rate(self):
        schedule = schedules.WarmupPolynomialDecay(0.5, num_train_steps=10)
        self.assertAllEqual(schedule(0), 0.5)


if __name__ == "__main__":
    tf.test.main()
