from absl.testing import absltest

from electra_tf import dataset_info
from electra_tf import dry_run
from electra_tf import presets
from tests import testing


class DryRunTest(absltest.TestCase):
    def test_parameters_are_counted_by_network(self):
        self.assertEqual(
            dry_run.count_parameters(presets.get("small")),
            {
                "electra": 13_483_008,
                "generator": 608_064,
                "generator_predictions": 39_098,
                "discriminator_predictions": 66_049,
            },
        )

    def test_activations_follow_from_the_shapes(self):
        run_config = testing.tiny_config(objective="mlm")
        # 2 layers of 24 tokens: 12 vectors of 32, 3 of 64, 3 rows of scores
        # for 2 heads; (0.15 + 0.005) * 24 = 3.72, so 3 rows of word pieces.
        numbers = 2 * 24 * (12 * 32 + 3 * 64 + 3 * 2 * 24)
        numbers += 3 * 3 * run_config.vocab_size
        # float32, 4 examples.
        self.assertEqual(dry_run.activation_bytes(run_config), 4 * 4 * numbers)

    def test_the_report_says_what_a_run_takes(self):
        run_config = presets.get("small")
        text = dry_run.report(
            run_config,
            preset="small",
            infos=[
                dataset_info.DatasetInfo(
                    max_seq_length=128, shards={"a": 1_000_000}
                )
            ],
        )
        for line in (
            "Expected: GLUE dev 79.9",
            "Changed: nothing",
            "hidden_size = 256",
            "As the original counts: 1.294e+18; published for this preset: "
            "1.4e+18",
            # 14,196,219 parameters, four numbers of four bytes each.
            "Weights, gradients, optimizer: 0.23 GB on each device",
            # 128 examples, a million steps.
            "Seen in all: 128,000,000 examples, 1.638e+10 tokens",
            "1,000,000 examples of 128 tokens, so 128.0 passes",
        ):
            self.assertIn(line, text)

    def test_passes_over_several_folders_follow_from_their_weights(self):
        text = dry_run.report(
            presets.get("small"),
            preset="small",
            infos=[
                dataset_info.DatasetInfo(max_seq_length=128, shards={"a": n})
                for n in (1_000_000, 8_000_000)
            ],
            data_weights=[3, 1],
        )
        # 128,000,000 examples, three quarters from the first.
        self.assertIn("1,000,000 examples of 128 tokens, so 96.0 passes", text)
        self.assertIn("8,000,000 examples of 128 tokens, so 4.0 passes", text)


if __name__ == "__main__":
    absltest.main()
