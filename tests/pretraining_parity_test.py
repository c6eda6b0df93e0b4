"""Every objective against numbers computed with the original's code."""

import functools
import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import masking
from electra_tf import optimization
from electra_tf import pretraining
from tests import testing

_BERT_IDS = masking.SpecialIds(cls=101, sep=102, mask=103)

# The folder of golden numbers, and what makes its configuration.
_OBJECTIVES = {
    "pretrain_electra": {},
    "pretrain_electra_tied_generator": dict(
        tying="all", generator_hidden_size=1.0
    ),
    "pretrain_electra_untied_generator_embeddings": dict(tying="none"),
    "pretrain_electra_uniform_generator": dict(generator="uniform"),
    "pretrain_electra_disallow_correct": dict(disallow_correct=True),
    "pretrain_mlm": dict(objective="mlm"),
    "pretrain_electric": dict(objective="electric", generator="two_tower"),
}
_FOLDERS = tuple((folder,) for folder in _OBJECTIVES)


def _golden_config(folder: str) -> config.PretrainConfig:
    with open(testing.golden(folder, "config.json")) as file:
        values = json.load(file)
    shape = {
        name: values["discriminator"][name]
        for name in config.ENCODER_FIELDS
        if name != "embedding_size"
    }
    return config.PretrainConfig(
        **shape
        | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        | {"generator_hidden_size": values["generator_hidden_size"]}
        | _OBJECTIVES[folder],
        embedding_size=values["embedding_size"],
        max_seq_length=24,
        learning_rate=values["optimizer"]["learning_rate"],
        num_train_steps=values["optimizer"]["num_train_steps"],
        warmup_steps=values["optimizer"]["warmup_steps"],
    )


class _ReplayedPretrainer(pretraining.ElectraPretrainer):
    """Masks and samples what was masked and sampled for the golden numbers."""

    def __init__(self, folder: str):
        super().__init__(_golden_config(folder), _BERT_IDS)
        self.arrays = _load(folder, "inputs.npz")

    def call(self, inputs, training=False, seed=None, step=None):
        arrays = self.arrays
        masked = masking.MaskedTokens(
            positions=tf.constant(arrays["masked_lm_positions"]),
            ids=tf.constant(arrays["masked_lm_ids"]),
            weights=tf.constant(arrays["masked_lm_weights"]),
        )
        masked_ids = tf.constant(arrays["masked_input_ids"])
        proposal = self.generator(inputs, masked, masked_ids)
        return self.compute_losses(
            inputs,
            masked=masked,
            masked_ids=masked_ids,
            uniform=self._draws_that_sample(proposal.logits, masked),
            step=step,
        )

    def _draws_that_sample(self, logits, masked) -> tf.Tensor:
        """The middle of each token's share of the draws in [0, 1)."""
        if self.config.disallow_correct:
            logits -= 1000.0 * tf.one_hot(masked.ids, logits.shape[-1])
        probs = tf.nn.softmax(logits)
        ids = self.arrays["sampled_ids"]
        ends = tf.gather(tf.cumsum(probs, axis=-1), ids, batch_dims=2)
        return ends - tf.gather(probs, ids, batch_dims=2) / 2


@functools.cache
def _load(folder: str, name: str) -> dict[str, np.ndarray]:
    with np.load(testing.golden(folder, name)) as arrays:
        return dict(arrays)


def _golden_model(folder: str, **compile_options) -> _ReplayedPretrainer:
    model = _ReplayedPretrainer(folder)
    # Strict: names and shapes of all variables are the original's.
    values = checkpoints.read_variables(
        testing.golden(folder, "model.ckpt-0.index")
    )
    checkpoints.restore(model.trainable_variables, values)
    model.compile(
        optimizer=optimization.create(model.config), **compile_options
    )
    return model


@functools.cache
def _untrained_model(folder: str) -> _ReplayedPretrainer:
    """Is not to be changed."""
    return _golden_model(folder, run_eagerly=True)


@functools.cache
def _backpropagate(folder: str):
    """The output of a pass, and the gradients by name."""
    model = _untrained_model(folder)
    with tf.GradientTape() as tape:
        output = model(_golden_batch(folder))
        loss = output.loss
    return output, tape.gradient(loss, _by_name(model))


def _golden_batch(folder: str) -> dict[str, tf.Tensor]:
    arrays = _load(folder, "inputs.npz")
    names = ("input_ids", "input_mask", "segment_ids")
    return {name: tf.constant(arrays[name]) for name in names}


def _by_name(model) -> dict[str, tf.Variable]:
    return checkpoints.by_name(model.trainable_variables)


class ParityTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(*_FOLDERS)
    def test_outputs_are_the_originals(self, folder):
        expected = _load(folder, "expected.npz")
        output, _ = _backpropagate(folder)
        logits = {"mlm_logits": output.masked_lm_logits}
        if "disc_logits" in expected:
            verdict = output.verdict
            logits["disc_logits"] = verdict.logits
            for values, name in (
                (output.corruption.ids, "corrupted_input_ids"),
                (verdict.labels, "disc_labels"),
                (verdict.predictions, "disc_preds"),
            ):
                is_token = _golden_batch(folder)["input_mask"].numpy() == 1
                self.assertAllEqual(
                    values.numpy()[is_token], expected[name][is_token], name
                )
        for name, values in logits.items():
            # The log likelihoods in Electric's logits lose a digit.
            atol = 5e-5 if folder == "pretrain_electric" else 1e-5
            self.assertAllClose(
                values, expected[name], atol=atol, rtol=0, msg=name
            )

    @parameterized.parameters(*_FOLDERS)
    def test_losses_are_the_originals(self, folder):
        expected = _load(folder, "expected.npz")
        output, _ = _backpropagate(folder)
        self.assertAllClose(output.loss, expected["total_loss"], rtol=1e-5)
        for name in output.terms:
            golden_name = name.replace("masked_lm", "mlm")
            self.assertAllClose(
                output.mean(name), expected[golden_name], rtol=1e-5, msg=name
            )

    @parameterized.parameters(*_FOLDERS)
    def test_every_gradient_is_the_originals(self, folder):
        expected = _load(folder, "gradients.npz")
        _, gradients = _backpropagate(folder)
        gradients = {
            name: tf.convert_to_tensor(gradient)
            for name, gradient in gradients.items()
            if gradient is not None
        }
        self.assertSameElements(gradients, expected)
        for name, gradient in gradients.items():
            # A gradient of zero (all biases of keys) is noise of 1e-7.
            self.assertAllClose(
                gradient,
                expected[name],
                atol=1e-5 * np.abs(expected[name]).max() + 1e-6,
                rtol=0,
                msg=name,
            )

    @parameterized.parameters(*_FOLDERS)
    def test_training_steps_are_the_originals(self, folder):
        is_electra = folder == "pretrain_electra"
        # As a graph for many steps only: it takes as long as 15 eager ones.
        model = _golden_model(folder, run_eagerly=not is_electra)
        model.optimizer.build(model.trainable_variables)
        batch = _golden_batch(folder)
        for step in range(1, 13 if is_electra else 4):
            metrics = model.train_on_batch(batch, return_dict=True)
            if step == 1:
                self.assertAllClose(
                    metrics["gradient_norm"],
                    _load(folder, "expected.npz")["global_norm_dense"],
                    rtol=1e-5,
                )
            if step in (3, 12):
                expected = _load(folder, _variables_file(folder, step))
                for name, variable in _by_name(model).items():
                    self.assertAllClose(
                        variable,
                        expected[name],
                        atol={3: 5e-7, 12: 3e-6}[step],
                        rtol=0,
                        msg=f"{name} after {step} steps",
                    )

    @parameterized.parameters(*_FOLDERS)
    def test_metrics_are_the_originals_but_for_two_means(self, folder):
        with open(testing.golden(folder, "config.json")) as file:
            expected = json.load(file)["eval_metrics"]
        metrics = _untrained_model(folder).test_on_batch(
            _golden_batch(folder), return_dict=True
        )
        # There, padding counts as easy tokens.
        expected.pop("disc_auc", None)
        if "disc_loss" in expected:
            # There, a mean of the means over each example; ours is over
            # tokens, as that of the loss which is trained.
            losses = _load(folder, "expected.npz")["disc_per_example_loss"]
            self.assertAllClose(expected.pop("disc_loss"), losses.mean())
        self.assertAllClose(
            {name: metrics[name] for name in expected}, expected, rtol=1e-5
        )


def _variables_file(folder: str, step: int) -> str:
    """The file of variables that were clipped by the norm of summed rows."""
    name = f"variables_after{step}"
    if folder in (
        "pretrain_electra_uniform_generator",
        "pretrain_electra_untied_generator_embeddings",
    ):
        name += "_dense_norm"
    return name + ".npz"


if __name__ == "__main__":
    tf.test.main()
