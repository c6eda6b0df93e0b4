"""Tests of what a batch prediction makes from what."""

import os
import pathlib

from absl.testing import parameterized
import tensorflow as tf

from electra_tf.serving import batch_job
from electra_tf.serving import batch_sources


def _job(num_records, num_shards):
    return batch_job.Job(
        saved_model="model/1",
        signature="serving_default",
        sources=(batch_sources.Source("a", 1, num_records),),
        record_format="text",
        num_shards=num_shards,
        skip_malformed=False,
    )


class BatchJobTest(parameterized.TestCase, tf.test.TestCase):
    def test_shards_are_equal_parts_of_all_records(self):
        job = _job(num_records=11, num_shards=3)
        # 11 / 3 = 3.67, 2 * 11 / 3 = 7.33, rounded down.
        self.assertEqual(
            [job.limits(shard) for shard in range(3)],
            [(0, 3), (3, 7), (7, 11)],
        )
        self.assertEqual(job.shard_name(1), "predictions-00001-of-00003.jsonl")

    def test_the_newest_version_is_taken(self):
        folder = self.create_tempdir().full_path
        for name in ("2", "10", "x"):
            os.makedirs(os.path.join(folder, name))
        self.assertEqual(
            batch_job.newest_version(folder + "/"), os.path.join(folder, "10")
        )
        pathlib.Path(folder, "2", "saved_model.pb").touch()
        version = os.path.join(folder, "2")
        self.assertEqual(batch_job.newest_version(version), version)
        with self.assertRaisesRegex(ValueError, "is no SavedModel and holds"):
            batch_job.newest_version(os.path.join(folder, "x"))

    def test_a_folder_is_for_one_job(self):
        folder = os.path.join(self.create_tempdir().full_path, "out")
        batch_job.claim(folder, _job(11, 3))
        batch_job.claim(folder, _job(11, 3))
        with self.assertRaisesRegex(ValueError, "differs in sources, num_sh"):
            batch_job.claim(folder, _job(12, 4))


if __name__ == "__main__":
    tf.test.main()
