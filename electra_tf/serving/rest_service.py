"""The server's REST side: which address answers what, without sockets.

    POST /v1/models/NAME[/versions/N]:predict
    GET  /v1/models/NAME[/versions/N][/metadata]
    GET  /monitoring/prometheus/metrics

are TensorFlow Serving's. Our own: `GET /v1/models` (all models, with what
their exports say about them), `/healthz`, `/metrics`, and the page.
"""

from collections.abc import Callable
import json
import re
import time
from typing import Any
from typing import NamedTuple
import urllib.parse

from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from electra_tf.serving import page_files
from electra_tf.serving import predict_api
from electra_tf.serving import served_model
from electra_tf.serving import server_metrics
from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_json

_MODEL_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)"
    r"(?:/versions/(?P<version>[0-9]{1,18})|/labels/(?P<label>[^/:]+))?"
    r"(?::(?P<action>predict|classify|regress)|/(?P<metadata>metadata))?"
)
_JSON = {"Content-Type": "application/json"}
# The format that Prometheus reads.
_METRICS = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class Response(NamedTuple):
    """An answer.

    Attributes:
        status: of HTTP.
        content: the body.
        headers: by name; length and date are left to the sender.
    """

    status: int
    content: bytes
    headers: dict[str, str]


def of_error(
    status: int, message: str, headers: dict[str, str] | None = None
) -> Response:
    """An error as TensorFlow Serving writes it."""
    content = json.dumps({"error": message}).encode()
    return Response(status, content, _JSON | (headers or {}))


class RestService:
    """Answers requests by method and path.

    Args:
        api: what answers.
        metrics: counts the answers about models.
        pages: files by path.
        timeout_s: seconds that a request may wait for others.
    """

    def __init__(
        self,
        api: predict_api.PredictApi,
        metrics: server_metrics.ServerMetrics,
        *,
        pages: dict[str, page_files.PageFile],
        timeout_s: float,
    ):
        self._api = api
        self._metrics = metrics
        self._pages = pages
        self._timeout_s = timeout_s
        self._fixed = {
            "/healthz": self._health,
            "/metrics": self._metrics_text,
            "/monitoring/prometheus/metrics": self._metrics_text,
            "/v1/models": self._models,
        }

    def answer(self, method: str, path: str, body: bytes) -> Response:
        """Answers one request.

        Args:
            method: such as "GET"; HEAD is answered like GET.
            path: with or without a query, which is not looked at.
            body: empty if there is none.
        """
        path = path.partition("?")[0]
        if path in self._pages:
            page = self._pages[path]
            return _checked(
                method,
                "GET",
                lambda: Response(200, page.content, page.headers),
            )
        if path in self._fixed:
            return _checked(method, "GET", self._fixed[path])
        match = _MODEL_PATH.fullmatch(path)
        if match is None:
            return of_error(
                404,
                f"Not found: {serving_errors.shown(path)}. Models are at "
                "/v1/models, predictions at /v1/models/NAME:predict.",
            )
        if match["action"]:
            return _checked(method, "POST", lambda: self._act(match, body))
        return _checked(method, "GET", lambda: self._describe(match))

    def _act(self, match: re.Match, body: bytes) -> Response:
        if match["action"] != "predict":
            return self._counted(match, match["action"], _not_implemented)
        return self._counted(
            match, "predict", lambda target: self._predict(target, body)
        )

    def _describe(self, match: re.Match) -> Response:
        if match["metadata"]:
            return self._counted(match, "metadata", self._metadata)
        return self._counted(match, "status", self._status)

    def _counted(
        self,
        match: re.Match,
        api_name: str,
        function: Callable[[predict_api.Target], bytes],
    ) -> Response:
        start_time = time.monotonic()
        name = urllib.parse.unquote(match["model"])
        code = serving_errors.Code.INTERNAL
        try:
            content = function(_target(name, match))
            code = serving_errors.Code.OK
        except serving_errors.ServingError as error:
            code = error.code
            return of_error(serving_errors.HTTP_STATUS[code], error.message)
        finally:
            kind = server_metrics.RequestKind(
                self._api.models.metrics_name(name), api_name, "REST"
            )
            self._metrics.record(kind, code, time.monotonic() - start_time)
        return Response(200, content, _JSON)

    def _predict(self, target: predict_api.Target, body: bytes) -> bytes:
        deadline = time.monotonic() + self._timeout_s
        with self._api.limits.admitted():
            request = tensor_json.parse(body)
            prediction = self._api.predict(
                target._replace(signature_name=request.signature_name),
                lambda fields: tensor_json.to_arrays(request, fields),
                deadline=deadline,
            )
            return tensor_json.from_arrays(
                {
                    name: tensor.numpy()
                    for name, tensor in prediction.outputs.items()
                },
                by_row=request.by_row,
            )

    def _status(self, target: predict_api.Target) -> bytes:
        statuses = [
            {
                "version": str(status.number),
                "state": status.state.name,
                "status": {
                    "error_code": status.code.name,
                    "error_message": status.message,
                },
            }
            for status in self._api.statuses(target)
        ]
        return _to_json({"model_version_status": statuses})

    def _metadata(self, target: predict_api.Target) -> bytes:
        version, signature_defs = self._api.signature_defs(target)
        signatures = json_format.MessageToDict(
            get_model_metadata_pb2.SignatureDefMap(
                signature_def=signature_defs
            ),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        spec = {
            "name": target.model,
            "signature_name": "",
            "version": str(version),
        }
        return _to_json(
            {"model_spec": spec, "metadata": {"signature_def": signatures}}
        )

    def _models(self) -> Response:
        models = [self._overview(model) for model in self._api.models.all()]
        return Response(200, _to_json({"models": models}), _JSON)

    def _overview(self, model: served_model.ServedModel) -> dict[str, Any]:
        overview = {"name": model.name, "version": None, "info": {}}
        try:
            with model.use() as version:
                overview["version"] = str(version.number)
                overview["info"] = version.info
                overview["signatures"] = version.signature_names
        except serving_errors.ServingError as error:
            overview["error"] = model.problem() or error.message
        overview["kind"] = overview["info"].get("kind")
        return overview

    def _health(self) -> Response:
        problems = [model.problem() for model in self._api.models.all()]
        problems = [problem for problem in problems if problem]
        if problems:
            return of_error(503, " ".join(problems))
        return Response(200, _to_json({"status": "ok"}), _JSON)

    def _metrics_text(self) -> Response:
        return Response(200, self._metrics.text().encode(), _METRICS)


def _checked(
    method: str, allowed: str, function: Callable[[], Response]
) -> Response:
    methods = ("GET", "HEAD") if allowed == "GET" else (allowed,)
    if method not in methods:
        return of_error(
            405,
            f"Method {method} is not allowed here; use {allowed}.",
            {"Allow": ", ".join(methods)},
        )
    return function()


def _target(name: str, match: re.Match) -> predict_api.Target:
    if match["label"]:
        raise serving_errors.ServingError(
            serving_errors.Code.NOT_FOUND,
            "This server has no version labels; use /versions/N, or nothing "
            "for the newest version.",
        )
    version = match["version"]
    return predict_api.Target(name, None if version is None else int(version))


def _not_implemented(target: predict_api.Target) -> bytes:
    raise serving_errors.ServingError(
        serving_errors.Code.UNIMPLEMENTED,
        f"Model {target.model!r} answers :predict; :classify and :regress are "
        "TensorFlow Serving's only.",
    )


def _to_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()
