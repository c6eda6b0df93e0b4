"""Tests of requests that come with a model."""

import os
import tempfile

import tensorflow as tf
from tensorflow_serving.apis import classification_pb2
from tensorflow_serving.apis import predict_pb2
from tensorflow_serving.apis import prediction_log_pb2

from electra_tf.serving import loaded_version
from electra_tf.serving import serving_errors
from electra_tf.serving import warmup_replay
from tests import handmade_models


def _request(signature_name: str = "", **inputs) -> bytes:
    request = predict_pb2.PredictRequest()
    # TensorFlow Serving ignores name and version: it is this model's file.
    request.model_spec.name = "another"
    request.model_spec.signature_name = signature_name
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    ).SerializeToString()


class _Recorder(loaded_version.LoadedVersion):
    """Remembers which signatures were run."""

    def __init__(self, path: str):
        super().__init__(path)
        self.names = []

    def run(self, signature_name, inputs):
        self.names.append(signature_name)
        return super().run(signature_name, inputs)


class WarmupReplayTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base_path = cls.enterClassContext(tempfile.TemporaryDirectory())
        path = handmade_models.save(base_path, 1)
        cls.version = _Recorder(path)
        cls.file = os.path.join(path, warmup_replay.WARMUP_FILE)
        os.makedirs(os.path.dirname(cls.file))

    def setUp(self):
        super().setUp()
        self.version.names.clear()
        if os.path.exists(self.file):
            os.remove(self.file)

    def _write(self, *records: bytes):
        with tf.io.TFRecordWriter(self.file) as writer:
            for record in records:
                writer.write(record)

    def test_every_request_is_run(self):
        self._write(_request(x=[1.0]), _request("check", x=[[1, 2]]))
        self.assertEqual(warmup_replay.replay(self.version), 2)
        self.assertEqual(self.version.names, ["serving_default", "check"])

    def test_without_a_file_nothing_is_run(self):
        self.assertEqual(warmup_replay.replay(self.version), 0)
        self.assertEmpty(self.version.names)

    def test_a_request_that_fails_is_an_error(self):
        for record, message in (
            (_request("check", x=[[1, -2]]), "assertion failed"),
            (_request("nine", x=[1.0]), "no signature 'nine'"),
            (_request(x=[1]), "DT_INT32, but DT_FLOAT"),
            (_request(z=[1.0]), "missing x"),
        ):
            self._write(_request(x=[1.0]), record)
            with self.assertRaisesRegex(serving_errors.ServingError, message):
                warmup_replay.replay(self.version)

    def test_a_damaged_file_is_an_error(self):
        self._write(_request(x=[1.0]))
        with open(self.file, "rb") as file:
            whole = file.read()
        flipped = whole[:20] + bytes([whole[20] ^ 1]) + whole[21:]
        for damaged in (whole + b"torn", whole[:-1], whole[:5], flipped):
            with open(self.file, "wb") as file:
                file.write(damaged)
            with self.assertRaisesRegex(ValueError, "is damaged"):
                warmup_replay.replay(self.version)

    def test_other_records_are_an_error(self):
        self._write(_request(x=[1.0]), b"no message")
        with self.assertRaisesRegex(ValueError, "Record 2 of .* is no Predict"):
            warmup_replay.replay(self.version)
        log = prediction_log_pb2.PredictionLog(
            classify_log=prediction_log_pb2.ClassifyLog(
                request=classification_pb2.ClassificationRequest()
            )
        )
        self._write(log.SerializeToString())
        with self.assertRaisesRegex(ValueError, "is a classify_log"):
            warmup_replay.replay(self.version)

    def test_there_may_be_a_thousand_records_and_no_more(self):
        request = _request(x=[1.0])
        self._write(*[request] * 1000)
        self.assertEqual(warmup_replay.replay(self.version), 1000)
        self._write(*[request] * 1001)
        with self.assertRaisesRegex(ValueError, "more than 1000 records"):
            warmup_replay.replay(self.version)


if __name__ == "__main__":
    tf.test.main()
