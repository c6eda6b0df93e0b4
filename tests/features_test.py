"""Tests of features and batches, on numbers of the original and by hand."""

import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import features
from finetune import registry
from finetune import task as task_lib
from tests import testing

_INPUTS = ("input_ids", "input_mask", "segment_ids")
_CLS, _SEP = 2, 3


def _tokenizer() -> tokenization.Tokenizer:
    return tokenization.Tokenizer(testing.tiny_vocab())


def _ids(text: str) -> list[int]:
    return [testing.tiny_vocab().index(word) for word in text.split()]


def _features(*examples, task="rte", max_seq_length=16):
    return features.make_features(
        [task_lib.Example(i, *e) for i, e in enumerate(examples)],
        task=registry.get(task),
        tokenizer=_tokenizer(),
        max_seq_length=max_seq_length,
    )


class FeaturesTest(tf.test.TestCase, parameterized.TestCase):
    def test_a_pair_is_two_segments(self):
        result = _features(("the time", "they all", 1))
        first, second = _ids("the time"), _ids("they all")
        self.assertAllEqual(
            result.input_ids, [[_CLS, *first, _SEP, *second, _SEP]]
        )
        self.assertAllEqual(result.segment_ids, [[0] * 4 + [1] * 3])
        self.assertAllEqual(result.labels, [1])

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
        self.assertAllClose(result.labels, [0.0, 0.76, 1.0])
        self.assertEqual(result.labels.dtype, np.float32)

    def test_examples_without_labels_have_zeros(self):
        result = _features(("a", "b", None), ("a", "b", None))
        self.assertAllEqual(result.labels, [0, 0])

    @parameterized.parameters(
        "cola", "sst", "mrpc", "sts", "mnli", "qnli", "qqp", "rte"
    )
    def test_features_are_the_original_s(self, name):
        tokenizer = tokenization.Tokenizer.from_vocab_file(
            testing.real_data("vocab", "vocab.txt")
        )
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
                result = features.make_features(
                    [
                        task_lib.Example(
                            example["eid"],
                            example["text_a"],
                            example["text_b"],
                            task.parse_label(example["label"]),
                        )
                        for example in examples
                    ],
                    task=task,
                    tokenizer=tokenizer,
                    max_seq_length=length,
                )
                order = np.arange(len(examples))[np.newaxis]
                (batch,) = features.batches(result, order, pad_to=length)
                for key in _INPUTS:
                    self.assertAllEqual(batch[key], golden[prefix + key])
                labels = "targets" if name == "sts" else "label_ids"
                self.assertAllClose(
                    batch["labels"], golden[prefix + labels], atol=1e-7
                )


class OrderTest(tf.test.TestCase):
    def test_every_epoch_is_a_permutation(self):
        order = features.training_order(10, num_steps=5, batch_size=4, seed=0)
        epochs = order.reshape(2, 10)
        for epoch in epochs:
            self.assertCountEqual(epoch, range(10))
        self.assertNotAllEqual(epochs[0], epochs[1])

    def test_the_order_depends_on_the_seed_only(self):
        orders = [
            features.training_order(10, num_steps=n, batch_size=4, seed=seed)
            for n, seed in ((5, 0), (3, 0), (5, 1))
        ]
        self.assertAllEqual(orders[0][:3], orders[1])
        self.assertNotAllEqual(orders[0], orders[2])

    def test_evaluation_goes_from_short_to_long_and_fills_up(self):
        data = _features(("a a a", "", 0), ("a", "", 1), ("a a", "", 0))
        order = features.evaluation_order(data, batch_size=2)
        self.assertAllEqual(order, [[1, 2], [0, -1]])


class BatchesTest(tf.test.TestCase):
    def test_a_batch_is_as_long_as_its_longest_example(self):
        data = _features(("a a a", "", 0), ("a", "", 1), ("a a", "", 0))
        first, second = features.batches(data, np.array([[1, 2], [0, -1]]))
        a = _ids("a")[0]
        self.assertAllEqual(
            first["input_ids"], [[_CLS, a, _SEP, 0], [_CLS, a, a, _SEP]]
        )
        self.assertAllEqual(first["input_mask"], [[1, 1, 1, 0], [1, 1, 1, 1]])
        self.assertAllEqual(first["labels"], [1, 0])
        self.assertAllEqual(first["weights"], [1.0, 1.0])
        self.assertAllEqual(second["weights"], [1.0, 0.0])
        self.assertEqual(second["input_ids"].shape, (2, 5))

    def test_a_batch_can_have_a_fixed_shape(self):
        data = _features(("a", "", 0), ("a", "", 1))
        dataset = features.batches(data, np.array([[1, 0]]), pad_to=16)
        self.assertEqual(dataset.element_spec["input_ids"].shape, (2, 16))
        (batch,) = dataset
        self.assertAllEqual(batch["input_mask"], [[1] * 3 + [0] * 13] * 2)


if __name__ == "__main__":
    tf.test.main()
