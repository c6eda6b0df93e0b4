"""Tests of starting pre-training from other weights."""

import os
from unittest import mock

from absl import logging
from absl.testing import parameterized
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import conversion
from electra_tf import initialisation
from electra_tf import networks
from electra_tf import pretraining
from electra_tf import tokenization
from tests import testing

_LAYER = "encoder/layer_0/output/dense/kernel"
_WORDS = "embeddings/word_embeddings"
_SMALLEST = dict(num_attention_heads=1, num_hidden_layers=1)
# An encoder of the shape of a tiny model's generator.
_AS_GENERATOR = dict(
    objective="mlm",
    hidden_size=16,
    intermediate_size=64,
    num_attention_heads=1,
    max_seq_length=32,
)


class InitialisationTest(tf.test.TestCase, parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.create_tempdir().full_path

    def _source(self, name: str, seed: int = 0, **fields):
        """A model folder, and the values in it."""
        path = os.path.join(self.directory, name)
        run_config = testing.tiny_config(**(_SMALLEST | fields))
        return path, testing.write_model_folder(path, run_config, seed)

    def _model(self, **fields) -> dict[str, tf.Variable]:
        model = pretraining.ElectraPretrainer(
            testing.tiny_config(**(_SMALLEST | fields)), testing.special_ids()
        )
        return checkpoints.by_name(model.trainable_variables)

    @parameterized.parameters(
        {},
        dict(tying="none"),
        dict(tying="gdes"),
        dict(tying="all", generator_hidden_size=1.0),
        dict(objective="mlm"),
        dict(objective="electric", generator="two_tower"),
    )
    def test_a_model_of_the_same_kind_is_restored_bit_by_bit(self, **fields):
        path, values = self._source("model", **fields)
        model = self._model(**fields)
        result = initialisation.initialise(model.values(), init_checkpoint=path)
        self.assertCountEqual(result.restored, model)
        self.assertEmpty(result.initialised)
        self.assertEmpty(result.unused)
        for name, variable in model.items():
            self.assertAllEqual(variable, values[name], name)

    @parameterized.parameters("original", "huggingface")
    def test_other_formats_give_the_same(self, output_format):
        path, values = self._source("model")
        output = os.path.join(self.directory, "converted")
        conversion.convert(path, output=output, output_format=output_format)
        model = self._model()
        result = initialisation.initialise(
            model.values(), init_checkpoint=output
        )
        self.assertEmpty(result.initialised)
        for name, variable in model.items():
            self.assertAllEqual(variable, values[name], name)

    def test_what_the_source_does_not_have_stays_as_it_is(self):
        path, values = self._source("uniform", generator="uniform")
        model = self._model()
        before = model[f"generator/{_LAYER}"].numpy()
        result = initialisation.initialise(model.values(), init_checkpoint=path)
        self.assertCountEqual(result.restored, values)
        self.assertCountEqual(result.initialised, set(model) - set(values))
        self.assertAllEqual(model[f"generator/{_LAYER}"], before)

    def test_each_network_comes_from_its_own_source(self):
        one_path, one = self._source("one", seed=1)
        two_path, two = self._source("two", seed=2)
        model = self._model()
        result = initialisation.initialise(
            model.values(), init_discriminator=one_path, init_generator=two_path
        )
        self.assertEmpty(result.initialised)
        for name, variable in model.items():
            of_generator = name.startswith("generator")
            expected = (two if of_generator else one)[name]
            self.assertAllEqual(variable, expected, name)
        # The two share the tables of the discriminator.
        self.assertLen(result.unused, 5)

    def test_one_network_of_two_is_replaced(self):
        whole_path, whole = self._source("whole", seed=1)
        other_path, other = self._source("other", seed=2)
        model = self._model()
        initialisation.initialise(
            model.values(),
            init_checkpoint=whole_path,
            init_generator=other_path,
        )
        name = f"generator/{_LAYER}"
        self.assertAllEqual(model[name], other[name])
        for name in (f"electra/{_LAYER}", f"electra/{_WORDS}"):
            self.assertAllEqual(model[name], whole[name])

    def test_a_masked_language_model_becomes_the_generator(self):
        path, values = self._source("mlm", **_AS_GENERATOR)
        model = self._model()
        result = initialisation.initialise(model.values(), init_generator=path)
        for ours, theirs in (
            (f"generator/{_LAYER}", f"electra/{_LAYER}"),
            (f"electra/{_WORDS}", f"electra/{_WORDS}"),  # Nobody else's.
            ("generator_predictions/output_bias",) * 2,
        ):
            self.assertAllEqual(model[ours], values[theirs])
        self.assertIn(f"electra/{_LAYER}", result.initialised)

    def test_a_masked_language_model_becomes_the_main_encoder(self):
        path, values = self._source("mlm", objective="mlm")
        model = self._model()
        head = "generator_predictions/output_bias"
        before = model[head].numpy()
        result = initialisation.initialise(model.values(), init_checkpoint=path)
        self.assertAllEqual(
            model[f"electra/{_LAYER}"], values[f"electra/{_LAYER}"]
        )
        # The head reads another encoder than the generator.
        self.assertAllEqual(model[head], before)
        self.assertIn(
            "discriminator_predictions/dense/bias", result.initialised
        )

    def test_a_masked_language_model_is_all_of_a_tied_model(self):
        path, values = self._source("mlm", objective="mlm")
        model = self._model(tying="all", generator_hidden_size=1.0)
        for source in ("init_checkpoint", "init_generator"):
            result = initialisation.initialise(model.values(), **{source: path})
            self.assertCountEqual(result.restored, values)

    def test_own_embeddings_start_from_shared_ones(self):
        path, values = self._source("shared")
        model = self._model(tying="none")  # 16 wide, as the embeddings.
        initialisation.initialise(model.values(), init_checkpoint=path)
        for scope in ("electra", "generator"):
            self.assertAllEqual(
                model[f"{scope}/{_WORDS}"], values[f"electra/{_WORDS}"]
            )

    @parameterized.parameters(
        ("init_checkpoint", "electra", "electra"),
        ("init_discriminator", "electra", "electra"),
        ("init_generator", None, "electra"),
    )
    def test_differences_are_set_so_that_sums_are_right(
        self, source, discriminator, generator
    ):
        path, values = self._source("shared")
        model = self._model(tying="gdes")
        initialisation.initialise(model.values(), **{source: path})
        own = model[f"generator/{_WORDS}"]
        if discriminator:
            self.assertAllClose(
                own + model[f"electra/{_WORDS}_delta"],
                values[f"{discriminator}/{_WORDS}"],
                atol=1e-7,
            )
        self.assertAllEqual(own, values[f"{generator}/{_WORDS}"])

    def test_two_sources_of_a_model_with_differences(self):
        one_path, one = self._source("one", seed=1)
        two_path, two = self._source("two", seed=2, tying="gdes")
        model = self._model(tying="gdes")
        initialisation.initialise(
            model.values(), init_discriminator=one_path, init_generator=two_path
        )
        own = model[f"generator/{_WORDS}"]
        self.assertAllEqual(own, two[f"generator/{_WORDS}"])
        self.assertAllClose(
            own + model[f"electra/{_WORDS}_delta"],
            one[f"electra/{_WORDS}"],
            atol=1e-6,
        )

    def test_sums_are_given_to_a_model_without_differences(self):
        path, values = self._source("gdes", tying="gdes")
        model = self._model()
        initialisation.initialise(model.values(), init_checkpoint=path)
        self.assertAllEqual(
            model[f"electra/{_WORDS}"],
            values[f"electra/{_WORDS}_delta"] + values[f"generator/{_WORDS}"],
        )

    def test_positions_are_extended_only_on_request(self):
        path, values = self._source("short")
        model = self._model(max_position_embeddings=40)
        with self.assertRaisesRegex(
            ValueError, "max_position_embeddings is 32 .*--extend_positions"
        ):
            initialisation.initialise(model.values(), init_checkpoint=path)
        initialisation.initialise(
            model.values(), init_checkpoint=path, extend_positions=True
        )
        name = "electra/embeddings/position_embeddings"
        self.assertAllEqual(model[name][:32], values[name])
        self.assertAllEqual(model[name][32:], values[name][1:9])

    def test_longer_tables_are_never_cut(self):
        path, _ = self._source("long", max_position_embeddings=40)
        model = self._model()
        for extend in (False, True):
            with self.assertRaises(ValueError):
                initialisation.initialise(
                    model.values(),
                    init_checkpoint=path,
                    extend_positions=extend,
                )

    def test_a_wrong_width_is_an_error_with_its_cause(self):
        path, _ = self._source("wide", generator_hidden_size=1.0)
        model = self._model()
        before = model[f"electra/{_LAYER}"].numpy()
        with self.assertRaisesRegex(
            ValueError, "generator_hidden_size=1 as in the released"
        ):
            initialisation.initialise(model.values(), init_checkpoint=path)
        self.assertAllEqual(model[f"electra/{_LAYER}"], before)

    @parameterized.parameters(
        (dict(generator="uniform"), {}, "holds no generator"),
        ({}, dict(generator="uniform"), "no generator that init_generator"),
    )
    def test_no_generator_is_an_error(self, source, model, message):
        path, _ = self._source("model", **source)
        with self.assertRaisesRegex(ValueError, message):
            initialisation.initialise(
                self._model(**model).values(), init_generator=path
            )

    def test_two_sources_for_one_encoder_are_an_error(self):
        path, _ = self._source("model")
        model = self._model(tying="all", generator_hidden_size=1.0)
        with self.assertRaisesRegex(ValueError, "generator is its discrimin"):
            initialisation.initialise(
                model.values(), init_generator=path, init_discriminator=path
            )

    def test_another_vocabulary_is_reported(self):
        path, _ = self._source("model")
        model = self._model()
        vocab = testing.tiny_vocab()
        for changed, calls in ((vocab, 0), ([*vocab[:-1], "zebra"], 1)):
            tokenizer = tokenization.Tokenizer(changed)
            with mock.patch.object(logging, "warning") as warning:
                initialisation.initialise(
                    model.values(), init_checkpoint=path, tokenizer=tokenizer
                )
            self.assertEqual(warning.call_count, calls)
            if calls:
                self.assertIn(len(vocab) - 1, warning.call_args.args)

    def test_parts_of_hugging_face_are_sources_of_their_own(self):
        path, values = self._source("model")
        output = os.path.join(self.directory, "converted")
        conversion.convert(path, output=output, output_format="huggingface")
        model = self._model()
        result = initialisation.initialise(
            model.values(),
            init_generator=os.path.join(output, networks.GENERATOR),
            init_discriminator=os.path.join(output, networks.DISCRIMINATOR),
        )
        self.assertEmpty(result.initialised)
        for name, variable in model.items():
            self.assertAllEqual(variable, values[name], name)


if __name__ == "__main__":
    tf.test.main()
