"""Tests of what exported pre-trained models answer."""

import json
import os
import subprocess
import sys
import tempfile
from unittest import mock

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpointing
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import export
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import pretrained_export
from electra_tf import pretrained_networks
from electra_tf import pretraining
from electra_tf import served_texts
from electra_tf import signatures
from electra_tf import tokenization
from tests import export_checks
from tests import export_test
from tests import shared_tokenizers
from tests import testing

_TEXTS = ["The time, then!", "Thé 👍🏽 שלום", "", "one of them " * 9]

# What somebody without this project does.
_CLIENT = """
import json, sys
import tensorflow as tf
import tensorflow_text
model = tf.saved_model.load(sys.argv[1])
texts = tf.constant(json.loads(sys.argv[2]))
answers = {
    name: model.signatures[name](text=texts)
    for name in ("serving_default", "encode")
}
print(json.dumps({
    "replaced_probabilities":
        answers["serving_default"]["replaced_probabilities"].numpy().tolist(),
    "cls": answers["encode"]["cls"].numpy().tolist(),
    "mean": answers["encode"]["mean"].numpy().tolist(),
    "of_this_project": [name for name in sys.modules if "electra" in name],
}))
"""


def _write_model(model_dir, run_config):
    """A model folder after 0 steps; returns the model."""
    model_folder.start(model_dir, kind="pretraining", run_config=run_config)
    tokenizer = shared_tokenizers.tiny()
    tokenizer.save(model_dir)
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    model.compile(optimizer=optimization.create(run_config))
    checkpointing.Checkpointer(
        model_folder.checkpoints(model_dir), model=model, keep=1
    ).save(0)
    return model


def _logits(model, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
    return model.heads.main(model.discriminator(inputs).sequence_output)


class PretrainedFunctionsTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.config = testing.tiny_config(num_hidden_layers=1)
        cls.tokenizer = shared_tokenizers.tiny()
        cls.model = pretraining.ElectraPretrainer(
            cls.config, testing.special_ids()
        )

    def setUp(self):
        super().setUp()
        self.functions = self._functions()

    def _functions(self, **settings) -> pretrained_export.PretrainedFunctions:
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        return pretrained_export.PretrainedFunctions(
            encoder=self.model.discriminator,
            head=self.model.heads.main,
            texts=served_texts.ServedTexts(
                tokenizer=self.tokenizer,
                vocab_table=served_texts.vocab_table(vocab_file),
                max_seq_length=self.config.max_seq_length,
                **settings,
            ),
        )

    def _packed(self, text: str) -> dict[str, tf.Tensor]:
        return self.tokenizer.pack(
            self.tokenizer.tokenize(tf.constant([text])),
            max_seq_length=self.config.max_seq_length,
            pad=False,
        )

    def test_probabilities_are_those_of_the_model(self):
        answer = self.functions.discriminate(tf.constant(_TEXTS))
        for row, text in enumerate(_TEXTS):
            logits = _logits(self.model, self._packed(text))[0].numpy()
            self.assertAllClose(
                answer["replaced_probabilities"][row, : len(logits)],
                1.0 / (1.0 + np.exp(-logits)),
                rtol=0,
                atol=1e-5,
            )

    def test_tokens_have_their_places_in_the_text(self):
        answer = self.functions.discriminate(tf.constant(["Thé  time", ""]))
        # "Thé  time" has 10 bytes; é has two of them.
        self.assertAllEqual(
            answer["tokens"],
            [
                [b"[CLS]", b"the", b"time", b"[SEP]"],
                [b"[CLS]", b"[SEP]", b"", b""],
            ],
        )
        self.assertAllEqual(answer["starts"], [[0, 0, 6, 0], [0] * 4])
        self.assertAllEqual(answer["ends"], [[0, 4, 10, 0], [0] * 4])
        self.assertAllEqual(answer["mask"], [[1, 1, 1, 1], [1, 1, 0, 0]])
        self.assertAllEqual(answer["replaced_probabilities"][1, 2:], [0, 0])

    def test_long_texts_are_cut(self):
        answer = self.functions.discriminate(tf.constant(["the " * 99]))
        # 24 tokens: [CLS], 22 words of 4 bytes with the space, [SEP].
        self.assertAllEqual(
            answer["tokens"], [[b"[CLS]", *[b"the"] * 22, b"[SEP]"]]
        )
        self.assertAllEqual(
            answer["starts"], [[0, *(4 * i for i in range(22)), 0]]
        )

    def test_features_are_those_of_the_encoder(self):
        answer = self.functions.encode(tf.constant(_TEXTS))
        for row, text in enumerate(_TEXTS):
            expected = (
                self.model.discriminator(self._packed(text))
                .sequence_output[0]
                .numpy()
            )
            length = len(expected)
            features = answer["features"][row].numpy()
            self.assertAllClose(features[:length], expected, atol=1e-5)
            self.assertAllEqual(features[length:], 0 * features[length:])
            self.assertAllClose(answer["cls"][row], expected[0], atol=1e-5)
            self.assertAllClose(
                answer["mean"][row], expected.mean(axis=0), atol=1e-5
            )

    def test_rows_of_a_fixed_length_have_the_same_answers(self):
        text = tf.constant(_TEXTS)
        answer = self.functions.discriminate(text)
        functions = self._functions(fixed_length=True)
        fixed = functions.discriminate(text)
        length = answer["tokens"].shape[1]
        for name, values in fixed.items():
            self.assertEqual(values.shape, [4, self.config.max_seq_length])
            if name == "replaced_probabilities":
                self.assertAllClose(values[:, :length], answer[name])
            else:
                self.assertAllEqual(values[:, :length], answer[name])
        specs = functions.all_signatures()["discriminate_ids"].inputs
        self.assertEqual(specs["input_ids"].shape.as_list(), [None, 24])

    def test_too_many_ids_are_refused_with_the_limit(self):
        inputs = {name: tf.ones([1, 33], tf.int32) for name in signatures.IDS}
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "reads at most 32 tokens"
        ):
            self.functions.encode_ids(**inputs)
        graph = tf.function(self.functions.encode_ids).get_concrete_function(
            **signatures.IDS
        )
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "reads at most 32 tokens"
        ):
            graph(**inputs)


class ExportedModelTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.model_dir = os.path.join(directory.name, "model")
        cls.config = testing.tiny_config(num_hidden_layers=1)
        cls.model = _write_model(cls.model_dir, cls.config)
        with export_checks.in_this_process():
            cls.exported = pretrained_export.export_pretrained(
                cls.model_dir, output_dir=os.path.join(directory.name, "served")
            )

    def test_a_process_without_this_project_gets_the_answers(self):
        result = subprocess.run(
            [sys.executable, "-I", "-c", _CLIENT]
            + [self.exported.path, json.dumps(_TEXTS)],
            capture_output=True,
            text=True,
            check=True,
        )
        answers = json.loads(result.stdout)
        self.assertEmpty(answers["of_this_project"])
        tokenizer = tokenization.Tokenizer.load(self.model_dir)
        for row, text in enumerate(_TEXTS):
            inputs = tokenizer.pack(
                tokenizer.tokenize(tf.constant([text])),
                max_seq_length=self.config.max_seq_length,
                pad=False,
            )
            features = self.model.discriminator(inputs).sequence_output[0]
            logits = _logits(self.model, inputs)[0].numpy()
            expected = {
                "replaced_probabilities": 1.0 / (1.0 + np.exp(-logits)),
                "cls": features[0],
                "mean": features.numpy().mean(axis=0),
            }
            for name, values in expected.items():
                self.assertAllClose(
                    answers[name][row][: len(values)],
                    values,
                    rtol=0,
                    atol=1e-5,
                )

    def test_a_server_has_all_operations(self):
        self.assertEmpty(export_test.unexpected_operations(self.exported.path))

    def test_holds_the_networks_and_the_vocabulary(self):
        names = tf.train.list_variables(
            os.path.join(self.exported.path, "variables", "variables")
        )
        size = sum(np.prod(shape, dtype=int) for _, shape in names if shape)
        # Generator and discriminator share their embeddings.
        expected = {
            variable.ref(): variable.shape.num_elements()
            for variable in self.model.trainable_variables
        }
        # Beside them, query, key and value of each layer as one.
        joined = sum(
            one.num_hidden_layers * 3 * one.hidden_size * (one.hidden_size + 1)
            for one in (
                self.model.discriminator.config,
                self.model.generator.encoder.config,
            )
        )
        self.assertEqual(size, sum(expected.values()) + joined)
        vocab_file = os.path.join(self.exported.path, "assets", "vocab.txt")
        with open(vocab_file, encoding="utf-8") as file:
            self.assertEqual(file.read().split(), testing.tiny_vocab())

    def test_a_longer_text_than_the_model_can_read_is_refused(self):
        with self.assertRaisesRegex(ValueError, "33 is longer than the 32"):
            pretrained_export.export_pretrained(
                self.model_dir,
                output_dir=self.create_tempdir().full_path,
                max_seq_length=33,
            )

    def test_weights_of_an_encoder_alone_encode(self):
        model_dir = self.create_tempdir().full_path
        encoder = self.model.discriminator
        model_folder.write(
            model_dir,
            "encoder",
            {"config": config.to_dict(self.config.encoder)},
        )
        shared_tokenizers.tiny().save(model_dir)
        named = checkpoints.by_name(encoder.variables)
        checkpoints.write_variables(
            model_folder.checkpoints(model_dir),
            {name: variable.numpy() for name, variable in named.items()},
            step=0,
        )
        with mock.patch.object(export, "verify", return_value="Not verified."):
            exported = pretrained_export.export_pretrained(
                model_dir, output_dir=self.create_tempdir().full_path
            )
        encode = tf.saved_model.load(exported.path).signatures
        self.assertCountEqual(
            encode, ["serving_default", "encode", "encode_ids"]
        )
        texts = tf.constant(_TEXTS)
        expected = tf.saved_model.load(self.exported.path).signatures["encode"]
        # Of this model only the 32 positions are known, not the 24 tokens
        # that the other one reads; no text but the last is longer than that.
        self.assertAllClose(
            encode["encode"](text=texts[:3])["cls"],
            expected(text=texts[:3])["cls"],
            rtol=0,
            atol=1e-5,
        )

    def test_a_fine_tuned_model_is_referred_to_the_other_program(self):
        model_dir = self.create_tempdir().full_path
        model_folder.start(model_dir, kind="finetuning", run_config=self.config)
        with self.assertRaisesRegex(ValueError, "finetune.export_task"):
            pretrained_export.export_pretrained(model_dir, output_dir=model_dir)


class SignaturesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.named_parameters(
        ("electra", {}, "discriminate", "encode fill_mask score"),
        ("mlm", {"objective": "mlm"}, "fill_mask", "encode score"),
        (
            "electric",
            {"objective": "electric", "generator": "two_tower"},
            "score",
            "encode",
        ),
        ("two_tower", {"generator": "two_tower"}, "discriminate", "encode"),
        (
            "replace_mlm",
            {"objective": "replace_mlm"},
            "fill_mask",
            "encode score",
        ),
        (
            "uniform",
            {"objective": "all_tokens_mlm", "generator": "uniform"},
            "encode",
            "",
        ),
    )
    def test_a_model_gets_what_it_can_answer(self, fields, default, others):
        tokenizer = shared_tokenizers.tiny()
        model = pretraining.ElectraPretrainer.for_tokenizer(
            testing.tiny_config(**fields), tokenizer
        )
        vocab_file = testing.write_vocab(self.create_tempdir().full_path)
        found = pretrained_export.all_signatures(
            pretrained_networks.of_pretrainer(model),
            served_texts.ServedTexts(
                tokenizer=tokenizer,
                vocab_table=served_texts.vocab_table(vocab_file),
                max_seq_length=24,
            ),
        )
        names = [default, *others.split()]
        self.assertCountEqual(
            found,
            [signatures.DEFAULT, *names, *(f"{name}_ids" for name in names)],
        )
        self.assertEqual(
            found[signatures.DEFAULT].function, found[default].function
        )


if __name__ == "__main__":
    tf.test.main()
