"""The server's gRPC side: PredictionService and ModelService."""

from collections.abc import Callable
from concurrent import futures
import functools
import time

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from electra_tf.serving import predict_api
from electra_tf.serving import server_metrics
from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields
from electra_tf.serving import tensor_protos

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_SIGNATURE_DEF = "signature_def"
# Threads beyond those for predictions: they refuse what is too much, and
# answer questions about models meanwhile.
_SPARE_THREADS = 8


def start(
    api: predict_api.PredictApi,
    metrics: server_metrics.ServerMetrics,
    *,
    host: str,
    port: int,
    max_request_bytes: int,
    max_requests: int,
) -> tuple[grpc.Server, int]:
    """Starts a gRPC server.

    Args:
        api: what answers.
        metrics: counts the answers.
        host: address to listen at.
        port: of it; 0 for any free one.
        max_request_bytes: of a message.
        max_requests: how many `api` admits.

    Returns:
        The server, and its port.

    Raises:
        OSError: the port is taken.
    """
    server = grpc.server(
        futures.ThreadPoolExecutor(max_requests + _SPARE_THREADS, "grpc"),
        options=[
            ("grpc.max_receive_message_length", max_request_bytes),
            ("grpc.max_send_message_length", -1),
            # Otherwise two servers could share a port, and its requests.
            ("grpc.so_reuseport", 0),
        ],
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(api, metrics, max_request_bytes), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(
        _ModelService(api, metrics), server
    )
    try:
        bound_port = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(
            f"Cannot listen at {host}:{port} for gRPC. Is another server "
            "running there? Port 0 takes any free one."
        ) from error
    server.start()
    return server, bound_port


def _answered(api_name: str) -> Callable:
    """Makes a method of one that may raise ServingError, and counts it."""

    def decorate(method: Callable) -> Callable:
        @functools.wraps(method)
        def answer(self, request, context):
            start_time = time.monotonic()
            code, message = serving_errors.Code.INTERNAL, ""
            try:
                response = method(self, request, context)
                code = serving_errors.Code.OK
            except serving_errors.ServingError as error:
                code, message = error.code, error.message
            finally:
                name = self.api.models.metrics_name(request.model_spec.name)
                kind = server_metrics.RequestKind(name, api_name, "GRPC")
                seconds = time.monotonic() - start_time
                self.metrics.record(kind, code, seconds)
            if code != serving_errors.Code.OK:
                context.abort(_CODES[code], message)
            return response

        return answer

    return decorate


def _unimplemented(self, request, context):
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        "This server has Predict, GetModelMetadata and GetModelStatus; "
        "TensorFlow Serving has more.",
    )


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    Classify = Regress = MultiInference = _unimplemented

    def __init__(
        self,
        api: predict_api.PredictApi,
        metrics: server_metrics.ServerMetrics,
        max_request_bytes: int,
    ):
        self.api = api
        self.metrics = metrics
        self._max_bytes = max_request_bytes

    @_answered("predict")
    def Predict(self, request, context):
        def decode(fields):
            tensor_fields.check_names(request.inputs, fields)
            return {
                name: tensor_protos.to_tensor(
                    name,
                    request.inputs[name],
                    field,
                    max_bytes=self._max_bytes,
                )
                for name, field in fields.items()
            }

        remaining = context.time_remaining()
        deadline = None if remaining is None else time.monotonic() + remaining
        with self.api.limits.admitted():
            prediction = self.api.predict(
                _target(request.model_spec),
                decode,
                output_names=request.output_filter,
                deadline=deadline,
            )
            return predict_pb2.PredictResponse(
                model_spec=_model_spec(
                    request.model_spec.name,
                    prediction.version,
                    prediction.signature_name,
                ),
                outputs={
                    name: tensor_protos.from_tensor(tensor)
                    for name, tensor in prediction.outputs.items()
                },
            )

    @_answered("metadata")
    def GetModelMetadata(self, request, context):
        if list(request.metadata_field) != [_SIGNATURE_DEF]:
            raise serving_errors.invalid(
                f"metadata_field must be [{_SIGNATURE_DEF!r}], not "
                f"{serving_errors.shown(list(request.metadata_field))}."
            )
        target = _target(request.model_spec)
        version, signature_defs = self.api.signature_defs(target)
        response = get_model_metadata_pb2.GetModelMetadataResponse(
            model_spec=_model_spec(target.model, version)
        )
        response.metadata[_SIGNATURE_DEF].Pack(
            get_model_metadata_pb2.SignatureDefMap(signature_def=signature_defs)
        )
        return response


class _ModelService(model_service_pb2_grpc.ModelServiceServicer):
    HandleReloadConfigRequest = _unimplemented

    def __init__(
        self,
        api: predict_api.PredictApi,
        metrics: server_metrics.ServerMetrics,
    ):
        self.api = api
        self.metrics = metrics

    @_answered("status")
    def GetModelStatus(self, request, context):
        response = get_model_status_pb2.GetModelStatusResponse()
        for status in self.api.statuses(_target(request.model_spec)):
            version_status = response.model_version_status.add(
                version=status.number, state=status.state
            )
            version_status.status.error_code = status.code
            version_status.status.error_message = status.message
        return response


def _target(model_spec: model_pb2.ModelSpec) -> predict_api.Target:
    choice = model_spec.WhichOneof("version_choice")
    if choice == "version_label":
        raise serving_errors.ServingError(
            serving_errors.Code.NOT_FOUND,
            "This server has no version labels; name a version's number, or "
            "none for the newest.",
        )
    return predict_api.Target(
        model_spec.name,
        model_spec.version.value if choice == "version" else None,
        model_spec.signature_name,
    )


def _model_spec(
    name: str, version: int, signature_name: str = ""
) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=name, signature_name=signature_name)
    spec.version.value = version
    return spec
