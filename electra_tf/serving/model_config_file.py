"""Reads which models to serve from TensorFlow Serving's models.config."""

from google.protobuf import text_format
import tensorflow as tf
from tensorflow_serving.config import model_server_config_pb2


def read(path: str) -> dict[str, str]:
    """Folders of models by name.

    Args:
        path: of a ModelServerConfig in text format.

    Raises:
        ValueError: it is malformed, or asks for what the embedded server does
            not do.
    """
    config = model_server_config_pb2.ModelServerConfig()
    with tf.io.gfile.GFile(path) as file:
        try:
            text_format.Parse(file.read(), config)
        except text_format.ParseError as error:
            raise ValueError(
                f"{path!r} is no ModelServerConfig in text format: {error}"
            ) from error
    models = {}
    for model in config.model_config_list.config:
        _check(path, model)
        if model.name in models:
            raise ValueError(f"{path!r} has two models {model.name!r}.")
        models[model.name] = model.base_path
    if not models:
        raise ValueError(f"{path!r} has no model in a model_config_list.")
    return models


def _check(path: str, model: model_server_config_pb2.ModelConfig):
    if not model.name or not model.base_path:
        raise ValueError(
            f"{path!r} has a model without a name or a base_path: {model}"
        )
    if model.model_platform not in ("", "tensorflow"):
        raise ValueError(
            f"Model {model.name!r} in {path!r} is of the platform "
            f"{model.model_platform!r}; only 'tensorflow' can be served."
        )
    policy = model.model_version_policy.WhichOneof("policy_choice")
    num_versions = model.model_version_policy.latest.num_versions
    if policy not in (None, "latest") or num_versions > 1:
        raise ValueError(
            f"Model {model.name!r} in {path!r} asks for certain or several "
            "versions. The embedded server serves only the newest one; "
            "TensorFlow Serving can serve others."
        )
    if model.version_labels:
        raise ValueError(
            f"Model {model.name!r} in {path!r} has version_labels. The "
            "embedded server knows none; TensorFlow Serving does."
        )
