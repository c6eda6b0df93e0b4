"""Tests that what is shown of masks and networks is what training does."""

import os

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from data_prep import corruptions
from data_prep import data_folder
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import model_folder
from electra_tf import pretraining
from electra_tf import randomness
from electra_tf import tokenization
from tests import testing
from tests import tiny_data

_SEED = 5


def _config(**overrides):
    """Of a model for the tiny data set, of one layer to be made sooner."""
    values = dict(max_seq_length=tiny_data.LENGTH, num_hidden_layers=1)
    return testing.tiny_config(**values | overrides)


def _model_of(values, run_config):
    model = pretraining.ElectraPretrainer.for_tokenizer(
        run_config, tokenization.Tokenizer(testing.tiny_vocab())
    )
    checkpoints.restore(model.trainable_variables, values)
    return model


class CorruptionsTest(parameterized.TestCase, tf.test.TestCase):
    def setUp(self):
        super().setUp()
        root = self.create_tempdir().full_path
        self.model_dir = os.path.join(root, "model")
        self.config = _config()

    def folder(self, **info):
        path = self.create_tempdir().full_path
        return data_folder.load(tiny_data.write(path, **info))

    def corrupt(self, *, step=3, **arguments):
        """The corruption of the tiny data set, and the corrupter."""
        arguments = dict(seed=_SEED) | arguments
        folder, corrupter = corruptions.prepare(self.folder(), **arguments)
        return corrupter(self.batch(folder), step), corrupter

    def batch(self, folder):
        parts = list(data_folder.read(folder, np.arange(4)))
        return {
            name: np.concatenate([part.features[name] for part in parts])
            for name in parts[0].features
        }

    def output(self, run_config):
        """What a model with `random_weights` computes in that step."""
        values = testing.write_model_folder(self.model_dir, run_config)
        model = _model_of(values, run_config)
        return model(
            self.batch(self.folder()), seed=randomness.step_seed(_SEED, 3)
        )

    @parameterized.parameters("small", "large", "tiny", "bert_base")
    def test_masks_of_a_preset_are_those_of_its_runs(self, preset):
        corruption, corrupter = self.corrupt(preset=preset)
        self.assertEqual(corrupter.shows, "masks")
        self.assertIsNone(corruption.ids)
        mask_prob = 0.25 if preset == "large" else 0.15
        # Of another model with the same masks.
        output = self.output(_config(mask_prob=mask_prob))
        self.assertAllEqual(corruption.is_masked, output.corruption.is_masked)
        # Of 4, 7, 4 and 8 tokens, at least one and at most
        # (0.15 + 0.005) * 8 = 1.24 or (0.25 + 0.005) * 8 = 2.04.
        expected = [1, 2, 1, 2] if preset == "large" else [1, 1, 1, 1]
        self.assertAllEqual(corruption.is_masked.sum(1), expected)

    def test_seed_and_step_decide_the_masks(self):
        first, _ = self.corrupt(preset="large")
        again, _ = self.corrupt(preset="large")
        self.assertAllEqual(first.is_masked, again.is_masked)
        for change in (dict(seed=6), dict(step=4)):
            other, _ = self.corrupt(preset="large", **change)
            self.assertNotAllEqual(first.is_masked, other.is_masked)

    @parameterized.parameters(
        dict(),
        dict(objective="electra_15"),
        dict(generator="two_tower", objective="electric"),
        dict(masking="whole_words", mask_prob=0.4),
        dict(masking="with_replacement", mask_prob=0.4),
        dict(generator="uniform"),
    )
    def test_verdicts_are_those_of_the_model(self, **fields):
        output = self.output(_config(**fields))
        corruption, corrupter = self.corrupt(model_path=self.model_dir)
        self.assertEqual(corrupter.shows, "verdicts")
        self.assertAllEqual(corruption.ids, output.corruption.ids)
        self.assertAllEqual(corruption.is_masked, output.corruption.is_masked)
        counts = output.verdict.weights.numpy() > 0
        self.assertAllEqual(~np.isnan(corruption.probabilities), counts)
        self.assertAllClose(
            corruption.probabilities[counts],
            tf.sigmoid(output.verdict.logits).numpy()[counts],
        )
        self.assertAllEqual(
            corruption.is_noise[counts], output.verdict.labels.numpy()[counts]
        )

    @parameterized.parameters("replace_mlm", "all_tokens_mlm")
    def test_networks_that_predict_words_give_no_verdicts(self, objective):
        output = self.output(_config(objective=objective))
        corruption, corrupter = self.corrupt(model_path=self.model_dir)
        self.assertEqual(corrupter.shows, "replacements")
        self.assertAllEqual(corruption.ids, output.corruption.ids)
        self.assertIsNone(corruption.probabilities)

    def test_a_masked_language_model_guesses(self):
        output = self.output(_config(objective="mlm", mask_prob=0.4))
        corruption, corrupter = self.corrupt(model_path=self.model_dir)
        self.assertEqual(corrupter.shows, "guesses")
        self.assertIsNone(corruption.probabilities)
        expected = self.batch(self.folder())["input_ids"]
        for row, slot in np.argwhere(output.masked.weights.numpy()):
            position = output.masked.positions[row, slot]
            logits = output.masked_lm_logits[row, slot]
            expected[row, position] = np.argmax(logits)
        self.assertAllEqual(corruption.ids, expected)

    def test_the_model_is_adapted_to_data_and_preset(self):
        # It was trained on longer examples.
        testing.write_model_folder(self.model_dir, _config(max_seq_length=24))
        corruption, corrupter = self.corrupt(
            model_path=self.model_dir, preset="large"
        )
        self.assertAllEqual(corruption.is_masked.sum(1), [1, 2, 1, 2])
        self.assertIn("mask_prob 0.25", corrupter.about)

    def test_data_without_a_vocabulary_gets_that_of_the_model(self):
        testing.write_model_folder(self.model_dir, self.config)
        folder, _ = corruptions.prepare(
            self.folder(original=True), model_path=self.model_dir
        )
        self.assertEqual(folder.vocab, tuple(testing.tiny_vocab()))

    def test_a_model_without_a_vocabulary_takes_that_of_the_data(self):
        testing.write_model_folder(self.model_dir, self.config)
        for name in (tokenization.VOCAB_FILE, tokenization.SETTINGS_FILE):
            os.remove(os.path.join(self.model_dir, name))
        corruption, _ = self.corrupt(model_path=self.model_dir)
        self.assertEqual(corruption.ids.shape, (4, tiny_data.LENGTH))
        with self.assertRaisesRegex(ValueError, "Neither .* has a vocabulary"):
            corruptions.prepare(
                self.folder(original=True), model_path=self.model_dir
            )

    def test_another_vocabulary_is_refused(self):
        testing.write_model_folder(self.model_dir, self.config)
        vocab = testing.tiny_vocab()
        vocab[-2:] = vocab[-1], vocab[-2]
        tokenization.Tokenizer(vocab).save(self.model_dir)
        with self.assertRaisesRegex(ValueError, "another vocabulary"):
            self.corrupt(model_path=self.model_dir)

    def test_what_is_no_pretrained_model_is_refused(self):
        testing.write_model_folder(self.model_dir, self.config)
        model_folder.write(
            self.model_dir,
            "encoder",
            {"config": config.to_dict(self.config.encoder)},
        )
        with self.assertRaisesRegex(ValueError, "of kind 'encoder'"):
            self.corrupt(model_path=self.model_dir)

    def test_masks_need_a_vocabulary(self):
        with self.assertRaisesRegex(ValueError, "has no vocabulary"):
            corruptions.prepare(self.folder(original=True), preset="small")

    def test_examples_too_long_for_the_model_are_refused(self):
        testing.write_model_folder(self.model_dir, self.config)
        folder = self.folder(max_seq_length=64)
        with self.assertRaisesRegex(ValueError, "64 is longer than the 32"):
            corruptions.prepare(folder, model_path=self.model_dir)

    def test_nothing_is_corrupted_without_preset_and_model(self):
        folder = self.folder()
        self.assertEqual(corruptions.prepare(folder), (folder, None))


if __name__ == "__main__":
    tf.test.main()
