"""Tests of a SavedModel on several devices."""

import os
import tempfile

from absl.testing import parameterized
import tensorflow as tf

from electra_tf.serving import answer_rows
from electra_tf.serving import replicated_model
from tests import stub_saved_model


class ReplicatedModelTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.path = os.path.join(folder, "1")
        stub_saved_model.write(cls.path)

    @parameterized.product(num_replicas=(1, 2), num_rows=(1, 2, 5))
    def test_replicas_share_a_batch_in_order(self, num_replicas, num_rows):
        strategy = tf.distribute.get_strategy()
        if num_replicas > 1:
            # conftest.py has made several devices of this machine's CPU.
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        model = replicated_model.ReplicatedModel(
            self.path, signature="serving_default", strategy=strategy
        )
        texts = ["ab" * number + "é" for number in range(num_rows)]
        rows = model.answer({"text": texts})
        self.assertEqual(
            [answer_rows.to_json(row) for row in rows],
            [*map(stub_saved_model.expected_row, texts)],
        )

    def test_inputs_are_those_of_the_signature(self):
        model = replicated_model.ReplicatedModel(
            self.path,
            signature="total",
            strategy=tf.distribute.get_strategy(),
        )
        self.assertEqual(
            {name: str(info) for name, info in model.inputs.items()},
            {"input_ids": "int32[?, ?]", "name": "str[?]"},
        )
        rows = model.answer({"input_ids": [[1, 2], [3, 4]], "name": ["é", "b"]})
        self.assertEqual(
            [answer_rows.to_json(row) for row in rows],
            [{"total": 3, "name": "é"}, {"total": 7, "name": "b"}],
        )


if __name__ == "__main__":
    tf.test.main()
