"""Runs that are killed, or asked to stop, at any moment."""

import json
import os
import random
import signal
import time

from absl.testing import absltest
from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoint_files
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import interruption
from electra_tf import metrics_log
from electra_tf import model_folder
from tests import engine_worker
from tests import forked
from tests import small_run
from tests import testing

# Seconds; generous, for machines that are busy.
_PATIENCE = 120.0


class SignalsTest(absltest.TestCase):
    def test_the_first_signal_is_noted_and_the_second_one_ends(self):
        # A shell's background jobs ignore it.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        with interruption.Signals() as signals:
            self.assertIsNone(signals.received)
            os.kill(os.getpid(), signal.SIGINT)
            self.assertEqual(signals.received, "SIGINT")
            with self.assertRaises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    def test_signals_do_afterwards_what_they_did_before(self):
        before = signal.getsignal(signal.SIGTERM)
        with interruption.Signals():
            self.assertNotEqual(signal.getsignal(signal.SIGTERM), before)
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)


class _ProcessTest(parameterized.TestCase, tf.test.TestCase):
    """Training in processes that get signals, against one that gets none."""

    def setUp(self):
        super().setUp()
        directory = self.create_tempdir().full_path
        self.model_dir = os.path.join(directory, "model")
        self.output_path = os.path.join(directory, "output.txt")
        self.expected_dir = os.path.join(directory, "expected")

    def _start_process(self, target, *arguments, **options):
        process = forked.CONTEXT.Process(
            target=target, args=arguments, kwargs=options
        )
        process.start()
        self.addCleanup(process.kill)
        return process

    def _output(self) -> str:
        if not os.path.exists(self.output_path):
            return ""
        with open(self.output_path) as file:
            return file.read()

    def _wait_for(self, text: str, process):
        """Waits until the program has printed a text once more."""
        before = self._output().count(text)
        end = time.monotonic() + _PATIENCE
        while self._output().count(text) == before and process.is_alive():
            if time.monotonic() > end:
                raise TimeoutError(f"No {text!r} in:\n{self._output()}")
            time.sleep(0.01)

    def _wait_for_half_a_checkpoint(self, process):
        """Until there are data without an index."""
        while process.is_alive():
            names = os.listdir(model_folder.checkpoints(self.model_dir))
            indices = {n for n in names if n.endswith(".index")}
            for name in names:
                step, _, kind = name.partition(".")
                if kind.startswith("data") and f"{step}.index" not in indices:
                    return
            time.sleep(0.002)

    def _assert_as_expected(self, *folders: str):
        """Compares weights, moments, metrics and files, bit for bit."""
        for folder in folders:
            one, other = (
                tf.train.load_checkpoint(
                    checkpoint_files.newest(os.path.join(parent, folder))
                )
                for parent in (self.expected_dir, self.model_dir)
            )
            keys = one.get_variable_to_shape_map()
            self.assertEqual(keys, other.get_variable_to_shape_map())
            for key in keys:
                np.testing.assert_array_equal(
                    one.get_tensor(key), other.get_tensor(key), key
                )
            self.assertEqual(
                *(
                    sorted(os.listdir(os.path.join(parent, folder)))
                    for parent in (self.expected_dir, self.model_dir)
                )
            )
        expected, entries = (
            metrics_log.read(parent)
            for parent in (self.expected_dir, self.model_dir)
        )
        for entry in expected + entries:
            for name in [n for n in entry if n.endswith("_per_second")]:
                del entry[name]
        self.assertEqual(expected, entries)


class SmallRunTest(_ProcessTest):
    def setUp(self):
        super().setUp()
        self.arguments = dict(num_steps=120, best_metric="score")

    def _start(self, **options):
        return self._start_process(
            small_run.run_program,
            self.output_path,
            self.arguments | {"model_dir": self.model_dir},
            **options,
        )

    def test_a_run_that_is_killed_again_and_again_ends_like_any_other(self):
        rng = random.Random(0)
        num_killed = 0
        while num_killed < 8:
            process = self._start(slow_writes=True)
            self._wait_for("First step after", process)
            time.sleep(rng.uniform(0.0, 0.7))
            if num_killed % 2:
                self._wait_for_half_a_checkpoint(process)
            process.kill()
            process.join()
            if process.exitcode == 0:  # It was done before.
                break
            self.assertEqual(process.exitcode, -signal.SIGKILL, self._output())
            num_killed += 1
        process = self._start()
        process.join(_PATIENCE)
        self.assertEqual(process.exitcode, 0, self._output())
        self.assertGreater(num_killed, 3)
        self.assertIn("is damaged", self._output())
        small_run.train(self.expected_dir, **self.arguments)
        self._assert_as_expected("checkpoints", "checkpoints/best")

    @parameterized.parameters("SIGTERM", "SIGINT")
    def test_a_run_that_is_asked_to_stop_saves_and_says_so(self, name):
        self.arguments |= dict(save_checkpoints_steps=60, pause=0.02)
        process = self._start()
        self._wait_for("train |", process)
        os.kill(process.pid, getattr(signal, name))
        process.join(_PATIENCE)
        self.assertEqual(process.exitcode, 75, self._output())
        self.assertIn(f"Interrupted: {name}. The checkpoint", self._output())
        # At a step that is no multiple of anything.
        (step,) = checkpoint_files.steps(
            model_folder.checkpoints(self.model_dir)
        )
        self.assertBetween(step, 5, 59)
        self.arguments |= dict(pause=0.0)
        process = self._start()
        process.join(_PATIENCE)
        self.assertEqual(process.exitcode, 0, self._output())
        self.assertIn(f"Continuing from step {step}.", self._output())
        weights = checkpoints.read_variables(self.model_dir)
        expected = small_run.train(self.expected_dir, **self.arguments)
        self.assertAllEqual(weights["weight"], expected.trainable_variables[0])
        for folder in (self.model_dir, self.expected_dir):
            self.assertEqual(
                [
                    (entry["step"], entry["loss"])
                    for entry in metrics_log.read(folder)
                ],
                [
                    (entry["step"], entry["loss"])
                    for entry in metrics_log.read(self.expected_dir)
                ],
            )


class PretrainingTest(_ProcessTest):
    """The whole program with dropout, on one device and on two."""

    def setUp(self):
        super().setUp()
        self.data_dir = self.create_tempdir().full_path
        engine_worker.write_data(self.data_dir)
        self.config_path = os.path.join(self.data_dir, "config.json")

    def _write_config(self, objective: str):
        run_config = testing.tiny_config(
            objective=objective,
            num_hidden_layers=1,
            num_train_steps=120,
            save_checkpoints_steps=10,
            eval_every_steps=60,
            jit_compile=False,
        )
        self.assertGreater(run_config.hidden_dropout_prob, 0.0)
        with open(self.config_path, "w") as file:
            json.dump(config.to_dict(run_config), file)

    def _start(self, model_dir: str, strategy: str, **options):
        is_broken = model_dir == self.model_dir
        return self._start_process(
            engine_worker.run_pretraining,
            self.output_path if is_broken else os.devnull,
            [
                f"--config={self.config_path}",
                f"--data_dir={self.data_dir}",
                f"--eval_data_dir={self.data_dir}",
                f"--model_dir={model_dir}",
                f"--distribution_strategy={strategy}",
            ],
            num_devices=2 if strategy == "mirrored" else 1,
            **options,
        )

    # Two devices train a single network, which is made sooner.
    @parameterized.parameters(("one_device", "electra"), ("mirrored", "mlm"))
    def test_a_run_that_is_killed_again_and_again_ends_like_any_other(
        self, strategy, objective
    ):
        self._write_config(objective)
        unbroken = self._start(self.expected_dir, strategy)
        rng = random.Random(0)
        for number in range(2):
            process = self._start(self.model_dir, strategy, slow_writes=True)
            # A first checkpoint that was killed halfway is an error, see
            # `checkpointing_test`: somebody has to delete it.
            first = "First step after" if number else "Checkpoint of step"
            self._wait_for(first, process)
            time.sleep(rng.uniform(0.0, 0.5))
            if number % 2:
                self._wait_for_half_a_checkpoint(process)
            process.kill()
            process.join()
            self.assertEqual(process.exitcode, -signal.SIGKILL, self._output())
        process = self._start(self.model_dir, strategy)
        for each in (process, unbroken):
            each.join(_PATIENCE)
            self.assertEqual(each.exitcode, 0, self._output())
        self.assertIn("is damaged", self._output())
        self.assertIn("Continuing from step", self._output())
        self._assert_as_expected("checkpoints")


if __name__ == "__main__":
    tf.test.main()
