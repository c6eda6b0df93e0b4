"""Tests of saving, finding and strictly loading variables."""

import os

import numpy as np
import tensorflow as tf

from electra_tf import checkpointing
from electra_tf import checkpoints
from electra_tf import optimization
from electra_tf import pretraining
from tests import testing


def _variables(**values):
    return [
        tf.Variable(value, name=name.replace("__", "/"))
        for name, value in values.items()
    ]


def _model(**overrides):
    run_config = testing.tiny_config(**overrides)
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    model.compile(optimizer=optimization.create(run_config))
    return model


class RestoreTest(tf.test.TestCase):
    def test_every_replica_has_its_own_moments(self):
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            model = pretraining.ElectraPretrainer(
                testing.tiny_config(), testing.special_ids()
            )
            model.compile(optimizer=optimization.create(model.config))
        checkpointing.Checkpointer(
            self.create_tempdir().full_path, model=model, keep=1
        )
        for variable in model.optimizer.variables[1:]:
            values = strategy.experimental_local_results(variable)
            self.assertLen(values, 2, variable.name)

    def test_values_are_assigned_by_name(self):
        first, second = _variables(a__x=[0.0, 0.0], b=[0.0])
        result = checkpoints.restore(
            [first, second],
            {"b": np.array([3.0]), "a/x": np.array([1.0, 2.0])},
        )
        self.assertAllEqual(first, [1.0, 2.0])
        self.assertAllEqual(second, [3.0])
        self.assertEqual(result, (["a/x", "b"], [], []))

    def test_one_error_lists_everything_and_nothing_is_changed(self):
        variables = _variables(fits=[0.0], missing=[0.0], misshapen=[0.0])
        values = {
            "fits": np.ones(1),
            "unexpected": np.ones(1),
            "misshapen": np.ones(2),
        }
        with self.assertRaisesRegex(
            ValueError,
            r"(?s)missing from the checkpoint: missing \(1,\).*"
            r"not in the model: unexpected \(1,\).*"
            r"of another shape: misshapen \(2,\) in the checkpoint, \(1,\)",
        ):
            checkpoints.restore(variables, values)
        self.assertAllEqual(variables[0], [0.0])

    def test_the_error_names_the_likely_cause(self):
        name = "electra__embeddings__word_embeddings"
        variables = _variables(**{name: np.zeros([8192, 128])})
        values = {name.replace("__", "/"): np.zeros([30522, 128])}
        with self.assertRaisesRegex(
            ValueError,
            "(?s)Likely causes:\n  vocab_size is 30522 in the checkpoint, "
            "8192 in the model.*Variables \\(1\\):",
        ):
            checkpoints.restore(variables, values)

    def test_what_may_be_missing_or_unused_is_named_by_the_caller(self):
        variables = _variables(electra__x=[0.0], head__bias=[5.0])
        values = {"electra/x": np.ones(1), "generator/x": np.ones(1)}
        result = checkpoints.restore(
            variables,
            values,
            may_be_missing=["head/"],
            may_be_unused=["generator/"],
        )
        self.assertEqual(
            result, (["electra/x"], ["head/bias"], ["generator/x"])
        )
        self.assertAllEqual(variables[1], [5.0])

    def test_patterns_match_from_the_start_of_a_name(self):
        with self.assertRaisesRegex(ValueError, "missing.*electra/head"):
            checkpoints.restore(
                _variables(electra__head=[0.0]), {}, may_be_missing=["head"]
            )

    def test_two_variables_of_one_name_are_refused(self):
        with self.assertRaisesRegex(ValueError, "Two variables.*'x'"):
            checkpoints.by_name([tf.Variable(0.0, name="x")] * 2)


class ReadVariablesTest(tf.test.TestCase):
    def test_a_saved_model_is_read_by_the_names_of_the_original(self):
        model = _model()
        directory = self.create_tempdir().full_path
        checkpointer = checkpointing.Checkpointer(
            os.path.join(directory, "checkpoints"), model=model, keep=1
        )
        checkpointer.save(7)
        values = checkpoints.read_variables(directory)
        self.assertLen(values, len(model.trainable_variables))
        name = "electra/encoder/layer_1/attention/self/query/kernel"
        self.assertAllEqual(
            values[name], model.discriminator.layers[1].query.kernel
        )
        self.assertIn("generator_predictions/output_bias", values)

    def test_a_checkpoint_of_the_original_is_read_without_its_optimizer(self):
        index = testing.golden("pretrain_electra", "trained.ckpt-3.index")
        values = checkpoints.read_variables(index.removesuffix(".index"))
        expected = checkpoints.by_name(
            _model(
                vocab_size=160, generator_hidden_size=0.25
            ).trainable_variables
        )
        self.assertEqual(set(values), set(expected))
        for name, variable in expected.items():
            self.assertEqual(values[name].shape, variable.shape, name)

    def test_written_variables_are_read_back(self):
        directory = self.create_tempdir().full_path
        values = {
            "electra/layer_0/kernel": np.float32([[1.0, 2.0]]),
            "a.b/c_delta": np.float32([3.0]),
        }
        prefix = checkpoints.write_variables(directory, values, step=12)
        self.assertEqual(checkpoints.find(directory), prefix)
        self.assertEqual(checkpoints.read_step(prefix), 12)
        self.assertEqual(
            checkpoints.read_shapes(prefix),
            {"electra/layer_0/kernel": (1, 2), "a.b/c_delta": (1,)},
        )
        read = checkpoints.read_variables(prefix)
        self.assertEqual(set(read), set(values))
        for name, value in values.items():
            self.assertAllEqual(read[name], value)

    def test_the_step_of_the_original_is_in_its_checkpoint(self):
        index = testing.golden("encoder_small", "model.ckpt-1234.index")
        prefix = index.removesuffix(".index")
        self.assertEqual(checkpoints.read_step(prefix), 1234)
        self.assertNotIn("global_step", checkpoints.read_shapes(prefix))

    def test_a_folder_with_one_checkpoint_need_not_name_it(self):
        directory = self.create_tempdir().full_path
        prefix = checkpoints.write_variables(
            directory, {"x": np.zeros(1)}, step=1
        )
        os.remove(os.path.join(directory, "checkpoint"))
        self.assertEqual(checkpoints.find(directory), prefix)
        for suffix in (".index", ".data-00000-of-00001", ".meta"):
            self.assertEqual(checkpoints.find(prefix + suffix), prefix)

    def test_differences_are_added_to_what_they_differ_from(self):
        values = {
            "generator/embeddings/x": np.float32([1.0, 2.0]),
            "electra/embeddings/x_delta": np.float32([10.0, 20.0]),
            "electra/other": np.float32([5.0]),
        }
        folded = checkpoints.fold_deltas(values)
        self.assertEqual(
            set(folded),
            {
                "generator/embeddings/x",
                "electra/embeddings/x",
                "electra/other",
            },
        )
        self.assertAllEqual(folded["electra/embeddings/x"], [11.0, 22.0])
        self.assertAllEqual(folded["generator/embeddings/x"], [1.0, 2.0])

    def test_a_path_without_a_checkpoint_is_an_error(self):
        directory = self.create_tempdir().full_path
        with self.assertRaisesRegex(ValueError, "No checkpoint in"):
            checkpoints.find(directory)
        with self.assertRaisesRegex(ValueError, "No checkpoint in"):
            checkpoints.find(os.path.join(directory, "model.ckpt-3"))


if __name__ == "__main__":
    tf.test.main()
