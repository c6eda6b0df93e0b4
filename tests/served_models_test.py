"""Tests of the thread that looks for new versions."""

import os
import time

import numpy as np
import tensorflow as tf

from electra_tf.serving import served_models
from electra_tf.serving import serving_errors
from tests import handmade_models


class ServedModelsTest(tf.test.TestCase):
    def _start(self, base_paths, poll_wait_s) -> served_models.ServedModels:
        models = served_models.ServedModels(base_paths, poll_wait_s=poll_wait_s)
        models.start()
        self.addCleanup(models.stop)
        return models

    def test_new_versions_are_found_while_it_runs(self):
        base_path = self.create_tempdir().full_path
        handmade_models.save(base_path, 1)
        models = self._start({"line": base_path}, 0.02)
        models.wait_until_loaded()
        model = models.get("line")
        handmade_models.save(base_path, 2)
        deadline = time.monotonic() + 60
        while (
            model.statuses()[0].state.name != "AVAILABLE"
            or len(model.statuses()) < 2
        ):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        with model.use() as version:
            self.assertEqual(version.number, 2)
            outputs = version.run("serving_default", {"x": np.float32([1])})
        self.assertAllEqual(outputs["y"], [3.0])  # 2 * 1 + 1.

    def test_every_model_without_a_version_is_told(self):
        root = self.create_tempdir().full_path
        handmade_models.save(os.path.join(root, "line"), 1)
        models = self._start(
            {name: os.path.join(root, name) for name in ("line", "a", "b")}, 0
        )
        with self.assertRaisesRegex(
            ValueError, "Model 'a' has no version yet.*Model 'b' has no"
        ):
            models.wait_until_loaded()

    def test_only_names_that_are_served_are_counted(self):
        models = served_models.ServedModels({"line": "x"}, poll_wait_s=0)
        self.assertEqual(models.metrics_name("line"), "line")
        self.assertEqual(models.metrics_name("curve"), "")
        with self.assertRaises(serving_errors.ServingError) as raised:
            models.get("curve")
        self.assertEqual(raised.exception.code.name, "NOT_FOUND")
        models.stop()  # It was never started.


if __name__ == "__main__":
    tf.test.main()
