"""One version of a model in memory: what it takes, and its answers."""

from collections.abc import Mapping
import json
import os
from typing import Any

from google.protobuf import message
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
import tensorflow_text  # noqa: F401  Registers its operations.

from electra_tf.serving import serving_errors
from electra_tf.serving import tensor_fields

DEFAULT_SIGNATURE = "serving_default"
# The part of a SavedModel that servers use.
_TAG = "serve"
# What is around the message of an error in a graph.
_BEFORE_MESSAGE = "<stack traces unavailable>\n"
_AFTER_MESSAGE = "\n\t [[{{node "


class LoadedVersion:
    """A SavedModel that answers.

    Args:
        path: its numbered folder.

    Raises:
        Exception: of many kinds, as `tf.saved_model.load` raises what it
            happens to meet in a damaged file.

    Attributes:
        number: of the version.
        path: as given.
        signature_defs: what `saved_model.pb` says about it, by name.
        info: of `assets.extra/model_info.json`; empty if there is none.
    """

    def __init__(self, path: str):
        self.number = int(os.path.basename(path))
        self.path = path
        self.info = _read_info(path)
        self.signature_defs = _read_signature_defs(path)
        self._model = tf.saved_model.load(path)
        self._functions = dict(self._model.signatures)
        self._fields = {
            name: _fields(function)
            for name, function in self._functions.items()
        }

    @property
    def signature_names(self) -> list[str]:
        return sorted(self._fields)

    def fields(self, signature_name: str) -> dict[str, tensor_fields.Field]:
        """What a signature takes, by name; ServingError if there is none."""
        if signature_name not in self._fields:
            raise serving_errors.invalid(
                f"There is no signature "
                f"{serving_errors.shown(signature_name)}; the model has "
                f"{', '.join(sorted(self._fields)) or 'none'}."
            )
        return self._fields[signature_name]

    def run(
        self,
        signature_name: str,
        inputs: Mapping[str, tf.Tensor | np.ndarray],
    ) -> dict[str, tf.Tensor]:
        """What a signature answers.

        Args:
            signature_name: one that there is.
            inputs: by name, with the types and shapes of `fields`.

        Raises:
            ServingError: an operation failed.
        """
        fields = self.fields(signature_name)
        tensors = {
            name: tf.convert_to_tensor(value, tf.as_dtype(fields[name].dtype))
            for name, value in inputs.items()
        }
        try:
            return self._functions[signature_name](**tensors)
        except tf.errors.OpError as error:
            raise of_operation(error) from error


def of_operation(error: tf.errors.OpError) -> serving_errors.ServingError:
    """TensorFlow's error for a client; the codes are the same."""
    text = error.message.rpartition(_BEFORE_MESSAGE)[2]
    text = text.partition(_AFTER_MESSAGE)[0]
    return serving_errors.ServingError(
        serving_errors.Code(error.error_code), text
    )


def _fields(function) -> dict[str, tensor_fields.Field]:
    _, specs = function.structured_input_signature
    return {
        name: tensor_fields.Field(
            dtype=np.dtype(spec.dtype.as_numpy_dtype),
            shape=None
            if spec.shape.rank is None
            else tuple(spec.shape.as_list()),
        )
        for name, spec in specs.items()
    }


def _read_signature_defs(
    path: str,
) -> dict[str, meta_graph_pb2.SignatureDef]:
    saved_model = saved_model_pb2.SavedModel()
    graph_path = os.path.join(path, "saved_model.pb")
    with tf.io.gfile.GFile(graph_path, "rb") as file:
        try:
            saved_model.ParseFromString(file.read())
        except message.DecodeError as error:
            raise ValueError(f"{graph_path!r} is damaged: {error}.") from error
    for meta_graph in saved_model.meta_graphs:
        if _TAG in meta_graph.meta_info_def.tags:
            return dict(meta_graph.signature_def)
    raise ValueError(f"{path!r} has no graph with the tag {_TAG!r}.")


def _read_info(path: str) -> dict[str, Any]:
    info = os.path.join(path, "assets.extra", "model_info.json")
    if not tf.io.gfile.exists(info):
        return {}
    with tf.io.gfile.GFile(info) as file:
        return json.load(file)
