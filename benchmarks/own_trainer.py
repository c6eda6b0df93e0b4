"""Our training step, as measurements take it."""

from collections.abc import Callable
import os
import time

import tensorflow as tf
import tf_keras

from benchmarks import finetuning_work
from benchmarks import matrix_ceiling
from benchmarks import pretraining_work
from benchmarks import process_memory
from benchmarks import trainer_settings
from electra_tf import distribution
from electra_tf import precision

_WORK = {
    "pretraining": pretraining_work.PretrainingWork,
    "finetuning": finetuning_work.FinetuningWork,
}
# As many as a pipeline reads ahead are a small part of them.
_NUM_INPUT_BATCHES = 64


class OwnTrainer:
    """A model that trains on random batches; alone in its process.

    Args:
        settings: what to compute.
        stage: "pretraining", or "finetuning" of a classifier.
        num_devices: GPUs that share a batch, or logical devices of the CPU.
        tf_config: which of several hosts this is, as the environment variable
            TF_CONFIG says it; None for the only one.
    """

    def __init__(
        self,
        settings: trainer_settings.TrainerSettings,
        stage: str = "pretraining",
        num_devices: int = 1,
        tf_config: str | None = None,
    ):
        tf.config.threading.set_intra_op_parallelism_threads(settings.threads)
        tf.config.threading.set_inter_op_parallelism_threads(settings.threads)
        if tf_config is not None:
            os.environ["TF_CONFIG"] = tf_config
        self._settings = settings
        self._num_devices = num_devices
        self._work = _WORK[stage](settings)
        self._model = self._step = self._batches = self._loss = None

    def first_step(self) -> float:
        """Seconds of making the model, tracing, and one step.

        What is imported by then does not count.
        """
        start = time.monotonic()
        strategy = self._create_strategy()
        distribution.check_batch_size(strategy, self._settings.batch_size)
        tf_keras.utils.set_random_seed(self._settings.seed)
        with strategy.scope():
            self._model = self._work.make_model()
            self._model.optimizer.build(self._model.trainable_variables)
            self._step = self._model.make_train_function()
        self._batches = iter(
            distribution.distribute(
                strategy,
                self._work.dataset,
                batch_size=self._settings.batch_size,
            )
        )
        self._take_step()
        return time.monotonic() - start

    def run(self, num_steps: int) -> list[float]:
        """Seconds of each further step."""
        seconds = []
        for _ in range(num_steps):
            # A mean over all steps would hide what the newest one computes.
            self._model.reset_metrics()
            seconds.append(_timed(self._take_step))
        return seconds

    def loss(self) -> float:
        """Of the newest step."""
        return self._loss

    def num_parameters(self) -> int:
        """Trained numbers of the model."""
        return sum(
            v.shape.num_elements() for v in self._model.trainable_variables
        )

    def peak_memory_gb(self) -> float:
        """Of this process, so far."""
        return process_memory.peak_gb()

    def ceiling(self) -> dict[str, float]:
        """FLOPs a second of products of matrices, see `matrix_ceiling`."""
        run_config = self._settings.run_config
        return matrix_ceiling.measure(
            run_config.precision,
            tokens=run_config.train_batch_size * run_config.max_seq_length,
            hidden_size=run_config.hidden_size,
        )

    def phases(self, num_turns: int) -> dict[str, list[float]]:
        """Seconds of parts of a step, each of which contains the one before.

        Args:
            num_turns: in which the parts take turns.

        Returns:
            Of "forward", with masks, dropout and loss; of "gradients", the
            same and the way back; of "step". Besides that of "input", the
            pipeline alone, once.
        """
        if self._num_devices > 1:
            raise ValueError(
                "Phases are measured on one device, not on "
                f"{self._num_devices}."
            )
        batch = next(iter(self._work.dataset()))
        parts = {
            "forward": self._compiled(self._forward, batch),
            "gradients": self._compiled(self._gradients, batch),
            "step": self._take_step,
        }
        for part in parts.values():
            part()  # Traces it.
        seconds = {name: [] for name in parts}
        for _ in range(num_turns):
            for name, part in parts.items():
                seconds[name].append(_timed(part))
        return seconds | {
            "input": [self._work.input_seconds(_NUM_INPUT_BATCHES)]
        }

    def profile(self, directory: str, num_steps: int):
        """Writes a profile of some steps, as TensorBoard reads it."""
        tf.profiler.experimental.start(directory)
        self.run(num_steps)
        tf.profiler.experimental.stop()

    def _create_strategy(self) -> tf.distribute.Strategy:
        if "TF_CONFIG" in os.environ:
            return distribution.create("multi_worker_mirrored")
        if self._num_devices == 1:
            return distribution.create("one_device")
        if tf.config.list_physical_devices("GPU"):
            return distribution.create("mirrored", num_gpus=self._num_devices)
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * self._num_devices,
        )
        return distribution.create("mirrored")

    def _take_step(self):
        # Until it is known here, the step may go on.
        self._loss = float(self._step(self._batches)["loss"])

    def _compiled(self, function: Callable, batch) -> Callable[[], None]:
        jit_compile = self._settings.jit_compile
        graph = tf.function(
            function,
            jit_compile=precision.should_jit_compile(jit_compile),
            autograph=False,
        )

        def run():
            graph(batch)
            tf.test.experimental.sync_devices()

        return run

    def _forward(self, batch):
        with precision.compiled_chains(self._settings.jit_compile):
            return self._work.loss(self._model, batch)

    def _gradients(self, batch):
        with precision.compiled_chains(self._settings.jit_compile):
            with tf.GradientTape() as tape:
                loss = precision.scale_loss(
                    self._model.optimizer, self._work.loss(self._model, batch)
                )
            return tape.gradient(loss, self._model.trainable_variables)


def _timed(function: Callable[[], None]) -> float:
    start = time.monotonic()
    function()
    return time.monotonic() - start
