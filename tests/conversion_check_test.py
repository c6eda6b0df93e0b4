"""Tests of comparing a converted model with its source."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import conversion_check
from electra_tf import networks
from electra_tf import pretraining
from tests import testing


def _weights(**fields) -> networks.Weights:
    run_config = testing.tiny_config(**fields)
    return networks.Weights(
        testing.random_weights(run_config), run_config.encoder, run_config
    )


class ConversionCheckTest(tf.test.TestCase, parameterized.TestCase):
    def test_outputs_are_those_of_the_model(self):
        weights = _weights()
        model = pretraining.ElectraPretrainer(
            weights.run_config, testing.special_ids()
        )
        for variable in model.trainable_variables:
            variable.assign(weights.values[variable.name.partition(":")[0]])
        outputs = conversion_check.forward(weights)
        self.assertEqual(
            list(outputs),
            [
                "embeddings",
                "layer 0",
                "layer 1",
                "discriminator logits",
                "generator logits",
            ],
        )
        batch = conversion_check.inputs(weights.encoder)
        encoded = model.discriminator(batch)
        self.assertAllEqual(outputs["layer 1"], encoded.sequence_output)
        self.assertAllEqual(
            outputs["discriminator logits"],
            model.heads.main(encoded.sequence_output),
        )
        logits = model.generator.head(
            model.generator.encoder(batch).sequence_output
        )
        self.assertAllClose(outputs["generator logits"], logits[:, :8])

    def test_inputs_have_padding_and_two_segments(self):
        batch = conversion_check.inputs(testing.tiny_config().encoder)
        self.assertAllEqual(
            tf.reduce_sum(batch["input_mask"], axis=1), [32, 21]
        )
        self.assertAllEqual(
            tf.reduce_sum(batch["segment_ids"], axis=1), [16, 16]
        )

    @parameterized.parameters(
        dict(masking="whole_words"),
        dict(objective="electric", generator="two_tower"),
        dict(objective="all_tokens_mlm", tying="gdes"),
        dict(objective="mlm"),
    )
    def test_parts_compute_what_the_whole_does(self, **fields):
        weights = _weights(**fields)
        summary = conversion_check.compare(
            conversion_check.forward(weights), networks.split(weights)
        )
        self.assertIn("largest difference", summary)

    @parameterized.parameters(
        ("electra/encoder/layer_0/output/dense/bias", "layer 0"),
        ("discriminator_predictions/dense_1/bias", "discriminator logits"),
        ("generator/encoder/layer_1/output/dense/bias", "generator logits"),
    )
    def test_any_other_number_is_found(self, name, where):
        weights = _weights()
        expected = conversion_check.forward(weights)
        value = weights.values[name]
        # Not the same for all units: that would be normalised away.
        value = value + np.arange(1, len(value) + 1, dtype=np.float32)
        changed = weights._replace(values=weights.values | {name: value})
        for parts in ({"model": changed}, networks.split(changed)):
            with self.assertRaisesRegex(
                RuntimeError, f"another one: .*{where}"
            ):
                conversion_check.compare(expected, parts)

    def test_no_number_is_a_difference(self):
        weights = _weights()
        expected = conversion_check.forward(weights)
        name = "discriminator_predictions/dense_1/bias"
        values = weights.values | {name: np.float32([np.nan])}
        with self.assertRaisesRegex(RuntimeError, "discriminator logits"):
            conversion_check.compare(
                expected, {"model": weights._replace(values=values)}
            )


if __name__ == "__main__":
    tf.test.main()
