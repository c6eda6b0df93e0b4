"""Tests of the fine-tuning configuration and of the paper's values."""

import dataclasses

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import config_flags
from electra_tf import presets
from finetune import finetune_config
from finetune import registry

_CONFIG = finetune_config.FinetuneConfig(task="sst", init_checkpoint="MODEL")


def _resolve(preset: str, task: str = "sst", **fields):
    return finetune_config.resolve(
        dataclasses.replace(_CONFIG, **fields),
        tasks=[registry.get(task)],
        encoder_config=presets.get(preset).encoder,
    )


class FinetuneConfigTest(parameterized.TestCase):
    def test_every_field_has_a_help(self):
        helps = config_flags.field_helps(finetune_config.FinetuneConfig)
        self.assertIn("warmup_proportion", helps)

    def test_what_is_frozen_must_be_a_regular_expression(self):
        with self.assertRaisesRegex(ValueError, r"freeze must .* 'layer_\(0'"):
            dataclasses.replace(_CONFIG, freeze="layer_(0")

    @parameterized.parameters(
        ("tiny", 3e-4, 0.8),
        ("small", 3e-4, 0.8),
        ("base", 1e-4, 0.8),
        ("large", 5e-5, 0.9),
    )
    def test_rates_are_those_of_table_7(self, preset, learning_rate, decay):
        resolved = _resolve(preset, max_seq_length=64)
        self.assertEqual(resolved.learning_rate, learning_rate)
        self.assertEqual(resolved.layerwise_lr_decay, decay)
        self.assertEqual(resolved.weight_decay_rate, 0.0)
        self.assertEqual(resolved.warmup_proportion, 0.1)
        self.assertEqual(resolved.train_batch_size, 32)

    @parameterized.parameters(("sst", 3), ("cola", 3), ("rte", 10), ("sts", 10))
    def test_epochs_are_those_of_table_7(self, task, epochs):
        self.assertEqual(_resolve("small", task).num_train_epochs, epochs)

    def test_a_given_value_goes_before_the_paper_s(self):
        resolved = _resolve("small", "rte", learning_rate=1.0)
        self.assertEqual(resolved.learning_rate, 1.0)
        self.assertEqual(resolved.num_train_epochs, 10)

    def test_steps_are_whole_batches_of_all_epochs(self):
        resolved = _resolve("small", num_train_epochs=2.5)
        # 2.5 * 100 / 32 = 7.8.
        self.assertEqual(finetune_config.num_train_steps(resolved, 100), 7)
        self.assertEqual(finetune_config.num_train_steps(resolved, 1), 1)

    def test_of_several_tasks_the_longest_training_counts(self):
        resolved = finetune_config.resolve(
            dataclasses.replace(_CONFIG, task="sst, rte"),
            tasks=[registry.get("sst"), registry.get("rte")],
            encoder_config=presets.get("small").encoder,
        )
        self.assertEqual(resolved.num_train_epochs, 10)
        self.assertEqual(resolved.task_names, ["sst", "rte"])

    def test_a_run_starts_from_one_model(self):
        with self.assertRaisesRegex(ValueError, "exclude each other"):
            dataclasses.replace(_CONFIG, init_from_task="MNLI")

    def test_longer_texts_than_the_model_reads_are_refused(self):
        with self.assertRaisesRegex(
            ValueError, "max_seq_length 513 .* 512 positions of .*'MODEL'"
        ):
            _resolve("small", max_seq_length=513)

    @parameterized.parameters(
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
        ({"num_train_epochs": -1.0}, "num_train_epochs must be above 0"),
        ({"layerwise_lr_decay": 1.5}, r"layerwise_lr_decay must be in \(0, 1"),
        ({"max_seq_length": 4}, "max_seq_length must be at least 5, got 4"),
        ({"num_trials": 0}, "num_trials must be at least 1"),
        ({"loss_reduction": "max"}, "loss_reduction must be one of 'mean'"),
        ({"warmup_proportion": 1.0}, r"warmup_proportion must be in \[0, 1\)"),
    )
    def test_nonsense_is_refused(self, fields, message):
        with self.assertRaisesRegex(ValueError, message):
            dataclasses.replace(_CONFIG, **fields)


if __name__ == "__main__":
    absltest.main()
