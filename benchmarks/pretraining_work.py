"""Pre-training as work to be measured: a model, random batches, their loss."""

import tempfile

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import input_reader
from benchmarks import random_batches
from benchmarks import random_records
from benchmarks import repeated_batches
from benchmarks import trainer_settings
from electra_tf import masking
from electra_tf import optimization
from electra_tf import precision
from electra_tf import pretraining
from electra_tf import randomness

_SPECIAL_IDS = masking.SpecialIds(
    cls=random_batches.CLS_ID,
    sep=random_batches.SEP_ID,
    mask=random_batches.MASK_ID,
)


class PretrainingWork:
    """What `OwnTrainer` needs to know of a stage of training.

    Args:
        settings: what to compute.
    """

    def __init__(self, settings: trainer_settings.TrainerSettings):
        self._config = settings.run_config
        self._batches = random_batches.of_settings(settings)

    def dataset(
        self, num_pipelines: int = 1, pipeline: int = 0
    ) -> tf.data.Dataset:
        """One host's rows of batches without end."""
        return repeated_batches.dataset(self._batches, num_pipelines, pipeline)

    def make_model(self) -> tf_keras.Model:
        """A compiled model; to be called in the scope of the strategy."""
        run_config = self._config
        model = pretraining.ElectraPretrainer(
            run_config,
            _SPECIAL_IDS,
            # Every fifth word piece, as it is in the published vocabulary.
            continues_word=np.arange(run_config.vocab_size) % 5 == 0,
        )
        model.compile(
            optimizer=precision.wrap_optimizer(
                optimization.create(run_config), run_config.precision
            ),
            jit_compile=precision.should_jit_compile(run_config.jit_compile),
        )
        return model

    def loss(
        self,
        model: pretraining.ElectraPretrainer,
        batch: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """What the step lowers, with its masks and dropout: float32 `[]`."""
        step = model.optimizer.iterations
        seed = randomness.step_seed(self._config.seed, step)
        return model(batch, training=True, seed=seed, step=step).loss

    def input_seconds(self, num_batches: int) -> float:
        """Seconds a batch of the pipeline that reads records, on its own."""
        batch_size = self._config.train_batch_size
        with tempfile.TemporaryDirectory() as directory:
            data_dirs = random_records.write(
                directory,
                num_folders=1,
                num_examples=batch_size * num_batches,
                max_seq_length=self._config.max_seq_length,
                vocab_size=self._config.vocab_size,
            )
            reading = input_reader.read(
                data_dirs,
                batch_size=batch_size,
                start_step=0,
                num_batches=num_batches,
            )
        return reading.seconds / num_batches
