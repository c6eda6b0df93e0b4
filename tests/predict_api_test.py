"""Tests of what all protocols answer."""

import tempfile
import time

import numpy as np
import tensorflow as tf

from electra_tf.serving import admission
from electra_tf.serving import predict_api
from electra_tf.serving import served_models
from electra_tf.serving import serving_errors
from tests import handmade_models


class PredictApiTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        handmade_models.save(base_path, 3)
        cls.models = served_models.ServedModels(
            {"line": base_path}, poll_wait_s=0
        )
        cls.models.start()
        cls.models.wait_until_loaded()
        cls.limits = admission.Admission(max_requests=4, num_slots=1)
        cls.api = predict_api.PredictApi(cls.models, cls.limits)

    def _predict(self, *target, **kwargs) -> predict_api.Prediction:
        def decode(fields):
            self.assertIn("x", fields)
            return {
                name: np.zeros(1, field.dtype) for name, field in fields.items()
            }

        return self.api.predict(predict_api.Target(*target), decode, **kwargs)

    def _error(self, *target, **kwargs) -> tuple[str, str]:
        with self.assertRaises(serving_errors.ServingError) as raised:
            self._predict(*target, **kwargs)
        return raised.exception.code.name, raised.exception.message

    def test_the_default_signature_of_the_newest_version_answers(self):
        prediction = self._predict("line")
        self.assertEqual(prediction.version, 3)
        self.assertEqual(prediction.signature_name, "serving_default")
        self.assertAllEqual(prediction.outputs["y"], [1.0])  # 2 * 0 + 1.

    def test_outputs_can_be_chosen(self):
        prediction = self._predict(
            "line", None, "total", output_names=["total"]
        )
        self.assertAllEqual(prediction.outputs["total"], 0.0)
        self.assertEqual(
            self._error("line", output_names=["y", "z"]),
            ("INVALID_ARGUMENT", "Unknown output 'z'; the signature gives y."),
        )

    def test_unknown_models_versions_and_signatures_are_told(self):
        code, message = self._error("curve")
        self.assertEqual(code, "NOT_FOUND")
        self.assertIn("no model 'curve'. Served models: line.", message)
        code, message = self._error("line", 2)
        self.assertEqual(code, "NOT_FOUND")
        self.assertIn("version 2 of model 'line'", message)
        code, message = self._error("line", None, "nine")
        self.assertEqual(code, "INVALID_ARGUMENT")

    def test_a_request_that_is_too_late_is_not_run(self):
        with self.limits.computing(None):
            code, _ = self._error("line", deadline=time.monotonic() + 0.01)
        self.assertEqual(code, "DEADLINE_EXCEEDED")

    def test_states_and_signatures_are_told(self):
        (status,) = self.api.statuses(predict_api.Target("line"))
        self.assertEqual((status.number, status.state.name), (3, "AVAILABLE"))
        version, signatures = self.api.signature_defs(
            predict_api.Target("line", 3)
        )
        self.assertEqual(version, 3)
        self.assertContainsSubset({"echo", "serving_default"}, signatures)


if __name__ == "__main__":
    tf.test.main()
