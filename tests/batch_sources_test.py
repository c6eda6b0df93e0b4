"""Tests of reading records from many files."""

import os
import pathlib

from absl.testing import parameterized
import tensorflow as tf

from electra_tf.serving import batch_sources
from electra_tf.serving import served_signatures

_STRING = served_signatures.TensorInfo("str", (None,))
_IDS = served_signatures.TensorInfo("int32", (None, None))


def _example(**features) -> tf.train.Example:
    """Bytes and lists of integers or floats as features."""
    example = tf.train.Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif value and isinstance(value[0], bytes):
            feature.bytes_list.value.extend(value)
        elif value and isinstance(value[0], float):
            feature.float_list.value.extend(value)
        else:
            feature.int64_list.value.extend(value)
    return example


class BatchSourcesTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir().full_path

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        pathlib.Path(path).write_bytes(data)
        return path

    def write_tfrecord(self, name, records):
        path = os.path.join(self.folder, name)
        with tf.io.TFRecordWriter(path) as writer:
            for record in records:
                writer.write(record)
        return path

    def test_files_are_in_the_order_of_patterns_and_names(self):
        for name in ("b2", "b1", "a1", "c"):
            self.write(name, b"")
        found = batch_sources.find(
            [os.path.join(self.folder, name) for name in ("b*", "*1")]
        )
        self.assertEqual(
            [os.path.basename(path) for path in found], ["b1", "b2", "a1"]
        )
        with self.assertRaisesRegex(ValueError, "named like --input=no\\*"):
            batch_sources.find(["no*"])

    @parameterized.parameters(
        (["a.jsonl", "b"], "jsonl"),
        (["a.txt"], "text"),
        (["a.tfrecord", "b.tfrecord-00000-of-00001"], "tfrecord"),
    )
    def test_names_tell_the_format(self, names, expected):
        self.assertEqual(batch_sources.guess_format(names), expected)

    def test_names_of_different_formats_are_an_error(self):
        with self.assertRaisesRegex(ValueError, "jsonl and text. Say which"):
            batch_sources.guess_format(["a.jsonl", "b.txt"])

    def test_any_range_of_all_files_can_be_read(self):
        files = [b"a0\na1\r\n", b"", b"c0\n\nc2"]
        sources = [
            batch_sources.count(self.write(f"{n}.txt", data), "text")
            for n, data in enumerate(files)
        ]
        self.assertEqual([s.num_records for s in sources], [2, 0, 3])
        self.assertEqual([s.num_bytes for s in sources], [7, 0, 6])
        all_records = [
            (b"a0", "0.txt", 1),
            (b"a1", "0.txt", 2),
            (b"c0", "2.txt", 1),
            (b"", "2.txt", 2),
            (b"c2", "2.txt", 3),
        ]
        for start in range(6):
            for stop in range(start, 6):
                found = [
                    (data, os.path.basename(path), number)
                    for data, path, number in batch_sources.read(
                        sources, "text", start=start, stop=stop
                    )
                ]
                self.assertEqual(found, all_records[start:stop])

    def test_a_damaged_tfrecord_file_is_told(self):
        path = self.write_tfrecord("a.tfrecord", [b"x" * 100] * 3)
        data = pathlib.Path(path).read_bytes()
        self.assertEqual(batch_sources.count(path, "tfrecord").num_records, 3)
        for num_lost, message in (
            (7, "a.tfrecord is no TFRecord"),
            (110, "a.tfrecord is damaged: its end is missing"),
        ):
            self.write("a.tfrecord", data[:-num_lost])
            with self.assertRaisesRegex(ValueError, message):
                batch_sources.count(path, "tfrecord")


class ParseTest(parameterized.TestCase):
    def parse(self, data, record_format, **inputs):
        record = batch_sources.RawRecord(data, "in", 7)
        return batch_sources.parse(record, record_format, inputs)

    def test_lines_are_records(self):
        self.assertEqual(
            self.parse(b'{"text": "a"}', "jsonl", text=_STRING), {"text": "a"}
        )
        self.assertIsNone(self.parse(b" ", "jsonl", text=_STRING))
        self.assertEqual(self.parse(b" ", "text", text=_STRING), {"text": " "})
        with self.assertRaisesRegex(ValueError, "in, line 7: it is not JSON"):
            self.parse(b"{", "jsonl", text=_STRING)

    def test_features_of_an_example_are_inputs(self):
        example = _example(name="é".encode(), input_ids=[1, 2], label=[9])
        self.assertEqual(
            self.parse(
                example.SerializeToString(),
                "tfrecord",
                name=_STRING,
                input_ids=_IDS,
            ),
            {"name": "é".encode(), "input_ids": [1, 2]},
        )

    @parameterized.parameters(
        (_example(), "in, record 7: .*lacks text"),
        (_example(text=[]), "feature 'text' must have one value, it has 0"),
        (_example(text=[b"a", b"b"]), "must have one value, it has 2"),
        (_example(text=b"\xff"), "feature 'text' is no text in UTF-8"),
        (_example(text=[1.0]), "feature 'text' is no text in UTF-8: 1.0"),
    )
    def test_a_malformed_example_is_told_with_its_number(
        self, example, message
    ):
        with self.assertRaisesRegex(ValueError, message):
            self.parse(example.SerializeToString(), "tfrecord", text=_STRING)

    def test_what_is_no_example_is_told(self):
        with self.assertRaisesRegex(
            ValueError, "in, record 7: it is no tf.train.Example"
        ):
            self.parse(b"\xff\xff", "tfrecord", text=_STRING)


if __name__ == "__main__":
    tf.test.main()
