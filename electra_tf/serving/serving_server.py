"""An embedded server with the protocols of TensorFlow Serving.

    with serving_server.Server({"sst": "served/sst"}) as server:
        ...  # server.grpc_port, server.rest_port

It is for development and tests; production is TensorFlow Serving.
"""

import os

from electra_tf.serving import admission
from electra_tf.serving import grpc_service
from electra_tf.serving import http_listener
from electra_tf.serving import page_files
from electra_tf.serving import predict_api
from electra_tf.serving import rest_service
from electra_tf.serving import served_models
from electra_tf.serving import server_metrics

MAX_REQUEST_BYTES = 16 << 20
MAX_CONCURRENT_REQUESTS = 64


class Server:
    """Serves the newest version of some models over gRPC and REST.

    Args:
        models: folders with numbered versions, by name.
        host: address to listen at.
        grpc_port: 0 for any free one.
        rest_port: 0 for any free one.
        max_request_bytes: of a message or a body.
        max_concurrent_requests: most predictions that wait or run; more are
            refused.
        poll_wait_s: seconds between looks for new versions; 0 to look once.
        rest_timeout_s: seconds that a REST request may wait for others.
        io_timeout_s: seconds that a REST client may take to send a body.

    Attributes:
        host: as given.
        grpc_port: the one in use.
        rest_port: the one in use.
    """

    def __init__(
        self,
        models: dict[str, str],
        *,
        host: str = "127.0.0.1",
        grpc_port: int = 0,
        rest_port: int = 0,
        max_request_bytes: int = MAX_REQUEST_BYTES,
        max_concurrent_requests: int = MAX_CONCURRENT_REQUESTS,
        poll_wait_s: float = 1.0,
        rest_timeout_s: float = 30.0,
        io_timeout_s: float = 30.0,
    ):
        if not models:
            raise ValueError("There must be at least one model to serve.")
        self.host = host
        self.grpc_port = grpc_port
        self.rest_port = rest_port
        self._max_request_bytes = max_request_bytes
        self._max_requests = max_concurrent_requests
        self._io_timeout_s = io_timeout_s
        self._models = served_models.ServedModels(
            models, poll_wait_s=poll_wait_s
        )
        limits = admission.Admission(
            max_requests=max_concurrent_requests, num_slots=os.cpu_count() or 1
        )
        self._api = predict_api.PredictApi(self._models, limits)
        self._metrics = server_metrics.ServerMetrics()
        self._rest_service = rest_service.RestService(
            self._api,
            self._metrics,
            pages=page_files.load(),
            timeout_s=rest_timeout_s,
        )
        self._listener = None
        self._grpc_server = None

    def start(self, *, wait: bool = True):
        """Opens the ports, and loads the models.

        Args:
            wait: until they are loaded. Requests are answered meanwhile, with
                UNAVAILABLE.

        Raises:
            OSError: a port is taken.
            ValueError: a model cannot be loaded. Nothing is left running.
        """
        try:
            self._listener = http_listener.HttpListener(
                self._rest_service,
                host=self.host,
                port=self.rest_port,
                max_request_bytes=self._max_request_bytes,
                io_timeout_s=self._io_timeout_s,
            )
            self.rest_port = self._listener.server_port
            self._grpc_server, self.grpc_port = grpc_service.start(
                self._api,
                self._metrics,
                host=self.host,
                port=self.grpc_port,
                max_request_bytes=self._max_request_bytes,
                max_requests=self._max_requests,
            )
            self._listener.start()
            self._models.start()
            if wait:
                self.wait_until_loaded()
        except (OSError, ValueError):
            self.stop()
            raise

    def wait_until_loaded(self):
        """Raises ValueError if a model cannot be loaded."""
        self._models.wait_until_loaded()

    def stop(self, grace_s: float = 30.0):
        """Accepts no more requests, and ends when the running ones have.

        Args:
            grace_s: seconds after which those that still run are given up.
        """
        stopped = None
        if self._grpc_server is not None:
            stopped = self._grpc_server.stop(grace_s)
        if self._listener is not None:
            self._listener.stop(grace_s)
        if stopped is not None:
            stopped.wait()
        self._models.stop()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()
