"""Runs on several hosts of which one is lost."""

import json
import os
import pathlib
import signal
import time

from absl.testing import absltest
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import loopback_workers
from electra_tf import checkpoint_files
from electra_tf import config
from electra_tf import metrics_log
from electra_tf import model_folder
from tests import engine_worker
from tests import forked
from tests import testing

# What is told to users in docs/long_runs.md, in seconds. Hosts of a cluster
# look for each other's signs of life every few seconds.
_TIME_TO_END = 60.0
# Seconds for everything else; generous, for machines that are busy.
_PATIENCE = 240.0
_NUM_STEPS = 90


class WorkerFailureTest(absltest.TestCase):
    """Two hosts, both of them here, against two that nothing happens to."""

    def setUp(self):
        super().setUp()
        self.root = self.create_tempdir().full_path
        engine_worker.write_data(self.root)
        # With dropout: the continued run has to drop out the same.
        run_config = testing.tiny_config(
            objective="mlm",  # Made sooner; nothing here depends on it.
            num_hidden_layers=1,
            train_batch_size=8,
            eval_batch_size=8,
            num_train_steps=_NUM_STEPS,
            save_checkpoints_steps=30,
            log_steps=5,
            jit_compile=False,
        )
        pathlib.Path(self.root, "config.json").write_text(
            json.dumps(config.to_dict(run_config))
        )

    def _start(self, name: str):
        """Starts the two workers of a run, or starts them again."""
        processes = []
        for index, tf_config in enumerate(loopback_workers.tf_configs(2)):
            process = forked.CONTEXT.Process(
                target=engine_worker.run_pretraining,
                args=(
                    self._path(name, index),
                    [
                        f"--config={self.root}/config.json",
                        f"--data_dir={self.root}",
                        f"--eval_data_dir={self.root}",
                        f"--model_dir={self.root}/{name}",
                        "--distribution_strategy=multi_worker_mirrored",
                    ],
                ),
                kwargs={"tf_config": tf_config},
            )
            pathlib.Path(self._path(name, index)).touch()
            process.start()
            self.addCleanup(process.kill)
            processes.append(process)
        return processes

    def _path(self, name: str, index: int) -> str:
        return os.path.join(self.root, f"{name}-{index}.txt")

    def _output(self, name: str, index: int) -> str:
        """Of all that were this worker."""
        return pathlib.Path(self._path(name, index)).read_text()

    def _wait_for(self, text: str, name: str, processes):
        end = time.monotonic() + _PATIENCE
        while text not in (output := self._output(name, 0)):
            if time.monotonic() > end or not processes[0].is_alive():
                self.fail(f"No {text!r} in:\n{output}")
            time.sleep(0.01)

    def _assert_ends(self, name: str, processes):
        for index, process in enumerate(processes):
            process.join(_PATIENCE)
            self.assertEqual(process.exitcode, 0, self._output(name, index))

    def _kill_one(self, index: int, text: str):
        """Kills a worker when a text is there; the other one ends itself."""
        processes = self._start("broken")
        self._wait_for(text, "broken", processes)
        os.kill(processes[index].pid, signal.SIGKILL)
        started = time.monotonic()
        other = processes[1 - index]
        other.join(_TIME_TO_END)
        seconds = time.monotonic() - started
        print(f"Worker {1 - index}: {other.exitcode} after {seconds:.1f} s")
        output = self._output("broken", 1 - index)
        self.assertEqual(other.exitcode, 1, output)
        (error,) = (
            line for line in output.splitlines() if line.startswith("Error: ")
        )
        self.assertRegex(
            error,
            r"^Error: Another host was lost: .*\. The same commands on all "
            "hosts continue the run from the newest whole checkpoint.$",
        )

    def _check(self, victim: int):
        unbroken = self._start("unbroken")
        self._kill_one(victim, f"step 40/{_NUM_STEPS}")
        processes = self._start("broken")
        self._assert_ends("broken", processes)
        self.assertIn("Continuing from step 30.", self._output("broken", 0))
        self._assert_ends("unbroken", unbroken)
        self._assert_same_results()

    def test_the_chief_ends_and_the_same_commands_continue(self):
        self._check(1)

    @pytest.mark.slow
    def test_the_others_end_without_the_chief_too(self):
        self._check(0)

    def _assert_same_results(self):
        """Bit for bit: sums of two numbers do not depend on their order."""
        expected, actual = (
            tf.train.load_checkpoint(
                checkpoint_files.newest(
                    model_folder.checkpoints(os.path.join(self.root, name))
                )
            )
            for name in ("unbroken", "broken")
        )
        keys = expected.get_variable_to_shape_map()
        self.assertEqual(keys, actual.get_variable_to_shape_map())
        for key in keys:
            np.testing.assert_array_equal(
                expected.get_tensor(key), actual.get_tensor(key), key
            )
        expected, actual = (
            [
                {k: v for k, v in entry.items() if "per_second" not in k}
                for entry in metrics_log.read(os.path.join(self.root, name))
            ]
            for name in ("unbroken", "broken")
        )
        self.assertEqual(expected, actual)


if __name__ == "__main__":
    absltest.main()
