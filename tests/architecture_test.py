"""Tests of telling a configuration by names and shapes of variables."""

import dataclasses

from absl.testing import parameterized
import tensorflow as tf

from electra_tf import architecture
from electra_tf import config
from tests import testing

# What names and shapes cannot tell is as it is assumed then.
_CONFIG = dict(num_attention_heads=1, max_seq_length=32)
_FULL_SIZE = dict(generator_hidden_size=1.0)


def _shapes(run_config: config.PretrainConfig):
    values = testing.random_weights(run_config)
    return {name: value.shape for name, value in values.items()}


class ArchitectureTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(
        {},
        dict(generator_hidden_size=0.25, generator_layers=0.5),
        dict(tying="none"),
        dict(tying="gdes"),
        dict(tying="all", **_FULL_SIZE),
        dict(generator="uniform", **_FULL_SIZE),
        dict(generator="unigram", **_FULL_SIZE),
        dict(objective="mlm", **_FULL_SIZE),
        dict(objective="electric", generator="two_tower"),
        dict(objective="replace_mlm"),
        dict(objective="all_tokens_mlm"),
        dict(generator_training="adversarial"),
        dict(generator_training="two_stage", tying="none", **_FULL_SIZE),
    )
    def test_a_run_is_told_by_its_variables(self, **fields):
        # The fields of training are not in the variables.
        defaults = config.PretrainConfig()
        expected = dataclasses.replace(
            testing.tiny_config(**(_CONFIG | fields)),
            **{
                field.name: getattr(defaults, field.name)
                for field in dataclasses.fields(defaults)
                if field.name.endswith(("steps", "rate", "batch_size"))
            },
        )
        shapes = _shapes(expected)
        encoder = architecture.encoder_config(shapes)
        self.assertEqual(encoder, expected.encoder)
        self.assertEqual(
            architecture.pretrain_config(shapes, encoder), expected
        )

    def test_an_encoder_without_heads_is_of_no_run(self):
        shapes = {
            name: shape
            for name, shape in _shapes(testing.tiny_config()).items()
            if name.startswith("electra/")
        }
        encoder = architecture.encoder_config(shapes)
        self.assertIsNone(architecture.pretrain_config(shapes, encoder))

    def test_what_shapes_do_not_tell_is_taken_as_stated(self):
        encoder = architecture.encoder_config(
            _shapes(testing.tiny_config()),
            {"num_attention_heads": 4, "hidden_dropout_prob": 0.3, "x": 1},
        )
        self.assertEqual(encoder.num_attention_heads, 4)
        self.assertEqual(encoder.hidden_dropout_prob, 0.3)
        self.assertEqual(encoder.attention_probs_dropout_prob, 0.1)

    def test_heads_are_64_wide_by_default(self):
        shapes = {
            "electra/embeddings/word_embeddings": (30522, 768),
            "electra/embeddings/position_embeddings": (512, 768),
            "electra/embeddings/token_type_embeddings": (2, 768),
            "electra/encoder/layer_0/attention/self/query/kernel": (768, 768),
            "electra/encoder/layer_0/intermediate/dense/kernel": (768, 3072),
        }
        encoder = architecture.encoder_config(shapes)
        self.assertEqual(encoder.num_attention_heads, 12)

    def test_a_size_that_is_not_as_stated_is_an_error(self):
        with self.assertRaisesRegex(
            ValueError, "hidden_size 64 is stated, the variables have 32"
        ):
            architecture.encoder_config(
                _shapes(testing.tiny_config()), {"hidden_size": 64}
            )

    def test_variables_of_something_else_are_an_error(self):
        with self.assertRaisesRegex(
            ValueError, "No encoder of ELECTRA or BERT.*scopes: resnet"
        ):
            architecture.encoder_config({"resnet/kernel": (3, 3)})


if __name__ == "__main__":
    tf.test.main()
