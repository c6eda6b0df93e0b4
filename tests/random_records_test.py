"""Tests of folders of random examples."""

import os
from unittest import mock

from absl.testing import absltest
import numpy as np
import tensorflow as tf

from benchmarks import random_records
from electra_tf import dataset_info
from electra_tf import input_pipeline
from electra_tf import records


class RandomRecordsTest(tf.test.TestCase):
    def write(self, **changes):
        settings = dict(num_folders=2, num_examples=11, max_seq_length=8)
        return random_records.write(
            self.create_tempdir().full_path, **settings | changes
        )

    def read(self, data_dir):
        info = dataset_info.load(data_dir)
        batch = input_pipeline.eval_dataset(
            data_dir, batch_size=info.num_examples
        )
        (features,) = batch.as_numpy_iterator()
        return features

    def test_examples_are_divided_among_folders_and_files(self):
        with mock.patch.object(random_records, "EXAMPLES_PER_FILE", 4):
            data_dirs = self.write()
        # 11 = 5 + 6, each in files of at most 4.
        self.assertEqual(
            [
                list(dataset_info.load(data_dir).shards.values())
                for data_dir in data_dirs
            ],
            [[2, 3], [3, 3]],
        )

    def test_examples_are_full_and_all_different(self):
        with mock.patch.object(random_records, "EXAMPLES_PER_FILE", 4):
            parts = [self.read(data_dir) for data_dir in self.write()]
        ids = np.concatenate([part["input_ids"] for part in parts])
        self.assertEqual(ids.shape, (11, 8))
        self.assertLen(np.unique(ids, axis=0), 11)
        self.assertAllEqual(parts[0]["input_mask"], np.ones([5, 8]))
        self.assertAllEqual(parts[0]["segment_ids"], np.zeros([5, 8]))

    def test_bytes_are_those_of_the_records(self):
        (data_dir,) = self.write(num_folders=1, num_examples=3)
        examples = records.read_file(
            os.path.join(data_dir, *records.shard_names(1))
        )
        # A length, its checksum and that of the record: 8 + 4 + 4 bytes.
        self.assertEqual(
            random_records.num_bytes([data_dir]),
            sum(len(example) + 16 for example in examples),
        )

    def test_no_folder_is_empty(self):
        with self.assertRaisesRegex(ValueError, "2 folders and 1 examples"):
            self.write(num_examples=1)


if __name__ == "__main__":
    absltest.main()
