"""Pre-training in half precision against float32, on the tiny model."""

import functools
from unittest import mock

from absl.testing import parameterized
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import encoder
from electra_tf import optimization
from electra_tf import precision
from electra_tf import pretraining
from electra_tf import randomness
from tests import pretraining_variants_test
from tests import testing

# Largest relative errors of losses, of all gradients together and of one
# variable's. A rounding to bfloat16 is up to 2**-9 = 2e-3 off, one to float16
# 2**-12 = 2e-4. Measured were, over all variants, up to 1.4e-3, 9.1e-3 and
# 4.7e-2 for bfloat16, and 5.6e-4, 1.4e-3 and 4.7e-3 for float16.
_BOUNDS = {"bfloat16": (4e-3, 2e-2, 1e-1), "float16": (1e-3, 3e-3, 1e-2)}
_HALVES = tuple((name,) for name in _BOUNDS)
# A scale at which no gradient of these is too large for float16.
_SCALE = 2.0**8


def _make_model(name: str, dtype: str, **overrides):
    """A variant in that precision; no variable is 0."""
    tf_keras.utils.set_random_seed(0)
    variant = pretraining_variants_test.VARIANTS.get(name, {})
    values = dict(
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        warmup_steps=0,
        precision=dtype,
    )
    model = pretraining.ElectraPretrainer(
        testing.tiny_config(**values | variant | overrides),
        testing.special_ids(),
        continues_word=[p.startswith("##") for p in testing.tiny_vocab()],
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.1, variable.shape))
    return model


@functools.cache
def _forward(name: str, dtype: str):
    """What a pass computes, and all gradients by name."""
    model = _make_model(name, dtype)
    with tf.GradientTape() as tape:
        output = model(testing.random_batch(model.config, 8), training=True)
        loss = output.loss * _SCALE
    variables = checkpoints.by_name(model.trainable_variables)
    gradients = {
        name: tf.convert_to_tensor(gradient).numpy() / _SCALE
        for name, gradient in tape.gradient(loss, variables).items()
    }
    return output, gradients


def _error(actual, expected) -> float:
    """Relative, by the norm over several arrays."""
    difference = sum(np.sum((actual[n] - expected[n]) ** 2) for n in expected)
    return np.sqrt(difference / sum(np.sum(expected[n] ** 2) for n in expected))


class AgreementTest(tf.test.TestCase, parameterized.TestCase):
    def _check(self, name: str, dtype: str):
        expected, expected_gradients = _forward(name, "float32")
        output, gradients = _forward(name, dtype)
        loss_bound, all_bound, one_bound = _BOUNDS[dtype]
        for term in output.terms:
            self.assertAllClose(
                output.mean(term), expected.mean(term), rtol=loss_bound
            )
        self.assertLess(_error(gradients, expected_gradients), all_bound)
        for key, gradient in expected_gradients.items():
            if np.linalg.norm(gradient) > 1e-4:  # Else it is rounding.
                error = _error({key: gradients[key]}, {key: gradient})
                self.assertLess(error, one_bound, key)

    @parameterized.product(
        name=("electra", "electric", "gdes"), dtype=tuple(_BOUNDS)
    )
    def test_losses_and_gradients_are_near_those_of_float32(self, name, dtype):
        self._check(name, dtype)

    @parameterized.product(
        name=tuple(pretraining_variants_test.VARIANTS), dtype=tuple(_BOUNDS)
    )
    @pytest.mark.slow
    def test_so_are_those_of_every_variant(self, name, dtype):
        self._check(name, dtype)


class DtypesTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.product(
        name=("electra", "all_tokens_mlm", "unigram", "adversarial"),
        dtype=tuple(_BOUNDS),
    )
    def test_variables_scores_and_losses_have_32_bits(self, name, dtype):
        model = _make_model(name, dtype)
        batch = testing.random_batch(model.config, 4)
        with mock.patch.object(
            tf.nn, "softmax", side_effect=tf.nn.softmax
        ) as softmax:
            output = model(batch, training=True)
        floats = [
            tensor
            for tensor in tf.nest.flatten([output, model.trainable_variables])
            if tf.is_tensor(tensor) and tensor.dtype.is_floating
        ]
        self.assertEqual({tensor.dtype for tensor in floats}, {tf.float32})
        # Those of attention, too.
        self.assertEqual(
            {call.args[0].dtype for call in softmax.call_args_list},
            {tf.float32},
        )
        encoded = model.discriminator(batch)
        self.assertEqual(encoded.sequence_output.dtype, dtype)

    @parameterized.parameters(*_HALVES)
    def test_padding_is_not_attended_to(self, dtype):
        self.assertAllEqual(
            encoder.padding_bias(tf.constant([[1, 0]]))[0, 0, 0], [0.0, -1e4]
        )
        model = _make_model("electra", dtype)
        batch = testing.random_batch(model.config, 4)
        others = np.where(batch["input_mask"], batch["input_ids"], 7)
        first, second = (
            model.discriminator(batch | {"input_ids": ids}).sequence_output
            for ids in (batch["input_ids"], others)
        )
        is_token = batch["input_mask"] == 1
        self.assertAllEqual(
            tf.boolean_mask(first, is_token), tf.boolean_mask(second, is_token)
        )


class LossScalingTest(tf.test.TestCase):
    def _compile(self, *, initial_scale: float, **overrides):
        model = _make_model(
            "electra", "float16", num_hidden_layers=1, **overrides
        )
        model.compile(
            tf_keras.mixed_precision.LossScaleOptimizer(
                optimization.create(model.config), initial_scale=initial_scale
            ),
            run_eagerly=True,
        )
        return model

    def _step(self, model):
        """The norms of the gradient and of the change of all weights."""
        before = model.get_weights()
        metrics = model.train_on_batch(
            testing.random_batch(model.config, 4), return_dict=True
        )
        changes = [
            new - old
            for new, old in zip(model.get_weights(), before, strict=True)
        ]
        return metrics["gradient_norm"], np.linalg.norm(
            np.concatenate([change.ravel() for change in changes])
        )

    def test_too_large_gradients_change_nothing_but_the_scale(self):
        for num_micro_batches in (1, 2):
            model = self._compile(
                initial_scale=2.0**40, num_micro_batches=num_micro_batches
            )
            norm, change = self._step(model)
            # A step that is not finite has no weight in the metrics.
            self.assertEqual(norm, 0.0)
            self.assertEqual(change, 0.0)
            self.assertAllEqual(model.optimizer.loss_scale, 2.0**39)
            self.assertAllEqual(model.optimizer.iterations, 1)

    def test_the_scale_does_not_change_the_step(self):
        norms, changes = zip(
            self._step(self._compile(initial_scale=2.0**6)),
            self._step(self._compile(initial_scale=2.0**10)),
            strict=True,
        )
        # Powers of two lose nothing, but that small numbers are 0.
        self.assertAllClose(*norms, rtol=1e-3)
        self.assertAllClose(*changes, rtol=1e-2)
        self.assertGreater(changes[0], 0.0)

    def test_training_without_it_is_an_error(self):
        model = _make_model("electra", "float16")
        model.compile(optimization.create(model.config), run_eagerly=True)
        with self.assertRaisesRegex(ValueError, "wrap_optimizer"):
            self._step(model)


class XlaTest(tf.test.TestCase, parameterized.TestCase):
    def _check(self, name: str, dtype: str, num_micro_batches: int):
        model = _make_model(
            name,
            dtype,
            num_hidden_layers=1,
            num_micro_batches=num_micro_batches,
        )
        batch = testing.random_batch(model.config, 4)
        expected = model(
            batch, training=True, seed=randomness.step_seed(0, 0), step=0
        )
        model.compile(
            precision.wrap_optimizer(optimization.create(model.config), dtype),
            jit_compile=True,
        )
        # A step that makes variables would be traced twice.
        model.optimizer.build(model.trainable_variables)
        metrics = model.train_on_batch(batch, return_dict=True)
        for term in expected.terms:
            # XLA leaves roundings out; so one of the 10 samples may be another
            # one, which changes its policy loss by less than 1.
            rtol, atol = 1e-4, 1e-6
            if dtype in _BOUNDS:
                rtol = 10 * _BOUNDS[dtype][0]
                atol = 0.1 if term == "policy_loss" else atol
            self.assertAllClose(
                metrics[term],
                expected.mean(term),
                rtol=rtol,
                atol=atol,
                msg=term,
            )

    @parameterized.parameters(
        ("electra", "bfloat16", 2),
        ("electra", "float16", 1),
    )
    def test_it_compiles_the_whole_step(self, name, dtype, num_micro_batches):
        self._check(name, dtype, num_micro_batches)

    @parameterized.product(
        name=tuple(pretraining_variants_test.VARIANTS),
        dtype=("float32", *_BOUNDS),
        num_micro_batches=(1, 2),
    )
    @pytest.mark.slow
    def test_so_it_does_for_every_variant(self, name, dtype, num_micro_batches):
        self._check(name, dtype, num_micro_batches)


if __name__ == "__main__":
    tf.test.main()
