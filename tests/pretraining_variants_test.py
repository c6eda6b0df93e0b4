"""Every objective, generator and way of masking, trained for some steps."""

import functools

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
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
        # The third step is the first of the second stage.
        num_train_steps=4,
    ),
    "adversarial": dict(generator_training="adversarial"),
}
_NAMED = [{"testcase_name": name, "name": name} for name in VARIANTS]

# Variants that do not touch each other, trained together to compile less;
# "electric" has "two_tower" in it.
_TOGETHER = (
    ("mlm", "with_replacement"),
    ("electric", "whole_words"),
    ("electra_15", "uniform", "disallow_correct"),
    ("replace_mlm", "unigram"),
    ("all_tokens_mlm", "untied"),
    ("adversarial", "gdes"),
    ("two_stage",),
)


def _make_model(*names: str, **compile_options):
    tf_keras.utils.set_random_seed(0)
    values = dict(
        num_hidden_layers=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        warmup_steps=0,
    )
    for name in names:
        values |= VARIANTS[name]
    run_config = testing.tiny_config(**values)
    model = pretraining.ElectraPretrainer(
        run_config,
        testing.special_ids(),
        continues_word=[p.startswith("##") for p in testing.tiny_vocab()],
    )
    model.compile(optimizer=optimization.create(run_config), **compile_options)
    # A step that makes variables would be traced twice.
    model.optimizer.build(model.trainable_variables)
    return model


def _values(model) -> dict[str, np.ndarray]:
    variables = checkpoints.by_name(model.trainable_variables)
    return {name: variable.numpy() for name, variable in variables.items()}


@functools.cache
def _backpropagate(name: str):
    """The configuration, the output of a pass, and gradients by name."""
    model = _make_model(name)
    with tf.GradientTape() as tape:
        output = model(testing.random_batch(model.config, 4))
        loss = output.loss
    variables = checkpoints.by_name(model.trainable_variables)
    return model.config, output, tape.gradient(loss, variables)


class VariantsTest(tf.test.TestCase, parameterized.TestCase):
    def test_all_are_compiled(self):
        compiled = {"two_tower", *(n for names in _TOGETHER for n in names)}
        self.assertEqual(compiled, set(VARIANTS))

    @parameterized.named_parameters(
        ("_and_".join(names), names) for names in _TOGETHER
    )
    def test_xla_compiles_the_whole_step_to_the_same_numbers(self, names):
        models = [
            _make_model(*names, run_eagerly=True),
            _make_model(*names, jit_compile=True),
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
        _, _, gradients = _backpropagate(name)
        self.assertEqual([n for n in gradients if gradients[n] is None], [])

    @parameterized.named_parameters(*_NAMED)
    def test_the_loss_is_the_scaled_sum_of_its_means(self, name):
        run_config, output, _ = _backpropagate(name)
        scales = objectives.loss_scales(run_config)
        self.assertSameElements(scales, output.terms)
        expected = 0.0
        for term, scale in scales.items():
            values, weights, *_ = map(np.asarray, output.terms[term])
            expected += scale * (values * weights).sum() / weights.sum()
        self.assertAllClose(output.loss, expected, rtol=1e-5)


if __name__ == "__main__":
    tf.test.main()
