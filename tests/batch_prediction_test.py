"""Tests of batch prediction: shards, resumption, malformed records."""

import json
import os
import pathlib
import tempfile
from unittest import mock

from absl.testing import parameterized
import tensorflow as tf

from electra_tf.serving import batch_job
from electra_tf.serving import batch_prediction
from electra_tf.serving import replicated_model
from tests import stub_saved_model

_TEXTS = ["ab" * (number % 4) + "é" for number in range(11)]
_ROWS = [*map(stub_saved_model.expected_row, _TEXTS)]


class BatchPredictionTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.base_path = os.path.join(folder, "model")
        stub_saved_model.write(os.path.join(cls.base_path, "1"))

    def setUp(self):
        super().setUp()
        folder = self.create_tempdir().full_path
        self.input = os.path.join(folder, "in.jsonl")
        self.write_lines([json.dumps({"text": text}) for text in _TEXTS])
        self.output_dir = os.path.join(folder, "out")

    def write_lines(self, lines):
        pathlib.Path(self.input).write_text("\n".join(lines), "utf-8")

    def run_job(self, batch_size=4, **options):
        values = dict(
            saved_model=self.base_path,
            signature="serving_default",
            record_format=None,
            num_shards=3,
            skip_malformed=False,
        )
        job = batch_job.plan([self.input], **values | options)
        return batch_prediction.run(
            job,
            self.output_dir,
            batch_size=batch_size,
            strategy=tf.distribute.get_strategy(),
        )

    def read(self, *names):
        rows = []
        for name in names:
            text = pathlib.Path(self.output_dir, name).read_text("utf-8")
            rows += [json.loads(line) for line in text.splitlines()]
        return rows

    def shards(self):
        """The names of all finished shards."""
        return sorted(
            name
            for name in os.listdir(self.output_dir)
            if name.startswith("predictions") and name.endswith(".jsonl")
        )

    @parameterized.product(num_shards=(1, 3), batch_size=(1, 4, 100))
    def test_shards_hold_all_answers_in_order(self, num_shards, batch_size):
        result = self.run_job(num_shards=num_shards, batch_size=batch_size)
        self.assertEqual(self.read(*self.shards()), _ROWS)
        self.assertLen(self.shards(), num_shards)
        self.assertEqual(result.num_made, num_shards)
        self.assertEqual(
            [os.path.basename(path) for path in result.paths], self.shards()
        )

    def test_there_are_no_empty_shards(self):
        self.run_job(num_shards=100)
        self.assertLen(self.shards(), len(_TEXTS))

    def test_finished_shards_are_not_made_again(self):
        self.run_job()
        first, second, third = self.shards()
        path = pathlib.Path(self.output_dir)
        (path / first).write_text('{"mine": 1}\n')
        (path / second).unlink()
        (path / f"{second}.tmp").write_text("half of a li")
        result = self.run_job()
        self.assertEqual(result.num_made, 1)
        self.assertEqual(self.read(first), [{"mine": 1}])
        # 11 records in 3 shards: 3, 4 and 4.
        self.assertEqual(self.read(second, third), _ROWS[3:])
        self.assertCountEqual(
            os.listdir(path), ["job.json", first, second, third]
        )

    def test_what_stopped_in_the_middle_goes_on(self):
        answer = replicated_model.ReplicatedModel.answer
        calls = []

        def stop_at_the_second_shard(model, inputs):
            calls.append(inputs)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return answer(model, inputs)

        with mock.patch.object(
            replicated_model.ReplicatedModel, "answer", stop_at_the_second_shard
        ):
            with self.assertRaises(KeyboardInterrupt):
                self.run_job()
        self.assertEqual(self.shards(), ["predictions-00000-of-00003.jsonl"])
        self.assertEqual(self.run_job().num_made, 2)
        self.assertEqual(self.read(*self.shards()), _ROWS)

    def test_another_job_is_refused(self):
        self.run_job()
        with self.assertRaisesRegex(ValueError, "differs in num_shards"):
            self.run_job(num_shards=2)
        self.write_lines(['{"text": "new"}'])
        with self.assertRaisesRegex(ValueError, "in sources, num_shards"):
            self.run_job()

    def test_a_folder_of_something_else_is_refused(self):
        os.makedirs(self.output_dir)
        pathlib.Path(self.output_dir, "mine").touch()
        with self.assertRaisesRegex(ValueError, "is not empty and holds no"):
            self.run_job()

    def test_a_malformed_record_is_an_error_with_its_line(self):
        self.write_lines(['{"text": "a"}', "", '{"text": 1}'])
        with self.assertRaisesRegex(
            ValueError, r"in.jsonl, line 3: .*must be text.*--skip_malformed"
        ):
            self.run_job(num_shards=1)
        self.assertNotIn(
            "predictions-00000-of-00001.jsonl", os.listdir(self.output_dir)
        )

    def test_malformed_records_can_be_left_out(self):
        self.write_lines(
            ["{", '{"text": "a"}', "", "[]", '{"text": "b"}', '{"text": "c"}']
        )
        result = self.run_job(num_shards=2, skip_malformed=True)
        self.assertEqual(result.num_malformed, 2)
        self.assertEqual(
            [row["tokens"] for row in self.read(*self.shards())],
            [["a"], ["b"], ["c"]],
        )
        (first,) = self.read("malformed-00000-of-00002.jsonl")
        self.assertRegex(first["error"], "in.jsonl, line 1: it is not JSON")
        (second,) = self.read("malformed-00001-of-00002.jsonl")
        self.assertRegex(second["error"], "in.jsonl, line 4: it must be an")
        # Told again, although nothing is made.
        result = self.run_job(num_shards=2, skip_malformed=True)
        self.assertEqual((result.num_made, result.num_malformed), (0, 2))

    def test_a_shard_of_which_nothing_is_left_is_an_empty_file(self):
        self.write_lines(['{"text": "a"}', "{"])
        result = self.run_job(num_shards=2, skip_malformed=True)
        self.assertEqual(result.num_malformed, 1)
        self.assertLen(self.read(*self.shards()), 1)
        self.assertEmpty(self.read("predictions-00001-of-00002.jsonl"))

    def test_tfrecords_are_read(self):
        self.input = os.path.join(os.path.dirname(self.input), "in.tfrecord")
        with tf.io.TFRecordWriter(self.input) as writer:
            for number in range(5):
                example = tf.train.Example()
                feature = example.features.feature
                feature["name"].bytes_list.value.append(b"%d" % number)
                feature["input_ids"].int64_list.value.extend(range(number))
                writer.write(example.SerializeToString())
        self.run_job(signature="total")
        self.assertEqual(
            self.read(*self.shards()),
            # 0, 0, 0 + 1, 0 + 1 + 2, ...
            [
                {"total": total, "name": str(number)}
                for number, total in enumerate([0, 0, 1, 3, 6])
            ],
        )

    def test_an_unknown_signature_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "serving_default, total"):
            self.run_job(signature="x")

    def test_no_records_are_an_error(self):
        self.write_lines([])
        with self.assertRaisesRegex(ValueError, "There are no records in"):
            self.run_job()


class ProgressTest(tf.test.TestCase):
    def test_a_line_tells_rate_and_time_left(self):
        now = [50.0]
        progress = batch_prediction.Progress(1000, clock=lambda: now[0])
        now[0] += 20.0
        # 200 in 20 s are 10/s; the other 800 take 80 s.
        self.assertEqual(
            progress.line(200, "2/10"),
            "predict | record 200/1000 | shard 2/10 | 10.0 records/s | "
            "ETA 0:01:20",
        )


if __name__ == "__main__":
    tf.test.main()
