"""Tests of learning rates by variable, some against the original's."""

import json

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import adam
from electra_tf import checkpoints
from electra_tf import learning_rates
from electra_tf import pretraining
from tests import testing


def _json(name: str):
    with open(testing.golden("optimizer", name)) as file:
        return json.load(file)


class LayerwiseRatesTest(tf.test.TestCase, parameterized.TestCase):
    def test_factors_are_the_originals(self):
        for case in _json("layerwise.json")["key_factors"]:
            factors = learning_rates.layerwise(case["decay"], case["n_layers"])
            self.assertAllClose(dict(factors), case["factors"], rtol=1e-12)

    @parameterized.parameters(
        ("corrected", 0.125, 0.25, 0.5),
        ("original", 0.0625, 0.125, 0.25),
    )
    def test_the_correction_takes_one_decay_away(
        self, rule, embeddings, bottom, top
    ):
        self.assertEqual(
            dict(learning_rates.layerwise(0.5, 2, rule=rule)),
            {
                "/embeddings/": embeddings,
                "/embeddings_project/": embeddings,
                "encoder/layer_0/": bottom,
                "encoder/layer_1/": top,
                "task_specific/": 1.0,
            },
        )

    def test_every_variable_of_a_task_has_the_originals_factor(self):
        for name, graph in _json("layerwise.json")["variables"].items():
            optimizer = _layerwise_optimizer(graph)
            for variable, expected in graph["variables"].items():
                self.assertAlmostEqual(
                    optimizer.rate_factor(variable),
                    expected["lr_factor"],
                    places=12,
                    msg=f"{name}: {variable}",
                )
                self.assertEqual(
                    optimizer.is_decayed(variable),
                    expected["weight_decay"],
                    f"{name}: {variable}",
                )


def _layerwise_optimizer(graph) -> adam.AdamWeightDecay:
    return adam.AdamWeightDecay(
        0.1,
        rate_factors=learning_rates.layerwise(
            graph["decay"], graph["n_layers"]
        ),
    )


class PretrainingRatesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        (dict(), ()),
        (dict(tying="none"), ("electra/embeddings",)),
        # Only the differences to the generator's embeddings.
        (dict(tying="gdes"), ("electra/embeddings",)),
        (dict(generator="unigram"), ("electra/embeddings",)),
        (dict(objective="electric", generator="two_tower"), ()),
    )
    def test_what_only_the_discriminator_uses_has_its_rate(
        self, choices, further
    ):
        self.assertEqual(
            _scopes_with_disc_rate(**choices),
            {
                "electra/embeddings_project",
                "electra/encoder",
                "discriminator_predictions/dense",
                "discriminator_predictions/dense_1",
                *further,
            },
        )

    def test_of_one_encoder_for_both_only_the_head_has_it(self):
        self.assertEqual(
            _scopes_with_disc_rate(tying="all", generator_hidden_size=1.0),
            {
                "discriminator_predictions/dense",
                "discriminator_predictions/dense_1",
            },
        )

    def test_so_have_the_heads_of_other_objectives(self):
        self.assertEqual(
            _scopes_with_disc_rate(objective="all_tokens_mlm"),
            {
                "electra/embeddings_project",
                "electra/encoder",
                "token_predictions/output_bias",
                "token_predictions/dense",
                "token_predictions/LayerNorm",
                "copy_predictions/dense",
            },
        )

    def test_the_factor_is_that_of_the_peak_rates(self):
        factors = learning_rates.pretraining(
            testing.tiny_config(learning_rate=2e-3, disc_learning_rate=5e-4)
        )
        optimizer = adam.AdamWeightDecay(1.0, rate_factors=factors)
        # 5e-4 / 2e-3.
        self.assertEqual(optimizer.rate_factor("electra/encoder/x"), 0.25)
        self.assertEqual(optimizer.rate_factor("generator/encoder/x"), 1.0)
        self.assertEqual(optimizer.rate_factor("electra/embeddings/x"), 1.0)

    def test_without_a_rate_of_its_own_there_are_no_factors(self):
        self.assertEqual(learning_rates.pretraining(testing.tiny_config()), ())


def _scopes_with_disc_rate(**choices) -> set[str]:
    """The first two parts of names of variables with another rate."""
    run_config = testing.tiny_config(
        num_hidden_layers=1, disc_learning_rate=1.0, **choices
    )
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    optimizer = adam.AdamWeightDecay(
        1.0, rate_factors=learning_rates.pretraining(run_config)
    )
    return {
        "/".join(name.split("/")[:2])
        for name in checkpoints.by_name(model.trainable_variables)
        if optimizer.rate_factor(name) != 1.0
    }


if __name__ == "__main__":
    tf.test.main()
