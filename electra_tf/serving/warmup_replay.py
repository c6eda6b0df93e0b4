"""Requests that come with a model, sent to it before any others.

As TensorFlow Serving does it: `assets.extra/tf_serving_warmup_requests` has
records of PredictionLog, and a model is not served unless they succeed.
"""

import os

from google.protobuf import message
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from electra_tf.serving import loaded_version
from electra_tf.serving import tensor_fields
from electra_tf.serving import tensor_protos

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
# TensorFlow Serving refuses files with more.
MAX_RECORDS = 1000
# Bytes that TFRecord adds to a record: length, and two checksums.
_OVERHEAD = 8 + 4 + 4
# The file is the model's own, so this is only against damage.
_MAX_BYTES = 1 << 30


def replay(version: loaded_version.LoadedVersion) -> int:
    """Sends a version its requests of the file, if there is one.

    Returns:
        How many there were.

    Raises:
        ValueError: the file is broken.
        ServingError: a request fails.
    """
    path = os.path.join(version.path, WARMUP_FILE)
    if not tf.io.gfile.exists(path):
        return 0
    num_records, num_bytes = 0, 0
    try:
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            num_records += 1
            num_bytes += len(record) + _OVERHEAD
            if num_records > MAX_RECORDS:
                raise ValueError(
                    f"{path!r} has more than {MAX_RECORDS} records."
                )
            _send(version, record, f"Record {num_records} of {path!r}")
    except tf.errors.DataLossError as error:
        raise ValueError(f"{path!r} is damaged: {error.message}") from error
    # TensorFlow takes a part of a record's head for the end of the file.
    if num_bytes != tf.io.gfile.stat(path).length:
        raise ValueError(f"{path!r} is damaged: its end is missing.")
    return num_records


def _send(version: loaded_version.LoadedVersion, record: bytes, place: str):
    log = prediction_log_pb2.PredictionLog()
    try:
        log.ParseFromString(record)
    except message.DecodeError as error:
        raise ValueError(f"{place} is no PredictionLog.") from error
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise ValueError(f"{place} is a {kind}; only predict_log is known.")
    request = log.predict_log.request
    name = request.model_spec.signature_name or loaded_version.DEFAULT_SIGNATURE
    fields = version.fields(name)
    tensor_fields.check_names(request.inputs, fields)
    inputs = {
        key: tensor_protos.to_tensor(
            key, request.inputs[key], field, max_bytes=_MAX_BYTES
        )
        for key, field in fields.items()
    }
    version.run(name, inputs)
