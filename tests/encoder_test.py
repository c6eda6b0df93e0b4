import dataclasses
import json
import math

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder
from electra_tf import fused
from tests import testing

_GOLDEN = (
    ("encoder_small", 1),
    ("encoder_small", 4),
    ("encoder_base", 1),
    ("encoder_base", 4),
)


def _golden_config(folder: str, heads: int) -> config.PretrainConfig:
    with open(testing.golden(folder, "config.json")) as file:
        variant = json.load(file)["variants"][f"expected_heads{heads}.npz"]
    shape = {
        name: variant["discriminator"][name]
        for name in config.ENCODER_FIELDS
        if name != "embedding_size"
    }
    return config.PretrainConfig(
        embedding_size=variant["embedding_size"],
        max_seq_length=24,
        generator_hidden_size=0.25,
        **shape,
    )


def _golden_encoders(folder: str, heads: int):
    """Discriminator and generator with the weights of the checkpoint."""
    run_config = _golden_config(folder, heads)
    discriminator = encoder.Encoder(run_config.encoder)
    generator = encoder.Encoder(
        run_config.generator_encoder,
        name="generator",
        embeddings=discriminator.embeddings,
    )
    values = checkpoints.read_variables(
        testing.golden(folder, "model.ckpt-1234.index")
    )
    for layer in (discriminator, generator):
        checkpoints.restore(
            layer.trainable_variables, values, may_be_unused=[".*"]
        )
    return discriminator, generator


def _golden_inputs(folder: str) -> dict[str, tf.Tensor]:
    arrays = np.load(testing.golden(folder, "inputs.npz"))
    return {name: tf.constant(arrays[name]) for name in arrays}


class GoldenTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_GOLDEN)
    def test_every_layer_of_the_discriminator_is_the_originals(
        self, folder, heads
    ):
        expected = np.load(testing.golden(folder, f"expected_heads{heads}.npz"))
        inputs = _golden_inputs(folder)
        discriminator, _ = _golden_encoders(folder, heads)
        embedded = discriminator.embeddings(
            inputs["input_ids"], inputs["segment_ids"]
        )
        output = discriminator(inputs)
        for values, name in (
            (embedded, "embeddings_before_projection"),
            (output.embedding_output, "embedding_output"),
            (tf.stack(output.all_layer_outputs), "all_layer_outputs"),
            (output.sequence_output, "sequence_output"),
            (output.pooled_output, "pooled_output"),
        ):
            self.assertAllClose(
                values, expected[name], atol=1e-5, rtol=0, msg=name
            )

    @parameterized.parameters(*_GOLDEN)
    def test_every_layer_of_the_generator_is_the_originals(self, folder, heads):
        expected = np.load(testing.golden(folder, f"expected_heads{heads}.npz"))
        _, generator = _golden_encoders(folder, heads)
        output = generator(_golden_inputs(folder))
        self.assertAllClose(
            output.embedding_output,
            expected["generator_embedding_output"],
            atol=1e-5,
            rtol=0,
        )
        self.assertAllClose(
            tf.stack(output.all_layer_outputs),
            expected["generator_all_layer_outputs"],
            atol=1e-5,
            rtol=0,
        )

    @parameterized.parameters(False, True)
    def test_a_graph_computes_what_eager_execution_does(self, jit_compile):
        inputs = _golden_inputs("encoder_small")
        discriminator, _ = _golden_encoders("encoder_small", 4)
        compiled = tf.function(discriminator, jit_compile=jit_compile)
        self.assertAllClose(
            compiled(inputs).sequence_output,
            discriminator(inputs).sequence_output,
            atol=1e-5,
            rtol=0,
        )


class EncoderTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        tf.random.set_seed(0)
        self.config = testing.tiny_config()
        self.inputs = testing.random_batch(self.config, 3)
        self.encoder = encoder.Encoder(self.config.encoder)

    def test_prepared_for_inference_it_computes_the_same_for_tokens(self):
        is_token = self.inputs["input_mask"] == 1
        expected = self.encoder(self.inputs).sequence_output.numpy()
        self.encoder.prepare_for_inference()
        output = self.encoder(self.inputs)
        self.assertAllClose(
            output.sequence_output.numpy()[is_token],
            expected[is_token],
            atol=1e-6,
        )
        for values in (output.sequence_output, *output.all_layer_outputs):
            self.assertAllInSet(values.numpy()[~is_token], [0.0])
        self.assertLen(
            self.encoder.non_trainable_variables,
            2 * self.config.num_hidden_layers,
        )

    def test_tokens_do_not_see_padding(self):
        is_token = self.inputs["input_mask"] == 1
        self.assertFalse(is_token.all())
        changed = self.inputs | {
            "input_ids": np.where(is_token, self.inputs["input_ids"], 99),
            "segment_ids": np.where(is_token, self.inputs["segment_ids"], 1),
        }
        self.assertAllEqual(
            self.encoder(changed).sequence_output[is_token],
            self.encoder(self.inputs).sequence_output[is_token],
        )

    def test_shorter_padding_gives_the_same_vectors(self):
        length = int(self.inputs["input_mask"][1].sum())
        self.assertLess(length, self.config.max_seq_length)
        long = {name: x[1:2] for name, x in self.inputs.items()}
        short = {name: x[:, :length] for name, x in long.items()}
        self.assertAllClose(
            self.encoder(short).sequence_output,
            self.encoder(long).sequence_output[:, :length],
            atol=1e-6,
        )

    def test_the_length_may_be_unknown_to_the_graph(self):
        spec = tf.TensorSpec([None, None], tf.int32)
        function = tf.function(
            lambda ids, mask, segments: (
                self.encoder(
                    dict(input_ids=ids, input_mask=mask, segment_ids=segments)
                ).sequence_output
            ),
            input_signature=[spec] * 3,
        )
        names = ("input_ids", "input_mask", "segment_ids")
        self.assertAllClose(
            function(*(self.inputs[name] for name in names)),
            self.encoder(self.inputs).sequence_output,
            atol=1e-6,
        )

    def test_an_encoder_with_shared_embeddings_has_none_of_its_own(self):
        generator = encoder.Encoder(
            self.config.generator_encoder,
            name="generator",
            embeddings=self.encoder.embeddings,
        )
        names = {v.name for v in generator.trainable_variables}
        self.assertIn("electra/embeddings/word_embeddings:0", names)
        self.assertNotIn("generator/embeddings/word_embeddings:0", names)
        self.assertIn(
            "generator/encoder/layer_1/attention/self/query/kernel:0", names
        )

    def test_variables_start_as_in_the_original(self):
        wide = dataclasses.replace(
            self.config.encoder, embedding_size=64, hidden_size=128
        )
        for variable in encoder.Encoder(wide).trainable_variables:
            name, values = variable.name, variable.numpy()
            if name.endswith(("bias:0", "beta:0")):
                self.assertAllEqual(values, np.zeros_like(values), name)
            elif name.endswith("gamma:0"):
                self.assertAllEqual(values, np.ones_like(values), name)
            elif "embeddings_project" in name:
                # Glorot's uniform: its bound is sqrt(6 / (64 + 128)) = 0.177.
                self.assertBetween(abs(values).max(), 0.17, 0.177, name)
            else:
                # A normal of 0.02, truncated at two standard deviations; that
                # leaves a standard deviation of 0.88 * 0.02 = 0.0176.
                self.assertLessEqual(abs(values).max(), 0.04, name)
                if values.size > 1000:
                    self.assertAlmostEqual(
                        values.std(), 0.0176, delta=0.001, msg=name
                    )


class DirectionTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        # A change of token 5 of 8 is seen from here on, or up to here.
        ("both", range(8)),
        ("left_to_right", range(5, 8)),
        ("right_to_left", range(6)),
    )
    def test_a_token_sees_those_on_one_side(self, direction, expected):
        tf_keras.utils.set_random_seed(0)
        layer = encoder.Encoder(
            testing.tiny_config().encoder, direction=direction
        )
        ids = np.arange(10, 18)[np.newaxis]
        changed = np.where(ids == 15, 30, ids)
        first, second = (
            layer(
                {
                    "input_ids": tf.constant(values, tf.int32),
                    "input_mask": tf.ones([1, 8], tf.int32),
                    "segment_ids": tf.zeros([1, 8], tf.int32),
                }
            ).sequence_output.numpy()
            for values in (ids, changed)
        )
        difference = np.abs(first - second).max(axis=-1)[0]
        self.assertEqual(
            np.flatnonzero(difference > 1e-6).tolist(), [*expected]
        )


class DisentangledEmbeddingsTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        tf_keras.utils.set_random_seed(0)
        shape = testing.tiny_config().encoder
        self.base = encoder.Encoder(shape, name="generator").embeddings
        self.embeddings = encoder.Encoder(
            shape, base_embeddings=self.base
        ).embeddings
        self.inputs = (
            tf.constant([[7, 8, 9]]),
            tf.constant([[0, 0, 1]]),
        )

    def test_they_start_as_those_of_the_base(self):
        self.assertAllClose(
            self.embeddings(*self.inputs), self.base(*self.inputs)
        )
        self.assertAllEqual(
            self.embeddings.word_table(), self.base.word_embeddings
        )

    def test_they_are_the_sum_of_base_and_difference(self):
        delta = self.embeddings.word_embeddings
        self.assertEqual(
            delta.name, "electra/embeddings/word_embeddings_delta:0"
        )
        delta.assign(tf.random.stateless_normal(delta.shape, (0, 1)))
        self.assertAllClose(
            self.embeddings.embed(*self.inputs),
            self.base.embed(*self.inputs) + tf.gather(delta, self.inputs[0]),
        )

    def test_only_the_difference_is_trained(self):
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(self.embeddings(*self.inputs) ** 3)
            output += tf.reduce_sum(self.embeddings.word_table() ** 3)
        gradients = tape.gradient(
            output,
            [self.embeddings.trainable_weights, self.base.trainable_weights],
        )
        own = self.embeddings.trainable_weights
        base_names = {v.name for v in self.base.trainable_weights}
        for variable, gradient in zip(own, gradients[0], strict=True):
            is_base = variable.name in base_names
            self.assertEqual(gradient is None, is_base, variable.name)
        self.assertEqual(gradients[1], [None] * 5)


class DropoutTest(tf.test.TestCase):
    def test_an_encoder_is_a_function_of_its_seed(self):
        run_config = testing.tiny_config()
        inputs = testing.random_batch(run_config, 2)
        layer = encoder.Encoder(run_config.encoder)

        def encode(seed):
            return layer(inputs, dropout_seed=seed).sequence_output

        self.assertAllEqual(encode([1, 2]), encode([1, 2]))
        self.assertNotAllClose(encode([1, 2]), encode([1, 3]))
        self.assertNotAllClose(encode([1, 2]), encode(None))


class FunctionsTest(tf.test.TestCase):
    def test_gelu_is_exact(self):
        x = np.linspace(-4.0, 4.0, 81)
        expected = [v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x]
        # The usual approximation by tanh is off by up to 5e-4.
        self.assertAllClose(
            fused.gelu(tf.constant(x)), expected, atol=1e-6, rtol=0
        )

    def test_padding_has_a_bias_of_minus_10000(self):
        bias = encoder.padding_bias(tf.constant([[1, 1, 0], [1, 0, 0]]))
        self.assertEqual(bias.shape, [2, 1, 1, 3])
        self.assertAllEqual(
            bias[:, 0, 0], [[0, 0, -10000], [0, -10000, -10000]]
        )


if __name__ == "__main__":
    tf.test.main()
