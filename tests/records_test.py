"""Tests of the format of records."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import records
from tests import testing


def _golden(name):
    return testing.golden("pretrain_examples", name)


def _example(features, row):
    """The same by TensorFlow's class."""
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(
                    int64_list=tf.train.Int64List(value=values[row])
                )
                for name, values in features.items()
            }
        )
    )


class SerializeTest(parameterized.TestCase, tf.test.TestCase):
    def assert_bytes_are_those_of_tensorflow(self, features):
        expected = [
            _example(features, row).SerializeToString(deterministic=True)
            for row in range(len(features["input_ids"]))
        ]
        self.assertEqual(records.serialize_examples(features), expected)

    def test_bytes_are_those_of_a_tensorflow_example(self):
        # Values of one, two, three and six bytes, and the largest.
        self.assert_bytes_are_those_of_tensorflow(
            {
                "input_ids": np.array(
                    [[127, 128, 16_384, 2**40], [0, 2**63 - 1, 16_383, 1]]
                ),
                "input_mask": np.array([[1, 1, 1, 0], [1, 0, 0, 0]]),
                "segment_ids": np.array([[0, 1, 1, 0], [0, 0, 0, 0]]),
            }
        )

    @parameterized.product(
        dtype=(np.uint8, np.int32, np.int64, np.uint64), length=(1, 5, 200)
    )
    def test_so_are_those_of_random_values(self, dtype, length):
        rng = np.random.default_rng(length)
        largest = min(np.iinfo(dtype).max, 2**63 - 1)
        # Of any number of bits.
        shape = (30, length)
        self.assert_bytes_are_those_of_tensorflow(
            {
                name: rng.integers(0, largest, shape, dtype, endpoint=True)
                >> rng.integers(0, largest.bit_length(), shape, dtype)
                for name in records.FEATURES
            }
        )

    def test_no_examples_are_no_records(self):
        nothing = np.zeros([0, 8], np.int32)
        features = dict.fromkeys(records.FEATURES, nothing)
        self.assertEqual(records.serialize_examples(features), [])

    @parameterized.parameters(
        ([[200, -1]], r"\[0, 2\*\*63\), got -1 to 200"),
        ([[0, -1]], "got -1 to 0"),
        (np.array([[2**63, 1]], np.uint64), "got 1 to 9223372036854775808"),
        ([[0.5, 1.0]], "integers, got float64"),
        ([[1, 2, 3]], r"one shape, .*got \(1, 3\), \(1, 2\), \(1, 2\)"),
        ([1, 2], r"one shape, \[examples, length\], got \(2,\)"),
    )
    def test_what_is_no_feature_is_refused(self, ids, message):
        features = dict.fromkeys(records.FEATURES, np.array([[1, 1]]))
        with self.assertRaisesRegex(ValueError, message):
            records.serialize_examples(features | {"input_ids": np.array(ids)})

    def test_a_file_of_the_original_is_made_of_the_same_features(self):
        with np.load(_golden("lines_len64_recorded.npz")) as golden:
            serialized = records.serialize_examples(golden)
        written = records.read_file(_golden("lines_len64_recorded.tfrecord"))
        self.assertEqual(
            [tf.train.Example.FromString(record) for record in written],
            [tf.train.Example.FromString(record) for record in serialized],
        )


class ReadTest(tf.test.TestCase):
    def write(self, values):
        """A file of examples with one token each; returns its path."""
        path = os.path.join(self.create_tempdir().full_path, "file")
        ids = np.reshape(values, [-1, 1]).astype(int)
        features = dict.fromkeys(records.FEATURES, ids)
        with tf.io.TFRecordWriter(path) as file:
            for record in records.serialize_examples(features):
                file.write(record)
        return path

    def test_what_was_written_is_read_and_parsed(self):
        examples = records.read_file(self.write(np.arange(3000)))
        self.assertEqual(examples.shape, (3000,))
        self.assertEqual(records.example_length(examples[0]), 1)
        features = records.parse(examples, 1)
        self.assertCountEqual(features, records.FEATURES)
        for values in features.values():
            self.assertEqual(values.dtype, tf.int32)
            self.assertAllEqual(values, np.arange(3000)[:, np.newaxis])

    def test_an_empty_file_has_no_records(self):
        self.assertEqual(records.read_file(self.write([])).shape, (0,))

    def test_an_error_has_what_can_be_read(self):
        path = self.write(np.arange(2000))
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) - 1)
        with self.assertRaisesRegex(
            records.DamagedFileError, f"^{path}: record 1999, counted from 0"
        ) as context:
            records.read_file(path)
        readable = records.parse(context.exception.readable, 1)
        self.assertAllEqual(readable["input_ids"][:, 0], np.arange(1999))


class PlainErrorsTest(tf.test.TestCase):
    def read(self, error):
        def function():
            raise error

        @tf.function
        def read():
            return tf.numpy_function(function, [], tf.int64)

        with records.plain_errors():
            read()

    def test_a_damaged_file_is_told_without_stack_traces(self):
        error = records.DamagedFileError("a: bad.\nReally.", readable=None)
        with self.assertRaisesRegex(ValueError, r"^a: bad\.\nReally\.$"):
            self.read(error)

    def test_other_errors_stay_as_they_are(self):
        with self.assertRaises(tf.errors.InvalidArgumentError):
            self.read(ValueError("something else"))


if __name__ == "__main__":
    tf.test.main()
