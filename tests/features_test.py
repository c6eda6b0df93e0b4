"""Tests of features and batches, on numbers of the original and by hand."""

import dataclasses
import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from finetune import classification_features
from finetune import features
from finetune import finetune_config
from finetune import registry
from finetune import task as task_lib
from tests import shared_tokenizers
from tests import testing

_INPUTS = ("input_ids", "input_mask", "segment_ids")
_CLS, _SEP = 2, 3


def _ids(text: str) -> list[int]:
    return [testing.tiny_vocab().index(word) for word in text.split()]


def _make(examples, task, tokenizer, max_seq_length):
    return classification_features.make_features(
        examples,
        task=task,
        tokenizer=tokenizer,
        run_config=finetune_config.FinetuneConfig(
            max_seq_length=max_seq_length
        ),
        is_training=False,
    )


def _features(*examples, task="rte", max_seq_length=16):
    return _make(
        [task_lib.Example(i, *e) for i, e in enumerate(examples)],
        registry.get(task),
        shared_tokenizers.tiny(),
        max_seq_length,
    )


def _batches(rows, order, **arguments):
    return features.batches({"rte": rows}, np.array(order), **arguments)


class FeaturesTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_pair_is_two_segments(self):
        result = _features(("the time", "they all", 1))
        first, second = _ids("the time"), _ids("they all")
        self.assertAllEqual(
            result.input_ids, [[_CLS, *first, _SEP, *second, _SEP]]
        )
        self.assertAllEqual(result.segment_ids, [[0] * 4 + [1] * 3])
        self.assertAllEqual(result.targets["labels"], [1])

    def test_an_empty_second_text_is_no_segment(self):
        result = _features(
            ("the time", "", 0), ("of", "it", 1), ("a", "\u200b", 0)
        )
        self.assertAllEqual(
            result.input_ids,
            tf.ragged.constant(
                [
                    [_CLS, *_ids("the time"), _SEP],
                    [_CLS, *_ids("of"), _SEP, *_ids("it"), _SEP],
                    [_CLS, *_ids("a"), _SEP],
                ]
            ),
        )
        self.assertAllEqual(
            result.segment_ids,
            tf.ragged.constant([[0] * 4, [0, 0, 0, 1, 1], [0] * 3]),
        )

    def test_scores_are_mapped_to_the_unit_interval(self):
        result = _features(
            ("a", "b", 0.0), ("a", "b", 3.8), ("a", "b", 5.0), task="sts"
        )
        self.assertAllClose(result.targets["labels"], [0.0, 0.76, 1.0])
        self.assertEqual(result.targets["labels"].dtype, np.float32)

    def test_examples_without_labels_have_zeros(self):
        result = _features(("a", "b", None), ("a", "b", None))
        self.assertAllEqual(result.targets["labels"], [0, 0])

    @parameterized.parameters(
        "cola", "sst", "mrpc", "sts", "mnli", "qnli", "qqp", "rte"
    )
    def test_features_are_the_original_s(self, name):
        tokenizer = shared_tokenizers.real()
        task = registry.get(name)
        path = testing.golden("glue_features", f"examples_{name}.json")
        with open(path) as file:
            all_examples = json.load(file)["examples"]
        golden = np.load(
            testing.golden("glue_features", f"features_{name}.npz")
        )
        for split, examples in all_examples.items():
            for length in (24, 128):
                prefix = f"{split}_len{length}/"
                result = _make(
                    [
                        task_lib.Example(
                            example["eid"],
                            example["text_a"],
                            example["text_b"],
                            task.parse_label(example["label"]),
                        )
                        for example in examples
                    ],
                    task,
                    tokenizer,
                    length,
                )
                order = np.arange(len(examples))[np.newaxis]
                (batch,) = _batches(result, order, pad_to=length)
                for key in _INPUTS:
                    self.assertAllEqual(batch[key], golden[prefix + key])
                labels = "targets" if name == "sts" else "label_ids"
                self.assertAllClose(
                    batch["targets"]["rte"]["labels"],
                    golden[prefix + labels],
                    atol=1e-7,
                )


def _order(*sizes, **arguments):
    """The training order of tasks whose rows are 1, 2, 3, ... tokens long."""
    values = dict(num_steps=5, batch_size=4, seed=0)
    lengths = [np.arange(1, size + 1) for size in sizes]
    return features.training_order(lengths, **values | arguments)


class OrderTest(tf.test.TestCase):
    def test_every_epoch_is_a_permutation(self):
        epochs = _order(10).reshape(2, 10)
        for epoch in epochs:
            self.assertCountEqual(epoch, range(10))
        self.assertNotAllEqual(epochs[0], epochs[1])

    def test_the_order_depends_on_the_seed_only(self):
        order = _order(10)
        self.assertAllEqual(order[:3], _order(10, num_steps=3))
        self.assertNotAllEqual(order, _order(10, seed=1))

    def test_rows_of_a_batch_are_of_equal_length_in_buckets(self):
        # Two buckets of four batches of two, sorted: every batch is (n, n+1).
        order = _order(16, num_steps=8, batch_size=2, bucket_batches=8)
        self.assertCountEqual(order.reshape(-1), range(16))
        self.assertAllEqual(order[:, 1] - order[:, 0], np.ones(8))
        self.assertNotAllEqual(order[:, 0], np.sort(order[:, 0]))
        # A bucket is a part of the epoch, so that each epoch has other ones.
        order = _order(16, num_steps=8, batch_size=2, bucket_batches=4)
        for bucket in np.split(order, 2):
            pairs = sorted(map(tuple, bucket))
            self.assertEqual(
                [row for pair in pairs for row in pair], sorted(bucket.flat)
            )

    def test_an_epoch_has_so_many_rows_of_each_task(self):
        # 12 rows a step of two tasks of 10 and 2; 6 of each in an epoch.
        order = _order(10, 2, num_steps=5, batch_size=12, rows_per_epoch=[6, 6])
        counts = np.bincount(order.reshape(-1), minlength=12)
        # 5 * 6 = 3 * 10 and 15 * 2: all rows of a task equally often.
        self.assertAllEqual(counts, [3] * 10 + [15] * 2)
        for epoch in order:
            self.assertEqual(np.sum(epoch < 10), 6)

    def test_evaluation_goes_from_short_to_long_and_fills_up(self):
        data = _features(("a a a", "", 0), ("a", "", 1), ("a a", "", 0))
        order = features.evaluation_order(data, batch_size=2)
        self.assertAllEqual(order, [[1, 2], [0, -1]])


class BatchesTest(tf.test.TestCase):
    def test_a_batch_is_as_long_as_its_longest_example(self):
        data = _features(("a a a", "", 0), ("a", "", 1), ("a a", "", 0))
        first, second = _batches(data, [[1, 2], [0, -1]])
        a = _ids("a")[0]
        self.assertAllEqual(
            first["input_ids"], [[_CLS, a, _SEP, 0], [_CLS, a, a, _SEP]]
        )
        self.assertAllEqual(first["input_mask"], [[1, 1, 1, 0], [1, 1, 1, 1]])
        self.assertAllEqual(first["targets"]["rte"]["labels"], [1, 0])
        self.assertAllEqual(first["targets"]["rte"]["weights"], [1.0, 1.0])
        self.assertAllEqual(second["targets"]["rte"]["weights"], [1.0, 0.0])
        self.assertEqual(second["input_ids"].shape, (2, 5))

    def test_a_batch_can_have_a_fixed_shape(self):
        data = _features(("a", "", 0), ("a", "", 1))
        dataset = _batches(data, [[1, 0]], pad_to=16)
        self.assertEqual(dataset.element_spec["input_ids"].shape, (2, 16))
        (batch,) = dataset
        self.assertAllEqual(batch["input_mask"], [[1] * 3 + [0] * 13] * 2)

    def test_targets_of_tokens_are_padded(self):
        data = dataclasses.replace(
            _features(("a a", "", 0), ("a", "", 1)),
            targets={"tags": tf.ragged.constant([[-1, 7, 8, -1], [-1, 9, -1]])},
        )
        (batch,) = _batches(data, [[1, 0]])
        self.assertAllEqual(
            batch["targets"]["rte"]["tags"], [[-1, 9, -1, -1], [-1, 7, 8, -1]]
        )

    def test_rows_of_several_tasks_are_counted_through(self):
        rte = _features(("a", "", 0), ("a a", "", 1))
        sts = _features(("the", "", 5.0), task="sts")
        (batch,) = features.batches(
            {"rte": rte, "sts": sts}, np.array([[2, 1, -1]])
        )
        self.assertAllEqual(batch["input_ids"][0, 1], _ids("the")[0])
        targets = batch["targets"]
        self.assertAllEqual(targets["rte"]["weights"], [0.0, 1.0, 0.0])
        self.assertAllEqual(targets["sts"]["weights"], [1.0, 0.0, 0.0])
        self.assertAllEqual(targets["rte"]["labels"][1], 1)
        self.assertAllEqual(targets["sts"]["labels"][0], 1.0)


if __name__ == "__main__":
    tf.test.main()
