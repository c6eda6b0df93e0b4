"""Tests of names and configurations of Hugging Face."""

import json
import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import huggingface
from electra_tf import huggingface_files
from electra_tf import networks
from electra_tf import tokenization
from tests import testing

_CONFIG = testing.tiny_config()
# Ours, and theirs as transformers 5.24 saves them.
_NAMES = {
    "electra/embeddings/word_embeddings": (
        "electra.embeddings.word_embeddings.weight"
    ),
    "electra/embeddings/LayerNorm/gamma": "electra.embeddings.LayerNorm.weight",
    "electra/embeddings/LayerNorm/beta": "electra.embeddings.LayerNorm.bias",
    "electra/embeddings_project/kernel": "electra.embeddings_project.weight",
    "electra/encoder/layer_11/attention/self/query/kernel": (
        "electra.encoder.layer.11.attention.self.query.weight"
    ),
    "electra/encoder/layer_0/attention/output/LayerNorm/beta": (
        "electra.encoder.layer.0.attention.output.LayerNorm.bias"
    ),
    "electra/encoder/layer_0/intermediate/dense/bias": (
        "electra.encoder.layer.0.intermediate.dense.bias"
    ),
    "discriminator_predictions/dense/kernel": (
        "discriminator_predictions.dense.weight"
    ),
    "discriminator_predictions/dense_1/bias": (
        "discriminator_predictions.dense_prediction.bias"
    ),
    "generator_predictions/LayerNorm/gamma": (
        "generator_predictions.LayerNorm.weight"
    ),
    "generator_predictions/dense/bias": "generator_predictions.dense.bias",
    "generator_predictions/output_bias": "generator_lm_head.bias",
}


class HuggingfaceTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weights = networks.split(
            networks.Weights(
                testing.random_weights(_CONFIG), _CONFIG.encoder, _CONFIG
            )
        )

    def _write(self, part=networks.DISCRIMINATOR, **theirs) -> str:
        """A folder with a network, whose config.json is changed."""
        directory = self.create_tempdir().full_path
        weights = self.weights[part]
        huggingface.write(
            directory,
            weights.values,
            encoder=weights.encoder,
            tokenizer=tokenization.Tokenizer(testing.tiny_vocab()),
        )
        path = os.path.join(directory, "config.json")
        with open(path) as file:
            contents = json.load(file)
        with open(path, "w") as file:
            json.dump(contents | theirs, file)
        return directory

    def _shapes(self, directory: str) -> dict:
        shapes = huggingface_files.read_shapes(directory)
        used, _ = huggingface.our_names(shapes)
        return {
            name: huggingface.our_shape(name, shapes[theirs])
            for name, theirs in used.items()
        }

    def test_names_map_to_theirs_and_back(self):
        for ours, theirs in _NAMES.items():
            self.assertEqual(huggingface.their_name(ours), theirs)
            self.assertEqual(
                huggingface.our_names([theirs]), ({ours: theirs}, {})
            )

    def test_every_name_maps_back(self):
        for weights in self.weights.values():
            names = {huggingface.their_name(n): n for n in weights.values}
            used, unused = huggingface.our_names(names)
            self.assertEqual(used, {o: t for t, o in names.items()})
            self.assertEmpty(unused)

    @parameterized.parameters(
        ("encoder.layer.3.output.dense.bias", "layer_3/output/dense/bias"),
        ("embeddings.position_embeddings.weight", "position_embeddings"),
        ("bert.embeddings.LayerNorm.gamma", "embeddings/LayerNorm/gamma"),
        ("bert.embeddings.LayerNorm.beta", "embeddings/LayerNorm/beta"),
        ("cls.predictions.bias", "generator_predictions/output_bias"),
        (
            "cls.predictions.transform.dense.weight",
            "generator_predictions/dense/kernel",
        ),
    )
    def test_names_of_bert_and_of_an_encoder_alone(self, theirs, ending):
        (ours,) = huggingface.our_names([theirs])[0]
        self.assertEndsWith(ours, ending)

    @parameterized.parameters(
        "electra.embeddings.position_ids",
        "generator_lm_head.weight",
        "cls.predictions.decoder.weight",
        "pooler.dense.weight",
        "bert.pooler.dense.bias",
        "cls.seq_relationship.bias",
        "classifier.dense.weight",
        "classifier.out_proj.bias",
        "classifier.weight",
        "qa_outputs.bias",
    )
    def test_what_is_not_used_has_a_reason(self, name):
        used, unused = huggingface.our_names([name])
        self.assertEmpty(used)
        self.assertEqual(list(unused), [name])

    @parameterized.parameters(networks.DISCRIMINATOR, networks.GENERATOR)
    def test_what_is_written_is_read_back(self, part):
        directory = self._write(part)
        self.assertTrue(huggingface.is_folder(directory))
        values = huggingface.read(directory)
        self.assertTrue(networks.equal(values, self.weights[part].values))
        self.assertEqual(
            huggingface.encoder_config(directory, self._shapes(directory)),
            self.weights[part].encoder,
        )

    def test_kernels_are_transposed_and_tables_are_not(self):
        tensors = huggingface_files.read(self._write())
        name = "electra/embeddings_project/kernel"  # [16, 32]
        self.assertAllEqual(
            tensors[_NAMES[name]],
            self.weights[networks.DISCRIMINATOR].values[name].T,
        )
        name = "electra/embeddings/word_embeddings"
        self.assertAllEqual(
            tensors[_NAMES[name]],
            self.weights[networks.DISCRIMINATOR].values[name],
        )

    @parameterized.parameters(
        ({"hidden_act": "gelu_new"}, "hidden_act is 'gelu_new', not 'gelu'"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05, not 1e-12"),
        ({"position_embedding_type": "relative_key"}, "not 'absolute'"),
        ({"is_decoder": True}, "is_decoder is True"),
        ({"model_type": "roberta"}, "of type 'roberta'; only 'electra'"),
        ({"hidden_size": 64}, "hidden_size 64 is stated, .* have 32"),
        ({"num_attention_heads": 5}, "multiple of num_attention_heads"),
    )
    def test_what_computes_something_else_is_an_error(self, theirs, message):
        directory = self._write(**theirs)
        with self.assertRaisesRegex(ValueError, message):
            huggingface.encoder_config(directory, self._shapes(directory))

    def test_tied_tensors_may_be_there_if_they_are_equal(self):
        directory = self._write(networks.GENERATOR)
        tensors = dict(huggingface_files.read(directory))
        table = tensors["electra.embeddings.word_embeddings.weight"]
        tensors["generator_lm_head.weight"] = table
        huggingface_files.write(directory, tensors)
        values = huggingface.read(directory)
        self.assertLen(values, len(tensors) - 1)

        tensors["generator_lm_head.weight"] = table + np.float32(1)
        huggingface_files.write(directory, tensors)
        with self.assertRaisesRegex(ValueError, "are not tied"):
            huggingface.read(directory)

    def test_other_folders_are_not_taken_for_one(self):
        directory = self.create_tempdir().full_path
        self.assertFalse(huggingface.is_folder(directory))
        testing.write_model_folder(directory, _CONFIG)
        self.assertFalse(huggingface.is_folder(directory))


if __name__ == "__main__":
    tf.test.main()
