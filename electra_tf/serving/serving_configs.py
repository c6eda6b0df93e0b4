"""Configuration files of TensorFlow Serving, and of its container.

    models.config            which models are served, under which names
    batching_parameters.txt  how requests are put together into batches
    monitoring.config        metrics for Prometheus
    docker-compose.yml       the official image with these files, and a check

Each begins with a comment that explains it. The first three are messages in
protobuf's text format: `ModelServerConfig`, `BatchingParameters` and
`MonitoringConfig` of https://github.com/tensorflow/serving. The Python package
of its protocol has only the first of them.
"""

import dataclasses
import json
import os
import re

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

IMAGE = "tensorflow/serving:2.20.0"
GRPC_PORT = 8500
REST_PORT = 8501

# What the container sees, as its own documentation has it.
_MODELS_DIR = "/models"
_CONFIG_DIR = "/config"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")

_MODELS_COMMENT = """\
# Which models TensorFlow Serving serves, for --model_config_file.
#
# `name` is what clients ask for. `base_path` holds the numbered versions; it
# is a path in the container (see docker-compose.yml): outside of one, write
# where the folder is. The newest version is served, and a newer one that
# appears is loaded before the older one goes. To serve several at once:
#     model_version_policy { specific { versions: 1 versions: 2 } }
# and to give one a name that clients can ask for:
#     version_labels { key: "stable" value: 1 }
"""
_BATCHING_COMMENT = """\
# How TensorFlow Serving puts requests together into batches, for
# --enable_batching --batching_parameters_file.
#
# max_batch_size: rows of all requests in a batch. A single request with more
#   is refused: keep the client's --batch_size at or below it.
# batch_timeout_micros: how long a request may wait for others. 0 takes what is
#   there, which is right for CPUs; for a GPU try 1000 to 5000.
# num_batch_threads: batches that are computed at once; as many as there are
#   cores, or 1 to 4 for a GPU.
# max_enqueued_batches: batches that wait; more requests are refused with
#   UNAVAILABLE, which the client tries again after a pause.
# allowed_batch_sizes: batches are filled up to one of these sizes, so that
#   few shapes are compiled and warmed up; ascending, the last is
#   max_batch_size. Without any, batches are as large as they happen to be.
# pad_variable_length_inputs: must stay false. TensorFlow Serving would pad
#   with the first value of each tensor, which is 1 in an input_mask, and the
#   model would read the padding. Signatures that take text do not need it.
#   Requests for those that take ids must have one length, or they are refused
#   when they meet in a batch.
"""
_MONITORING_COMMENT = """\
# Metrics of TensorFlow Serving, for --monitoring_config_file: counts and
# latencies of requests by model, which Prometheus reads from this path at the
# port of REST.
"""
_COMPOSE_COMMENT = """\
# Serves the models of models.config with TensorFlow Serving.
#
#     docker compose up --detach --wait   # Returns when all are available.
#     docker compose logs --follow
#     docker compose down
#
# TensorFlow Serving knows no users and no passwords: the ports are open to
# this machine only. To open them to others, put a proxy before them that
# does, or take 127.0.0.1 away in a network that you trust.
# For GPUs the image is {image}-gpu, which needs
# the NVIDIA container toolkit and `gpus: all`.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServingConfig:
    """What the files say.

    Attributes:
        base_paths: Folders of models, each with numbered versions; a model
            has the name of its folder.
        max_batch_size: Rows in a batch, of all requests in it.
        allowed_batch_sizes: Sizes that batches are filled up to, ascending;
            the last is max_batch_size. Empty for any size.
        batch_timeout_micros: How long a request may wait for others.
        num_batch_threads: Batches that are computed at once.
        max_enqueued_batches: Batches that may wait.
        image: Of the container.
    """

    base_paths: tuple[str, ...]
    max_batch_size: int = 32
    allowed_batch_sizes: tuple[int, ...] = ()
    batch_timeout_micros: int = 0
    num_batch_threads: int = 4
    max_enqueued_batches: int = 100
    image: str = IMAGE

    def __post_init__(self):
        if not self.base_paths:
            raise ValueError("Name at least one model_base_path.")
        for path in self.base_paths:
            _check_base_path(path)
        names = list(self.models)
        if len(names) < len(self.base_paths):
            raise ValueError(
                "Two models have one name, that of their folders: "
                f"{', '.join(self.base_paths)}."
            )
        for name in ("max_batch_size", "num_batch_threads"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1, got {getattr(self, name)}."
                )
        for name in ("batch_timeout_micros", "max_enqueued_batches"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"{name} must not be negative, got {getattr(self, name)}."
                )
        sizes = self.allowed_batch_sizes
        if sizes and (
            list(sizes) != sorted(set(sizes))
            or sizes[0] < 1
            or sizes[-1] != self.max_batch_size
        ):
            raise ValueError(
                "allowed_batch_sizes must ascend to max_batch_size, which is "
                f"{self.max_batch_size}, got {list(sizes)}."
            )

    @property
    def models(self) -> dict[str, str]:
        """Absolute base paths by the names of the models."""
        paths = map(os.path.abspath, self.base_paths)
        return {os.path.basename(path): path for path in paths}


def models_config(config: ServingConfig) -> str:
    """The contents of models.config."""
    message = model_server_config_pb2.ModelServerConfig()
    for name in config.models:
        message.model_config_list.config.add(
            name=name,
            base_path=f"{_MODELS_DIR}/{name}",
            model_platform="tensorflow",
        )
    return _MODELS_COMMENT + text_format.MessageToString(message)


def batching_parameters(config: ServingConfig) -> str:
    """The contents of batching_parameters.txt."""
    lines = [
        f"{name} {{ value: {getattr(config, name)} }}"
        for name in (
            "max_batch_size",
            "batch_timeout_micros",
            "num_batch_threads",
            "max_enqueued_batches",
        )
    ]
    lines += [
        f"allowed_batch_sizes: {size}" for size in config.allowed_batch_sizes
    ]
    lines.append("pad_variable_length_inputs: false")
    return _BATCHING_COMMENT + "\n".join(lines) + "\n"


def monitoring_config() -> str:
    """The contents of monitoring.config."""
    return (
        _MONITORING_COMMENT
        + "prometheus_config {\n"
        + "  enable: true\n"
        + '  path: "/monitoring/prometheus/metrics"\n'
        + "}\n"
    )


def docker_compose(config: ServingConfig) -> str:
    """The contents of docker-compose.yml."""
    volumes = [
        f"      - type: bind\n"
        f"        source: {_yaml_string(source)}\n"
        f"        target: {_yaml_string(target)}\n"
        f"        read_only: true\n"
        for source, target in [
            (".", _CONFIG_DIR),
            *(
                (path, f"{_MODELS_DIR}/{name}")
                for name, path in config.models.items()
            ),
        ]
    ]
    return (
        _COMPOSE_COMMENT.format(image=IMAGE)
        + f"""\
services:
  serving:
    image: {_yaml_string(config.image)}
    command:
      - --model_config_file={_CONFIG_DIR}/models.config
      - --model_config_file_poll_wait_seconds=60
      - --monitoring_config_file={_CONFIG_DIR}/monitoring.config
      - --enable_batching=true
      - --batching_parameters_file={_CONFIG_DIR}/batching_parameters.txt
    ports:
      - "127.0.0.1:{GRPC_PORT}:{GRPC_PORT}"  # gRPC
      - "127.0.0.1:{REST_PORT}:{REST_PORT}"  # REST and metrics
    volumes:
{"".join(volumes)}\
    healthcheck:
      # The image has no curl; bash opens the connection. A model that is
      # still loading, or failed to, is not AVAILABLE.
      test:
        - CMD
        - bash
        - -c
        - |
          for model in {" ".join(config.models)}; do
            exec 3<>/dev/tcp/127.0.0.1/{REST_PORT} || exit 1
            printf 'GET /v1/models/%s HTTP/1.1\\r\\n' "$$model" >&3
            printf 'Host: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
            grep -q '"AVAILABLE"' <&3 || exit 1
          done
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 2m
    restart: unless-stopped
"""
    )


def write_all(
    output_dir: str, config: ServingConfig, *, overwrite: bool = False
) -> list[str]:
    """Writes the four files.

    Args:
        output_dir: is made if needed.
        config: what they say.
        overwrite: whether files of these names may be replaced.

    Returns:
        Their paths.

    Raises:
        ValueError: one exists and may not be replaced; then none is written.
    """
    contents = {
        "models.config": models_config(config),
        "batching_parameters.txt": batching_parameters(config),
        "monitoring.config": monitoring_config(),
        "docker-compose.yml": docker_compose(config),
    }
    paths = {os.path.join(output_dir, name): name for name in contents}
    existing = [path for path in paths if os.path.exists(path)]
    if existing and not overwrite:
        raise ValueError(
            f"{', '.join(existing)} exist. Say --overwrite to replace them, or "
            "name another folder."
        )
    os.makedirs(output_dir, exist_ok=True)
    for path, name in paths.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(contents[name])
    return list(paths)


def _check_base_path(path: str):
    """Raises ValueError unless a folder has versions and a usable name."""
    name = os.path.basename(os.path.abspath(path))
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"The folder {path!r} cannot name a model: letters, digits and "
            "_ . - are allowed. Rename it."
        )
    versions = [
        entry
        for entry in (os.listdir(path) if os.path.isdir(path) else ())
        if entry.isdecimal()
    ]
    if not versions:
        raise ValueError(
            f"{path!r} holds no version of a model, such as "
            f"{os.path.join(path, '1')}. Give the folder that "
            "export_model or export_task wrote to."
        )


def _yaml_string(text: str) -> str:
    """A string in YAML; JSON is a part of it. Compose reads $ as a variable."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)
