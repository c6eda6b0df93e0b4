"""Tests of the requests for warm-up."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf.serving import warmup


class WarmupTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.create_tempdir().full_path, "sst", "1")

    def test_there_is_a_request_of_each_size_for_each_signature(self):
        ids = np.array([[1, 2], [3, 4]], np.int32)
        written = warmup.write(
            self.path,
            {
                "serving_default": {"text": tf.constant(["a", "é", "c"])},
                "ids": {"input_ids": ids},
            },
            [4, 1],
        )
        self.assertEqual(
            written,
            os.path.join(
                self.path, "assets.extra", "tf_serving_warmup_requests"
            ),
        )
        requests = [log.predict_log.request for log in warmup.read(self.path)]
        self.assertEqual(
            [
                (
                    request.model_spec.name,
                    request.model_spec.signature_name,
                    {
                        name: tf.make_ndarray(tensor).tolist()
                        for name, tensor in request.inputs.items()
                    },
                )
                for request in requests
            ],
            [
                ("sst", "serving_default", {"text": [b"a"]}),
                ("sst", "ids", {"input_ids": [[1, 2]]}),
                (
                    "sst",
                    "serving_default",
                    # The rows again from the first on.
                    {"text": [b"a", b"\xc3\xa9", b"c", b"a"]},
                ),
                ("sst", "ids", {"input_ids": [[1, 2], [3, 4], [1, 2], [3, 4]]}),
            ],
        )
        self.assertEqual(requests[1].inputs["input_ids"].dtype, tf.int32)
        self.assertEqual(
            os.listdir(os.path.dirname(written)), [os.path.basename(written)]
        )

    @parameterized.parameters(
        ([], ["a"], r"must be positive, got \[\]"),
        ([0], ["a"], r"must be positive, got \[0\]"),
        ([1], [], "at least one row"),
        (range(1, 1002), ["a"], "1 to 1000 requests, not 1001"),
    )
    def test_wrong_requests_are_an_error(self, sizes, texts, message):
        with self.assertRaisesRegex(ValueError, message):
            warmup.write(self.path, {"serving_default": {"text": texts}}, sizes)
        self.assertFalse(os.path.exists(self.path))

    def test_a_model_without_the_file_has_no_requests(self):
        self.assertEmpty(warmup.read(self.path))


if __name__ == "__main__":
    tf.test.main()
