"""Tests of what trainers are told to compute."""

import dataclasses
import json

from absl.testing import absltest

from benchmarks import trainer_settings
from electra_tf import presets


class TrainerSettingsTest(absltest.TestCase):
    def test_the_configuration_is_the_preset_but_for_what_is_given(self):
        settings = trainer_settings.TrainerSettings(
            preset="small",
            changes={"num_hidden_layers": 6},
            precision="bfloat16",
            batch_size=8,
            max_seq_length=64,
            jit_compile=True,
            seed=3,
        )
        expected = dataclasses.replace(
            presets.get("small"),
            num_hidden_layers=6,
            precision="bfloat16",
            train_batch_size=8,
            max_seq_length=64,
            jit_compile=True,
            seed=3,
        )
        self.assertEqual(settings.run_config, expected)

    def test_figures_tell_the_threads_and_are_json(self):
        settings = trainer_settings.TrainerSettings(
            changes={"vocab_size": 2000}
        )
        figures = json.loads(json.dumps(settings.figures()))
        self.assertEqual(figures["changes"], {"vocab_size": 2000})
        self.assertEqual(figures["num_threads"], settings.threads)
        self.assertGreaterEqual(settings.threads, 1)

    def test_mistakes_are_told_at_once(self):
        with self.assertRaisesRegex(ValueError, "at least 1, got 0"):
            trainer_settings.TrainerSettings(num_threads=0)
        with self.assertRaisesRegex(ValueError, "longer than the 128 posi"):
            trainer_settings.TrainerSettings(preset="tiny", max_seq_length=129)
        with self.assertRaisesRegex(ValueError, "'no_such'"):
            trainer_settings.TrainerSettings(preset="no_such")


if __name__ == "__main__":
    absltest.main()
