import dataclasses
import math

import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import masking
from electra_tf import presets
from electra_tf import pretraining
from tests import testing

_BERT_IDS = masking.SpecialIds(cls=101, sep=102, mask=103)


def _by_name(model) -> dict[str, tf.Variable]:
    return checkpoints.by_name(model.trainable_variables)


class InitialisationTest(tf.test.TestCase):
    def test_a_new_small_model_guesses(self):
        run_config = presets.get("small")
        tf_keras.utils.set_random_seed(0)
        model = pretraining.ElectraPretrainer(run_config, _BERT_IDS)
        output = model(testing.random_batch(run_config, 4), training=True)
        # ln 30522 + 50 ln 2 = 10.33 + 34.66.
        self.assertNear(output.loss, 44.98, 2.0)
        self.assertNear(output.mean("masked_lm_loss"), math.log(30522), 0.2)
        self.assertNear(output.mean("disc_loss"), math.log(2), 0.04)


class FitTest(tf.test.TestCase):
    def test_the_step_is_traced_once(self):
        run_config = testing.tiny_config(objective="mlm", num_hidden_layers=1)
        model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
        # Keras's own; it makes its variables when it is first used.
        model.compile(tf_keras.optimizers.AdamW())
        batch = testing.random_batch(run_config, 4)
        dataset = tf.data.Dataset.from_tensors(batch).repeat(2)
        model.fit(dataset, verbose=0)
        self.assertEqual(model.optimizer.iterations, 2)
        function = model.train_tf_function
        self.assertEqual(function.experimental_get_tracing_count(), 1)


class ForwardPassTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        tf_keras.utils.set_random_seed(0)
        self.config = testing.tiny_config()
        self.batch = testing.random_batch(self.config, 4)
        self.model = pretraining.ElectraPretrainer(
            self.config, testing.special_ids()
        )

    def test_the_seed_decides_masks_samples_and_dropout(self):
        outputs = [
            self.model(self.batch, training=True, seed=seed)
            for seed in ((1, 2), (1, 2), (1, 3))
        ]
        first, second = map(tf.nest.flatten, outputs[:2])
        for values, same_values in zip(first, second, strict=True):
            if values is not None:
                self.assertAllEqual(values, same_values)
        self.assertNotAllEqual(
            outputs[0].masked.positions, outputs[2].masked.positions
        )

    def test_dropout_is_off_unless_training(self):
        seed = (1, 2)
        training = self.model(self.batch, training=True, seed=seed)
        output = self.model(self.batch, seed=seed)
        self.assertAllEqual(output.masked.ids, training.masked.ids)
        self.assertNotAllClose(
            output.masked_lm_logits, training.masked_lm_logits
        )
        no_dropout = pretraining.ElectraPretrainer(
            dataclasses.replace(
                self.config,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
            ),
            testing.special_ids(),
        )
        no_dropout.set_weights(self.model.get_weights())
        self.assertAllEqual(
            output.verdict.logits,
            no_dropout(self.batch, training=True, seed=seed).verdict.logits,
        )

    def test_only_masked_tokens_are_replaced(self):
        output = self.model(self.batch)
        is_masked = np.zeros_like(self.batch["input_ids"])
        for row, (positions, weights) in enumerate(
            zip(output.masked.positions.numpy(), output.masked.weights.numpy())
        ):
            is_masked[row, positions[weights > 0]] = 1
        is_replaced = output.corruption.is_replaced.numpy()
        self.assertGreater(is_replaced.sum(), 0)
        self.assertAllEqual(is_replaced & ~is_masked, 0 * is_masked)
        self.assertAllEqual(
            output.corruption.ids != self.batch["input_ids"], is_replaced == 1
        )

    def test_the_discriminators_loss_does_not_train_the_generator(self):
        with tf.GradientTape() as tape:
            loss = self.model(self.batch).mean("disc_loss")
        gradients = tape.gradient(loss, _by_name(self.model))
        trained = {name for name, g in gradients.items() if g is not None}
        scopes = {name.partition("/")[0] for name in trained}
        self.assertEqual(scopes, {"electra", "discriminator_predictions"})

    def test_the_generators_loss_trains_the_shared_embeddings(self):
        with tf.GradientTape() as tape:
            loss = self.model(self.batch).mean("masked_lm_loss")
        gradients = tape.gradient(loss, _by_name(self.model))
        shared = [
            name
            for name, gradient in gradients.items()
            if gradient is not None and name.startswith("electra/")
        ]
        self.assertCountEqual(
            shared,
            [
                "electra/embeddings/word_embeddings",
                "electra/embeddings/token_type_embeddings",
                "electra/embeddings/position_embeddings",
                "electra/embeddings/LayerNorm/gamma",
                "electra/embeddings/LayerNorm/beta",
            ],
        )

    def test_rows_of_padding_change_no_loss(self):
        output = self.model(self.batch)
        masked, masked_ids = output.masked, output.corruption.ids
        losses = [
            self.model.compute_losses(
                _pad_rows(self.batch, num_rows),
                masked=_pad_rows(masked, num_rows),
                masked_ids=_pad_rows(masked_ids, num_rows),
                uniform=tf.fill([4 + num_rows, masked.ids.shape[1]], 0.5),
            ).loss
            for num_rows in (0, 3)
        ]
        self.assertAllClose(*losses, rtol=1e-6)


def _pad_rows(tensors, num_rows: int):
    return tf.nest.map_structure(
        lambda tensor: tf.pad(tensor, [[0, num_rows], [0, 0]]), tensors
    )


if __name__ == "__main__":
    tf.test.main()
