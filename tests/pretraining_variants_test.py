"""Every objective, generator and way of masking, trained for some steps."""

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import objectives
from electra_tf import optimization
from electra_tf import pretraining
from tests import testing

VARIANTS = {
    "mlm": dict(objective="mlm"),
    "electric": dict(objective="electric", generator="two_tower"),
    "electra_15": dict(objective="electra_15"),
    "replace_mlm": dict(objective="replace_mlm", disc_weight=1.0),
    "all_tokens_mlm": dict(objective="all_tokens_mlm", disc_weight=1.0),
    "two_tower": dict(generator="two_tower"),
    "unigram": dict(generator="unigram"),
    "uniform": dict(generator="uniform"),
    "untied": dict(tying="none"),
    "gdes": dict(tying="gdes"),
    "disallow_correct": dict(disallow_correct=True),
    "with_replacement": dict(masking="with_replacement"),
    "whole_words": dict(masking="whole_words"),
    "two_stage": dict(
        generator_training="two_stage",
        tying="none",
        generator_hidden_size=1.0,
        num_train_steps=6,
    ),
    "adversarial": dict(generator_training="adversarial"),
}
_NAMED = [{"testcase_name": name, "name": name} for name in VARIANTS]


def _config(name: str) -> config.PretrainConfig:
    return testing.tiny_config(
        **dict(
            num_hidden_layers=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            warmup_steps=0,
        )
        | VARIANTS[name]
    )


def _make_model(name: str, **compile_options) -> pretraining.ElectraPretrainer:
    tf_keras.utils.set_random_seed(0)
    run_config = _config(name)
    model = pretraining.ElectraPretrainer(
        run_config,
        testing.special_ids(),
        continues_word=[p.startswith("##") for p in testing.tiny_vocab()],
    )
    model.compile(optimizer=optimization.create(run_config), **compile_options)
    return model


def _values(model) -> dict[str, np.ndarray]:
    variables = checkpoints.by_name(model.trainable_variables)
    return {name: variable.numpy() for name, variable in variables.items()}


class VariantsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.named_parameters(*_NAMED)
    def test_xla_compiles_the_whole_step_to_the_same_numbers(self, name):
        models = [
            _make_model(name, run_eagerly=True),
            _make_model(name, jit_compile=True),
        ]
        for step in range(3):
            batch = testing.random_batch(models[0].config, 4, seed=step)
            expected, metrics = (
                model.train_on_batch(batch, return_dict=True)
                for model in models
            )
            self.assertAllClose(metrics, expected, rtol=1e-4, atol=1e-6)
        expected, values = map(_values, models)
        for key, value in values.items():
            self.assertAllClose(value, expected[key], atol=2e-5, msg=key)

    @parameterized.named_parameters(*_NAMED)
    def test_every_variable_is_trained_but_what_does_not_matter(self, name):
        model = _make_model(name)
        with tf.GradientTape() as tape:
            loss = model(testing.random_batch(model.config, 4)).loss
        variables = checkpoints.by_name(model.trainable_variables)
        gradients = tape.gradient(loss, variables)
        self.assertEqual([n for n in gradients if gradients[n] is None], [])

    @parameterized.named_parameters(*_NAMED)
    def test_the_loss_is_the_scaled_sum_of_its_means(self, name):
        model = _make_model(name)
        output = model(testing.random_batch(model.config, 4))
        scales = objectives.loss_scales(model.config)
        self.assertSameElements(scales, output.terms)
        expected = 0.0
        for term, scale in scales.items():
            values, weights, *_ = map(np.asarray, output.terms[term])
            expected += scale * (values * weights).sum() / weights.sum()
        self.assertAllClose(output.loss, expected, rtol=1e-5)


if __name__ == "__main__":
    tf.test.main()
