"""Tests of finding out what a path holds."""

import json
import os
import shutil

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import huggingface
from electra_tf import networks
from electra_tf import original_files
from electra_tf import sources
from electra_tf import tokenization
from tests import testing

_CONFIG = testing.tiny_config()
# The sizes of the original's checkpoints, which say nothing of heads.
_GOLDEN = dict(vocab_size=160, generator_hidden_size=0.25)


class SourcesTest(tf.test.TestCase, parameterized.TestCase):
    def _model_folder(self, **fields) -> tuple[str, networks.Values]:
        directory = os.path.join(self.create_tempdir().full_path, "model")
        run_config = testing.tiny_config(**fields)
        return directory, testing.write_model_folder(directory, run_config)

    @parameterized.parameters("", "/", "/checkpoints", "/checkpoints/ckpt-3")
    def test_a_model_folder_and_what_is_in_it(self, below):
        directory, values = self._model_folder()
        source = sources.load(directory + below)
        self.assertEqual(source.format, "electra_tf")
        self.assertEqual(source.kind, "pretraining")
        self.assertEqual(source.run_config, _CONFIG)
        self.assertEqual(source.encoder, _CONFIG.encoder)
        self.assertEqual(source.step, 3)
        self.assertTrue(networks.equal(source.variables, values))
        self.assertEqual(list(source.tokenizer().vocab), testing.tiny_vocab())

    @parameterized.parameters(
        ("model.ckpt-0", 0), ("trained.ckpt-3", 3), ("", 3)
    )
    def test_a_checkpoint_of_the_original(self, name, step):
        index = testing.golden("pretrain_electra", "trained.ckpt-3.index")
        path = os.path.join(os.path.dirname(index), name)
        source = sources.load(path, sources.Untold(num_attention_heads=2))
        self.assertEqual(source.format, "original")
        self.assertEqual(source.step, step)
        self.assertEqual(source.encoder, testing.tiny_config(**_GOLDEN).encoder)
        self.assertEqual(source.run_config.generator_hidden_size, 0.25)
        self.assertLen(source.variables, 82)  # And no slots of Adam.

    @parameterized.parameters(
        ("pretrain_electra_tied_generator", "electra", "transformer", "all"),
        (
            "pretrain_electra_untied_generator_embeddings",
            "electra",
            "transformer",
            "none",
        ),
        (
            "pretrain_electra_uniform_generator",
            "electra",
            "uniform",
            "embeddings",
        ),
        ("pretrain_electric", "electric", "two_tower", "embeddings"),
        ("pretrain_mlm", "mlm", "transformer", "embeddings"),
    )
    def test_objectives_of_the_original(
        self, folder, objective, generator, tying
    ):
        index = testing.golden(folder, "model.ckpt-0.index")
        source = sources.load(os.path.dirname(index))
        self.assertEqual(source.kind, "pretraining")
        self.assertEqual(source.run_config.objective, objective)
        self.assertEqual(source.run_config.generator, generator)
        self.assertEqual(source.run_config.tying, tying)

    def test_a_fine_tuned_model_of_the_original(self):
        index = testing.golden("finetune_classification", "model.ckpt-0.index")
        source = sources.load(os.path.dirname(index))
        self.assertEqual(source.kind, "encoder")
        self.assertIsNone(source.run_config)
        self.assertIn("task_specific/mnli/dense/kernel", source.variables)

    def test_the_layout_of_the_released_models(self):
        index = testing.golden("pretrain_electra", "trained.ckpt-3.index")
        directory = os.path.join(
            self.create_tempdir().full_path, "electra_small"
        )
        os.makedirs(directory)
        for suffix in (".index", ".data-00000-of-00001"):
            shutil.copy(
                index.removesuffix(".index") + suffix,
                os.path.join(directory, "electra_small" + suffix),
            )
        with open(os.path.join(directory, "electra_small.meta"), "w"):
            pass
        for with_state_file in (False, True):
            if with_state_file:
                with open(os.path.join(directory, "checkpoint"), "w") as file:
                    file.write('model_checkpoint_path: "electra_small"\n')
            for below in ("", "/electra_small", "/electra_small.meta"):
                source = sources.load(directory + below)
                self.assertEqual(source.step, 3)
                self.assertLen(source.variables, 82)
        with self.assertRaisesRegex(ValueError, "No vocabulary beside .*small"):
            source.tokenizer()

    def test_bert_is_a_masked_language_model(self):
        directory = self.create_tempdir().full_path
        run_config = testing.tiny_config(
            objective="mlm", embedding_size=32, max_seq_length=32
        )
        values = testing.random_weights(run_config)
        names = (
            ("electra/", "bert/"),
            ("generator_predictions/output", "cls/predictions/output"),
            ("generator_predictions/", "cls/predictions/transform/"),
        )
        of_bert = {"bert/pooler/dense/kernel": np.zeros([32, 32], np.float32)}
        for name, value in values.items():
            for ours, theirs in names:
                name = name.replace(ours, theirs)
            of_bert[name] = value
        original_files.write(
            directory, of_bert, encoder_config=run_config.encoder, step=0
        )
        source = sources.load(directory)
        self.assertTrue(networks.equal(source.variables, values))
        self.assertEqual(source.run_config.objective, "mlm")
        # Of bert_config.json; the rule for a width of 32 would be 1.
        self.assertEqual(source.encoder.num_attention_heads, 2)
        self.assertEqual(
            source.unused, {"bert/pooler/dense/kernel": "ELECTRA has no pooler"}
        )

    def _hugging_face(self, **fields) -> tuple[str, networks.Values]:
        """A folder with both networks, and the variables of the model."""
        directory = self.create_tempdir().full_path
        run_config = testing.tiny_config(num_attention_heads=1, **fields)
        values = testing.random_weights(run_config)
        weights = networks.Weights(values, run_config.encoder, run_config)
        for part, part_weights in networks.split(weights).items():
            huggingface.write(
                os.path.join(directory, part),
                part_weights.values,
                encoder=part_weights.encoder,
                tokenizer=tokenization.Tokenizer(testing.tiny_vocab()),
            )
        return directory, values

    def test_two_folders_of_hugging_face_are_one_model(self):
        directory, values = self._hugging_face()
        source = sources.load(directory)
        self.assertEqual(source.format, "huggingface")
        self.assertEqual(source.kind, "pretraining")
        self.assertTrue(networks.equal(source.variables, values))
        self.assertEqual(source.run_config.generator_hidden_size, 0.5)
        self.assertEqual(list(source.tokenizer().vocab), testing.tiny_vocab())

    def test_one_folder_of_hugging_face_is_one_network(self):
        directory, _ = self._hugging_face()
        source = sources.load(os.path.join(directory, "generator"))
        self.assertEqual(source.run_config.objective, "mlm")
        self.assertEqual(source.encoder.hidden_size, 16)
        shutil.rmtree(os.path.join(directory, "generator"))
        source = sources.load(directory)
        self.assertEqual(source.run_config.generator, "uniform")
        self.assertEqual(source.encoder.hidden_size, 32)

    def test_networks_with_different_vocabularies_are_an_error(self):
        directory, _ = self._hugging_face()
        vocab = testing.tiny_vocab()
        path = os.path.join(directory, "generator", "vocab.txt")
        with open(path, "w") as file:
            file.write("\n".join([*vocab[:-1], "zebra"]) + "\n")
        source = sources.load(directory)
        with self.assertRaisesRegex(ValueError, "different vocabularies"):
            source.tokenizer()

    def test_contradicting_what_is_known_is_an_error(self):
        directory, _ = self._model_folder()
        sources.load(directory, sources.Untold(num_attention_heads=2))
        with self.assertRaisesRegex(ValueError, "has 2 attention heads, not 4"):
            sources.load(directory, sources.Untold(num_attention_heads=4))

    def test_a_vocabulary_of_another_size_is_an_error(self):
        index = testing.golden("pretrain_electra", "model.ckpt-0.index")
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        source = sources.load(index, sources.Untold(vocab_file=vocab_file))
        with self.assertRaisesRegex(
            ValueError, f"has {len(testing.tiny_vocab())} entries, .* 160"
        ):
            source.tokenizer()

    def test_position_tables_are_extended_on_request(self):
        directory, values = self._model_folder()
        source = sources.extended(sources.load(directory), 50)
        self.assertEqual(source.encoder.max_position_embeddings, 50)
        self.assertEqual(source.run_config.encoder, source.encoder)
        name = "electra/embeddings/position_embeddings"
        self.assertAllEqual(source.variables[name][:32], values[name])
        self.assertLen(source.variables[name], 50)

    def test_what_is_none_of_these_is_an_error(self):
        directory = self.create_tempdir().full_path
        for path in (directory, os.path.join(directory, "nothing")):
            with self.assertRaisesRegex(ValueError, "No checkpoint in"):
                sources.load(path)
        checkpoints.write_variables(
            directory, {"resnet/kernel": np.zeros([3, 3])}, step=1
        )
        with self.assertRaisesRegex(ValueError, "scopes: resnet"):
            sources.load(directory)
        with open(os.path.join(directory, "config.json"), "w") as file:
            json.dump({"model_type": "gpt2"}, file)
        with self.assertRaisesRegex(ValueError, "neither model.safetensors"):
            sources.load(directory)


if __name__ == "__main__":
    tf.test.main()
