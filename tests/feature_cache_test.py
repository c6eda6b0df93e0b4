"""Tests of tokenized examples in files."""

import os
from unittest import mock

import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import feature_cache
from finetune import features
from finetune import finetune_config
from finetune import registry
from finetune import task as task_lib
from finetune import window_features
from tests import testing

_EXAMPLES = [task_lib.Example(0, "the time", None, 1)]
_CLASSES = (features.Features, window_features.WindowFeatures)


def _key(examples=_EXAMPLES, task="cola", is_training=False, **fields) -> str:
    return feature_cache.key(
        examples,
        task=registry.get(task),
        tokenizer=tokenization.Tokenizer(
            testing.tiny_vocab(), lower_case=fields.pop("lower_case", True)
        ),
        run_config=finetune_config.FinetuneConfig(max_seq_length=16, **fields),
        is_training=is_training,
    )


def _windows() -> window_features.WindowFeatures:
    spans = (np.array([[-1, -1], [0, 3]], np.int32), np.zeros([0, 2], np.int32))
    return window_features.WindowFeatures(
        input_ids=tf.ragged.constant([[2, 7, 3], [2, 3]]),
        segment_ids=tf.ragged.constant([[0, 1, 1], [0, 0]]),
        targets={
            "start_positions": np.array([1, 0], np.int32),
            "labels": tf.ragged.constant([[-1, 4, -1], [-1, -1]]),
        },
        pad_id=0,
        question_index=np.array([0, 5]),
        token_spans=spans,
        word_index=(np.array([-1, 0], np.int32), np.array([], np.int32)),
        is_max_context=(np.array([False, True]), np.array([], bool)),
    )


class FeatureCacheTest(tf.test.TestCase):
    def test_the_key_depends_on_all_that_features_depend_on(self):
        keys = [
            _key(),
            _key(is_training=True),
            _key(task="rte"),
            _key(lower_case=False),
            _key(doc_stride=64),
            _key([_EXAMPLES[0]._replace(text_a="the  time")]),
            _key([_EXAMPLES[0]._replace(label=0)]),
            _key(_EXAMPLES * 2),
        ]
        self.assertLen(set(keys), len(keys))
        # The rest of the configuration makes no difference.
        self.assertEqual(_key(learning_rate=1.0, seed=3), keys[0])

    def test_what_is_read_is_what_was_written(self):
        path = os.path.join(self.create_tempdir().full_path, "new", "x.npz")
        made = feature_cache.load_or_make(path, _windows, _CLASSES)
        read = feature_cache.load_or_make(path, mock.Mock(), _CLASSES)
        self.assertIsInstance(read, window_features.WindowFeatures)
        self.assertAllEqual(read.input_ids, made.input_ids)
        self.assertAllEqual(read.segment_ids, made.segment_ids)
        self.assertCountEqual(read.targets, made.targets)
        for name, target in made.targets.items():
            self.assertAllEqual(read.targets[name], target)
        for name in ("token_spans", "word_index", "is_max_context"):
            for one, other in zip(
                getattr(read, name), getattr(made, name), strict=True
            ):
                self.assertAllEqual(one, other)
                self.assertEqual(one.dtype, other.dtype)
        self.assertAllEqual(read.question_index, [0, 5])
        self.assertEqual(read.pad_id, 0)
        self.assertEqual(os.listdir(os.path.dirname(path)), ["x.npz"])

    def test_a_damaged_file_is_made_again(self):
        path = os.path.join(self.create_tempdir().full_path, "x.npz")
        feature_cache.load_or_make(path, _windows, _CLASSES)
        with open(path, "r+b") as file:
            file.truncate(100)
        with self.assertLogs(level="WARNING") as logged:
            made = feature_cache.load_or_make(path, _windows, _CLASSES)
        self.assertIn("Damaged, made again", logged.output[0])
        self.assertEqual(made.num_rows, 2)
        read = feature_cache.load_or_make(path, mock.Mock(), _CLASSES)
        self.assertEqual(read.num_rows, 2)


if __name__ == "__main__":
    tf.test.main()
