"""The model of `stub_model` behind TensorFlow Serving's gRPC protocol."""

from concurrent import futures
import time

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from tests import stub_model


class _Predictions(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, faults):
        self._faults = faults

    def Predict(self, request, context):  # noqa: N802  Of the protocol.
        _check_model(request, context)
        with self._faults.of_request() as fault:
            if fault == "unavailable":
                context.abort(grpc.StatusCode.UNAVAILABLE, "It is loading.")
            if fault == "slow":
                time.sleep(1.0)
            inputs = {
                name: tf.make_ndarray(tensor)
                for name, tensor in request.inputs.items()
            }
            if b"refuse" in np.ravel(inputs.get("text", ())):
                context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, "The text is refused."
                )
            outputs = stub_model.answer(
                request.model_spec.signature_name, inputs
            )
        if fault == "short":
            outputs = {name: array[1:] for name, array in outputs.items()}
        return predict_pb2.PredictResponse(
            outputs={
                name: tf.make_tensor_proto(array)
                if array.dtype != object
                else tf.make_tensor_proto(array, tf.string, array.shape)
                for name, array in outputs.items()
            }
        )

    def GetModelMetadata(self, request, context):  # noqa: N802
        _check_model(request, context)
        definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, (inputs, outputs) in stub_model.SIGNATURES.items():
            definition = definitions.signature_def[name]
            for tensors, infos in (
                (inputs, definition.inputs),
                (outputs, definition.outputs),
            ):
                for key, (dtype, sizes) in tensors.items():
                    infos[key].dtype = types_pb2.DataType.Value(dtype)
                    for size in sizes:
                        infos[key].tensor_shape.dim.add(size=size)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(definitions)
        return response


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    def GetModelStatus(self, request, context):  # noqa: N802
        _check_model(request, context)
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(
            version=stub_model.VERSION,
            state=get_model_status_pb2.ModelVersionStatus.AVAILABLE,
        )
        return response


class GrpcServer:
    """Serves the model by gRPC on a free port, while it is entered.

    Args:
        credentials: for TLS; None for none.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None):
        self.faults = stub_model.Faults()
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            _Predictions(self.faults), self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            _Models(), self._server
        )
        if credentials is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            port = self._server.add_secure_port("localhost:0", credentials)
        self.port = port
        self.address = f"127.0.0.1:{port}"

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *exception):
        self._server.stop(grace=0).wait()


def _check_model(request, context):
    spec = request.model_spec
    if spec.name != stub_model.NAME:
        context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found")
    if spec.HasField("version") and spec.version.value != stub_model.VERSION:
        context.abort(grpc.StatusCode.NOT_FOUND, "Version not found")
