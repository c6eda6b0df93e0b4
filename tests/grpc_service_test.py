"""Tests of the gRPC side, by the published stubs."""

import tempfile
import threading

from absl.testing import parameterized
import grpc
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_management_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from electra_tf.serving import serving_server
from tests import handmade_models

_TIMEOUT_S = 60.0


def _request(signature_name="", *, model="line", version=None, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature_name
    if version is not None:
        request.model_spec.version.value = version
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


class GrpcServiceTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        handmade_models.save(base_path, 4)
        cls.server = cls.enterClassContext(
            serving_server.Server(
                {"line": base_path},
                poll_wait_s=0,
                max_request_bytes=10_000,
                max_concurrent_requests=2,
            )
        )
        channel = cls.enterClassContext(
            grpc.insecure_channel(f"127.0.0.1:{cls.server.grpc_port}")
        )
        cls.predictions = prediction_service_pb2_grpc.PredictionServiceStub(
            channel
        )
        cls.models = model_service_pb2_grpc.ModelServiceStub(channel)

    def _predict(self, request, timeout=_TIMEOUT_S):
        return self.predictions.Predict(request, timeout=timeout)

    def _error(self, function, request, **kwargs) -> tuple[str, str]:
        with self.assertRaises(grpc.RpcError) as raised:
            function(request, **{"timeout": _TIMEOUT_S} | kwargs)
        return raised.exception.code().name, raised.exception.details()

    def test_a_signature_answers(self):
        response = self._predict(
            _request("echo", text=["é".encode(), b"\xff"], x=[1.0, 2.0])
        )
        spec = response.model_spec
        self.assertEqual(
            (spec.name, spec.version.value, spec.signature_name),
            ("line", 4, "echo"),
        )
        outputs = {
            name: tf.make_ndarray(proto)
            for name, proto in response.outputs.items()
        }
        self.assertCountEqual(outputs, ["text", "raw_bytes", "y"])
        self.assertAllEqual(outputs["y"], [3.0, 5.0])  # 2 x + 1.
        self.assertAllEqual(outputs["text"], ["é".encode(), b"\xff"])

    def test_outputs_can_be_filtered(self):
        request = _request("echo", text=["a"], x=[1.0])
        request.output_filter.append("y")
        self.assertCountEqual(self._predict(request).outputs, ["y"])

    @parameterized.parameters(
        (_request(x=[1]), "INVALID_ARGUMENT", "DT_INT32, but DT_FLOAT"),
        (_request(x=1.0), "INVALID_ARGUMENT", "shape []"),
        (_request(), "INVALID_ARGUMENT", "missing x"),
        (_request(x=[1.0], z=[1.0]), "INVALID_ARGUMENT", "unknown 'z'"),
        (_request("nine", x=[1.0]), "INVALID_ARGUMENT", "has check, echo"),
        (_request("check", x=[[1, -1]]), "INVALID_ARGUMENT", "no negative x"),
        (_request(model="nine"), "NOT_FOUND", "Served models: line"),
        (_request(model=""), "NOT_FOUND", "Served models: line"),
        (_request(version=3), "NOT_FOUND", "version 3"),
    )
    def test_wrong_requests_are_told(self, request, code, message):
        actual_code, details = self._error(self.predictions.Predict, request)
        self.assertEqual(actual_code, code)
        self.assertIn(message, details)

    def test_labels_are_not_found(self):
        request = _request(x=[1.0])
        request.model_spec.version_label = "stable"
        code, _ = self._error(self.predictions.Predict, request)
        self.assertEqual(code, "NOT_FOUND")

    def test_a_message_that_is_too_long_is_refused(self):
        code, _ = self._error(
            self.predictions.Predict, _request(x=[1.0] * 3000)
        )
        self.assertEqual(code, "RESOURCE_EXHAUSTED")
        # 4 * 2000 bytes and a few are not.
        response = self._predict(_request(x=[1.0] * 2000))
        self.assertAllEqual(
            tf.make_ndarray(response.outputs["y"]), [3.0] * 2000
        )

    def test_a_client_that_cannot_wait_gets_no_answer(self):
        code, _ = self._error(
            self.predictions.Predict,
            _request("slow", num_steps=[20_000]),
            timeout=0.02,
        )
        self.assertEqual(code, "DEADLINE_EXCEEDED")

    def test_requests_beyond_the_limit_are_refused_and_no_others(self):
        codes = []

        def call():
            request = _request("slow", num_steps=[50_000])
            try:
                response = self._predict(request)
                steps = tf.make_ndarray(response.outputs["steps"])
                codes.append(int(steps[0]))
            except grpc.RpcError as error:
                codes.append(error.code().name)

        threads = [threading.Thread(target=call) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertContainsSubset(codes, [50_000, "RESOURCE_EXHAUSTED"])
        # The limit is 2; one may still be at what another test has given up.
        self.assertIn(codes.count(50_000), range(1, 6))
        self._predict(_request(x=[1.0]))

    def test_metadata_is_the_signatures(self):
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = "line"
        request.metadata_field.append("signature_def")
        response = self.predictions.GetModelMetadata(request)
        self.assertEqual(response.model_spec.version.value, 4)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        self.assertTrue(response.metadata["signature_def"].Unpack(signatures))
        inputs = signatures.signature_def["echo"].inputs
        self.assertEqual(inputs["x"].dtype, tf.float32.as_datatype_enum)

    @parameterized.parameters(([],), (["weights"],))
    def test_other_metadata_is_refused(self, fields):
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            metadata_field=fields
        )
        request.model_spec.name = "line"
        code, _ = self._error(self.predictions.GetModelMetadata, request)
        self.assertEqual(code, "INVALID_ARGUMENT")

    def test_the_state_is_told(self):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "line"
        (status,) = self.models.GetModelStatus(request).model_version_status
        state = get_model_status_pb2.ModelVersionStatus.State.Name(status.state)
        self.assertEqual((status.version, state), (4, "AVAILABLE"))
        request.model_spec.version.value = 5
        code, _ = self._error(self.models.GetModelStatus, request)
        self.assertEqual(code, "NOT_FOUND")

    def test_other_methods_are_unimplemented(self):
        for function, request in (
            (
                self.predictions.Classify,
                classification_pb2.ClassificationRequest(),
            ),
            (
                self.models.HandleReloadConfigRequest,
                model_management_pb2.ReloadConfigRequest(),
            ),
        ):
            code, _ = self._error(function, request)
            self.assertEqual(code, "UNIMPLEMENTED")


if __name__ == "__main__":
    tf.test.main()
