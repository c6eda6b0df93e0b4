import os

import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import metrics_log
from electra_tf import model_folder
from electra_tf import pretraining_run
from electra_tf import records
from tests import engine_worker
from tests import testing


def _run_config(**overrides) -> config.PretrainConfig:
    """One step of one network, unless more is asked for."""
    return testing.tiny_config(
        **dict(
            objective="mlm",
            num_hidden_layers=1,
            num_train_steps=1,
            save_checkpoints_steps=1,
        )
        | overrides
    )


def _write_data(directory: str) -> np.ndarray:
    """Writes 8 examples; returns how often each word piece is in them."""
    engine_worker.write_data(directory, num_examples=8)
    batch = testing.random_batch(_run_config(), 8)
    return np.bincount(
        batch["input_ids"][batch["input_mask"] == 1],
        minlength=_run_config().vocab_size,
    )


class PretrainTest(tf.test.TestCase):
    def setUp(self):
        super().setUp()
        self.data_dir = self.create_tempdir().full_path
        self.counts = _write_data(self.data_dir)

    def _pretrain(self, model_dir=None, data=None, **overrides) -> str:
        model_dir = model_dir or self.create_tempdir().full_path + "/model"
        pretraining_run.pretrain(
            _run_config(**overrides),
            model_dir=model_dir,
            **dict(data_dirs=[self.data_dir]) | (data or {}),
        )
        return model_dir

    def _source(self, seed=1, **overrides) -> str:
        """A folder with weights to start from."""
        directory = self.create_tempdir().full_path + "/source"
        testing.write_model_folder(directory, _run_config(**overrides), seed)
        return directory

    def _truncate_data(self) -> str:
        """Cuts the last of the 8 records; returns the file's path."""
        path = os.path.join(self.data_dir, records.shard_names(1)[0])
        with open(path, "rb+") as file:
            file.truncate(os.path.getsize(path) - 1)
        return path

    def test_a_unigram_generator_starts_from_the_frequencies(self):
        # The first step has learning rate 0.
        values = checkpoints.read_variables(
            self._pretrain(objective="electra", generator="unigram")
        )
        # All 8 examples are read once.
        self.assertAllClose(
            values["generator_predictions/output_bias"],
            np.log(self.counts + 1.0),
            rtol=1e-6,
        )

    def test_a_run_starts_from_the_weights_of_another(self):
        first = self._source()
        second = self._pretrain(init_checkpoint=first)
        expected = checkpoints.read_variables(first)
        values = checkpoints.read_variables(second)
        self.assertSameElements(values, expected)
        for name, value in values.items():
            self.assertAllEqual(value, expected[name], name)

    def test_each_network_may_start_from_weights_of_its_own(self):
        first, second = (
            self._source(seed, objective="electra") for seed in (1, 2)
        )
        values = checkpoints.read_variables(
            self._pretrain(
                objective="electra",
                init_discriminator=first,
                init_generator=second,
            )
        )
        for source, scopes in (
            (first, ("electra/", "discriminator_predictions/")),
            (second, ("generator/", "generator_predictions/")),
        ):
            for name, value in checkpoints.read_variables(source).items():
                if name.startswith(scopes):
                    self.assertAllEqual(values[name], value, name)

    def test_a_continued_run_does_not_go_back_to_its_first_weights(self):
        overrides = dict(init_checkpoint=self._source(), num_train_steps=3)
        model_dir = self._pretrain(**overrides)
        trained = checkpoints.read_variables(model_dir)
        self._pretrain(model_dir, **overrides)
        for name, value in checkpoints.read_variables(model_dir).items():
            self.assertAllEqual(value, trained[name], name)

    def test_positions_are_extended_on_request_only(self):
        short = self._source(max_position_embeddings=24)
        with self.assertRaisesRegex(ValueError, "max_position_embeddings"):
            self._pretrain(init_checkpoint=short)
        values = checkpoints.read_variables(
            self._pretrain(init_checkpoint=short, extend_positions=True)
        )
        name = "electra/embeddings/position_embeddings"
        old = checkpoints.read_variables(short)[name]
        self.assertAllEqual(values[name][:24], old)

    def test_what_cannot_be_loaded_leaves_no_folder(self):
        wide = self._source(objective="electra", generator_hidden_size=1.0)
        model_dir = self.create_tempdir().full_path + "/model"
        with self.assertRaisesRegex(ValueError, "generator_hidden_size"):
            self._pretrain(model_dir, objective="electra", init_checkpoint=wide)
        self.assertFalse(tf.io.gfile.exists(model_dir))

    def test_extending_nothing_is_refused(self):
        with self.assertRaisesRegex(ValueError, "extend_positions is for"):
            self._pretrain(extend_positions=True)

    def test_the_folder_says_what_was_run(self):
        model_dir = self._pretrain(seed=3)
        contents = model_folder.read(model_dir)
        self.assertEqual(
            config.from_dict(config.PretrainConfig, contents["config"]),
            _run_config(seed=3),
        )

    def test_a_run_goes_on_with_the_data_that_it_began_with(self):
        other_dir = self.create_tempdir().full_path
        _write_data(other_dir)  # Equal, as if it had been moved.
        model_dir = self._pretrain()
        self._pretrain(model_dir, dict(data_dirs=[other_dir]))
        both = [self.data_dir, other_dir]
        with self.assertRaisesRegex(
            ValueError,
            r"(?s)holds a run on other training data:\n  folder 1: .*8 "
            r"examples, 1000 of 1,000 seen.* -> .*8 examples, 750 of 1,000 "
            r"seen.*\n  folder 2: none -> .*, 250 of 1,000 seen",
        ):
            self._pretrain(model_dir, dict(data_dirs=both, data_weights=[3, 1]))

    def test_a_run_may_mix_folders(self):
        other_dir = self.create_tempdir().full_path
        _write_data(other_dir)
        data = dict(data_dirs=[self.data_dir, other_dir], data_weights=[3, 1])
        model_dir = self._pretrain(data=data)
        self.assertEqual(
            [
                (entry["data_dir"], entry["examples_per_thousand"])
                for entry in model_folder.read(model_dir)["data"]
            ],
            [(self.data_dir, 750), (other_dir, 250)],
        )

    def test_an_error_begins_with_the_file_that_is_damaged(self):
        path = self._truncate_data()
        with self.assertRaisesRegex(ValueError, f"^{path}: record 7, "):
            self._pretrain()

    def test_damaged_records_are_skipped_on_request(self):
        self._truncate_data()
        data = dict(skip_corrupt=True, eval_data_dir=self.data_dir)
        with self.assertLogs("absl", "WARNING") as logs:
            model_dir = self._pretrain(data=data)
        self.assertIn("1 of 8 records are skipped", "".join(logs.output))
        # Of the one step, also on the 7 other examples.
        kinds = [entry["kind"] for entry in metrics_log.read(model_dir)]
        self.assertEqual(kinds, ["train", "eval"])


if __name__ == "__main__":
    tf.test.main()
