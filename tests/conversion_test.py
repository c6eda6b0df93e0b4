"""Tests of converting weights from each format to each other."""

import functools
import json
import os
import shutil
import tempfile
from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import conversion
from electra_tf import export
from electra_tf import model_folder
from electra_tf import networks
from electra_tf import original_files
from electra_tf import pretrained_export
from electra_tf import sources
from electra_tf import tokenization
from tests import testing

_FORMATS = ("electra_tf", "original", "huggingface")
_FULL_SIZE = dict(generator_hidden_size=1.0)


def _files(directory: str) -> set[str]:
    return {
        os.path.relpath(os.path.join(folder, name), directory)
        for folder, _, names in os.walk(directory)
        for name in names
    }


class ConversionTest(tf.test.TestCase, parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = staticmethod(functools.cache(cls._make))

    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def _convert(self, path: str, output_format: str, **arguments):
        """Converts to a folder named by the format."""
        return conversion.convert(
            path,
            output=self._path(output_format),
            output_format=output_format,
            **arguments,
        )

    def _model_folder(self, **fields) -> tuple[str, networks.Values]:
        """A copy of the folder that all tests with these fields start from."""
        path = self._path("model")
        fields = dict(num_attention_heads=1, num_hidden_layers=1) | fields
        made, values = self.made(tuple(sorted(fields.items())))
        shutil.copytree(made, path)
        return path, dict(values)

    @classmethod
    def _make(cls, fields) -> tuple[str, networks.Values]:
        path = cls.enterClassContext(tempfile.TemporaryDirectory())
        run_config = testing.tiny_config(**dict(fields))
        return path, testing.write_model_folder(path, run_config)

    def _assert_same(self, path: str, values: networks.Values):
        self.assertTrue(networks.equal(sources.load(path).variables, values))

    @parameterized.parameters(
        ("original", dict(num_hidden_layers=2)),
        ("original", dict(num_attention_heads=2)),
        ("original", dict(tying="none")),
        ("original", dict(tying="all", **_FULL_SIZE)),
        ("original", dict(objective="electric", generator="two_tower")),
        ("original", dict(objective="all_tokens_mlm")),
        ("original", dict(objective="mlm", **_FULL_SIZE)),
        ("huggingface", dict(num_hidden_layers=2)),
        ("huggingface", dict(num_attention_heads=2)),
        ("huggingface", dict(tying="none")),
        ("huggingface", dict(tying="all", **_FULL_SIZE)),
        ("huggingface", dict(generator="uniform", **_FULL_SIZE)),
        ("huggingface", dict(objective="mlm", **_FULL_SIZE)),
    )
    def test_there_and_back_no_bit_changes(self, there, fields):
        path, values = self._model_folder(**fields)
        converted = self._convert(path, there)
        self.assertEmpty(converted.left_out)
        self.assertIn("largest difference 0", converted.check)
        self._assert_same(self._path(there), values)
        self._convert(self._path(there), "electra_tf")
        self._assert_same(self._path("electra_tf"), values)
        back = sources.load(self._path("electra_tf"))
        start = sources.load(path)
        self.assertEqual(back.encoder, start.encoder)
        for name in ("objective", "tying", "generator_encoder"):
            self.assertEqual(
                getattr(back.run_config, name),
                getattr(start.run_config, name),
                name,
            )
        self.assertEqual(back.tokenizer().vocab, start.tokenizer().vocab)

    @parameterized.parameters(*_FORMATS)
    def test_a_checkpoint_of_the_original_with_its_optimizer(self, there):
        index = testing.golden("pretrain_electra", "trained.ckpt-3.index")
        converted = self._convert(
            index,
            there,
            untold=sources.Untold(
                vocab_file=self._vocab_file(160), num_attention_heads=2
            ),
        )
        self.assertIn("largest difference 0", converted.check)
        self._assert_same(
            self._path(there),
            checkpoints.read_variables(index.removesuffix(".index")),
        )

    def _vocab_file(self, size: int) -> str:
        path = self._path("vocab.txt")
        words = [f"w{i}" for i in range(size - len(testing.SPECIAL_TOKENS))]
        with open(path, "w") as file:
            file.write("\n".join([*testing.SPECIAL_TOKENS, *words]) + "\n")
        return path

    @parameterized.parameters(
        (
            "electra_tf",
            {
                "config.json",
                "vocab.txt",
                "tokenizer.json",
                "checkpoints/checkpoint",
                "checkpoints/ckpt-3.index",
                "checkpoints/ckpt-3.data-00000-of-00001",
            },
        ),
        (
            "original",
            {
                "checkpoint",
                "model.ckpt-3.index",
                "model.ckpt-3.data-00000-of-00001",
                "bert_config.json",
                "vocab.txt",
                "tokenizer.json",
            },
        ),
        (
            "huggingface",
            {
                f"{part}/{name}"
                for part in ("discriminator", "generator")
                for name in (
                    "config.json",
                    "model.safetensors",
                    "tokenizer_config.json",
                    "vocab.txt",
                )
            },
        ),
    )
    def test_a_format_has_these_files_and_nothing_is_left_behind(
        self, there, expected
    ):
        path, _ = self._model_folder()
        converted = self._convert(path, there)
        self.assertEqual(_files(self._path(there)), expected)
        self.assertCountEqual(os.listdir(self.directory), ["model", there])
        summary = conversion.summary(converted)
        for text in (there, "step 3", "tying embeddings", *converted.folders):
            self.assertIn(text, summary)
        for name in expected:
            self.assertIn(os.path.basename(name), summary)

    def test_settings_of_the_tokenizer_come_along(self):
        path, _ = self._model_folder()
        tokenization.Tokenizer(testing.tiny_vocab(), lower_case=False).save(
            path
        )
        for there in _FORMATS:
            self._convert(path, there)
            tokenizer = sources.load(self._path(there)).tokenizer()
            self.assertFalse(tokenizer.lower_case)

    @parameterized.parameters(
        ("huggingface", dict(generator="unigram"), {"generator_predictions"}),
        (
            "huggingface",
            dict(objective="electric", generator="two_tower"),
            {"generator_ltr", "generator_rtl", "cloze_predictions"},
        ),
        (
            "huggingface",
            dict(objective="all_tokens_mlm"),
            {"token_predictions", "copy_predictions"},
        ),
        (
            "original",
            dict(tying="gdes"),
            {"generator", "generator_predictions"},
        ),
    )
    def test_what_has_no_counterpart_is_named(self, there, fields, left_out):
        path, values = self._model_folder(**fields)
        converted = self._convert(path, there)
        self.assertEqual(set(converted.left_out), left_out)
        for scope in left_out:
            self.assertIn(
                f"not written: {scope}/", conversion.summary(converted)
            )
        main = next(iter(converted.folders))
        found = sources.load(main).variables
        name = "electra/encoder/layer_0/output/dense/kernel"
        self.assertAllEqual(found[name], values[name])

    def test_differences_between_embeddings_are_added_up(self):
        path, values = self._model_folder(tying="gdes")
        self._convert(path, "huggingface")
        table = "embeddings/word_embeddings"
        expected = {
            "discriminator": values[f"generator/{table}"]
            + values[f"electra/{table}_delta"],
            "generator": values[f"generator/{table}"],
        }
        for part, value in expected.items():
            source = sources.load(os.path.join(self._path("huggingface"), part))
            self.assertAllEqual(source.variables[f"electra/{table}"], value)
        self._convert(path, "electra_tf")  # Where they stay differences.
        self._assert_same(self._path("electra_tf"), values)

    def test_a_fine_tuned_model_keeps_its_head_here_and_in_the_original(self):
        path = self._path("model")
        encoder = testing.tiny_config().encoder
        values = {
            name: value
            for name, value in testing.random_weights(
                testing.tiny_config()
            ).items()
            if name.startswith("electra/")
        } | {"task_specific/cola/dense/bias": np.float32([1.0, 2.0])}
        contents = {
            "config": {"task": "cola"},
            "task": {"name": "cola"},
            "encoder": vars(encoder),
        }
        model_folder.write(path, "finetuning", contents)
        tokenization.Tokenizer(testing.tiny_vocab()).save(path)
        checkpoints.write_variables(
            model_folder.checkpoints(path), values, step=1
        )
        for there in ("electra_tf", "original"):
            self._convert(path, there)
            self._assert_same(self._path(there), values)
        read = model_folder.read(self._path("electra_tf"))
        self.assertEqual({n: read[n] for n in contents}, contents)
        converted = self._convert(path, "huggingface")
        self.assertEqual(list(converted.left_out), ["task_specific"])
        source = sources.load(self._path("huggingface"))
        self.assertEqual(source.kind, "encoder")

    def test_positions_are_extended_on_request(self):
        path, values = self._model_folder()
        name = "electra/embeddings/position_embeddings"
        for there in _FORMATS:
            self._convert(path, there, max_position_embeddings=48)
            source = sources.load(self._path(there))
            self.assertEqual(source.encoder.max_position_embeddings, 48)
            self.assertAllEqual(
                source.variables[name],
                np.concatenate([values[name], values[name][1:17]]),
            )
        with self.assertRaisesRegex(ValueError, "never shortened"):
            conversion.convert(
                path,
                output=self._path("short"),
                output_format="original",
                max_position_embeddings=16,
            )

    def test_what_was_converted_can_be_exported(self):
        path, _ = self._model_folder()
        self._convert(path, "huggingface")
        self._convert(
            os.path.join(self._path("huggingface"), "discriminator"),
            "electra_tf",
        )
        with mock.patch.object(export, "verify", return_value="Not verified."):
            exported = pretrained_export.export_pretrained(
                self._path("electra_tf"), output_dir=self._path("served")
            )
        self.assertIn("discriminate", exported.functions)

    def test_converted_weights_are_no_run_to_continue(self):
        path, _ = self._model_folder()
        self._convert(path, "electra_tf")
        with self.assertRaisesRegex(
            ValueError, "converted weights.*init_check"
        ):
            model_folder.start(
                self._path("electra_tf"),
                kind="pretraining",
                run_config=testing.tiny_config(
                    num_attention_heads=1, num_hidden_layers=1
                ),
            )

    def test_an_existing_output_is_refused(self):
        path, _ = self._model_folder()
        os.makedirs(self._path("original"))
        with self.assertRaisesRegex(ValueError, "exists. Name a new folder"):
            self._convert(path, "original")

    def test_missing_unexpected_and_misshapen_variables_are_listed(self):
        path, values = self._model_folder(num_hidden_layers=2)
        del values["electra/encoder/layer_1/output/dense/bias"]
        values["electra/encoder/layer_0/extra"] = np.zeros([3], np.float32)
        values["generator_predictions/output_bias"] = np.zeros([7], np.float32)
        broken = self._path("broken")
        os.makedirs(broken)
        original_files.write(
            broken, values, encoder_config=testing.tiny_config().encoder, step=0
        )
        testing.write_vocab(broken)
        with self.assertRaisesRegex(
            ValueError,
            r"(?s)Variables \(3\).*"
            r"missing from .*electra/encoder/layer_1/output/dense/bias.*"
            r"not in the model: electra/encoder/layer_0/extra \(3,\).*"
            r"of another shape: generator_predictions/output_bias \(7,\)",
        ):
            self._convert(broken, "huggingface")
        self.assertCountEqual(os.listdir(self.directory), ["model", "broken"])

    def test_a_wrong_number_leaves_no_output(self):
        path, _ = self._model_folder()
        write = original_files.write

        def write_wrongly(directory, values, **arguments):
            name = "electra/embeddings_project/bias"
            return write(
                directory, values | {name: values[name] + 1.0}, **arguments
            )

        with mock.patch.object(original_files, "write", write_wrongly):
            with self.assertRaisesRegex(RuntimeError, "not read back as"):
                self._convert(path, "original")
        self.assertEqual(os.listdir(self.directory), ["model"])

    def test_config_json_says_where_it_comes_from(self):
        path, _ = self._model_folder()
        self._convert(path, "electra_tf")
        with open(os.path.join(self._path("electra_tf"), "config.json")) as f:
            contents = json.load(f)
        self.assertEqual(contents["kind"], "pretraining")
        self.assertEqual(contents["converted_from"], path)


if __name__ == "__main__":
    tf.test.main()
