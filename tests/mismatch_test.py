"""Tests of what is said about checkpoints that do not fit."""

from absl.testing import absltest
from absl.testing import parameterized

from electra_tf import mismatch


def _shapes(
    *,
    vocab=30522,
    embedding=128,
    width=256,
    layers=12,
    feed_forward=1024,
    positions=512,
    types=2,
    generator_width=64,
    generator_layers=12,
):
    """The variables of ELECTRA-Small that tell its configuration."""
    shapes = {
        "electra/embeddings/word_embeddings": (vocab, embedding),
        "electra/embeddings/position_embeddings": (positions, embedding),
        "electra/embeddings/token_type_embeddings": (types, embedding),
        "discriminator_predictions/dense/kernel": (width, width),
        "generator_predictions/dense/kernel": (generator_width, embedding),
    }
    for scope, size, depth in (
        ("electra", width, layers),
        ("generator", generator_width, generator_layers),
    ):
        for i in range(depth):
            layer = f"{scope}/encoder/layer_{i}"
            shapes[f"{layer}/attention/self/query/kernel"] = (size, size)
            shapes[f"{layer}/output/dense/kernel"] = (feed_forward, size)
    return shapes


class MismatchTest(parameterized.TestCase):
    @parameterized.parameters(
        (dict(vocab=100), "vocab_size is 100 in the checkpoint, 30522 in"),
        (dict(embedding=64), "embedding_size is 64 in the checkpoint, 128 in"),
        (dict(width=512), "hidden_size is 512 in the checkpoint, 256 in"),
        (dict(types=1), "type_vocab_size is 1 in the checkpoint, 2 in"),
        (dict(layers=6), "num_hidden_layers is 6 in the checkpoint, 12 in"),
        (dict(feed_forward=4), "intermediate_size is 4 in the checkpoint"),
        (dict(positions=128), "is 128 .*, 512 .*--extend_positions"),
        (
            dict(generator_layers=3),
            "generator_layers is 0.25 in the checkpoint, 1.0 in",
        ),
        (
            dict(generator_width=256),
            "generator is 256 wide .*, 64 in the model: "
            "generator_hidden_size=1 as in the released ELECTRA-Small",
        ),
        (dict(generator_width=128), "generator_hidden_size=0.5.$"),
        (
            dict(generator_layers=0),
            "tying is 'all' in the checkpoint, 'embeddings' in the model",
        ),
    )
    def test_a_shape_tells_the_field(self, sizes, expected):
        causes = mismatch.causes(_shapes(**sizes), _shapes())
        self.assertRegex("\n".join(causes), expected)

    def test_one_cause_is_one_sentence(self):
        causes = mismatch.causes(_shapes(generator_width=256), _shapes())
        self.assertLen(causes, 1)
        self.assertEmpty(mismatch.causes(_shapes(), _shapes()))

    def test_longer_tables_are_not_said_to_be_extensible(self):
        (cause,) = mismatch.causes(_shapes(positions=1024), _shapes())
        self.assertNotIn("extend", cause)

    def test_something_else_than_electra_is_named(self):
        (cause,) = mismatch.causes({"resnet/conv1/kernel": (3, 3)}, _shapes())
        self.assertIn("only resnet: is it one of ELECTRA?", cause)


if __name__ == "__main__":
    absltest.main()
