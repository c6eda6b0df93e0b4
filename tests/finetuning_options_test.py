"""Tests of what a fine-tuning run can do besides: tasks, trials, stops."""

import json
import os
import tempfile
from unittest import mock

import numpy as np
import tensorflow as tf

from electra_tf import checkpoint_files
from electra_tf import checkpoints
from electra_tf import guards
from electra_tf import metrics_log
from electra_tf import training
from finetune import custom_task
from finetune import finetune_config
from finetune import finetuned
from finetune import finetuning
from finetune import heads
from finetune import kinds
from finetune import prediction
from finetune import preparation
from finetune import task_data
from finetune import trial
from tests import tiny_tasks


class OptionsTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.source = os.path.join(directory.name, "pretrained")
        cls.data_dir = os.path.join(directory.name, "glue")
        tiny_tasks.write_pretrained(cls.source)
        tiny_tasks.write_task(cls.data_dir)
        tiny_tasks.write_pairs(cls.data_dir)
        cls.trials_dir = os.path.join(directory.name, "trials")
        cls.trials = cls._run(cls.trials_dir, num_trials=2)

    @classmethod
    def _config(cls, **fields) -> finetune_config.FinetuneConfig:
        return tiny_tasks.config(cls.source, **fields)

    @classmethod
    def _read(cls) -> task_data.Reader:
        return task_data.Source(data_dir=cls.data_dir).read

    @classmethod
    def _run(cls, output_dir: str, **fields) -> dict:
        return finetuning.finetune(
            cls._config(**fields), read=cls._read(), output_dir=output_dir
        )

    def _finetune(self, **fields) -> tuple[str, dict]:
        output_dir = fields.pop("output_dir", None)
        output_dir = output_dir or self.create_tempdir().full_path
        return output_dir, self._run(output_dir, **fields)

    def test_several_tasks_are_learned_by_one_encoder(self):
        output_dir, results = self._finetune(
            task="cola,rte", task_sampling_exponent=0.0
        )
        # (64 + 16) / 8.
        self.assertEqual(results["num_train_steps"], 10)
        self.assertEqual(
            results["main_metrics"],
            {"cola/dev": "mcc", "rte/dev": "accuracy"},
        )
        self.assertCountEqual(results["summary"], ["cola/dev", "rte/dev"])
        loaded = finetuned.load(output_dir)
        self.assertCountEqual(loaded.tasks, ["cola", "rte"])
        path = os.path.join(output_dir, "predictions", "rte", "dev.jsonl")
        with open(path) as file:
            records = [json.loads(line) for line in file]
        predictor = prediction.Predictor(loaded, task_name="rte")
        lines = [
            f"{text}\t{text}" for text, _ in tiny_tasks.sentences(6, seed=9)
        ]
        for one, other in zip(
            predictor.records(lines, chunk_size=4), records, strict=True
        ):
            self.assertEqual(one["label"], other["label"])
            self.assertAllClose(
                one["probabilities"], other["probabilities"], atol=1e-5
            )
        with self.assertRaisesRegex(ValueError, "Name one task of cola, rte"):
            loaded.task()

    def test_each_task_has_its_share_of_an_epoch(self):
        for exponent, expected in ((1.0, [64, 16]), (0.0, [40, 40])):
            run = preparation.prepare(
                self._config(
                    task="cola,rte",
                    task_sampling_exponent=exponent,
                    predict_test=False,
                ),
                read=self._read(),
            )
            rows = preparation.make_rows(run)
            self.assertEqual(rows.rows_per_epoch, expected)

    def test_an_encoder_may_come_from_another_task(self):
        run = preparation.prepare(
            self._config(
                task="rte", init_checkpoint="", init_from_task=self.trials_dir
            ),
            read=self._read(),
        )
        best = finetuned.best_folder(self.trials_dir)
        trained = checkpoints.read_variables(best)
        model = trial.new_model(run, num_steps=1)
        weights = checkpoints.by_name(model.trainable_variables)
        name = "electra/encoder/layer_0/output/dense/kernel"
        self.assertAllEqual(weights[name], trained[name])
        self.assertNotIn("task_specific/cola/dense/kernel", weights)

    def test_a_custom_task_takes_no_head_of_another(self):
        def read(kind):
            files = dict.fromkeys(("train", "dev"), self._custom_file())
            return task_data.Source(
                custom=custom_task.create(
                    name="custom",
                    kind=kind,
                    files=files,
                    text_columns=["text"],
                    label_column="label",
                )
            ).read

        first = self.create_tempdir().full_path
        finetuning.finetune(
            self._config(task="custom"),
            read=read("classification"),
            output_dir=first,
        )
        trained = checkpoints.read_variables(first)
        head = "task_specific/custom/dense/kernel"
        self.assertEqual(trained[head].shape[1], 2)
        for kind, size in (("classification", 2), ("regression", 1)):
            run = preparation.prepare(
                self._config(
                    task="custom",
                    init_checkpoint="",
                    init_from_task=first,
                    seed=1,
                ),
                read=read(kind),
            )
            model = trial.new_model(run, num_steps=1)
            weights = checkpoints.by_name(model.trainable_variables)
            name = "electra/encoder/layer_0/output/dense/kernel"
            self.assertAllEqual(weights[name], trained[name])
            self.assertEqual(weights[head].shape[1], size)
            self.assertNotAllEqual(weights[head][:, 0], trained[head][:, 0])

    def _custom_file(self) -> str:
        path = os.path.join(self.create_tempdir().full_path, "train.jsonl")
        with open(path, "w") as file:
            for text, label in tiny_tasks.sentences(8, seed=1):
                file.write(json.dumps({"text": text, "label": label}) + "\n")
        return path

    def test_the_best_evaluation_s_weights_are_kept(self):
        scores = iter([50.0, 90.0, 70.0, 60.0] + [80.0] * 10)

        def score(*_, **__):
            return {"mcc": next(scores)}

        with mock.patch.dict(
            "finetune.kinds._KINDS", classification=_with_score(score)
        ):
            output_dir, _ = self._finetune(
                num_train_epochs=2.0, best_on_dev=True, predict_test=False
            )
        best = training.best_checkpoint(output_dir)
        self.assertEqual(
            best, checkpoint_files.prefix(os.path.dirname(best), 8)
        )
        weights = checkpoints.by_name(
            finetuned.load(output_dir).model.trainable_variables
        )
        for name, value in checkpoints.read_variables(best).items():
            self.assertAllEqual(weights[name], value)
        newest = checkpoints.read_variables(output_dir)
        name = "task_specific/cola/dense/kernel"
        self.assertNotAllEqual(weights[name], newest[name])

    def test_a_trial_ends_early_without_a_better_evaluation(self):
        scores = iter([50.0, 60.0, 60.0, 40.0] + [0.0] * 20)

        def score(*_, **__):
            return {"mcc": next(scores)}

        with mock.patch.dict(
            "finetune.kinds._KINDS", classification=_with_score(score)
        ):
            output_dir, _ = self._finetune(
                num_train_epochs=4.0, early_stopping=2, predict_test=False
            )
            steps = [
                entry["step"]
                for entry in metrics_log.read(output_dir)
                if entry["kind"] == "eval"
            ]
            # Of 32 steps; 60 at step 8 was the best.
            self.assertEqual(steps, [4, 8, 12, 16])
            # Nor does the same command again train on.
            self._finetune(
                num_train_epochs=4.0,
                early_stopping=2,
                predict_test=False,
                output_dir=output_dir,
            )
        newest = checkpoint_files.newest(
            os.path.join(output_dir, "checkpoints")
        )
        self.assertTrue(newest.endswith("ckpt-16"), newest)

    def test_a_loss_that_is_not_finite_ends_the_run(self):
        losses = heads.ClassificationHead.losses
        calls = []

        def not_finite_in_the_third_step(head, encoded, inputs, *args, **kw):
            step = calls[0].optimizer.iterations
            value = losses(head, encoded, inputs, *args, **kw)
            return tf.where(tf.equal(step, 2), np.nan, value)

        new_model = trial.new_model

        def remember(*args):
            calls.append(new_model(*args))
            return calls[0]

        with (
            mock.patch.object(
                heads.ClassificationHead, "losses", not_finite_in_the_third_step
            ),
            mock.patch.object(trial, "new_model", remember),
            self.assertRaisesRegex(
                guards.NonFiniteError,
                r"loss.* of step 3 \(examples 16 to 23",
            ),
        ):
            self._finetune()

    def test_a_failed_trial_is_counted_and_the_others_go_on(self):
        seeds = []

        def fail_or_do_nothing(model, run, rows, model_dir):
            seeds.append(run.config.seed)
            if run.config.seed == 0:
                raise guards.NonFiniteError("loss of step 3")

        with mock.patch.object(trial, "train", fail_or_do_nothing):
            _, results = self._finetune(num_trials=2)
        self.assertEqual(seeds, [0, 1])
        self.assertEqual(results["best_trial"], "trial_1")
        self.assertIn("loss of step 3", results["trials"][0]["failure"])
        self.assertGreaterEqual(results["num_failed_trials"], 1)

    def test_predictions_of_all_trials_are_those_of_the_ensemble(self):
        probabilities = []
        for folder in ("trial_0", "trial_1", ""):
            path = os.path.join(
                self.trials_dir, folder, "predictions/dev.jsonl"
            )
            with open(path) as file:
                records = [json.loads(line) for line in file]
            probabilities.append([r["probabilities"]["1"] for r in records])
        first, second, both = np.array(probabilities)
        self.assertAllClose(both, (first + second) / 2)
        targets = [label for _, label in tiny_tasks.sentences(10, seed=3)]
        self.assertAllClose(
            self.trials["ensemble"]["dev"]["accuracy"],
            100 * np.mean((both > 0.5) == targets),
        )

    def test_cached_features_are_used(self):
        cache = self.create_tempdir().full_path
        config = self._config(feature_cache_dir=cache)
        preparation.make_rows(preparation.prepare(config, read=self._read()))
        self.assertLen(os.listdir(cache), 3)  # Train, dev and test.
        _, results = self._finetune(feature_cache_dir=cache)
        self.assertLen(os.listdir(cache), 3)
        # The first of several trials is the same without a cache.
        self.assertEqual(
            results["trials"][0]["metrics"], self.trials["trials"][0]["metrics"]
        )


def _with_score(score):
    """The kind "classification" with other scores."""
    return kinds._KINDS["classification"]._replace(score=score)


if __name__ == "__main__":
    tf.test.main()
