"""Tests of what the loop does beside training, on a small model."""

import glob
import os
import subprocess
from unittest import mock

from absl.testing import parameterized
import tensorflow as tf
import tf_keras

from electra_tf import checkpoint_files
from electra_tf import checkpointing
from electra_tf import checkpoints
from electra_tf import guards
from electra_tf import metrics_log
from electra_tf import model_folder
from electra_tf import training
from tests import small_run
from tests import testing


class _LoopTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.model_dir = self.create_tempdir().full_path + "/model"
        self.checkpoints_dir = model_folder.checkpoints(self.model_dir)

    def _train(self, **options) -> small_run.Model:
        return small_run.train(self.model_dir, **options)

    def _steps(self) -> list[int]:
        return checkpoint_files.steps(self.checkpoints_dir)

    def _metric(self, name, kind="train") -> dict[int, float]:
        """Its values by the step."""
        return {
            entry["step"]: entry[name]
            for entry in metrics_log.read(self.model_dir)
            if entry["kind"] == kind
        }


class NonFiniteTest(_LoopTest):
    def test_a_step_that_is_not_finite_ends_the_run(self):
        with self.assertRaisesRegex(
            guards.NonFiniteError,
            r"Not finite: fit_loss, gradient_norm of step 17 \(examples 64 to "
            r"67 .*There were 1 such steps; skip_nonfinite_steps allows 0\. "
            r"Nothing has changed since .*the checkpoint of step 10 is intact",
        ):
            self._train(bad_steps=[17])
        self.assertEqual(self._steps(), [10])
        # Step 15 was logged; step 20 was not, nor was it saved.
        self.assertEqual(list(self._metric("loss")), [5, 10, 15])

    def test_it_is_found_before_a_checkpoint_is_written(self):
        with self.assertRaisesRegex(guards.NonFiniteError, "of step 19 "):
            self._train(bad_steps=[19], save_checkpoints_steps=20, log_steps=50)
        self.assertEqual(self._steps(), [])

    def test_a_continued_run_may_skip_it(self):
        with self.assertRaises(guards.NonFiniteError):
            self._train(bad_steps=[17, 18])
        model = self._train(bad_steps=[17, 18], max_skipped=2)
        self.assertEqual(
            self._metric("skipped_steps"),
            {5: 0, 10: 0, 15: 0, 20: 2, 25: 2, 30: 2},
        )
        for loss in self._metric("loss").values():
            self.assertLess(loss, 3.0)
        # The same weights as without such steps: no steps 17 and 18, and the
        # others as they were.
        expected = small_run.create()
        data = list(small_run.dataset(0).take(30))
        for batch in data[:16] + data[18:]:
            expected.train_step(batch)
        self.assertAllEqual(
            model.trainable_variables[0], expected.trainable_variables[0]
        )
        self.assertEqual(model.optimizer.iterations, 30)

    def test_skipped_steps_change_neither_weights_nor_moments(self):
        model = small_run.create(max_skipped=1)
        step = tf.function(model.train_step, jit_compile=True)
        step(tf.ones([4]))
        # All but the number of steps.
        variables = model.trainable_variables + model.optimizer.variables[1:]
        before = [variable.numpy() for variable in variables]
        step(tf.constant([1.0, float("inf"), 1.0, 1.0]))
        self.assertIn("/m/", variables[-1].name)
        for one, other in zip(before, variables, strict=True):
            self.assertAllEqual(one, other)
        self.assertEqual(model.optimizer.iterations, 2)

    def test_what_was_skipped_counts_in_a_continued_run(self):
        self._train(num_steps=20, bad_steps=[3, 14], max_skipped=2)
        with self.assertRaisesRegex(
            guards.NonFiniteError, "of step 14 .* 2 such .* allows 1"
        ):
            self._train(num_steps=30, max_skipped=1)


class CheckpointPolicyTest(_LoopTest):
    def test_newest_and_every_so_many_and_the_best_are_kept(self):
        # Evaluated at each checkpoint; the best of them is that of step 9.
        values = {3: 0.1, 6: 0.5, 9: 0.9, 12: 0.2, 15: 0.9, 17: 0.3}
        self._train(
            num_steps=17,
            save_checkpoints_steps=3,
            keep_checkpoints=2,
            keep_checkpoint_every_steps=6,
            best_metric="score",
            values=values,
        )
        self.assertEqual(self._metric("score", "eval"), values)
        self.assertEqual(
            sorted(os.listdir(self.checkpoints_dir)),
            [
                "best",
                "checkpoint",
                "ckpt-12.data-00000-of-00001",
                "ckpt-12.index",
                "ckpt-15.data-00000-of-00001",
                "ckpt-15.index",
                "ckpt-17.data-00000-of-00001",
                "ckpt-17.index",
                "ckpt-6.data-00000-of-00001",
                "ckpt-6.index",
            ],
        )
        best = os.path.join(self.checkpoints_dir, "best")
        self.assertEqual(
            sorted(os.listdir(best)),
            [
                "best.json",
                "checkpoint",
                "ckpt-9.data-00000-of-00001",
                "ckpt-9.index",
            ],
        )
        expected = small_run.create()
        for batch in small_run.dataset(0).take(9):
            expected.train_step(batch)
        self.assertAllEqual(
            checkpoints.read_variables(best)["weight"],
            expected.trainable_variables[0],
        )

    def test_an_unknown_best_metric_ends_the_run_at_the_first_evaluation(self):
        with self.assertRaisesRegex(ValueError, "evaluation: loss, score; "):
            self._train(best_metric="disc_auc")

    @parameterized.parameters(
        (None, None, "needs data to evaluate on"),
        (dict, ("loss",), "Unknown best_metric 'auc'. .*: loss; "),
    )
    def test_it_is_refused_at_the_start_if_possible(
        self, evaluate, names, message
    ):
        with self.assertRaisesRegex(ValueError, message):
            training.fit(
                small_run.create(),
                make_dataset=small_run.dataset,
                model_dir=self.model_dir,
                schedule=training.Schedule(
                    num_steps=1,
                    log_steps=1,
                    save_checkpoints_steps=1,
                    best_metric="auc",
                ),
                batch_size=4,
                evaluate=evaluate,
                eval_metrics=names,
            )

    def test_the_clock_asks_for_checkpoints_too(self):
        with mock.patch.object(
            checkpointing.Checkpointer, "save", autospec=True
        ) as save:
            # 30 steps of at least 0.02 s with one after 0.1 s.
            self._train(
                pause=0.02,
                save_checkpoints_steps=100,
                save_checkpoints_minutes=0.1 / 60,
            )
        steps = [call.args[1] for call in save.call_args_list]
        self.assertEqual(steps[-1], 30)
        self.assertBetween(len(steps), 3, 30)
        # The lines are those of a run without a clock.
        self.assertEqual(list(self._metric("loss")), [5, 10, 15, 20, 25, 30])

    def test_lines_do_not_depend_on_where_a_run_was_stopped(self):
        self._train(save_checkpoints_steps=15, log_steps=10)
        expected = self._metric("loss")
        self.model_dir += "_stopped"

        class Stop(tf_keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch == 16:
                    os.kill(os.getpid(), 15)

        with self.assertRaisesRegex(
            Exception, "SIGTERM. The checkpoint of step 18 of 30 is written"
        ):
            self._train(
                save_checkpoints_steps=15, log_steps=10, callbacks=[Stop()]
            )
        self._train(save_checkpoints_steps=15, log_steps=10)
        self.assertEqual(self._metric("loss"), expected)

    def test_an_evaluation_that_was_killed_is_made_up_for(self):
        self._train(num_steps=20)
        expected = metrics_log.read(self.model_dir)
        self.model_dir += "_killed"
        with (
            mock.patch.object(
                small_run.Model, "new_evaluation", lambda *_: _raise
            ),
            self.assertRaises(KeyboardInterrupt),
        ):
            self._train(num_steps=20, save_checkpoints_steps=20)
        self._train(num_steps=20, save_checkpoints_steps=20)
        self.assertEqual(metrics_log.read(self.model_dir)[-1], expected[-1])


class ProfilerTest(_LoopTest):
    def test_a_profile_is_written_for_tensorboard(self):
        self._train(profile_steps="3,5")
        files = glob.glob(
            os.path.join(
                self.model_dir, "tensorboard/plugins/profile/*/*.xplane.pb"
            )
        )
        self.assertLen(files, 1)

    @parameterized.parameters("5", "5,4", "0,4", "a,b", "1,2,3", "-1,2")
    def test_what_are_not_two_steps_is_refused(self, steps):
        with self.assertRaisesRegex(ValueError, "profile_steps must be two"):
            testing.tiny_config(profile_steps=steps)


class NoSpaceTest(_LoopTest):
    def _mount(self, size: str) -> str:
        """A file system of that size."""
        directory = self.create_tempdir().full_path
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs"]
        try:
            subprocess.run(
                [*command, directory], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            self.skipTest(f"Needs the right to mount: {error}")
        self.addCleanup(
            subprocess.run, ["umount", "--lazy", directory], check=True
        )
        return directory

    def test_a_full_disk_leaves_the_last_checkpoint_and_says_so(self):
        # One checkpoint: 2 * 65536 * 4 bytes, weights and moments, 0.5 MiB.
        directory = self._mount("1400k")
        self.model_dir = os.path.join(directory, "model")
        with self.assertRaisesRegex(
            OSError,
            r"No space left on device for .*/ckpt-30\S*; the checkpoint of "
            r"step 20 is intact. Make room",
        ):
            self._train(size=65536)
        names = os.listdir(os.path.join(self.model_dir, "checkpoints"))
        self.assertFalse([name for name in names if "ckpt-30" in name], names)
        subprocess.run(
            ["mount", "-o", "remount,size=10m", directory], check=True
        )
        model = self._train(size=65536)
        expected = small_run.train(
            self.create_tempdir().full_path + "/model", size=65536
        )
        self.assertAllEqual(
            model.trainable_variables[0], expected.trainable_variables[0]
        )

    @parameterized.parameters(
        (3, "there is no checkpoint yet"),
        (13, "the checkpoint of step 10 is intact"),
    )
    def test_metrics_that_do_not_fit_on_the_disk_end_it_alike(self, at, end):
        write = metrics_log.MetricsLog.write

        def write_or_fail(log, kind, *, step, metrics):
            if step > at:
                raise tf.errors.ResourceExhaustedError(
                    None, None, "/x/metrics.jsonl; No space left on device"
                )
            write(log, kind, step=step, metrics=metrics)

        with (
            mock.patch.object(metrics_log.MetricsLog, "write", write_or_fail),
            self.assertRaisesRegex(
                OSError,
                f"No space left on device for /x/metrics.jsonl; {end}",
            ),
        ):
            self._train()

    def test_other_errors_stay_what_they_are(self):
        with (
            mock.patch.object(
                metrics_log.MetricsLog,
                "write",
                side_effect=tf.errors.ResourceExhaustedError(
                    None, None, "OOM when allocating tensor"
                ),
            ),
            self.assertRaisesRegex(tf.errors.ResourceExhaustedError, "OOM"),
        ):
            self._train()


class LostHostTest(_LoopTest):
    """`worker_failure_test` has it with real processes."""

    def _train_until(self, error):
        with mock.patch.object(
            metrics_log.MetricsLog, "write", side_effect=error
        ):
            self._train()

    @parameterized.parameters(
        (
            "Error reported from /job:worker/task:1: The following tasks are "
            "unhealthy (stopped sending heartbeats):\n"
            "/job:worker/replica:0/task:1\nThe tasks have crashed.",
            r"unhealthy \(stopped sending heartbeats\)",
        ),
        (
            "recvmsg:Connection reset by peer\nAdditional GRPC error",
            "recvmsg:Connection reset by peer",
        ),
    )
    def test_one_line_says_what_to_do(self, cause, told):
        # What TensorFlow 2.20 said when a worker and when the chief was killed.
        error = tf.errors.UnavailableError(
            None, None, f"{{{{node}}}} Collective ops is aborted by: {cause}"
        )
        with self.assertRaisesRegex(
            ConnectionError,
            rf"^Another host was lost: .*{told}\. The same commands on all "
            r"hosts continue the run from the newest whole checkpoint\.$",
        ):
            self._train_until(error)

    def test_other_errors_stay_what_they_are(self):
        with self.assertRaises(tf.errors.UnavailableError):
            self._train_until(
                tf.errors.UnavailableError(None, None, "gs:// is not there")
            )


def _raise():
    raise KeyboardInterrupt


if __name__ == "__main__":
    tf.test.main()
