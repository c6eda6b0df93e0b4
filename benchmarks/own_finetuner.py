"""Our fine-tuning of a classifier of sentences, as `run_finetuning` does it."""

from collections.abc import Sequence
import time

import numpy as np
import tensorflow as tf

from benchmarks import process_memory
from benchmarks import sst_input
from benchmarks import trainer_settings
from electra_tf import sources
from electra_tf import tokenization
from finetune import classification_features
from finetune import features
from finetune import finetune_config
from finetune import glue
from finetune import preparation
from finetune import task as task_lib
from finetune import task_data
from finetune import trial


class OwnFinetuner:
    """A model with random weights that learns SST-2; alone in its process.

    Rows, their order, batches and model are those of a run: batches are of
    sentences of about the same length, and as long as the longest of them.

    Args:
        settings: what to compute; of the preset the discriminator counts.
        examples: of `glue.SST`.
        vocab: one piece for each of the preset's.
    """

    def __init__(
        self,
        settings: trainer_settings.TrainerSettings,
        examples: Sequence[task_lib.Example],
        vocab: Sequence[str],
    ):
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
        self._run = _run(settings, tokenization.Tokenizer(vocab))
        self._rows = classification_features.make_features(
            examples,
            task=glue.SST,
            tokenizer=self._run.tokenizer,
            run_config=self._run.config,
            is_training=True,
        )
        self._model = self._step = self._batches = self._newest_loss = None

    def examples(
        self, num_batches: int, is_bucketed: bool = False
    ) -> list[sst_input.Batch]:
        """The first batches, in random order, or as they are learned here.

        Turns of a multiple of `sst_input.BUCKET_BATCHES` have the same
        examples in either order.
        """
        order = self._order(num_batches, is_bucketed)
        return [
            sst_input.Batch(
                [self._rows.input_ids[row].numpy().tolist() for row in rows],
                self._rows.targets["labels"][rows].tolist(),
            )
            for rows in order
        ]

    def first_step(self) -> float:
        """Seconds of making the model, tracing, and one step."""
        start = time.monotonic()
        run_config = self._run.config
        num_steps = finetune_config.num_train_steps(
            run_config, self._rows.num_rows
        )
        self._model = trial.new_model(self._run, num_steps)
        self._step = self._model.make_train_function()
        self._batches = iter(
            features.batches(
                {glue.SST.name: self._rows},
                self._order(num_steps, is_bucketed=True),
                pad_to=run_config.padded_length,
            )
        )
        self._take_step()
        return time.monotonic() - start

    def run(self, num_steps: int) -> list[float]:
        """Seconds of each further step."""
        seconds = []
        for _ in range(num_steps):
            start = time.monotonic()
            self._take_step()
            seconds.append(time.monotonic() - start)
        return seconds

    def loss(self) -> float:
        """Of the newest step."""
        return self._newest_loss

    def num_parameters(self) -> int:
        """Numbers that are learned."""
        return sum(
            v.shape.num_elements() for v in self._model.trainable_variables
        )

    def peak_memory_gb(self) -> float:
        """Of this process, so far."""
        return process_memory.peak_gb()

    def _take_step(self):
        # A mean over all steps would hide what the newest one computes.
        self._model.reset_metrics()
        self._newest_loss = float(self._step(self._batches)["loss"])

    def _order(self, num_batches: int, is_bucketed: bool) -> np.ndarray:
        """Rows of each batch: int64 `[num_batches, batch]`.

        One of the first bucket, for the first step; then whole buckets.
        """
        skipped = sst_input.BUCKET_BATCHES - 1
        order = features.training_order(
            [self._rows.lengths],
            num_steps=num_batches + skipped,
            batch_size=self._run.config.train_batch_size,
            seed=self._run.config.seed,
            bucket_batches=sst_input.BUCKET_BATCHES if is_bucketed else 1,
        )
        return np.concatenate([order[:1], order[1 + skipped :]])


def _run(
    settings: trainer_settings.TrainerSettings,
    tokenizer: tokenization.Tokenizer,
) -> preparation.Run:
    """What a run would have read, but for its examples."""
    encoder = settings.run_config.encoder
    run_config = finetune_config.FinetuneConfig(
        task=glue.SST.name,
        from_scratch=True,
        max_seq_length=settings.max_seq_length,
        train_batch_size=settings.batch_size,
        precision=settings.precision,
        jit_compile=settings.jit_compile,
        seed=settings.seed,
    )
    return preparation.Run(
        config=finetune_config.resolve(
            run_config, tasks=[glue.SST], encoder_config=encoder
        ),
        data=[task_data.TaskData(glue.SST, {})],
        source=sources.Source(
            path="",
            format="electra_tf",
            kind="encoder",
            encoder=encoder,
            read=dict,
            read_tokenizer=lambda: tokenizer,
        ),
        tokenizer=tokenizer,
    )
