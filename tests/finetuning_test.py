"""Tests of whole fine-tuning runs, on a task that a tiny model can learn."""

import dataclasses
import json
import os
import shutil
import tempfile
from unittest import mock

import numpy as np
import tensorflow as tf

from electra_tf import checkpointing
from electra_tf import checkpoints
from electra_tf import conversion
from electra_tf import metrics_log
from electra_tf import model_folder
from electra_tf import networks
from electra_tf import tokenization
from finetune import finetune_config
from finetune import finetuned
from finetune import finetuning
from finetune import preparation
from finetune import task_data
from finetune import trial
from tests import testing
from tests import tiny_tasks


def _read_lines(*path: str) -> list[dict]:
    with open(os.path.join(*path)) as file:
        return [json.loads(line) for line in file]


def _read_json(*path: str) -> dict:
    with open(os.path.join(*path)) as file:
        return json.load(file)


class FinetuningTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.source = os.path.join(directory.name, "pretrained")
        cls.data_dir = os.path.join(directory.name, "glue")
        cls.trials_dir = os.path.join(directory.name, "trials")
        tiny_tasks.write_pretrained(cls.source)
        tiny_tasks.write_task(cls.data_dir)
        cls.trials = cls._finetune(cls.trials_dir, num_trials=2)

    @classmethod
    def _config(cls, **fields) -> finetune_config.FinetuneConfig:
        return tiny_tasks.config(cls.source, **fields)

    @classmethod
    def _finetune(cls, output_dir: str, **fields) -> dict:
        return finetuning.finetune(
            cls._config(**fields), read=cls._read(), output_dir=output_dir
        )

    @classmethod
    def _read(cls) -> task_data.Reader:
        return task_data.Source(data_dir=cls.data_dir).read

    @classmethod
    def _prepare(cls, **fields) -> preparation.Run:
        return preparation.prepare(cls._config(**fields), read=cls._read())

    def test_a_run_learns_reports_and_is_loaded_back(self):
        output_dir = self.create_tempdir().full_path
        results = self._finetune(
            output_dir, num_train_epochs=20.0, save_checkpoints_steps=80
        )
        # 20 * 64 / 8.
        self.assertEqual(results["num_train_steps"], 160)
        metrics = results["trials"][0]["metrics"]["dev"]
        self.assertEqual(metrics["accuracy"], 100.0)
        self.assertEqual(metrics["mcc"], 100.0)
        self.assertEqual(results, _read_json(output_dir, "results.json"))
        steps = {e["step"] for e in metrics_log.read(output_dir)}
        self.assertContainsSubset({4, 80, 160}, steps)

        dev = _read_lines(output_dir, "predictions", "dev.jsonl")
        self.assertEqual(
            [p["id"] for p in dev], list(range(tiny_tasks.NUM_DEV))
        )
        targets = [
            str(label)
            for _, label in tiny_tasks.sentences(tiny_tasks.NUM_DEV, seed=3)
        ]
        self.assertEqual([p["target"] for p in dev], targets)
        self.assertEqual([p["label"] for p in dev], targets)
        test = _read_lines(output_dir, "predictions", "test.jsonl")
        self.assertLen(test, tiny_tasks.NUM_TEST)
        self.assertNotIn("target", test[0])

        model, tokenizer, tasks = finetuned.load(output_dir)
        self.assertEqual(tasks["cola"].labels, ("0", "1"))
        texts = [
            text for text, _ in tiny_tasks.sentences(tiny_tasks.NUM_DEV, seed=3)
        ]
        inputs = tokenizer.pack(
            tokenizer.tokenize(texts), max_seq_length=16, pad=False
        )
        self.assertAllClose(
            model(inputs)["probabilities"],
            [list(p["probabilities"].values()) for p in dev],
            atol=1e-5,
        )

    def test_training_starts_from_the_checkpoint_unless_from_scratch(self):
        pretrained = checkpoints.read_variables(self.source)
        name = "electra/encoder/layer_0/output/dense/kernel"
        for from_scratch in (False, True):
            run = self._prepare(from_scratch=from_scratch)
            model = trial.new_model(run, num_steps=1)
            weights = checkpoints.by_name(model.trainable_variables)
            self.assertEqual(
                np.array_equal(weights[name], pretrained[name]),
                not from_scratch,
            )

    def test_parts_of_the_step_are_compiled_where_it_is_worth_it(self):
        # None is for them, False for nothing, True for the whole step.
        for fields, num_steps, expected in (
            ({}, 999, False),
            ({}, 1000, None),
            ({"pad_to_max_length": True}, 999, None),
            ({"jit_compile": True}, 999, True),
            ({"jit_compile": False}, 1000, False),
        ):
            run = self._prepare(**fields)
            model = trial.new_model(run, num_steps)
            self.assertEqual(model.config.jit_compile, expected, fields)

    def test_weights_of_every_format_are_fine_tuned(self):
        pretrained = checkpoints.read_variables(self.source)
        name = "electra/encoder/layer_0/output/dense/kernel"
        directory = self.create_tempdir().full_path
        for output_format in ("original", "huggingface"):
            path = os.path.join(directory, output_format)
            conversion.convert(
                self.source, output=path, output_format=output_format
            )
            if output_format == "huggingface":
                path = os.path.join(path, networks.DISCRIMINATOR)
            run = self._prepare(init_checkpoint=path)
            self.assertEqual(
                run.source.encoder, tiny_tasks.pretrain_config().encoder
            )
            weights = checkpoints.by_name(
                trial.new_model(run, num_steps=1).trainable_variables
            )
            self.assertAllEqual(weights[name], pretrained[name])

    def test_a_checkpoint_of_the_original_needs_a_few_words(self):
        index = testing.golden("pretrain_electra", "model.ckpt-0.index")
        directory = self.create_tempdir().full_path
        for suffix in (".index", ".data-00000-of-00001"):
            shutil.copy(index.removesuffix(".index") + suffix, directory)
        vocab_file = os.path.join(directory, "words")
        with open(vocab_file, "w") as file:
            file.write("\n".join(testing.tiny_vocab()[:160]) + "\n")
        fields = dict(init_checkpoint=directory, num_train_epochs=0.2)
        output_dir = self.create_tempdir().full_path
        with self.assertRaisesRegex(ValueError, "No vocabulary beside"):
            self._finetune(output_dir, **fields)
        self._finetune(
            output_dir,
            vocab_file=vocab_file,
            lower_case=False,
            num_attention_heads=2,
            **fields,
        )
        shutil.rmtree(directory)  # The model's folder has all that is needed.
        model, tokenizer, _ = finetuned.load(output_dir)
        self.assertEqual(model.encoder.config.num_attention_heads, 2)
        self.assertEqual(tokenizer.vocab_size, 160)
        self.assertFalse(tokenizer.lower_case)

    def test_positions_are_extended_on_request(self):
        run = self._prepare(max_seq_length=40, extend_positions=True)
        model = trial.new_model(run, num_steps=1)
        table = model.encoder.embeddings.position_embeddings
        name = "electra/embeddings/position_embeddings"
        pretrained = checkpoints.read_variables(self.source)[name]
        self.assertAllEqual(table[:32], pretrained)
        self.assertAllEqual(table[32:], pretrained[1:9])

    def test_a_stopped_run_continues_to_the_same_weights(self):
        stopped = self.create_tempdir().full_path
        save = checkpointing.Checkpointer.save

        def save_and_stop(checkpointer, step):
            save(checkpointer, step)
            raise KeyboardInterrupt

        with mock.patch.object(
            checkpointing.Checkpointer, "save", save_and_stop
        ):
            with self.assertRaises(KeyboardInterrupt):
                self._finetune(stopped)
        self._finetune(stopped)
        # Nor does it matter that it was one of several trials.
        whole = os.path.join(self.trials_dir, "trial_0")
        expected = checkpoints.read_variables(whole)
        for name, value in checkpoints.read_variables(stopped).items():
            self.assertAllEqual(value, expected[name], msg=name)

    def test_trials_differ_in_their_seeds_and_the_best_is_loaded(self):
        trials = self.trials["trials"]
        self.assertEqual([one["seed"] for one in trials], [0, 1])
        losses = [one["metrics"]["dev"]["loss"] for one in trials]
        self.assertNotEqual(*losses)
        scores = [one["metrics"]["dev"]["mcc"] for one in trials]
        model, _, _ = finetuned.load(self.trials_dir)
        self.assertEqual(model.config.seed, np.argmax(scores))

    def test_another_configuration_in_the_folder_is_refused(self):
        with self.assertRaisesRegex(ValueError, "num_trials: 2 -> 3"):
            self._finetune(self.trials_dir, num_trials=3)

    def test_a_fine_tuned_model_can_be_fine_tuned_again(self):
        source = os.path.join(self.trials_dir, "trial_0")
        run = self._prepare(init_checkpoint=source)
        weights = checkpoints.by_name(
            trial.new_model(run, num_steps=1).trainable_variables
        )
        for name, value in checkpoints.read_variables(source).items():
            self.assertAllEqual(weights[name], value, msg=name)

    def test_padding_more_changes_no_prediction(self):
        run = self._prepare()
        rows = preparation.make_rows(run).by_task["cola"]["dev"]
        outputs = []
        for batch_size, is_padded in ((4, True), (3, False)):
            new_config = dataclasses.replace(
                run.config, pad_to_max_length=is_padded
            )
            model = trial.new_model(
                run._replace(config=new_config), num_steps=1
            )
            outputs.append(
                finetuned.predict(
                    model, rows, task=run.tasks[0], batch_size=batch_size
                )
            )
        self.assertAllClose(outputs[0], outputs[1], atol=1e-5)

    def test_a_folder_without_a_fine_tuned_model_is_not_loaded(self):
        with self.assertRaisesRegex(ValueError, "holds a pretraining model"):
            finetuned.load(self.source)

    def test_wrong_input_is_found_before_anything_is_written(self):
        other = self.create_tempdir().full_path
        model_folder.start(
            other, kind="pretraining", run_config=testing.tiny_config()
        )
        tokenizer = tokenization.Tokenizer(testing.tiny_vocab())
        tokenizer.save(other)
        for fields, message in (
            ({"task": "coala"}, "Unknown task 'coala'"),
            ({"task": "rte"}, "No file .*RTE/train.tsv"),
            ({"init_checkpoint": "nowhere"}, "No checkpoint in 'nowhere'"),
            ({"init_checkpoint": other}, "No checkpoint in"),
            ({"max_seq_length": 33}, "32 positions.*--extend_positions"),
        ):
            output_dir = os.path.join(self.create_tempdir().full_path, "new")
            with self.assertRaisesRegex(ValueError, message):
                self._finetune(output_dir, **fields)
            self.assertFalse(os.path.exists(output_dir))


if __name__ == "__main__":
    tf.test.main()
