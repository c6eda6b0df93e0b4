"""Training and evaluation steps of the pre-training model."""

import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import optimization
from electra_tf import pretraining
from tests import testing


class _RecordingPretrainer(pretraining.ElectraPretrainer):
    """Keeps the output of every forward pass; runs eagerly."""

    def __init__(self, run_config):
        super().__init__(run_config, testing.special_ids())
        self.compile(
            optimizer=optimization.create(run_config), run_eagerly=True
        )
        self.recorded = []

    def call(self, inputs, training=False, seed=(0, 0), step=None):
        output = super().call(inputs, training=training, seed=seed, step=step)
        self.recorded.append(
            tf.nest.map_structure(
                lambda value: value.numpy() if tf.is_tensor(value) else value,
                output,
            )
        )
        return output


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _auc(probs: np.ndarray, labels: np.ndarray) -> float:
    """Trapezoids between 200 thresholds, as tf.metrics.auc of TensorFlow 1."""
    thresholds = np.concatenate([[-1e-7], np.arange(1, 199) / 199, [1 + 1e-7]])
    is_above = probs > thresholds[:, np.newaxis]
    hits = is_above[:, labels == 1].mean(axis=1)
    false_alarms = is_above[:, labels == 0].mean(axis=1)
    return -np.trapezoid(hits, false_alarms)


def _expected_metrics(run_config, batches, outputs) -> dict[str, float]:
    def masked_tokens(get):
        return np.concatenate(
            [get(output)[output.masked.weights > 0] for output in outputs]
        )

    def real_tokens(get):
        return np.concatenate(
            [
                get(output)[batch["input_mask"] == 1]
                for batch, output in zip(batches, outputs, strict=True)
            ]
        )

    ids = masked_tokens(lambda output: output.masked.ids)
    logits = masked_tokens(lambda output: output.masked_lm_logits)
    labels = real_tokens(lambda output: output.corruption.is_replaced)
    scores = real_tokens(lambda output: output.verdict.logits).astype(
        np.float64
    )
    masked_lm_loss = -_log_softmax(logits)[np.arange(len(ids)), ids].mean()
    # -log sigmoid(x) = log(e^0 + e^-x).
    disc_loss = np.logaddexp(0, np.where(labels == 1, -scores, scores)).mean()
    is_predicted = scores > 0
    return {
        "loss": run_config.gen_weight * masked_lm_loss
        + run_config.disc_weight * disc_loss,
        "masked_lm_loss": masked_lm_loss,
        "masked_lm_accuracy": np.mean(logits.argmax(axis=-1) == ids),
        "sampled_masked_lm_accuracy": np.mean(
            masked_tokens(lambda output: output.corruption.sampled_ids) == ids
        ),
        "disc_loss": disc_loss,
        "disc_accuracy": np.mean(is_predicted == labels),
        "disc_precision": labels[is_predicted].mean(),
        "disc_recall": is_predicted[labels == 1].mean(),
        "disc_auc": _auc(1 / (1 + np.exp(-scores)), labels),
        "replaced_share": labels.mean(),
    }


class MetricsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        tf_keras.utils.set_random_seed(0)
        self.config = testing.tiny_config(gen_weight=2.0, disc_weight=30.0)
        self.batches = [
            testing.random_batch(self.config, 4, seed=seed) for seed in (1, 2)
        ]
        self.model = _RecordingPretrainer(self.config)
        # Scores of all sizes, so that no metric is trivial.
        rng = np.random.default_rng(0)
        for variable in self.model.trainable_variables:
            variable.assign_add(rng.normal(0, 0.3, variable.shape))

    def test_training_returns_the_metrics_since_their_last_reset(self):
        for batch in self.batches:
            metrics = self.model.train_on_batch(
                batch, reset_metrics=False, return_dict=True
            )
        expected = _expected_metrics(
            self.config, self.batches, self.model.recorded
        )
        self.assertGreater(metrics.pop("gradient_norm"), 0.0)
        self.assertBetween(expected["disc_auc"], 0.2, 0.8)
        self.assertAllClose(metrics, expected, rtol=1e-5)

        metrics = self.model.train_on_batch(
            self.batches[0], reset_metrics=True, return_dict=True
        )
        expected = _expected_metrics(
            self.config, self.batches[:1], self.model.recorded[2:]
        )
        del metrics["gradient_norm"]
        self.assertAllClose(metrics, expected, rtol=1e-5)

    def test_evaluation_returns_the_metrics_of_all_batches(self):
        metrics = self.model.evaluate(
            _as_dataset(self.batches), verbose=0, return_dict=True
        )
        expected = _expected_metrics(
            self.config, self.batches, self.model.recorded
        )
        self.assertAllClose(metrics, expected, rtol=1e-5)

    def test_every_evaluation_draws_the_same_but_each_batch_its_own(self):
        same = [self.batches[0]] * 2
        for _ in range(2):
            self.model.evaluate(_as_dataset(same), verbose=0)
        first, second, *again = self.model.recorded
        self.assertNotAllEqual(first.masked.positions, second.masked.positions)
        for output, expected in zip(again, (first, second), strict=True):
            self.assertAllEqual(output.corruption.ids, expected.corruption.ids)


def _as_dataset(batches) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(
        {name: [batch[name] for batch in batches] for name in batches[0]}
    )


def _one_layer_config(**overrides) -> config.PretrainConfig:
    """A configuration without dropout that compiles in a few seconds."""
    return testing.tiny_config(
        num_hidden_layers=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **overrides,
    )


def _train(run_config, *, strategy=None, **compile_options):
    """Takes five steps; returns the variables by name, the metrics of each."""
    tf_keras.utils.set_random_seed(0)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
        model.compile(
            optimizer=optimization.create(run_config), **compile_options
        )
        # A step that makes variables would be traced twice.
        model.optimizer.build(model.trainable_variables)
    batches = [testing.random_batch(run_config, 4, seed=i) for i in range(5)]
    history = model.fit(
        _as_dataset(batches), epochs=5, steps_per_epoch=1, verbose=0
    )
    variables = checkpoints.by_name(model.trainable_variables)
    values = {name: variable.numpy() for name, variable in variables.items()}
    return values, history.history


class TrainingTest(tf.test.TestCase):
    def _assert_same_training(self, actual, expected):
        for name, values in expected[1].items():
            self.assertAllClose(actual[1][name], values, rtol=1e-4, msg=name)
        for name, values in expected[0].items():
            self.assertAllClose(actual[0][name], values, atol=1e-5, msg=name)

    def test_the_losses_fall_on_a_text_that_comes_again(self):
        run_config = _one_layer_config(
            learning_rate=5e-3, num_train_steps=300, warmup_steps=20
        )
        text = testing.random_batch(run_config, 1)
        batch = {name: np.repeat(row, 16, 0) for name, row in text.items()}
        tf_keras.utils.set_random_seed(0)
        model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
        model.compile(optimizer=optimization.create(run_config))
        model.optimizer.build(model.trainable_variables)
        history = model.fit(
            _as_dataset([batch]).repeat(),
            epochs=10,
            steps_per_epoch=30,
            verbose=0,
        ).history
        # A guess costs ln 189 = 5.24 and ln 2 = 0.69; each number is a mean
        # over 30 steps.
        self.assertBetween(history["masked_lm_loss"][0], 3.0, 5.3)
        self.assertLess(history["masked_lm_loss"][-1], 1.0)
        self.assertBetween(history["disc_loss"][0], 0.2, 0.7)
        self.assertLess(history["disc_loss"][-1], 0.1)

    def test_two_replicas_train_the_same_weights_as_one_device(self):
        run_config = _one_layer_config()
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        self._assert_same_training(
            _train(run_config, strategy=strategy),
            _train(run_config, run_eagerly=True),
        )

    def test_xla_compiles_the_whole_step_to_the_same_numbers(self):
        run_config = testing.tiny_config(num_hidden_layers=1)
        self._assert_same_training(
            _train(run_config, jit_compile=True),
            _train(run_config, run_eagerly=True),
        )


if __name__ == "__main__":
    tf.test.main()
