"""Tests that what is measured is the training of this project."""

import contextlib

from absl.testing import parameterized
import tensorflow as tf
import tf_keras

from benchmarks import finetuning_work
from benchmarks import other_process
from benchmarks import pretraining_work
from benchmarks import trainer_settings

_SETTINGS = trainer_settings.TrainerSettings(
    preset="tiny",
    changes={"num_hidden_layers": 1, "vocab_size": 1100, "hidden_size": 64},
    batch_size=4,
    max_seq_length=16,
    num_threads=1,
)
_WORK = {
    "pretraining": pretraining_work.PretrainingWork,
    "finetuning": finetuning_work.FinetuningWork,
}
_NUM_STEPS = 3


class OwnTrainerTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        """Starts processes that train while the tests do the same."""
        super().setUpClass()
        stack = cls.enterClassContext(contextlib.ExitStack())
        cls.trainers = {}
        for stage, num_devices in (
            ("pretraining", 1),
            ("finetuning", 1),
            ("pretraining", 2),
        ):
            cls.trainers[stage, num_devices] = stack.enter_context(
                other_process.OtherProcess(
                    "benchmarks.own_trainer:OwnTrainer",
                    _SETTINGS,
                    stage,
                    num_devices,
                )
            )
        for trainer in cls.trainers.values():
            trainer.wait_until_made()
            trainer.start("first_step")
        cls.first_seconds = {k: t.result() for k, t in cls.trainers.items()}
        cls.losses = {k: [t.call("loss")] for k, t in cls.trainers.items()}
        cls.seconds = {k: [] for k in cls.trainers}
        for key, trainer in cls.trainers.items():
            for _ in range(_NUM_STEPS - 1):
                cls.seconds[key] += trainer.call("run", 1)
                cls.losses[key].append(trainer.call("loss"))

    @parameterized.parameters("pretraining", "finetuning")
    def test_steps_are_those_of_fit(self, stage):
        work = _WORK[stage](_SETTINGS)
        tf_keras.utils.set_random_seed(_SETTINGS.seed)
        model = work.make_model()
        model.optimizer.build(model.trainable_variables)
        # Before any step, as the phases compute it.
        loss = tf.function(work.loss)(model, next(iter(work.dataset())))
        history = model.fit(
            work.dataset(), steps_per_epoch=1, epochs=_NUM_STEPS, verbose=0
        )
        losses = self.losses[stage, 1]
        self.assertAllClose(losses, history.history["loss"], rtol=1e-4)
        self.assertAllClose(losses[0], loss, rtol=1e-4)
        self.assertEqual(
            self.trainers[stage, 1].call("num_parameters"),
            model.count_params()
            - sum(v.shape.num_elements() for v in model.non_trainable_weights),
        )

    def test_two_devices_compute_what_one_does(self):
        # The preset has no dropout, whose draws would differ.
        self.assertAllClose(
            self.losses["pretraining", 2],
            self.losses["pretraining", 1],
            rtol=1e-4,
        )

    def test_steps_take_time_and_memory(self):
        for key, trainer in self.trainers.items():
            # Tracing takes seconds, a step of so few numbers does not.
            self.assertLen(self.seconds[key], _NUM_STEPS - 1)
            self.assertGreater(self.first_seconds[key], max(self.seconds[key]))
            self.assertGreater(min(self.seconds[key]), 0.0)
            # TensorFlow alone takes more than 0.2 GB.
            self.assertBetween(trainer.call("peak_memory_gb"), 0.2, 4.0)

    @parameterized.parameters("pretraining", "finetuning")
    def test_phases_are_measured_in_turns(self, stage):
        phases = self.trainers[stage, 1].call("phases", 2)
        self.assertEqual(
            {name: len(seconds) for name, seconds in phases.items()},
            {"forward": 2, "gradients": 2, "step": 2, "input": 1},
        )
        self.assertGreater(min(min(s) for s in phases.values()), 0.0)


if __name__ == "__main__":
    tf.test.main()
