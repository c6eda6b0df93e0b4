import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import optimization
from electra_tf import pretraining
from electra_tf import stages
from tests import testing

_NUM_STEPS = 6


def _make_model() -> pretraining.ElectraPretrainer:
    tf_keras.utils.set_random_seed(0)
    run_config = testing.tiny_config(
        num_hidden_layers=1,
        generator_training="two_stage",
        tying="none",
        generator_hidden_size=1.0,
        num_train_steps=_NUM_STEPS,
        warmup_steps=0,
    )
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    model.compile(optimizer=optimization.create(run_config))
    return model


class _Recorder(tf_keras.callbacks.Callback):
    """Keeps all variables as they are after each step, and at the start."""

    def on_train_begin(self, logs=None):
        self.values = []
        self._keep()

    def on_train_batch_end(self, batch, logs=None):
        self._keep()

    def _keep(self):
        variables = checkpoints.by_name(self.model.trainable_variables)
        self.values.append({n: v.numpy() for n, v in variables.items()})


def _train(model, num_steps: int) -> list[dict[str, np.ndarray]]:
    batch = testing.random_batch(model.config, 4)
    recorder = _Recorder()
    model.fit(
        tf.data.Dataset.from_tensors(batch).repeat(),
        steps_per_epoch=num_steps,
        callbacks=[stages.StartDiscriminator(), recorder],
        verbose=0,
    )
    return recorder.values


def _changed(before, after) -> set[str]:
    """The scopes of variables that are not the same."""
    return {
        name.partition("/")[0]
        for name in before
        if not np.array_equal(before[name], after[name])
    }


class TwoStageTest(tf.test.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.values = _train(_make_model(), _NUM_STEPS)

    def test_first_the_generator_learns_then_the_discriminator(self):
        for step in (0, 1, 2):
            self.assertEqual(
                _changed(self.values[step], self.values[step + 1]),
                {"generator", "generator_predictions"},
                step,
            )
        for step in (3, 4, 5):
            self.assertEqual(
                _changed(self.values[step], self.values[step + 1]),
                {"electra", "discriminator_predictions"},
                step,
            )

    def test_the_discriminator_starts_from_the_generator(self):
        generator = {
            name.replace("generator/", "electra/"): value
            for name, value in self.values[3].items()
            if name.startswith("generator/")
        }
        first = self.values[4]
        self.assertSameElements(
            generator, [n for n in first if n.startswith("electra/")]
        )
        for name, start in generator.items():
            # One step of Adam without bias correction: at most the learning
            # rate 1e-3 times 0.1 / sqrt(0.001) = 3.2, and some weight decay.
            change = np.abs(first[name] - start).max()
            self.assertLess(change, 4e-3, name)
            self.assertGreater(
                np.abs(first[name] - self.values[3][name]).max(), 0, name
            )

    def test_a_run_may_be_continued_at_the_second_stage(self):
        model = _make_model()
        _train(model, 3)
        values = _train(model, 3)
        for name, expected in self.values[6].items():
            self.assertAllClose(values[3][name], expected, atol=1e-7, msg=name)

    def test_the_learning_rate_begins_anew(self):
        schedule = _make_model().optimizer._learning_rate
        rates = [float(schedule(step)) for step in range(6)]
        # 1e-3 falls over three steps, twice.
        self.assertAllClose(rates, [1e-3, 2e-3 / 3, 1e-3 / 3] * 2, rtol=1e-6)

    def test_an_odd_step_belongs_to_the_generator(self):
        self.assertEqual(stages.first_of_second(7), 4)


if __name__ == "__main__":
    tf.test.main()
