"""The devices that train do not change what is trained."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import dataset_info
from electra_tf import records
from electra_tf import tokenization
from tests import testing

_ROOT = pathlib.Path(__file__).parent.parent
_FIELDS = dict(
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    train_batch_size=8,
    eval_batch_size=8,
    learning_rate=5e-4,
    num_train_steps=20,
    save_checkpoints_steps=20,
)


def write_data(directory: str, num_examples: int = 60):
    """A data folder of random examples."""
    tokenizer = tokenization.Tokenizer(testing.tiny_vocab())
    tokenizer.save(directory)
    run_config = testing.tiny_config()
    (name,) = records.shard_names(1)
    batch = testing.random_batch(run_config, num_examples)
    with tf.io.TFRecordWriter(os.path.join(directory, name)) as file:
        for record in records.serialize_examples(batch):
            file.write(record)
    dataset_info.write(
        dataset_info.DatasetInfo(
            max_seq_length=run_config.max_seq_length,
            shards={name: num_examples},
            vocab_size=tokenizer.vocab_size,
            vocab_sha256=tokenizer.vocab_sha256,
        ),
        directory,
    )


def free_ports(count: int) -> list[int]:
    """Ports of the loopback device that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_worker(strategy, *, environment=None, num_devices=1, **arguments):
    """Starts a process that trains."""
    arguments |= dict(strategy=strategy, num_devices=num_devices)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.engine_worker", json.dumps(arguments)],
        cwd=_ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_workers(num_workers, **arguments):
    """Starts the processes of a run on several hosts, all of them here."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
    return [
        start_worker(
            "multi_worker_mirrored",
            environment={
                "TF_CONFIG": json.dumps(
                    {
                        "cluster": {"worker": hosts},
                        "task": {"type": "worker", "index": index},
                    }
                )
            },
            **arguments,
        )
        for index in range(num_workers)
    ]


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
        write_data(cls.root)
        cls.processes = {}
        for name, strategy, num_devices in (
            ("one", "one_device", 1),
            ("two", "mirrored", 2),
            ("four", "mirrored", 4),
        ):
            cls.processes[name] = [
                start_worker(
                    strategy,
                    num_devices=num_devices,
                    data_dir=cls.root,
                    model_dir=os.path.join(cls.root, name),
                    fields=_FIELDS,
                )
            ]
        cls.processes["workers"] = start_workers(
            2,
            data_dir=cls.root,
            model_dir=os.path.join(cls.root, "workers"),
            fields=_FIELDS,
        )

    def model_dir(self, name):
        for process in self.processes[name]:
            output, _ = process.communicate(timeout=300)
            self.assertEqual(process.returncode, 0, output)
        return os.path.join(self.root, name)

    def metrics(self, name):
        path = pathlib.Path(self.model_dir(name), "metrics.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [
            {k: v for k, v in line.items() if "per_second" not in k}
            for line in lines
        ]

    @parameterized.parameters("two", "four", "workers")
    def test_weights_after_20_steps_agree(self, name):
        largest = difference(self.model_dir(name), self.model_dir("one"))
        print(f"{name}: {largest:.1e}")
        self.assertLess(largest, 1e-5)

    @parameterized.parameters("two", "four", "workers")
    def test_metrics_agree(self, name):
        for actual, expected in zip(
            self.metrics(name), self.metrics("one"), strict=True
        ):
            self.assertEqual(actual.pop("kind"), expected.pop("kind"))
            self.assertAllClose(actual, expected, rtol=1e-4)


if __name__ == "__main__":
    tf.test.main()
