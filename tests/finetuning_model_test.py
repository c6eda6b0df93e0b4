"""Tests of the fine-tuning model, most against numbers of the original."""

import dataclasses
import json

from absl.testing import parameterized
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from finetune import finetune_config
from finetune import finetuning_model
from finetune import registry
from tests import testing

_INPUTS = ("input_ids", "input_mask", "segment_ids")
# A task and its golden folder.
_GOLDEN = (
    ("classification", "mnli", "finetune_classification"),
    ("regression", "sts", "finetune_regression"),
    ("tagging", "chunk", "finetune_tagging"),
    ("independent_spans", "squadv1", "finetune_qa_v1_independent"),
    ("joint_spans", "squadv1", "finetune_qa_v1_joint"),
    (
        "independent_spans_and_a_classifier",
        "squad",
        "finetune_qa_v2_independent_answerable_cls",
    ),
    (
        "joint_spans_and_a_classifier",
        "squad",
        "finetune_qa_v2_joint_answerable",
    ),
)
# By kind of task: where the outputs' and the original's names differ.
_OUTPUTS = {
    "classification": ("logits",),
    "regression": ("predictions",),
    "tagging": (),
    "question_answering": (
        "start_logits",
        "end_logits",
        "start_top_log_probs",
        "start_top_index",
        "end_top_log_probs",
        "end_top_index",
        "answerable_logit",
    ),
}


def _read_npz(folder: str, name: str) -> dict[str, np.ndarray]:
    with np.load(testing.golden(folder, name)) as arrays:
        return dict(arrays)


def _golden_settings(folder: str) -> dict:
    with open(testing.golden(folder, "config.json")) as file:
        return json.load(file)


def _golden_model(task_name: str, folder: str):
    """The model of a golden set with its weights; dropout is off."""
    settings = _golden_settings(folder)
    shape = {
        name: settings["bert_config"][name]
        for name in config.ENCODER_FIELDS
        if name in settings["bert_config"]
    }
    options = settings["options"] or {}
    task = registry.get(task_name)
    if settings["tags"]:
        task = dataclasses.replace(task, labels=tuple(settings["tags"]))
    model = finetuning_model.FinetuningModel(
        finetune_config.FinetuneConfig(
            task=task_name,
            max_seq_length=24,
            loss_reduction="sum",
            dropout_prob=0.0,
            learning_rate=settings["optimizer"]["learning_rate"],
            layerwise_lr_decay=settings["optimizer"]["layerwise_lr_decay"],
            weight_decay_rate=settings["optimizer"]["weight_decay_rate"],
            beam_size=settings["beam_size"],
            joint_prediction=options.get("joint_prediction", True),
            answerable_classifier=options.get("answerable_classifier"),
            answerable_uses_start_logits=options.get(
                "answerable_uses_start_logits", True
            ),
        ),
        tasks=[task],
        encoder_config=config.EncoderConfig(
            **shape | {"embedding_size": settings["embedding_size"]}
        ),
    )
    values = checkpoints.read_variables(
        testing.golden(folder, "model.ckpt-0.index")
    )
    checkpoints.restore(model.trainable_variables, values)
    return model


def _golden_batch(task_name: str, folder: str) -> dict:
    """The batch; its last example is padding, which counts for nothing."""
    inputs = _read_npz(folder, "inputs.npz")
    is_example = inputs["task_id"] == 0
    targets = _golden_targets(task_name, inputs)
    return {name: inputs[name] for name in _INPUTS} | {
        "targets": {
            task_name: targets | {"weights": is_example.astype(np.float32)}
        }
    }


def _golden_targets(task_name: str, inputs) -> dict[str, np.ndarray]:
    kind = registry.get(task_name).kind
    if kind == "question_answering":
        names = ("start_positions", "end_positions", "is_impossible")
        return {name: inputs[f"{task_name}_{name}"] for name in names}
    if kind == "tagging":
        labels = np.full(inputs["input_ids"].shape, -1, np.int32)
        rows, words = np.nonzero(inputs["chunk_labels_mask"])
        positions = inputs["chunk_labeled_positions"][rows, words]
        labels[rows, positions] = inputs["chunk_labels"][rows, words]
        return {"labels": labels}
    names = {"classification": "mnli_label_ids", "regression": "sts_targets"}
    return {"labels": inputs[names[kind]]}


class GoldenTest(tf.test.TestCase, parameterized.TestCase):
    @parameterized.named_parameters(*_GOLDEN)
    def test_outputs_and_losses_are_the_original_s(self, task_name, folder):
        model = _golden_model(task_name, folder)
        batch = _golden_batch(task_name, folder)
        expected = _read_npz(folder, "expected_eval_mode.npz")
        outputs = model.predict_step(batch)
        # The last example is padding.
        for name in _OUTPUTS[registry.get(task_name).kind]:
            if name in outputs:
                self.assertAllClose(
                    outputs[name][:4], expected[name][:4], atol=1e-4, msg=name
                )
        if task_name == "chunk":
            inputs = _read_npz(folder, "inputs.npz")
            rows, words = np.nonzero(inputs["chunk_labels_mask"][:4])
            positions = inputs["chunk_labeled_positions"][rows, words]
            self.assertAllClose(
                outputs["logits"].numpy()[rows, positions],
                expected["logits"][rows, words],
                atol=2e-5,
            )
        # Of the joint head the original's losses mean something in training
        # only.
        expected = _read_npz(folder, "expected_train_mode.npz")
        self.assertAllClose(
            outputs["losses"][:4], expected["loss"][:4], rtol=1e-5, atol=2e-5
        )

    @parameterized.named_parameters(*_GOLDEN)
    def test_gradients_are_the_original_s(self, task_name, folder):
        model = _golden_model(task_name, folder)
        batch = _golden_batch(task_name, folder)
        with tf.GradientTape() as tape:
            targets = batch["targets"][task_name]
            losses = model.heads[task_name].losses(
                model.encoder(batch), batch, targets
            )
            loss = tf.reduce_sum(losses * targets["weights"])
        named = checkpoints.by_name(model.trainable_variables)
        gradients = tape.gradient(loss, named)
        for name, expected in _read_npz(folder, "gradients.npz").items():
            self.assertAllClose(
                tf.convert_to_tensor(gradients[name]),
                expected,
                atol=1e-5 * np.abs(expected).max() + 1e-6,
                rtol=0.0,
                msg=name,
            )

    @parameterized.named_parameters(*_GOLDEN)
    def test_three_steps_end_at_the_original_s_variables(
        self, task_name, folder
    ):
        model = _golden_model(task_name, folder)
        settings = _golden_settings(folder)
        is_qa = registry.get(task_name).kind == "question_answering"
        model.compile(
            finetuning_model.make_optimizer(
                model.config, num_steps=50, num_hidden_layers=2
            ),
            # finetuning_steps_test.py has traced steps of these heads.
            run_eagerly=is_qa,
        )
        # Else Keras would build it in the step, and trace that twice.
        model.optimizer.build(model.trainable_variables)
        batches = tf.data.Dataset.from_tensors(_golden_batch(task_name, folder))
        history = model.fit(
            batches.repeat(), epochs=3, steps_per_epoch=1, verbose=0
        )
        # Ours are means of four examples before a step, the original's sums
        # after it.
        losses = 4.0 * np.array(history.history["loss"])
        expected_losses = settings["total_loss_after_each_step"]
        self.assertAllClose(losses[1:], expected_losses[:2], atol=1e-4)
        named = checkpoints.by_name(model.trainable_variables)
        name = "variables_after3_dense_norm.npz"
        if is_qa:
            # Only with the other norm; it makes a difference of 1.2e-7.
            name = "variables_after3.npz"
        expected = _read_npz(folder, name)
        self.assertEqual(set(named), set(expected))
        for name, value in expected.items():
            self.assertAllClose(
                named[name], value, atol=1e-6, rtol=0.0, msg=name
            )


class MakeOptimizerTest(tf.test.TestCase):
    def _make(self, **fields):
        return finetuning_model.make_optimizer(
            finetune_config.FinetuneConfig(
                learning_rate=0.1,
                layerwise_lr_decay=0.5,
                warmup_proportion=0.0,
                **fields,
            ),
            num_steps=10,
            num_hidden_layers=2,
        )

    def test_rates_of_layers_are_those_of_the_rule(self):
        top = "electra/encoder/layer_1/output/dense/kernel"
        self.assertEqual(self._make().rate_factor(top), 0.25)
        corrected = self._make(layerwise_rule="corrected")
        self.assertEqual(corrected.rate_factor(top), 0.5)

    def test_bias_correction_makes_the_first_step_the_rate(self):
        for is_corrected, change in ((True, 0.1), (False, 0.3162)):
            variable = tf.Variable([0.0], name="task_specific/sst/kernel")
            self._make(bias_correction=is_corrected).apply_gradients(
                [(tf.constant([5.0]), variable)]
            )
            self.assertAllClose(variable, [-change], atol=1e-4)
