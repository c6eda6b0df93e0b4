"""Tests of which address answers what."""

import json
import tempfile

from absl.testing import parameterized
import tensorflow as tf

from electra_tf.serving import admission
from electra_tf.serving import page_files
from electra_tf.serving import predict_api
from electra_tf.serving import rest_service
from electra_tf.serving import served_models
from electra_tf.serving import server_metrics
from tests import handmade_models

_PAGE = page_files.PageFile(b"<p>", {"Content-Type": "text/html"})


def _service(base_paths, poll_wait_s=0):
    models = served_models.ServedModels(base_paths, poll_wait_s=poll_wait_s)
    limits = admission.Admission(max_requests=2, num_slots=1)
    service = rest_service.RestService(
        predict_api.PredictApi(models, limits),
        server_metrics.ServerMetrics(),
        pages={"/": _PAGE},
        timeout_s=0.05,
    )
    return service, models, limits


class RestServiceTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        handmade_models.save(base_path, 4)
        cls.service, models, cls.limits = _service({"a line": base_path})
        models.start()
        models.wait_until_loaded()

    def _answer(self, method: str, path: str, body=None) -> tuple[int, dict]:
        content = b"" if body is None else json.dumps(body).encode()
        response = self.service.answer(method, path, content)
        self.assertEqual(response.headers["Content-Type"], "application/json")
        return response.status, json.loads(response.content)

    @parameterized.parameters(
        "/v1/models/a%20line:predict",
        "/v1/models/a%20line/versions/4:predict",
        "/v1/models/a%20line/versions/004:predict?a=1",
    )
    def test_predictions_have_the_form_of_the_request(self, path):
        self.assertEqual(
            self._answer("POST", path, {"instances": [1, 2]}),
            (200, {"predictions": [3.0, 5.0]}),  # 2 x + 1.
        )
        body = {"signature_name": "check", "inputs": {"x": [[1, 2]]}}
        self.assertEqual(
            self._answer("POST", path, body), (200, {"outputs": [3]})
        )

    @parameterized.parameters(
        ("/v1/models/x:predict", 404, "Served models: a line"),
        ("/v1/models/a%20line/versions/3:predict", 404, "version 3"),
        ("/v1/models/a%20line/labels/stable:predict", 404, "no version label"),
        ("/v1/models/a%20line:classify", 501, ":predict"),
        ("/v1/models/a%20line/versions/x:predict", 404, "Not found"),
        ("/v1/models/a%20line/versions/" + "1" * 19 + ":predict", 404, "Not"),
        ("/v1/models/:predict", 404, "Not found"),
        ("/v2/models", 404, "Not found"),
        ("/../page_files.py", 404, "Not found"),
        ("", 404, "Not found"),
    )
    def test_other_addresses_are_not_found(self, path, status, message):
        actual, content = self._answer("POST", path, {"instances": [1]})
        self.assertEqual(actual, status)
        self.assertIn(message, content["error"])

    @parameterized.parameters(
        ({"instances": ["a"]}, "'a' (a string) is not of the type float32"),
        ({"instances": [1], "signature_name": "nine"}, "has check, echo"),
        ({"inputs": [[1, -1]], "signature_name": "check"}, "no negative x"),
        ({"instances": [1], "signature_name": "total"}, "'inputs' instead"),
        ([], "must be a JSON object"),
    )
    def test_wrong_requests_are_told(self, body, message):
        status, content = self._answer(
            "POST", "/v1/models/a%20line:predict", body
        )
        self.assertEqual(status, 400)
        self.assertIn(message, content["error"])

    @parameterized.parameters(
        ("GET", "/v1/models/a%20line:predict", "POST"),
        ("POST", "/v1/models/a%20line", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/healthz", "GET, HEAD"),
    )
    def test_other_methods_are_not_allowed(self, method, path, allowed):
        response = self.service.answer(method, path, b"")
        self.assertEqual(response.status, 405)
        self.assertEqual(response.headers["Allow"], allowed)

    @parameterized.parameters(
        "/v1/models/a%20line", "/v1/models/a%20line/versions/4"
    )
    def test_the_state_is_told(self, path):
        status = {
            "version": "4",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        self.assertEqual(
            self._answer("GET", path), (200, {"model_version_status": [status]})
        )

    def test_metadata_is_the_signatures(self):
        _, content = self._answer("GET", "/v1/models/a%20line/metadata")
        self.assertEqual(
            content["model_spec"],
            {"name": "a line", "signature_name": "", "version": "4"},
        )
        signatures = content["metadata"]["signature_def"]["signature_def"]
        x = signatures["check"]["inputs"]["x"]
        self.assertEqual(x["dtype"], "DT_INT32")
        sizes = [dim["size"] for dim in x["tensor_shape"]["dim"]]
        self.assertEqual(sizes, ["-1", "2"])

    def test_all_models_are_listed(self):
        _, content = self._answer("GET", "/v1/models")
        (model,) = content["models"]
        signatures = ["check", "echo", "serving_default", "slow", "total"]
        self.assertEqual(
            model,
            {
                "name": "a line",
                "version": "4",
                "kind": None,
                "info": {},
                "signatures": signatures,
            },
        )

    def test_it_is_healthy(self):
        self.assertEqual(self._answer("GET", "/healthz")[0], 200)

    def test_a_server_without_a_version_is_not_healthy(self):
        service, models, _ = _service({"none": "no/such/folder"})
        response = service.answer("POST", "/v1/models/none:predict", b"{}")
        self.assertEqual(response.status, 400)  # Wrong before all else.
        body = b'{"instances": [1]}'
        response = service.answer("POST", "/v1/models/none:predict", body)
        self.assertEqual(response.status, 503)
        response = service.answer("GET", "/healthz", b"")
        self.assertEqual(response.status, 503)
        self.assertIn(b"no/such/folder", response.content)
        response = service.answer("GET", "/v1/models", b"")
        (model,) = json.loads(response.content)["models"]
        self.assertIn("has no version yet", model["error"])

    def test_too_many_and_too_slow_requests_have_their_codes(self):
        path, body = "/v1/models/a%20line:predict", {"instances": [1]}
        with self.limits.computing(None):
            self.assertEqual(self._answer("POST", path, body)[0], 504)
        with self.limits.admitted(), self.limits.admitted():
            self.assertEqual(self._answer("POST", path, body)[0], 429)
            self.assertEqual(self._answer("GET", "/v1/models/a%20line")[0], 200)
        self.assertEqual(self._answer("POST", path, body)[0], 200)

    @parameterized.parameters("/metrics", "/monitoring/prometheus/metrics")
    def test_requests_are_counted(self, path):
        service, _, _ = _service({"line": "no/such/folder"})
        for name in ("line", "line", "curve"):
            service.answer("GET", f"/v1/models/{name}", b"")
        text = service.answer("GET", path, b"").content.decode()
        count = ':tensorflow:serving:request_count{model_name="'
        labels = '",API="status",entrypoint="REST",status="NOT_FOUND"}'
        self.assertIn(f"{count}line{labels} 2\n", text)
        self.assertIn(f"{count}{labels} 1\n", text)

    def test_the_page_is_shown(self):
        self.assertEqual(
            self.service.answer("GET", "/?a=b", b""),
            (200, b"<p>", _PAGE.headers),
        )


if __name__ == "__main__":
    tf.test.main()
