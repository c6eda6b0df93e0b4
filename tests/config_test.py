import dataclasses
import json

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import config
from tests import testing


class EncoderConfigTest(parameterized.TestCase):
    def test_heads_must_divide_the_width(self):
        with self.assertRaisesRegex(
            ValueError, "multiple of num_attention_heads, got 100 and 3"
        ):
            config.EncoderConfig(hidden_size=100, num_attention_heads=3)

    @parameterized.parameters(
        dict(vocab_size=0),
        dict(num_hidden_layers=-1),
        dict(hidden_dropout_prob=1.0),
        dict(initializer_range=0.0),
    )
    def test_a_value_out_of_range_is_refused_by_name(self, **values):
        with self.assertRaisesRegex(ValueError, f"^{next(iter(values))} must"):
            config.EncoderConfig(**values)


class PretrainConfigTest(parameterized.TestCase):
    @parameterized.parameters(
        dict(mask_prob=0.0),
        dict(mask_prob=1.0),
        dict(generator_hidden_size=0.0),
        dict(temperature=-1.0),
        dict(train_batch_size=0),
        dict(warmup_steps=-1),
        dict(disc_weight=-50.0),
        dict(clip_norm=0.0),
        dict(learning_rate=float("nan")),
        dict(disc_learning_rate=0.0),
        dict(ema_momentum=1.0),
        dict(freeze="layer_(0"),
    )
    def test_a_value_out_of_range_is_refused_by_name(self, **values):
        with self.assertRaisesRegex(ValueError, f"^{next(iter(values))} must"):
            config.PretrainConfig(**values)

    @parameterized.parameters(
        dict(hidden_size=256.0),
        dict(num_train_steps="1000"),
        dict(mask_prob="0.15"),
        dict(train_batch_size=True),
        dict(learning_rate=None),
    )
    def test_a_value_of_another_type_is_refused_by_name(self, **values):
        with self.assertRaisesRegex(ValueError, f"^{next(iter(values))} must"):
            config.PretrainConfig(**values)

    def test_a_rate_of_the_discriminator_needs_one(self):
        with self.assertRaisesRegex(
            ValueError, "'mlm'.* need disc_learning_rate=None, got 0.1"
        ):
            config.PretrainConfig(objective="mlm", disc_learning_rate=0.1)

    def test_one_encoder_for_both_networks_needs_full_shares(self):
        with self.assertRaisesRegex(ValueError, "tying='all'.* 0.25 and 1.0"):
            config.PretrainConfig(tying="all", generator_hidden_size=0.25)
        tied = config.PretrainConfig(tying="all", generator_hidden_size=1.0)
        self.assertEqual(tied.generator_encoder, tied.encoder)

    def test_a_float_may_be_written_as_an_integer(self):
        self.assertEqual(config.PretrainConfig(gen_weight=2).gen_weight, 2.0)

    def test_examples_must_fit_the_positions_of_the_model(self):
        with self.assertRaisesRegex(ValueError, "129 is longer than the 128"):
            config.PretrainConfig(
                max_seq_length=129, max_position_embeddings=128
            )

    def test_some_token_must_be_left_to_predict(self):
        # (0.15 + 0.005) * 6 = 0.93, so 0.
        with self.assertRaisesRegex(ValueError, "no token to predict"):
            config.PretrainConfig(max_seq_length=6)

    def test_a_generator_that_rounds_to_nothing_is_refused(self):
        with self.assertRaisesRegex(ValueError, "hidden_size must"):
            config.PretrainConfig(generator_hidden_size=0.001)

    def test_it_cannot_be_changed(self):
        with self.assertRaises(dataclasses.FrozenInstanceError):
            config.PretrainConfig().seed = 1

    def test_max_predictions_per_seq_is_the_originals(self):
        with open(testing.golden("pretrain_helpers", "config.json")) as file:
            rows = json.load(file)["max_predictions_per_seq"]
        self.assertLen(rows, 12)
        for row in rows:
            run_config = config.PretrainConfig(
                max_seq_length=row["max_seq_length"], mask_prob=row["mask_prob"]
            )
            self.assertEqual(
                run_config.max_predictions_per_seq,
                row["max_predictions_per_seq"],
                row,
            )

    def test_the_discriminator_has_the_widths_of_the_run(self):
        self.assertEqual(
            config.PretrainConfig(hidden_size=512).encoder,
            config.EncoderConfig(hidden_size=512),
        )

    @parameterized.parameters(
        # hidden, share -> width, heads of 64 units, feed-forward width.
        (256, 0.25, 64, 1, 256),
        (256, 1.0, 256, 4, 1024),
        (768, 1 / 3, 256, 4, 1024),
        (1024, 0.25, 256, 4, 1024),
        (128, 0.25, 32, 1, 128),
    )
    def test_the_generator_is_a_share_of_the_discriminator(
        self, hidden, share, *expected
    ):
        generator = config.PretrainConfig(
            hidden_size=hidden, generator_hidden_size=share
        ).generator_encoder
        self.assertEqual(
            (
                generator.hidden_size,
                generator.num_attention_heads,
                generator.intermediate_size,
            ),
            expected,
        )

    def test_the_generator_may_be_shallower(self):
        run_config = config.PretrainConfig(generator_layers=0.5)
        self.assertEqual(run_config.generator_encoder.num_hidden_layers, 6)
        self.assertEqual(run_config.encoder.num_hidden_layers, 12)


class DictTest(absltest.TestCase):
    def test_a_configuration_survives_json(self):
        original = testing.tiny_config(mask_prob=0.25, seed=7)
        text = json.dumps(config.to_dict(original))
        restored = config.from_dict(config.PretrainConfig, json.loads(text))
        self.assertEqual(restored, original)

    def test_an_unknown_field_is_named_with_those_that_exist(self):
        with self.assertRaisesRegex(
            ValueError, "no field lerning_rate. Its fields are: .*learning_rate"
        ):
            config.from_dict(config.PretrainConfig, {"lerning_rate": 0.1})


class DifferencesTest(absltest.TestCase):
    def test_what_changes_the_weights_is_listed(self):
        self.assertEqual(
            config.differences(
                testing.tiny_config(seed=1, learning_rate=0.1),
                testing.tiny_config(seed=2, learning_rate=0.2),
            ),
            ["learning_rate: 0.1 -> 0.2", "seed: 1 -> 2"],
        )

    def test_what_does_not_change_the_weights_is_not(self):
        old = testing.tiny_config()
        changed = {name: 999 for name in config.PretrainConfig.MAY_CHANGE}
        changed |= {"best_metric": "-loss", "profile_steps": "2,3"}
        new = dataclasses.replace(old, **changed)
        self.assertNotEqual(new, old)
        self.assertEqual(config.differences(old, new), [])


if __name__ == "__main__":
    absltest.main()
