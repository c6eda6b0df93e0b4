"""TensorFlow Serving's gRPC protocol, through its published stubs.

The only part of the client that imports TensorFlow: the published messages
need it. Proxies are not used.
"""

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2
from tensorflow_serving.apis import get_model_status_pb2
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import model_service_pb2_grpc
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_service_pb2_grpc

from electra_tf.serving import request_errors
from electra_tf.serving import served_signatures
from electra_tf.serving import server_address
from electra_tf.serving import string_arrays

_OPTIONS = (
    # What is too large is the server's to say.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Attempts are repeated by `backoff`. A channel that has failed to connect
    # would by itself refuse to try again for a second or more.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
    # Otherwise two clients of a process share their connections' state.
    ("grpc.use_local_subchannel_pool", 1),
)


class GrpcTransport:
    """Sends requests for one model; for use by several threads.

    Args:
        address: of the server's gRPC port.
        model: its name on the server.
        version: which one; None for the newest.
        tls: whether to speak TLS.
        root_certificates: file of the certificates to trust, in PEM form;
            None for those that gRPC comes with.
    """

    def __init__(
        self,
        address: server_address.Address,
        *,
        model: str,
        version: int | None,
        tls: bool,
        root_certificates: str | None,
    ):
        self._address = address
        self._model = model
        self._version = version
        if tls:
            credentials = grpc.ssl_channel_credentials(_read(root_certificates))
            self._channel = grpc.secure_channel(
                str(address), credentials, options=_OPTIONS
            )
        else:
            self._channel = grpc.insecure_channel(
                str(address), options=_OPTIONS
            )
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(
            self._channel
        )
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        name: str,
        inputs: dict[str, np.ndarray],
        *,
        signature: served_signatures.Signature,
        timeout_s: float,
    ) -> dict[str, np.ndarray]:
        """Calls a signature; its outputs by name."""
        request = predict_pb2.PredictRequest(
            model_spec=self._model_spec(self._version),
            inputs={key: _to_proto(array) for key, array in inputs.items()},
        )
        request.model_spec.signature_name = name
        response = self._call(self._predictions.Predict, request, timeout_s)
        return {
            key: string_arrays.decode(key, tf.make_ndarray(tensor))
            for key, tensor in response.outputs.items()
            if key in signature.outputs
        }

    def metadata(
        self, *, timeout_s: float
    ) -> dict[str, served_signatures.Signature]:
        """The signatures of the model, by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._model_spec(self._version),
            metadata_field=["signature_def"],
        )
        response = self._call(
            self._predictions.GetModelMetadata, request, timeout_s
        )
        definitions = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(definitions)
        return {
            name: served_signatures.Signature(
                _tensor_infos(definition.inputs),
                _tensor_infos(definition.outputs),
            )
            for name, definition in definitions.signature_def.items()
            if not name.startswith("__")  # Not for callers.
        }

    def status(
        self, version: int | None, *, timeout_s: float
    ) -> list[served_signatures.VersionStatus]:
        """The states of all versions, or of one."""
        request = get_model_status_pb2.GetModelStatusRequest(
            model_spec=self._model_spec(version)
        )
        response = self._call(self._models.GetModelStatus, request, timeout_s)
        states = get_model_status_pb2.ModelVersionStatus.State
        return [
            served_signatures.VersionStatus(
                item.version,
                states.Name(item.state),
                item.status.error_message,
            )
            for item in response.model_version_status
        ]

    def close(self):
        self._channel.close()

    def _model_spec(self, version: int | None) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._model)
        if version is not None:
            spec.version.value = version
        return spec

    def _call(self, method, request, timeout_s: float):
        try:
            return method(request, timeout=timeout_s)
        except grpc.RpcError as error:
            message = self._explain(error, timeout_s)
            raise request_errors.of_code(error.code().name, message) from error

    def _explain(self, error: grpc.RpcError, timeout_s: float) -> str:
        code, details = error.code(), error.details()
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return server_address.late(self._address, timeout_s)
        # Of a server that is loading, too: it is one code for gRPC.
        if code == grpc.StatusCode.UNAVAILABLE:
            return server_address.unreachable(self._address, "gRPC", details)
        return f"{self._address} answered {code.name}: {details}"


def _read(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


def _to_proto(array: np.ndarray) -> tensor_pb2.TensorProto:
    if array.dtype == object:
        return tf.make_tensor_proto(array, tf.string, array.shape)
    return tf.make_tensor_proto(array)


def _tensor_infos(tensors) -> dict[str, served_signatures.TensorInfo]:
    return {
        name: served_signatures.tensor_info(
            types_pb2.DataType.Name(tensor.dtype),
            (dim.size for dim in tensor.tensor_shape.dim),
        )
        for name, tensor in tensors.items()
    }
