"""Fine-tuning as work to be measured: a classifier of random sentences."""

import time

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks import random_batches
from benchmarks import repeated_batches
from benchmarks import trainer_settings
from electra_tf import precision
from electra_tf import randomness
from finetune import features
from finetune import finetune_config
from finetune import finetuning_model
from finetune import glue

_NUM_STEPS = 10_000  # Of the run whose schedule of learning rates it is.
_TASK = glue.SST


class FinetuningWork:
    """Like `pretraining_work.PretrainingWork`, for one sentence and 2 labels.

    All sentences are as long as `max_seq_length`.

    Args:
        settings: what to compute; of the preset, the encoder counts.
    """

    def __init__(self, settings: trainer_settings.TrainerSettings):
        self._encoder_config = settings.run_config.encoder
        self._config = finetune_config.resolve(
            finetune_config.FinetuneConfig(
                task=_TASK.name,
                precision=settings.precision,
                train_batch_size=settings.batch_size,
                max_seq_length=settings.max_seq_length,
                jit_compile=settings.jit_compile,
                pad_to_max_length=True,
                seed=settings.seed,
            ),
            tasks=[_TASK],
            encoder_config=self._encoder_config,
        )
        self._batches = random_batches.of_settings(settings)

    def dataset(
        self, num_pipelines: int = 1, pipeline: int = 0
    ) -> tf.data.Dataset:
        """One host's rows of batches without end."""
        size = self._config.train_batch_size
        targets = {
            "labels": np.arange(size, dtype=np.int32) % len(_TASK.labels),
            "weights": np.ones([size], np.float32),
        }
        return repeated_batches.dataset(
            [b | {"targets": {_TASK.name: targets}} for b in self._batches],
            num_pipelines,
            pipeline,
        )

    def make_model(self) -> tf_keras.Model:
        """A compiled model; to be called in the scope of the strategy."""
        model = finetuning_model.FinetuningModel(
            self._config, tasks=[_TASK], encoder_config=self._encoder_config
        )
        optimizer = finetuning_model.make_optimizer(
            self._config,
            num_steps=_NUM_STEPS,
            num_hidden_layers=self._encoder_config.num_hidden_layers,
        )
        model.compile(
            optimizer=precision.wrap_optimizer(
                optimizer, self._config.precision
            ),
            jit_compile=precision.should_jit_compile(self._config.jit_compile),
        )
        return model

    def loss(
        self,
        model: finetuning_model.FinetuningModel,
        batch: dict[str, tf.Tensor],
    ) -> tf.Tensor:
        """What the step lowers, with its dropout: float32 `[]`."""
        seed = randomness.replica_seed(
            randomness.step_seed(self._config.seed, model.optimizer.iterations)
        )
        encoder_seed, head_seed = randomness.split(seed, 2)
        losses = model.heads[_TASK.name].losses(
            model.encoder(batch, dropout_seed=encoder_seed),
            batch,
            batch["targets"][_TASK.name],
            dropout_seed=head_seed,
        )
        return tf.reduce_mean(losses)

    def input_seconds(self, num_batches: int) -> float:
        """Seconds a batch of the pipeline of tokenized rows, on its own."""
        ids = np.concatenate([b["input_ids"] for b in self._batches])
        rows = features.Features(
            input_ids=tf.RaggedTensor.from_tensor(ids),
            segment_ids=tf.RaggedTensor.from_tensor(np.zeros_like(ids)),
            targets={"labels": np.zeros(len(ids), np.int32)},
            pad_id=0,
        )
        order = np.arange((1 + num_batches) * self._config.train_batch_size)
        batches = iter(
            features.batches(
                {_TASK.name: rows},
                (order % len(ids)).reshape(1 + num_batches, -1),
                pad_to=self._config.padded_length,
            )
        )
        next(batches)
        start = time.monotonic()
        for _ in batches:
            pass
        return (time.monotonic() - start) / num_batches
