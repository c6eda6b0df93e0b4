import dataclasses
import json

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import config
from electra_tf import flops
from electra_tf import presets
from tests import testing


def _golden(section: str) -> dict:
    with open(testing.golden("flops", "flops.json")) as file:
        return json.load(file)[section]


class OriginalCountTest(parameterized.TestCase):
    @parameterized.parameters("small", "base", "large")
    def test_every_part_of_inference_is_the_originals(self, name):
        expected = _golden("inference")[name]
        shape = flops.Transformer(
            hidden=expected["h"],
            layers=expected["l"],
            length=expected["s"],
            embedding=expected["e"],
        )
        for part, value in (
            ("infer_flops", shape.inference()),
            ("block_flops", shape.block()),
            ("embedding_flops", shape.embeddings()),
            ("output_flops", shape.output()),
            ("binary_classification_flops", shape.binary_output()),
        ):
            self.assertAlmostEqual(value / expected[part], 1, places=9)

    def test_training_of_other_models_is_the_originals(self):
        counts = flops.other_models()
        expected = _golden("train_flops")
        ours = ("electra_", "bert_small", "bert_base")
        self.assertSameElements(
            counts, [name for name in expected if not name.startswith(ours)]
        )
        for name, count in counts.items():
            self.assertAlmostEqual(count / expected[name], 1, places=9)

    @parameterized.parameters(
        ("small", "electra_small"),
        ("base", "electra_base"),
        ("large", "electra_400k"),
        ("large_1.75m", "electra_1.75M"),
        ("bert_small", "bert_small"),
        ("bert_base", "bert_base"),
    )
    def test_training_of_presets_is_the_originals(self, preset, name):
        count = flops.original_training(presets.get(preset))
        self.assertAlmostEqual(
            count / _golden("train_flops")[name], 1, places=9
        )


class UsualCountTest(absltest.TestCase):
    def test_small(self):
        small = presets.get("small")
        # In GFLOP, by counts that include some more than products.
        for count, expected in (
            (flops.training_example(small), 9.1),
            (flops.encoder_forward(small.encoder, 128), 2.7),
            (flops.encoder_forward(small.encoder, 32), 0.63),
        ):
            self.assertAlmostEqual(count / 1e9 / expected, 1, delta=0.04)

    def test_every_product_counts_twice_forward_and_four_times_backward(self):
        run_config = config.PretrainConfig(
            objective="mlm",
            vocab_size=10,
            embedding_size=2,
            hidden_size=4,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=8,
            max_seq_length=16,
        )
        # 16 tokens: projection, query, key, value, output, feed-forward.
        products = 16 * (2 * 4 + 4 * 4 * 4 + 2 * 4 * 8)
        products += 2 * 16 * 16 * 4  # Scores and averages.
        # (0.15 + 0.005) * 16 = 2.48, so 2 tokens: dense layer, 10 pieces.
        products += 2 * (4 * 2 + 2 * 10)
        self.assertEqual(flops.training_example(run_config), 6 * products)

    def test_objectives_cost_what_they_compute(self):
        small = presets.get("small")
        costs = {
            name: flops.training_example(dataclasses.replace(small, **values))
            for name, values in {
                "mlm": dict(objective="mlm"),
                "uniform": dict(generator="uniform"),
                "two_tower": dict(generator="two_tower"),
                "all_tokens_mlm": dict(objective="all_tokens_mlm"),
            }.items()
        }
        electra = flops.training_example(small)
        generator = small.generator_encoder
        self.assertEqual(
            electra - costs["uniform"],
            3
            * (
                flops.encoder_forward(generator, 128)
                + flops.vocabulary_forward(generator, 19)
            ),
        )
        self.assertLess(costs["mlm"], electra)
        # 3 * 2 * 128 tokens * 128 units * 30522 pieces is 3.0 GFLOP.
        self.assertGreater(costs["all_tokens_mlm"], electra + 2.9e9)
        self.assertGreater(costs["two_tower"], electra + 2.9e9 * 109 / 128)


if __name__ == "__main__":
    absltest.main()
