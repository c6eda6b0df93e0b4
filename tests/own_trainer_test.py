"""Tests that what is measured is the training of this project."""

from absl.testing import parameterized
import tensorflow as tf
import tf_keras

from benchmarks import finetuning_work
from benchmarks import other_process
from benchmarks import own_trainer
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
# Two devices first: they are made before TensorFlow's first operation.
_TRAINERS = (("pretraining", 2), ("pretraining", 1), ("finetuning", 1))


class Trainers:
    """All of them, in one process other than that of the tests."""

    def __init__(self, settings: trainer_settings.TrainerSettings):
        self._trainers = {
            key: own_trainer.OwnTrainer(settings, *key) for key in _TRAINERS
        }

    def call(self, key: tuple[str, int], method: str, *args):
        return getattr(self._trainers[key], method)(*args)


class OwnTrainerTest(parameterized.TestCase, tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.process = cls.enterClassContext(
            other_process.OtherProcess(
                "tests.own_trainer_test:Trainers", _SETTINGS
            )
        )
        cls.process.wait_until_made()
        cls.first_seconds, cls.losses, cls.seconds = {}, {}, {}
        for key in _TRAINERS:
            cls.first_seconds[key] = cls._call(key, "first_step")
            cls.losses[key] = [cls._call(key, "loss")]
            cls.seconds[key] = []
            for _ in range(_NUM_STEPS - 1):
                cls.seconds[key] += cls._call(key, "run", 1)
                cls.losses[key].append(cls._call(key, "loss"))

    @classmethod
    def _call(cls, *args):
        return cls.process.call("call", *args)

    @parameterized.parameters("pretraining", "finetuning")
    def test_steps_are_those_of_fit(self, stage):
        work = _WORK[stage](_SETTINGS)
        tf_keras.utils.set_random_seed(_SETTINGS.seed)
        model = work.make_model()
        model.optimizer.build(model.trainable_variables)
        # Before any step, as the phases compute it.
        loss = work.loss(model, next(iter(work.dataset())))
        model.run_eagerly = True
        history = model.fit(
            work.dataset(), steps_per_epoch=1, epochs=_NUM_STEPS, verbose=0
        )
        losses = self.losses[stage, 1]
        self.assertAllClose(losses, history.history["loss"], rtol=1e-4)
        self.assertAllClose(losses[0], loss, rtol=1e-4)
        self.assertEqual(
            self._call((stage, 1), "num_parameters"),
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
        for key in _TRAINERS:
            # Tracing takes seconds, a step of so few numbers does not.
            self.assertLen(self.seconds[key], _NUM_STEPS - 1)
            self.assertGreater(self.first_seconds[key], max(self.seconds[key]))
            self.assertGreater(min(self.seconds[key]), 0.0)
            # TensorFlow alone takes more than 0.2 GB.
            self.assertBetween(self._call(key, "peak_memory_gb"), 0.2, 4.0)

    def test_phases_are_measured_in_turns(self):
        phases = self._call(("finetuning", 1), "phases", 2)
        self.assertEqual(
            {name: len(seconds) for name, seconds in phases.items()},
            {"forward": 2, "gradients": 2, "step": 2, "input": 1},
        )
        self.assertGreater(min(min(s) for s in phases.values()), 0.0)


if __name__ == "__main__":
    tf.test.main()
