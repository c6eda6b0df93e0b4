"""Tests of what workers on one machine are told of each other."""

import json

from absl.testing import absltest

from benchmarks import loopback_workers


class LoopbackWorkersTest(absltest.TestCase):
    def test_workers_know_all_and_which_they_are(self):
        configs = [json.loads(t) for t in loopback_workers.tf_configs(3)]
        hosts = configs[0]["cluster"]["worker"]
        self.assertLen(set(hosts), 3)
        for index, tf_config in enumerate(configs):
            self.assertEqual(tf_config["cluster"], {"worker": hosts})
            self.assertEqual(
                tf_config["task"], {"type": "worker", "index": index}
            )

    def test_one_worker_has_no_cluster(self):
        self.assertEqual(loopback_workers.tf_configs(1), [None])


if __name__ == "__main__":
    absltest.main()
