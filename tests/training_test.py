"""Tests of the fit loop."""

import contextlib
import os
import tempfile

from absl.testing import absltest
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import metrics_log
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import pretraining
from electra_tf import training
from tests import testing


class _Killed(Exception):
    """Stands for the signal that ends a process."""


class _KillAt(tf_keras.callbacks.Callback):
    def __init__(self, batch):
        super().__init__()
        self._batch = batch

    def on_train_batch_end(self, batch, logs=None):
        if batch == self._batch:
            raise _Killed


def _dataset(step):
    """Batches that differ from step to step."""
    run_config = testing.tiny_config()
    batches = [testing.random_batch(run_config, 4, seed=i) for i in range(7)]
    dataset = tf.data.Dataset.from_tensor_slices(
        {key: np.stack([b[key] for b in batches]) for key in batches[0]}
    )
    return dataset.repeat().skip(step)


def _train(model_dir, *, callbacks=()):
    run_config = testing.tiny_config(num_hidden_layers=1)
    tf_keras.utils.set_random_seed(run_config.seed)
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    model.compile(optimizer=optimization.create(run_config))
    model_folder.start(model_dir, kind="pretraining", run_config=run_config)
    training.fit(
        model,
        make_dataset=_dataset,
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=20, log_steps=5, save_checkpoints_steps=10
        ),
        batch_size=4,
        evaluate=lambda: model.evaluate(
            _dataset(0), steps=2, return_dict=True, verbose=0
        ),
        callbacks=callbacks,
    )
    return model


class ScheduleTest(absltest.TestCase):
    def test_the_last_step_is_logged_saved_and_evaluated(self):
        schedule = training.Schedule(
            num_steps=7, log_steps=2, save_checkpoints_steps=3
        )
        steps = range(1, 8)
        self.assertEqual(
            [s for s in steps if schedule.logs_at(s)], [2, 3, 4, 6, 7]
        )
        self.assertEqual([s for s in steps if schedule.saves_at(s)], [3, 6, 7])
        self.assertEqual(
            [s for s in steps if schedule.evaluates_at(s)], [3, 6, 7]
        )

    def test_evaluations_may_have_their_own_interval(self):
        schedule = training.Schedule(
            num_steps=9,
            log_steps=2,
            save_checkpoints_steps=3,
            eval_every_steps=4,
        )
        self.assertEqual(
            [s for s in range(1, 10) if schedule.evaluates_at(s)], [4, 8, 9]
        )

    def test_metrics_are_logged_before_they_begin_anew(self):
        schedule = training.Schedule(
            num_steps=9,
            log_steps=5,
            save_checkpoints_steps=4,
            eval_every_steps=3,
        )
        self.assertEqual(
            [s for s in range(1, 10) if schedule.logs_at(s)],
            [3, 5, 6, 9],
        )


class FitTest(tf.test.TestCase):
    """One unbroken run, and one that is killed and started again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.mkdtemp()
        cls.unbroken_dir = os.path.join(directory, "unbroken")
        cls.killed_dir = os.path.join(directory, "killed")
        cls.unbroken = _train(cls.unbroken_dir)
        with contextlib.suppress(_Killed):
            _train(cls.killed_dir, callbacks=[_KillAt(17)])
        cls.logged_before = metrics_log.read(cls.killed_dir)
        cls.resumed = _train(cls.killed_dir)

    def test_a_killed_run_ends_with_the_weights_of_an_unbroken_one(self):
        for one, other in zip(
            self.unbroken.variables, self.resumed.variables, strict=True
        ):
            self.assertAllEqual(one, other)

    def test_the_metrics_of_a_killed_run_are_those_of_an_unbroken_one(self):
        # Step 15 was logged, but the newest checkpoint is that of step 10.
        self.assertEqual(
            [entry["step"] for entry in self.logged_before], [5, 10, 10, 15]
        )
        for one, other in zip(
            metrics_log.read(self.unbroken_dir),
            metrics_log.read(self.killed_dir),
            strict=True,
        ):
            for entry in (one, other):
                entry.pop("examples_per_second", None)  # Not of evaluations.
            self.assertEqual(one, other)

    def test_a_finished_run_is_left_alone(self):
        before = metrics_log.read(self.unbroken_dir)
        _train(self.unbroken_dir)
        self.assertEqual(metrics_log.read(self.unbroken_dir), before)

    def test_metrics_hold_all_that_is_promised(self):
        entries = metrics_log.read(self.unbroken_dir)
        self.assertEqual(
            [(entry["kind"], entry["step"]) for entry in entries],
            [
                ("train", 5),
                ("train", 10),
                ("eval", 10),
                ("train", 15),
                ("train", 20),
                ("eval", 20),
            ],
        )
        self.assertContainsSubset(
            (
                "loss",
                "masked_lm_loss",
                "masked_lm_accuracy",
                "sampled_masked_lm_accuracy",
                "disc_loss",
                "disc_accuracy",
                "disc_precision",
                "disc_recall",
                "disc_auc",
                "replaced_share",
                "learning_rate",
                "gradient_norm",
                "examples_per_second",
            ),
            entries[0],
        )
        # The fifth step has number 4; the warm-up is over.
        self.assertAllClose(entries[0]["learning_rate"], 1e-3 * (1 - 4 / 20))


if __name__ == "__main__":
    tf.test.main()
