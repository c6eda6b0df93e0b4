"""Tests of which checkpoints are written, kept, and gone on from."""

import json
import os

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import checkpoint_files
from electra_tf import checkpointing
from electra_tf import checkpoints
from tests import small_run
from tests import torn_files


def _checkpointer(directory, *, weight=None, keep=2, **options):
    """A checkpointer of a new model, whose weights have a value."""
    model = small_run.create()
    if weight is not None:
        model.trainable_variables[0].assign([weight] * 8)
    return model, checkpointing.Checkpointer(
        directory, model=model, keep=keep, **options
    )


def _save(checkpointer, model, *steps):
    for step in steps:
        model.optimizer.iterations.assign(step)
        model.trainable_variables[0].assign([float(step)] * 8)
        checkpointer.save(step)


def _files(*steps):
    return {"checkpoint"} | {
        f"ckpt-{step}{suffix}"
        for step in steps
        for suffix in (".index", ".data-00000-of-00001")
    }


class CheckpointerTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path

    def test_all_state_comes_back(self):
        model, checkpointer = _checkpointer(self.directory)
        self.assertEqual(checkpointer.restore_latest(), 0)
        for step in range(3):
            (batch,) = small_run.dataset(step).take(1)
            model.train_step(batch)
        model.train_step(batch * float("nan"))
        checkpointer.save(4)
        restored, checkpointer = _checkpointer(self.directory)
        self.assertEqual(checkpointer.restore_latest(), 4)
        self.assertEqual(restored.guard.report(), model.guard.report())
        self.assertEqual(restored.guard.report().step, 4)
        self.assertEqual(
            restored.metrics[0].result(), model.metrics[0].result()
        )
        for one, other in zip(
            model.variables + model.optimizer.variables,
            restored.variables + restored.optimizer.variables,
            strict=True,
        ):
            self.assertAllEqual(one, other)

    def test_the_newest_and_every_so_many_are_kept(self):
        model, checkpointer = _checkpointer(self.directory, keep_every=4)
        _save(checkpointer, model, *range(1, 12))
        self.assertEqual(set(os.listdir(self.directory)), _files(4, 8, 10, 11))

    @parameterized.named_parameters(*torn_files.VARIANTS.items())
    def test_a_run_goes_on_from_the_newest_whole_one(self, tear):
        model, checkpointer = _checkpointer(self.directory, keep=3)
        _save(checkpointer, model, 10, 20, 30)
        for step in (20, 30):
            tear(checkpoint_files.prefix(self.directory, step))
        model, checkpointer = _checkpointer(self.directory, keep=1)
        with self.assertLogs(level="WARNING") as logs:
            self.assertEqual(checkpointer.restore_latest(), 10)
        self.assertRegex(
            logs.output[0],
            "The checkpoint of step 30 is damaged: .*/ckpt-30 ",
        )
        self.assertRegex(logs.output[1], "of step 20 is damaged")
        self.assertAllEqual(model.trainable_variables[0], [10.0] * 8)
        # Damaged ones stay until there is a newer one, and do not count.
        _save(checkpointer, model, 15)
        self.assertEqual(checkpoint_files.steps(self.directory), [15, 20, 30])
        self.assertEqual(
            checkpoints.read_step(checkpoints.find(self.directory)), 15
        )
        _save(checkpointer, model, 20)
        self.assertEqual(checkpoint_files.steps(self.directory), [20, 30])
        _save(checkpointer, model, 40)
        self.assertEqual(set(os.listdir(self.directory)), _files(40))

    def test_the_first_one_may_have_been_killed_while_it_was_written(self):
        model, checkpointer = _checkpointer(self.directory)
        _save(checkpointer, model, 10)
        torn_files.VARIANTS["no_index"](self.directory + "/ckpt-10")
        os.remove(os.path.join(self.directory, "checkpoint"))
        self.assertEqual(checkpointer.restore_latest(), 0)
        _save(checkpointer, model, 10)
        self.assertEqual(set(os.listdir(self.directory)), _files(10))

    def test_without_a_whole_one_all_are_listed(self):
        model, checkpointer = _checkpointer(self.directory)
        _save(checkpointer, model, 10, 20)
        torn_files.VARIANTS["no_index"](self.directory + "/ckpt-10")
        torn_files.VARIANTS["no_data"](self.directory + "/ckpt-20")
        with self.assertRaisesRegex(
            ValueError,
            r"(?s)None of the checkpoints in .* can be read:\n"
            r"  .*/ckpt-20: .*\n  .*/ckpt-10: ",
        ):
            checkpointer.restore_latest()

    def test_a_checkpoint_of_another_model_is_refused(self):
        model, checkpointer = _checkpointer(self.directory)
        _save(checkpointer, model, 1)
        del model.guard
        checkpointer = checkpointing.Checkpointer(
            self.directory, model=model, keep=1
        )
        with self.assertRaisesRegex(ValueError, "does not hold what this run"):
            checkpointer.restore_latest()

    def test_other_hosts_write_nothing(self):
        model, checkpointer = _checkpointer(self.directory, is_writer=False)
        _save(checkpointer, model, 1)
        self.assertEmpty(os.listdir(self.directory))


class BestCheckpointTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path
        self.best_dir = os.path.join(self.directory, "best")

    def _offer(self, metric, *values):
        """Offers these at steps 1, 2, ..., and returns `best.json`."""
        model, checkpointer = _checkpointer(self.directory)
        best = checkpointing.BestCheckpoint(checkpointer, metric=metric)
        for step, value in enumerate(values, start=1):
            model.trainable_variables[0].assign([float(step)] * 8)
            best.offer(step, {"auc": value, "loss": value})
        with open(os.path.join(self.best_dir, "best.json")) as file:
            return json.load(file)

    @parameterized.parameters(
        ("auc", (0.5, 0.7, 0.6, 0.7), 2),
        ("-loss", (0.5, 0.7, 0.4, 0.6), 3),
        ("auc", (float("nan"), 0.1, float("nan")), 2),
    )
    def test_the_first_of_the_best_is_kept(self, metric, values, step):
        self.assertEqual(
            self._offer(metric, *values),
            {"step": step, "metric": metric, "value": values[step - 1]},
        )
        self.assertEqual(
            set(os.listdir(self.best_dir)), _files(step) | {"best.json"}
        )
        values = checkpoints.read_variables(self.best_dir)
        self.assertAllEqual(values["weight"], [float(step)] * 8)

    def test_a_continued_run_knows_the_best_before(self):
        self._offer("auc", 0.5, 0.7)
        self.assertEqual(self._offer("auc", 0.6)["step"], 2)
        # By another metric all begins anew.
        self.assertEqual(self._offer("-loss", 0.9)["step"], 1)

    def test_an_unknown_metric_is_refused(self):
        with self.assertRaisesRegex(
            ValueError, "Unknown best_metric '-los'. Metrics .*: auc, loss; "
        ):
            self._offer("-los", 1.0)


if __name__ == "__main__":
    tf.test.main()
