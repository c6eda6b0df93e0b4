"""Tests of TensorFlow 1 checkpoints."""

import json
import os

import numpy as np
import tensorflow as tf

from electra_tf import config
from electra_tf import original_files

_ENCODER = config.EncoderConfig(num_attention_heads=2)


class OriginalFilesTest(tf.test.TestCase):
    def test_a_file_has_plain_names_and_the_step(self):
        directory = self.create_tempdir().full_path
        values = {
            "electra/x": np.arange(6, dtype=np.float32).reshape(2, 3),
            "a/b": np.float32([1.5]),
        }
        prefix = original_files.write(
            directory, values, encoder_config=_ENCODER, step=12
        )
        self.assertEqual(os.path.basename(prefix), "model.ckpt-12")
        self.assertEqual(tf.train.latest_checkpoint(directory), prefix)
        reader = tf.train.load_checkpoint(prefix)
        self.assertEqual(
            reader.get_variable_to_shape_map(),
            {"electra/x": [2, 3], "a/b": [1], "global_step": []},
        )
        for name, value in values.items():
            self.assertAllEqual(reader.get_tensor(name), value)
        self.assertEqual(reader.get_tensor("global_step"), 12)
        self.assertEqual(reader.get_tensor("global_step").dtype, np.int64)

    def test_a_folder_may_be_moved(self):
        directory = self.create_tempdir().full_path
        old, new = (os.path.join(directory, name) for name in ("old", "new"))
        os.mkdir(old)
        original_files.write(
            old, {"x": np.zeros(1)}, encoder_config=_ENCODER, step=1
        )
        os.rename(old, new)
        self.assertEqual(
            tf.train.latest_checkpoint(new), os.path.join(new, "model.ckpt-1")
        )

    def test_the_number_of_heads_stands_beside_the_checkpoint(self):
        directory = self.create_tempdir().full_path
        self.assertEqual(original_files.read_config(directory), {})
        original_files.write(directory, {}, encoder_config=_ENCODER, step=0)
        with open(os.path.join(directory, "bert_config.json")) as file:
            self.assertEqual(json.load(file)["num_attention_heads"], 2)
        stated = original_files.read_config(directory)
        self.assertEqual(stated["num_attention_heads"], 2)

    def test_names_of_electra_stay_and_those_of_bert_are_mapped(self):
        used, unused = original_files.our_names(
            [
                "electra/embeddings/word_embeddings",
                "task_specific/cola/dense/bias",
                "bert/encoder/layer_0/output/dense/bias",
                "bert/pooler/dense/kernel",
                "cls/predictions/transform/LayerNorm/beta",
                "cls/predictions/output_bias",
                "cls/seq_relationship/output_bias",
            ]
        )
        self.assertEqual(
            used,
            {
                name: name
                for name in (
                    "electra/embeddings/word_embeddings",
                    "task_specific/cola/dense/bias",
                )
            }
            | {
                "electra/encoder/layer_0/output/dense/bias": (
                    "bert/encoder/layer_0/output/dense/bias"
                ),
                "generator_predictions/LayerNorm/beta": (
                    "cls/predictions/transform/LayerNorm/beta"
                ),
                "generator_predictions/output_bias": (
                    "cls/predictions/output_bias"
                ),
            },
        )
        self.assertEqual(
            set(unused),
            {"bert/pooler/dense/kernel", "cls/seq_relationship/output_bias"},
        )

    def test_embeddings_of_its_own_are_never_projected(self):
        own = "generator/embeddings/word_embeddings"
        project = "generator/embeddings_project/kernel"
        self.assertTrue(original_files.fits([own]))
        self.assertTrue(original_files.fits([project]))
        self.assertFalse(original_files.fits([own, project]))
        self.assertFalse(original_files.fits(["electra/embeddings/x_delta"]))


if __name__ == "__main__":
    tf.test.main()
