import os
import shutil

import numpy as np
import tensorflow as tf

from electra_tf import config
from electra_tf import corrupter
from electra_tf import model_folder
from electra_tf import pretraining
from electra_tf import run_record
from electra_tf import sample_corruptions
from electra_tf import tokenization
from tests import testing
from tests import tiny_data


class SampleCorruptionsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.model_dir = self.create_tempdir().full_path
        self.data_dir = tiny_data.write(self.create_tempdir().full_path)
        self.config = testing.tiny_config(max_seq_length=tiny_data.LENGTH)

    def _collect(self, *, config_json=None, **fields):
        """What is collected of a model, and its weights."""
        run_config = testing.tiny_config(
            max_seq_length=tiny_data.LENGTH, **fields
        )
        values = testing.write_model_folder(self.model_dir, run_config)
        self._describe(run_config, **config_json or {"data": self._data()})
        run = run_record.load(self.model_dir)
        return sample_corruptions.collect(run), values

    def _describe(self, run_config, **contents):
        contents |= {"config": config.to_dict(run_config)}
        model_folder.write(self.model_dir, "pretraining", contents)

    def _data(self):
        return [{"data_dir": self.data_dir}]

    def test_tokens_are_as_training_corrupts_them(self):
        samples, values = self._collect()
        model = pretraining.ElectraPretrainer.for_tokenizer(
            self.config, tokenization.Tokenizer(testing.tiny_vocab())
        )
        for variable in model.trainable_variables:
            variable.assign(values[variable.name.partition(":")[0]])
        rows = [tiny_data.features(e) for e in tiny_data.EXAMPLES[:2]]
        batch = {n: np.int32([row[n] for row in rows]) for n in rows[0]}
        # The first file has two examples, the checkpoint is of step 3.
        expected = corrupter.Corrupter(model, is_trained=True, seed=0)(batch, 3)
        self.assertEqual((samples.step, samples.shows), (3, "verdicts"))
        for tokens, mask, probabilities, pieces in zip(
            samples.examples,
            expected.is_masked,
            expected.probabilities,
            ("[CLS] the time [SEP]", "[CLS] the of ##s [SEP] the [SEP]"),
            strict=True,
        ):
            self.assertEqual([t.piece for t in tokens], pieces.split())
            length = len(tokens)
            self.assertAllEqual([t.is_masked for t in tokens], mask[:length])
            self.assertAllClose(
                [t.probability for t in tokens], probabilities[:length]
            )

    def test_other_objectives_show_what_they_have(self):
        samples, _ = self._collect(objective="mlm")
        self.assertEqual(samples.shows, "guesses")
        self.assertTrue(any(t.is_masked for t in samples.examples[0]))
        self.assertIsNone(samples.examples[0][0].probability)

    def test_held_out_data_goes_before_that_of_training(self):
        held_out = tiny_data.write(self.create_tempdir().full_path)
        for contents in (
            {"data": self._data(), "eval_data_dir": held_out},
            {"data": self._data(), "eval_data_dir": None},
            {"data": self._data(), "eval_data_dir": held_out + "/moved"},
        ):
            samples, _ = self._collect(config_json=contents)
            is_there = contents["eval_data_dir"] == held_out
            self.assertEqual(samples.is_held_out, is_there)
            self.assertEqual(
                samples.data_dir, held_out if is_there else self.data_dir
            )

    def test_nothing_is_shown_without_data_of_the_run(self):
        shutil.rmtree(self.data_dir)
        self.assertIsNone(self._collect()[0])
        os.makedirs(self.data_dir)
        tiny_data.write(self.data_dir, vocab_sha256="of another")
        self.assertIsNone(self._collect()[0])
        os.remove(os.path.join(self.data_dir, "dataset_info.json"))
        self.assertIsNone(self._collect()[0])
        with open(os.path.join(self.data_dir, "dataset_info.json"), "w") as f:
            f.write("{}")
        self.assertIsNone(self._collect()[0])

    def test_nothing_is_shown_before_the_first_checkpoint(self):
        self._collect()
        shutil.rmtree(model_folder.checkpoints(self.model_dir))
        run = run_record.load(self.model_dir)
        self.assertIsNone(sample_corruptions.collect(run))


if __name__ == "__main__":
    tf.test.main()
