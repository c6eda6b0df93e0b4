"""The devices that train do not change what is trained."""

import json
import os
import pathlib
import tempfile

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from benchmarks import loopback_workers
from electra_tf import checkpoints
from electra_tf import config
from tests import engine_worker
from tests import forked
from tests import testing

_CONFIG = testing.tiny_config(
    num_hidden_layers=1,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    train_batch_size=8,
    eval_batch_size=8,
    learning_rate=5e-4,
    num_train_steps=20,
    save_checkpoints_steps=20,
)


def difference(actual: str, expected: str) -> float:
    """The largest difference of any weight, as a share of its variable.

    But for the biases of keys: what is added to all keys changes no attention,
    so their gradients are nothing but rounding.
    """
    actual = checkpoints.read_variables(actual)
    expected = checkpoints.read_variables(expected)
    if actual.keys() != expected.keys():
        raise AssertionError(actual.keys() ^ expected.keys())
    return max(
        float(np.max(np.abs(actual[name] - expected[name])))
        / float(np.max(np.abs(expected[name])))
        for name in expected
        if not name.endswith("key/bias")
    )


class ExactnessTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        engine_worker.write_data(cls.root)
        cls.config_path = os.path.join(cls.root, "config.json")
        with open(cls.config_path, "w") as file:
            json.dump(config.to_dict(_CONFIG), file)
        cls.processes = {
            "one": cls._start("one", "one_device"),
            "four": cls._start("four", "mirrored", num_devices=4),
            "workers": cls._start(
                "workers", "multi_worker_mirrored", num_workers=2
            ),
        }

    @classmethod
    def _start(cls, name, strategy, *, num_devices=1, num_workers=1):
        """Starts the processes of a run."""
        processes = []
        for tf_config in loopback_workers.tf_configs(num_workers):
            process = forked.CONTEXT.Process(
                target=engine_worker.run_pretraining,
                args=(
                    os.path.join(cls.root, f"{name}.txt"),
                    [
                        f"--config={cls.config_path}",
                        f"--data_dir={cls.root}",
                        f"--eval_data_dir={cls.root}",
                        f"--model_dir={cls.root}/{name}",
                        f"--distribution_strategy={strategy}",
                    ],
                ),
                kwargs=dict(tf_config=tf_config, num_devices=num_devices),
                daemon=True,
            )
            process.start()
            processes.append(process)
        return processes

    def model_dir(self, name):
        for process in self.processes[name]:
            process.join(timeout=300)
            output = pathlib.Path(self.root, f"{name}.txt").read_text()
            self.assertEqual(process.exitcode, 0, output)
        return os.path.join(self.root, name)

    def metrics(self, name):
        path = pathlib.Path(self.model_dir(name), "metrics.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [
            {k: v for k, v in line.items() if "per_second" not in k}
            for line in lines
        ]

    @parameterized.parameters("four", "workers")
    def test_weights_after_20_steps_agree(self, name):
        largest = difference(self.model_dir(name), self.model_dir("one"))
        print(f"{name}: {largest:.1e}")
        self.assertLess(largest, 1e-5)

    @parameterized.parameters("four", "workers")
    def test_metrics_agree(self, name):
        for actual, expected in zip(
            self.metrics(name), self.metrics("one"), strict=True
        ):
            self.assertEqual(actual.pop("kind"), expected.pop("kind"))
            self.assertAllClose(actual, expected, rtol=1e-4)


if __name__ == "__main__":
    tf.test.main()
