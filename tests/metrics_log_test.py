"""Tests of the file of metrics."""

import json
import os

from absl.testing import absltest
import tensorflow as tf

from electra_tf import metrics_log


class MetricsLogTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path
        self.path = os.path.join(self.directory, "metrics.jsonl")

    def test_a_half_written_last_line_of_metrics_is_dropped(self):
        with open(self.path, "w") as file:
            file.write('{"kind": "train", "step": 1}\n{"kind": "tra')
        self.assertEqual(
            metrics_log.read(self.directory), [{"kind": "train", "step": 1}]
        )
        metrics_log.MetricsLog(self.directory, start_step=1).write(
            "train", step=2, metrics={"loss": 0.5}
        )
        with open(self.path) as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual(lines[1], {"kind": "train", "step": 2, "loss": 0.5})

    def test_it_knows_the_evaluations_up_to_its_first_step(self):
        log = metrics_log.MetricsLog(self.directory, start_step=0)
        for step in (10, 20):
            log.write("eval", step=step, metrics={})
        log.write("train", step=15, metrics={})
        log = metrics_log.MetricsLog(self.directory, start_step=15)
        self.assertEqual(
            [s for s in (10, 15, 20) if log.has_evaluation(s)], [10]
        )

    def test_other_hosts_write_nothing(self):
        log = metrics_log.MetricsLog(
            self.directory, start_step=0, is_writer=False
        )
        log.write("train", step=1, metrics={"loss": 1.0})
        log.close()
        self.assertEmpty(os.listdir(self.directory))


class FormatMetricsTest(absltest.TestCase):
    def test_four_digits_are_shown(self):
        self.assertEqual(
            metrics_log.format_metrics({"loss": 44.98123, "auc": 0.5}),
            "loss 44.98 | auc 0.5",
        )


if __name__ == "__main__":
    tf.test.main()
