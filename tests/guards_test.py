"""Tests of steps that are held back."""

import math

from absl.testing import parameterized
import tensorflow as tf
import tf_keras

from electra_tf import guards


class GuardTest(parameterized.TestCase, tf.test.TestCase):
    @parameterized.parameters(False, True)
    def test_steps_are_counted_and_one_too_many_closes_the_guard(self, jit):
        guard = guards.Guard(("a", "b"), max_skipped=1)
        admit = tf.function(
            lambda step, a, b: guard.admit(step, {"a": a, "b": b}),
            jit_compile=jit,
        )
        inf, nan = math.inf, math.nan
        answers, reports = [], []
        for step, (a, b) in enumerate(
            [(1.0, 2.0), (nan, 0.0), (1.0, 2.0), (0.0, -inf), (1.0, 2.0)]
        ):
            answers.append(
                bool(admit(tf.constant(step), tf.constant(a), tf.constant(b)))
            )
            reports.append(guard.report()[:3])
        # The last one is finite, but too late.
        self.assertEqual(answers, [True, False, True, False, False])
        self.assertEqual(
            reports,
            [
                (0, 0, []),
                (1, 2, ["a"]),
                (1, 2, ["a"]),
                (2, 4, ["b"]),
                (2, 4, ["b"]),
            ],
        )

    def test_what_is_bad_on_one_replica_is_bad_on_all(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            guard = guards.Guard(("a",), max_skipped=3)

        @tf.function
        def admit(values):
            return strategy.run(
                lambda value: guard.admit(6, {"a": value}), args=(values,)
            )

        values = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                [1.0, math.nan][context.replica_id_in_sync_group]
            )
        )
        answers = strategy.experimental_local_results(admit(values))
        self.assertEqual([bool(answer) for answer in answers], [False] * 2)
        self.assertEqual(guard.report(), (1, 7, ["a"], 3))


class MarkTest(tf.test.TestCase):
    def test_the_mark_is_on_every_gradient_or_on_none(self):
        gradients = [tf.constant([3.0, 0.0]), tf.constant([[4.0]])]
        scale = tf.constant(0.5)
        good = [g * guards.mark(scale, tf.constant(True)) for g in gradients]
        bad = [g * guards.mark(scale, tf.constant(False)) for g in gradients]
        self.assertAllEqual(good[0], [1.5, 0.0])
        self.assertAllEqual(bad[0], [math.nan] * 2)
        for marked, is_withheld in ((good, False), (bad, True)):
            for gradient in marked:
                self.assertEqual(guards.is_withheld(gradient), is_withheld)

    def test_metrics_forget_what_is_held_back(self):
        mean = tf_keras.metrics.Mean()
        mean.update_state([1.0, 2.0])
        for is_good, value, expected in (
            (False, math.nan, 1.5),
            (True, 6.0, 3.0),  # (1 + 2 + 6) / 3
        ):
            earlier = [tf.identity(v) for v in mean.variables]
            mean.update_state(value)
            guards.undo_unless(tf.constant(is_good), mean.variables, earlier)
            self.assertEqual(mean.result(), expected)

    def test_what_is_not_finite_has_no_weight(self):
        for value, weight in ((5.0, 1.0), (math.nan, 0.0), (math.inf, 0.0)):
            self.assertAllEqual(
                guards.if_finite(tf.constant(value)), [5.0 * weight, weight]
            )

    def test_a_large_gradient_is_excused_while_the_scale_can_fall(self):
        norm = tf.constant(math.inf)
        self.assertEqual(guards.excuse(norm, tf.constant(2.0)), 0.0)
        self.assertEqual(guards.excuse(norm, tf.constant(1.0)), math.inf)
        self.assertIs(guards.excuse(norm, None), norm)


if __name__ == "__main__":
    tf.test.main()
