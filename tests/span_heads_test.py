"""Tests of the question-answering heads, most against the original's."""

import json
import re

from absl.testing import parameterized
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder
from electra_tf import optimization
from electra_tf import precision
from finetune import finetune_config
from finetune import finetuning_model
from finetune import registry
from finetune import span_heads
from tests import testing

_INPUTS = ("input_ids", "input_mask", "segment_ids")
_TARGETS = ("start_positions", "end_positions", "is_impossible")
_GOLDEN = (
    "finetune_qa_v1_independent",
    "finetune_qa_v1_joint",
    "finetune_qa_v2_independent_answerable_cls",
    "finetune_qa_v2_joint_answerable",
)
_BEAM_OUTPUTS = (
    "start_top_log_probs",
    "start_top_index",
    "end_top_log_probs",
    "end_top_index",
)
# The same number added to all scores that a softmax reads changes nothing.
_WITHOUT_GRADIENT = r"key/bias$|^task_specific/\w+/dense(_1)?/bias$"
_HIDDEN_SIZE = 6


def _read_npz(folder: str, name: str) -> dict[str, np.ndarray]:
    with np.load(testing.golden(folder, name)) as arrays:
        return dict(arrays)


class _Model(tf_keras.layers.Layer):
    """An encoder of a golden set and the head on it, with their weights."""

    def __init__(self, folder: str, dtype: str = "float32"):
        super().__init__()
        with open(testing.golden(folder, "config.json")) as file:
            self.settings = json.load(file)
        shape = {
            name: self.settings["bert_config"][name]
            for name in config.ENCODER_FIELDS
            if name in self.settings["bert_config"]
        } | {"embedding_size": self.settings["embedding_size"]}
        with precision.layers_of(dtype):
            self.encoder = encoder.Encoder(config.EncoderConfig(**shape))
            self.head = span_heads.create(
                registry.get(self.settings["task"]),
                run_config=finetune_config.FinetuneConfig(
                    beam_size=self.settings["beam_size"],
                    answerable_weight=self.settings["answerable_weight"],
                    **self.settings["options"],
                ),
                hidden_size=shape["hidden_size"],
            )
        values = checkpoints.read_variables(
            testing.golden(folder, "model.ckpt-0.index")
        )
        self.restored = checkpoints.restore(self.trainable_variables, values)

    def call(self, inputs):
        return self.head(self.encoder(inputs), inputs)

    def losses(self, inputs, targets):
        return self.head.losses(self.encoder(inputs), inputs, targets)


def _golden_batch(folder: str, task_name: str):
    """Inputs and targets; without the last row, which is padding."""
    arrays = {
        name: values[:-1]
        for name, values in _read_npz(folder, "inputs.npz").items()
    }
    inputs = {name: tf.constant(arrays[name]) for name in _INPUTS}
    targets = {
        name: tf.constant(arrays[f"{task_name}_{name}"]) for name in _TARGETS
    }
    return inputs, targets


class GoldenTest(tf.test.TestCase, parameterized.TestCase):
    def _load(self, folder: str, dtype: str = "float32"):
        model = _Model(folder, dtype)
        return model, *_golden_batch(folder, model.settings["task"])

    @parameterized.parameters(*_GOLDEN)
    def test_outputs_are_the_original_s(self, folder):
        model, inputs, _ = self._load(folder)
        expected = _read_npz(folder, "expected_eval_mode.npz")
        names = set(_BEAM_OUTPUTS)
        if not model.settings["options"]["joint_prediction"]:
            names = {"start_logits", "end_logits"}
        if model.settings["options"]["answerable_classifier"]:
            names.add("answerable_logit")
        outputs = model(inputs)
        self.assertEqual(set(outputs), names)
        for name, values in outputs.items():
            original = expected[name][:-1]
            self.assertEqual(values.shape, original.shape)
            if name.endswith("index"):
                self.assertAllEqual(values, original)
                continue
            # Numbers near -1000 have fewer digits behind the point.
            tolerance = np.where(original < -100.0, 1e-4, 2e-5)
            self.assertAllLess(np.abs(values - original) / tolerance, 1.0)

    @parameterized.parameters(*_GOLDEN)
    def test_losses_are_the_original_s(self, folder):
        model, inputs, targets = self._load(folder)
        expected = _read_npz(folder, "expected_train_mode.npz")
        losses = model.losses(inputs, targets)
        self.assertAllClose(losses, expected["loss"][:-1], atol=2e-5)
        self.assertAllClose(
            tf.reduce_sum(losses), expected["total_loss"], atol=4e-5
        )

    @parameterized.parameters(*_GOLDEN)
    def test_gradients_are_the_original_s(self, folder):
        model, inputs, targets = self._load(folder)
        named = checkpoints.by_name(model.trainable_variables)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model.losses(inputs, targets))
        gradients = tape.gradient(loss, named)
        for name, expected in _read_npz(folder, "gradients.npz").items():
            self.assertAllClose(
                tf.convert_to_tensor(gradients[name]),
                expected,
                atol=1e-5 * np.abs(expected).max() + 1e-6,
                rtol=0.0,
                msg=name,
            )

    @parameterized.parameters(*_GOLDEN)
    def test_three_steps_end_at_the_original_s_variables(self, folder):
        model, inputs, targets = self._load(folder)
        settings = model.settings["optimizer"]
        optimizer = finetuning_model.make_optimizer(
            finetune_config.FinetuneConfig(
                learning_rate=settings["learning_rate"],
                layerwise_lr_decay=settings["layerwise_lr_decay"],
                weight_decay_rate=settings["weight_decay_rate"],
                warmup_proportion=settings["warmup_proportion"],
            ),
            num_steps=settings["num_train_steps"],
            num_hidden_layers=settings["n_transformer_layers"],
        )
        variables = model.trainable_variables
        losses = []
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model.losses(inputs, targets))
            losses.append(loss)
            optimization.apply_gradients(
                optimizer,
                gradients=tape.gradient(loss, variables),
                variables=variables,
                clip_norm=settings["clip_norm"],
            )
        # Ours are from before a step, the original's from after it.
        self.assertAllClose(
            losses[1:],
            model.settings["total_loss_after_each_step"][:2],
            atol=2e-4,
        )
        named = checkpoints.by_name(variables)
        expected = _read_npz(folder, "variables_after3.npz")
        self.assertEqual(set(named), set(expected))
        for name, value in expected.items():
            # Some gradients are 0 but for rounding, of which Adam makes whole
            # steps: (2e-5 + 3.8e-5) * 10^0.5 = 1.8e-4 on either side.
            atol = 4e-4 if re.search(_WITHOUT_GRADIENT, name) else 1e-6
            self.assertAllClose(
                named[name], value, atol=atol, rtol=0.0, msg=name
            )

    @parameterized.parameters(*_GOLDEN)
    def test_xla_gives_the_same(self, folder):
        model, inputs, targets = self._load(folder)

        @tf.function(jit_compile=True, autograph=False)
        def compiled(inputs, targets):
            return model(inputs), model.losses(inputs, targets)

        outputs, losses = compiled(inputs, targets)
        for name, values in model(inputs).items():
            if name.endswith("index"):
                self.assertAllEqual(outputs[name], values)
            else:
                self.assertAllClose(outputs[name], values, atol=2e-4)
        self.assertAllClose(losses, model.losses(inputs, targets), atol=2e-5)

    @parameterized.product(folder=_GOLDEN[2:], dtype=("bfloat16", "float16"))
    def test_half_precision_is_near(self, folder, dtype):
        model, inputs, targets = self._load(folder)
        half, _, _ = self._load(folder, dtype)
        outputs = half(inputs)
        for name, values in outputs.items():
            self.assertIn(values.dtype, (tf.float32, tf.int32), msg=name)
            self.assertAllInRange(tf.cast(values, tf.float32), -1e4, 1e4)
        self.assertAllClose(
            outputs["answerable_logit"],
            model(inputs)["answerable_logit"],
            atol=0.2,
        )
        losses = half.losses(inputs, targets)
        self.assertEqual(losses.dtype, tf.float32)
        self.assertAllClose(losses, model.losses(inputs, targets), atol=0.2)


def _head(task_name="squad", **fields):
    tf_keras.utils.set_random_seed(0)
    return span_heads.create(
        registry.get(task_name),
        run_config=finetune_config.FinetuneConfig(**fields),
        hidden_size=_HIDDEN_SIZE,
    )


def _encoded(batch_size: int, length: int) -> encoder.EncoderOutput:
    vectors = np.random.default_rng(0).normal(
        size=[batch_size, length, _HIDDEN_SIZE]
    )
    vectors = tf.constant(vectors, tf.float32)
    return encoder.EncoderOutput(vectors, vectors[:, 0], (), vectors)


def _inputs(length: int, *lengths: int) -> dict[str, tf.Tensor]:
    """Rows of these lengths with three tokens before the context."""
    positions = np.arange(length)[np.newaxis]
    mask = positions < np.array(lengths)[:, np.newaxis]
    return {
        "input_ids": tf.constant(mask, tf.int32),
        "input_mask": tf.constant(mask, tf.int32),
        "segment_ids": tf.constant(mask & (positions >= 3), tf.int32),
    }


def _gelu(values: np.ndarray) -> np.ndarray:
    return tf.nn.gelu(values, approximate=False).numpy()


def _log_softmax(values: np.ndarray) -> np.ndarray:
    return values - np.log(np.sum(np.exp(values), axis=-1, keepdims=True))


class JointSpanHeadTest(tf.test.TestCase, parameterized.TestCase):
    def test_each_end_is_scored_beside_its_start(self):
        head = _head("squadv1", beam_size=2)
        encoded, inputs = _encoded(1, 5), _inputs(5, 5)
        tokens = encoded.sequence_output.numpy()[0]
        starts = tokens @ head.start_dense.kernel.numpy()[:, 0]
        starts[1:3] -= 1000.0  # The question.
        outputs = head(encoded, inputs)
        for beam in range(2):
            start = int(outputs["start_top_index"][0, beam])
            self.assertEqual(start, np.argsort(-starts)[beam])
            pairs = np.concatenate([np.tile(tokens[start], [5, 1]), tokens], -1)
            hidden = _gelu(pairs @ head.hidden_dense.kernel.numpy())
            ends = (hidden @ head.end_dense.kernel.numpy())[:, 0]
            ends[1:3] -= 1000.0
            order = np.argsort(-ends)[:2]
            self.assertAllEqual(outputs["end_top_index"][0, beam], order)
            self.assertAllClose(
                outputs["end_top_log_probs"][0, beam],
                _log_softmax(ends)[order],
                atol=1e-5,
            )

    def test_a_beam_may_be_longer_than_the_rows(self):
        head = _head("squadv1", beam_size=7)
        inputs = _inputs(5, 5, 4)
        outputs = head(_encoded(2, 5), inputs)
        compiled = tf.function(head, jit_compile=True)(_encoded(2, 5), inputs)
        for result in (outputs, compiled):
            self.assertEqual(result["start_top_index"].shape, [2, 7])
            self.assertEqual(result["end_top_index"].shape, [2, 7, 7])
            self.assertAllEqual(result["start_top_index"][:, 5:], [[0, 0]] * 2)
            self.assertAllEqual(
                result["end_top_index"][..., 5:], np.zeros([2, 7, 2])
            )
            self.assertAllLess(result["start_top_log_probs"][:, 5:], -2000.0)
            self.assertAllLess(result["end_top_log_probs"][..., 5:], -2000.0)
        # What is left of the places are the tokens themselves.
        self.assertAllEqual(
            np.sort(outputs["start_top_index"][:, :5]), [range(5)] * 2
        )

    def test_the_length_may_be_unknown(self):
        head = _head("squadv1", beam_size=3)
        unknown = tf.function(
            head.call,
            input_signature=[
                encoder.EncoderOutput(
                    tf.TensorSpec([None, None, _HIDDEN_SIZE]),
                    tf.TensorSpec([None, _HIDDEN_SIZE]),
                    (),
                    tf.TensorSpec([None, None, _HIDDEN_SIZE]),
                ),
                {
                    name: tf.TensorSpec([None, None], tf.int32)
                    for name in _INPUTS
                },
            ],
        )
        for length in (2, 6):
            inputs = _inputs(length, length)
            expected = head(_encoded(1, length), inputs)
            outputs = unknown(_encoded(1, length), inputs)
            for name, values in expected.items():
                self.assertAllClose(outputs[name], values, msg=name)
                self.assertEqual(
                    values.shape[1:], outputs[name].shape[1:], msg=name
                )

    def test_the_null_score_is_that_of_the_start_at_cls(self):
        head = _head(beam_size=2, answerable_classifier=False)
        encoded = _encoded(2, 6)
        outputs = head(encoded, _inputs(6, 6, 5))
        self.assertAllClose(
            outputs["null_score"],
            tf.linalg.matvec(
                encoded.sequence_output[:, 0], head.start_dense.kernel[:, 0]
            ),
        )


class AllHeadsTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_padding_changes_nothing(self, is_joint):
        head = _head(joint_prediction=is_joint, beam_size=2)
        encoded, inputs = _encoded(2, 8), _inputs(8, 6, 5)
        targets = {
            "start_positions": tf.constant([4, 0]),
            "end_positions": tf.constant([5, 0]),
            "is_impossible": tf.constant([0, 1]),
        }
        shorter = encoder.EncoderOutput(
            encoded.sequence_output[:, :6], encoded.pooled_output, (), None
        )
        short_inputs = {name: ids[:, :6] for name, ids in inputs.items()}
        self.assertAllClose(
            head.losses(encoded, inputs, targets),
            head.losses(shorter, short_inputs, targets),
        )
        outputs = head.call(shorter, short_inputs)
        for name, values in head.call(encoded, inputs).items():
            if name in head.TOKEN_OUTPUTS:
                values = values[:, :6]
            self.assertAllClose(values, outputs[name], msg=name)

    @parameterized.parameters(True, False)
    def test_positions_of_other_rows_do_no_harm(self, is_joint):
        # Rows of other tasks come with the positions of any example.
        head = _head(joint_prediction=is_joint)
        encoded, inputs = _encoded(1, 6), _inputs(6, 6)
        targets = {
            "start_positions": tf.constant([400]),
            "end_positions": tf.constant([401]),
            "is_impossible": tf.constant([0]),
        }
        with tf.GradientTape() as tape:
            loss = 0.0 * head.losses(encoded, inputs, targets)
        gradients = tape.gradient(loss, head.trainable_variables)
        self.assertAllEqual(loss, [0.0])
        for gradient in gradients:
            if gradient is not None:
                self.assertAllEqual(gradient, tf.zeros_like(gradient))

    @parameterized.parameters(
        ("squad", {}, True),
        ("squadv1", {}, False),
        ("squad", {"answerable_classifier": False}, False),
        ("squadv1", {"answerable_classifier": True}, True),
    )
    def test_the_classifier_is_for_tasks_that_need_it(
        self, task_name, fields, has_classifier
    ):
        head = _head(task_name, **fields)
        names = checkpoints.by_name(head.trainable_variables)
        scope = f"task_specific/{task_name}"
        layers = ["dense", "qa_hidden", "dense_1"]
        if has_classifier:
            layers += ["dense_2", "dense_3"]
        self.assertEqual(
            set(names),
            {
                f"{scope}/{layer}/{part}"
                for layer in layers
                for part in ("kernel", "bias")
            },
        )

    def test_the_loss_of_the_classifier_has_its_weight(self):
        losses = {}
        targets = {
            "start_positions": tf.constant([4]),
            "end_positions": tf.constant([5]),
            "is_impossible": tf.constant([1]),
        }
        encoded, inputs = _encoded(1, 6), _inputs(6, 6)
        for weight in (0.0, 0.5, 1.0):
            head = _head(answerable_weight=weight)
            losses[weight] = head.losses(encoded, inputs, targets)
        logit = head(encoded, inputs)["answerable_logit"]
        self.assertAllClose(
            losses[1.0] - losses[0.0], np.log(1.0 + np.exp(-logit)), atol=1e-5
        )
        self.assertAllClose(
            losses[1.0] - losses[0.5], losses[0.5] - losses[0.0], atol=1e-5
        )


if __name__ == "__main__":
    tf.test.main()
