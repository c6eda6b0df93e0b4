"""Serves exported models on this computer, as TensorFlow Serving would.

    python -m electra_tf.serving.local_server --model_base_path=SERVED/sst

It is for development and tests. In production use TensorFlow Serving, which
has the same addresses, gRPC methods and flags, and batches requests.
"""

import os
import signal
import threading

from absl import flags

from electra_tf import program
from electra_tf.serving import model_config_file
from electra_tf.serving import serving_server

_MODEL_BASE_PATH = flags.DEFINE_string(
    "model_base_path", None, "Folder of a model's numbered versions."
)
_MODEL_NAME = flags.DEFINE_string(
    "model_name", None, "Its name; by default that of the folder."
)
_MODEL_CONFIG_FILE = flags.DEFINE_string(
    "model_config_file", None, "A models.config, to serve several models."
)
_HOST = flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "Address to listen at. Nothing but a firewall protects any other one.",
)
_PORT = flags.DEFINE_integer(
    "port", 8500, "For gRPC; 0 takes a free one.", 0, 65535
)
_REST_API_PORT = flags.DEFINE_integer(
    "rest_api_port",
    8501,
    "For REST, metrics and the page; 0 takes a free one.",
    0,
    65535,
)
_MAX_REQUEST_BYTES = flags.DEFINE_integer(
    "max_request_bytes",
    serving_server.MAX_REQUEST_BYTES,
    "Longest request; longer ones are refused.",
    lower_bound=1,
)
_MAX_CONCURRENT_REQUESTS = flags.DEFINE_integer(
    "max_concurrent_requests",
    serving_server.MAX_CONCURRENT_REQUESTS,
    "Most predictions that wait or run; more are refused.",
    lower_bound=1,
)
_POLL_WAIT_SECONDS = flags.DEFINE_float(
    "file_system_poll_wait_seconds",
    1.0,
    "Time between looks for new versions; 0 looks only at the start.",
    lower_bound=0.0,
)
_REST_TIMEOUT_MS = flags.DEFINE_integer(
    "rest_api_timeout_in_ms",
    30_000,
    "How long a REST request may wait for others.",
    lower_bound=1,
)


def main():
    models = _models()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopped.set())
    with serving_server.Server(
        models,
        host=_HOST.value,
        grpc_port=_PORT.value,
        rest_port=_REST_API_PORT.value,
        max_request_bytes=_MAX_REQUEST_BYTES.value,
        max_concurrent_requests=_MAX_CONCURRENT_REQUESTS.value,
        poll_wait_s=_POLL_WAIT_SECONDS.value,
        rest_timeout_s=_REST_TIMEOUT_MS.value / 1000,
    ) as server:
        print(
            f"Serving {', '.join(models)}: gRPC at "
            f"{server.host}:{server.grpc_port}, REST at "
            f"http://{server.host}:{server.rest_port}. For development and "
            "tests; in production use TensorFlow Serving.",
            flush=True,
        )
        stopped.wait()


def _models() -> dict[str, str]:
    """Folders by name, as the flags have them."""
    if (_MODEL_BASE_PATH.value is None) == (_MODEL_CONFIG_FILE.value is None):
        raise ValueError(
            "Give either --model_base_path, for one model, or "
            "--model_config_file, for several."
        )
    if _MODEL_CONFIG_FILE.value is not None:
        if _MODEL_NAME.value is not None:
            raise ValueError(
                "--model_name goes with --model_base_path; the names of a "
                "--model_config_file are in it."
            )
        return model_config_file.read(_MODEL_CONFIG_FILE.value)
    base_path = _MODEL_BASE_PATH.value.rstrip("/")
    return {_MODEL_NAME.value or os.path.basename(base_path): base_path}


def run():
    program.run(main)


if __name__ == "__main__":
    run()
