"""Requests that TensorFlow Serving runs before a version gets traffic.

The first request of each size is slow: memory is taken, kernels are chosen.
A file beside the SavedModel has it happen while the version before it still
answers. https://www.tensorflow.org/tfx/serving/saved_model_warmup
"""

from collections.abc import Mapping
from collections.abc import Sequence
import os

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_log_pb2

FILE_NAME = os.path.join("assets.extra", "tf_serving_warmup_requests")
# TensorFlow Serving refuses to load a version with more.
MAX_RECORDS = 1000


def write(
    version_path: str,
    samples: Mapping[str, Mapping[str, object]],
    batch_sizes: Sequence[int],
) -> str:
    """Writes a request for each signature in each size of the batch.

    Args:
        version_path: folder of the SavedModel, such as BASE/NAME/1.
        samples: the inputs by signature: by name, arrays or tensors, of the
            types that it takes, or lists of texts; with at least one row.
            Rows are repeated, or left out, to make up a size.
        batch_sizes: rows of the requests. On a server with batching, its
            `allowed_batch_sizes`.

    Returns:
        The path of the file.

    Raises:
        ValueError: there are too many requests, or none.
    """
    if not batch_sizes or min(batch_sizes) < 1:
        raise ValueError(
            "Batch sizes of warm-up requests must be positive, got "
            f"{list(batch_sizes)}."
        )
    model = os.path.basename(os.path.dirname(os.path.abspath(version_path)))
    requests = [
        _request(model, signature, inputs, size)
        for size in sorted(set(batch_sizes))
        for signature, inputs in samples.items()
    ]
    if not 1 <= len(requests) <= MAX_RECORDS:
        raise ValueError(
            f"A warm-up file has 1 to {MAX_RECORDS} requests, not "
            f"{len(requests)}: give fewer signatures or batch sizes."
        )
    path = os.path.join(version_path, FILE_NAME)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path + ".tmp") as writer:
        for request in requests:
            writer.write(request.SerializeToString())
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
    return path


def read(version_path: str) -> list[prediction_log_pb2.PredictionLog]:
    """The requests of a file that `write` made; none if there is no file."""
    path = os.path.join(version_path, FILE_NAME)
    if not tf.io.gfile.exists(path):
        return []
    return [
        prediction_log_pb2.PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(path)
    ]


def _request(
    model: str, signature: str, inputs: Mapping[str, object], size: int
) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest(
        model_spec=model_pb2.ModelSpec(name=model, signature_name=signature),
        inputs={
            name: tf.make_tensor_proto(_resized(values, size))
            for name, values in inputs.items()
        },
    )
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def _resized(values, size: int) -> np.ndarray:
    """Rows, from the first one on and around again, of a given number."""
    array = np.asarray(values)
    if not array.ndim or not len(array):
        raise ValueError(
            f"A sample for warm-up needs at least one row, got {values!r}."
        )
    return array[np.arange(size) % len(array)]
