"""Tests of taking models apart and joining networks."""

import dataclasses

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import networks
from tests import testing

_QUERY = "encoder/layer_0/attention/self/query/kernel"
_FULL_SIZE = dict(generator_hidden_size=1.0)


def _weights(**fields) -> networks.Weights:
    # Names and shapes tell no other number of heads.
    run_config = testing.tiny_config(num_attention_heads=1, **fields)
    return networks.Weights(
        testing.random_weights(run_config), run_config.encoder, run_config
    )


class NetworksTest(tf.test.TestCase, parameterized.TestCase):
    def test_each_network_is_called_electra(self):
        weights = _weights()
        parts = networks.split(weights)
        self.assertEqual(
            list(parts), [networks.DISCRIMINATOR, networks.GENERATOR]
        )
        discriminator, generator = parts.values()
        self.assertIs(
            discriminator.values[f"electra/{_QUERY}"],
            weights.values[f"electra/{_QUERY}"],
        )
        self.assertIs(
            generator.values[f"electra/{_QUERY}"],
            weights.values[f"generator/{_QUERY}"],
        )
        for part, head in (
            (discriminator, "discriminator_predictions"),
            (generator, "generator_predictions"),
        ):
            self.assertEqual(
                {name.partition("/")[0] for name in part.values},
                {"electra", head},
            )
            self.assertIs(
                part.values["electra/embeddings/word_embeddings"],
                weights.values["electra/embeddings/word_embeddings"],
            )
        self.assertEqual(generator.encoder.hidden_size, 16)
        self.assertEqual(generator.run_config.objective, "mlm")
        self.assertEqual(discriminator.run_config.generator, "uniform")

    def test_differences_are_added_up(self):
        weights = _weights(tying="gdes")
        parts = networks.split(weights)
        name = "embeddings/word_embeddings"
        self.assertAllEqual(
            parts[networks.DISCRIMINATOR].values[f"electra/{name}"],
            weights.values[f"electra/{name}_delta"]
            + weights.values[f"generator/{name}"],
        )
        self.assertAllEqual(
            parts[networks.GENERATOR].values[f"electra/{name}"],
            weights.values[f"generator/{name}"],
        )

    @parameterized.parameters(
        (dict(objective="mlm"), ["generator"], None),
        (dict(generator="uniform"), ["discriminator"], "electra"),
        (dict(generator="unigram"), ["discriminator"], "electra"),
        (
            dict(objective="electric", generator="two_tower"),
            ["discriminator"],
            "electra",
        ),
        (dict(objective="replace_mlm"), ["discriminator", "generator"], None),
    )
    def test_what_is_not_there_is_no_part(self, fields, names, objective):
        parts = networks.split(_weights(**fields))
        self.assertEqual(list(parts), names)
        if networks.DISCRIMINATOR in parts:
            run_config = parts[networks.DISCRIMINATOR].run_config
            self.assertEqual(run_config and run_config.objective, objective)

    @parameterized.parameters(
        {},
        dict(tying="none"),
        dict(tying="all", **_FULL_SIZE),
        dict(generator_training="two_stage", tying="none", **_FULL_SIZE),
    )
    def test_joining_undoes_splitting(self, **fields):
        weights = _weights(**fields)
        joined = networks.join(**networks.split(weights))
        self.assertTrue(networks.equal(joined.values, weights.values))
        for name in ("tying", "generator_training", "generator_encoder"):
            self.assertEqual(
                getattr(joined.run_config, name),
                getattr(weights.run_config, name),
                name,
            )

    def test_a_pair_of_no_model_is_an_error(self):
        parts = networks.split(_weights(generator_hidden_size=0.25))
        values = dict(parts[networks.GENERATOR].values)
        values["electra/embeddings/word_embeddings"] = np.ones_like(
            values["electra/embeddings/word_embeddings"]
        )
        with self.assertRaisesRegex(
            ValueError, "tying='none'.* would not have embedding_size 16, not"
        ):
            networks.join(
                parts[networks.DISCRIMINATOR],
                parts[networks.GENERATOR]._replace(values=values),
            )

    def test_a_generator_with_other_heads_is_an_error(self):
        parts = networks.split(_weights())
        encoder = dataclasses.replace(
            parts[networks.GENERATOR].encoder, num_attention_heads=4
        )
        with self.assertRaisesRegex(ValueError, "num_attention_heads 4, not 1"):
            networks.join(
                parts[networks.DISCRIMINATOR],
                parts[networks.GENERATOR]._replace(encoder=encoder),
            )

    def test_an_encoder_and_a_generator_are_no_model(self):
        parts = networks.split(_weights())
        weights = _weights(objective="replace_mlm")
        encoder = networks.split(weights)[networks.DISCRIMINATOR]
        with self.assertRaisesRegex(ValueError, "without its head"):
            networks.join(encoder, parts[networks.GENERATOR])


if __name__ == "__main__":
    tf.test.main()
