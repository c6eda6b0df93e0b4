"""The Keras fit loop of both stages: resume, checkpoints, logs, progress."""

from collections.abc import Callable
from collections.abc import Sequence
import dataclasses
import datetime
import json
import os
import time

from absl import logging
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import model_folder


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a run does what, in optimizer steps.

    Attributes:
        num_steps: Steps of the whole run.
        log_steps: Between two log lines.
        save_checkpoints_steps: Between two checkpoints.
        keep_checkpoints: Number of newest checkpoints that are kept.
        eval_every_steps: Between two evaluations; 0 for one at each
            checkpoint.
    """

    num_steps: int
    log_steps: int
    save_checkpoints_steps: int
    keep_checkpoints: int = 5
    eval_every_steps: int = 0

    def logs_at(self, step: int) -> bool:
        """Whether a log line follows this step.

        Also where metrics begin anew, so that lines cover all steps.
        """
        return (
            step % self.log_steps == 0
            or self.saves_at(step)
            or self.evaluates_at(step)
        )

    def saves_at(self, step: int) -> bool:
        """Whether a checkpoint follows this step."""
        is_last = step == self.num_steps
        return step % self.save_checkpoints_steps == 0 or is_last

    def evaluates_at(self, step: int) -> bool:
        """Whether an evaluation follows this step."""
        every = self.eval_every_steps or self.save_checkpoints_steps
        return step % every == 0 or step == self.num_steps


def fit(
    model: tf_keras.Model,
    *,
    make_dataset: Callable[[int], tf.data.Dataset],
    model_dir: str,
    schedule: Schedule,
    batch_size: int,
    evaluate: Callable[[], dict[str, float]] | None = None,
    console_metrics: Sequence[str] = ("loss",),
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
):
    """Trains a compiled model to the last step, from the newest checkpoint.

    Args:
        model: compiled; its `train_step` returns metrics since their reset.
        make_dataset: the batches from a step on, as a function of the step.
        model_dir: a model folder, made by `model_folder.start`.
        schedule: when to log, save and evaluate.
        batch_size: examples a step, for the rate.
        evaluate: returns the metrics of held-out data.
        console_metrics: those that the console shows; files hold all.
        callbacks: further callbacks for Keras.
    """
    checkpointer = checkpoints.Checkpointer(
        model_folder.checkpoints(model_dir),
        model=model,
        keep=schedule.keep_checkpoints,
    )
    step = checkpointer.restore_latest()
    if step >= schedule.num_steps:
        logging.info("Already trained for all %d steps.", step)
        return
    if step:
        logging.info("Continuing from step %d.", step)
    log = MetricsLog(model_dir, start_step=step)
    # In this order: the log line of a step, its checkpoint, its evaluation.
    ours = [
        _Logger(
            log,
            schedule=schedule,
            start_step=step,
            batch_size=batch_size,
            console_metrics=console_metrics,
        ),
        _OnStep(step, when=schedule.saves_at, action=checkpointer.save),
    ]
    if evaluate is not None:

        def log_evaluation(at: int):
            log.write("eval", step=at, metrics=evaluate())
            model.reset_metrics()  # It uses those of training.

        ours.append(
            _OnStep(step, when=schedule.evaluates_at, action=log_evaluation)
        )
    model.fit(
        make_dataset(step),
        steps_per_epoch=schedule.num_steps - step,
        callbacks=[*ours, *callbacks],
        verbose=0,
    )
    log.close()


class MetricsLog:
    """`metrics.jsonl` and TensorBoard's files of one run.

    A continued run drops the lines after the step that it continues from,
    for it writes them again.

    Args:
        model_dir: the run's folder.
        start_step: steps done before.
    """

    def __init__(self, model_dir: str, *, start_step: int):
        self._path = os.path.join(model_dir, "metrics.jsonl")
        self._writers = {}
        self._model_dir = model_dir
        lines = [
            json.dumps(entry) + "\n"
            for entry in read_metrics(model_dir)
            if entry["step"] <= start_step
        ]
        with tf.io.gfile.GFile(self._path + ".tmp", "w") as file:
            file.write("".join(lines))
        tf.io.gfile.rename(self._path + ".tmp", self._path, overwrite=True)

    def write(self, kind: str, *, step: int, metrics: dict[str, float]):
        """Adds the metrics of a step; kind is "train" or "eval"."""
        metrics = {name: float(value) for name, value in metrics.items()}
        with tf.io.gfile.GFile(self._path, "a") as file:
            line = {"kind": kind, "step": step} | metrics
            file.write(json.dumps(line) + "\n")
        with self._writer(kind).as_default(step=step):
            for name, value in metrics.items():
                tf.summary.scalar(name, value)
        if kind == "eval":
            logging.info("eval  | step %d | %s", step, format_metrics(metrics))

    def close(self):
        """Completes TensorBoard's files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, kind: str) -> tf.summary.SummaryWriter:
        if kind not in self._writers:
            self._writers[kind] = tf.summary.create_file_writer(
                os.path.join(self._model_dir, "tensorboard", kind)
            )
        return self._writers[kind]


def read_metrics(model_dir: str) -> list[dict]:
    """The entries of a run's `metrics.jsonl`; empty if there is none.

    A last line that a killed run left half-written is left out.
    """
    path = os.path.join(model_dir, "metrics.jsonl")
    if not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        return [json.loads(line) for line in file if line.endswith("}\n")]


def format_metrics(metrics: dict[str, float]) -> str:
    """`loss 17.42 | disc_auc 0.812`."""
    return " | ".join(f"{name} {value:.4g}" for name, value in metrics.items())


class _OnStep(tf_keras.callbacks.Callback):
    """Calls `action(step)` after every step for which `when(step)`."""

    def __init__(
        self,
        start_step: int,
        *,
        when: Callable[[int], bool],
        action: Callable[[int], object],
    ):
        super().__init__()
        # Keras else waits for the device to copy the logs of every step.
        self._supports_tf_logs = True
        self._step = start_step
        self._when = when
        self._action = action

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._when(self._step):
            self._action(self._step)


class _Logger(tf_keras.callbacks.Callback):
    """Writes the training metrics, the rate and the time left."""

    def __init__(
        self,
        log: MetricsLog,
        *,
        schedule: Schedule,
        start_step: int,
        batch_size: int,
        console_metrics: Sequence[str],
    ):
        super().__init__()
        self._supports_tf_logs = True
        self._log = log
        self._schedule = schedule
        self._step = start_step
        self._batch_size = batch_size
        self._console_metrics = console_metrics
        # Seconds and steps since the last log line, without what other
        # callbacks take.
        self._seconds, self._steps = 0.0, 0
        self._is_first = True

    def on_train_batch_begin(self, batch, logs=None):
        self._started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._is_first:  # It compiles; its time says nothing of the rate.
            self._is_first = False
            logging.info(
                "First step after %.1f s.", time.perf_counter() - self._started
            )
        else:
            self._seconds += time.perf_counter() - self._started
            self._steps += 1
        if self._schedule.logs_at(self._step):
            self._write(logs)

    def _write(self, logs):
        metrics = {name: float(value) for name, value in logs.items()}
        metrics["learning_rate"] = float(
            self.model.optimizer.learning_rate.numpy()
        )
        rate = self._steps / self._seconds if self._steps else 0.0
        metrics["examples_per_second"] = rate * self._batch_size
        self._log.write("train", step=self._step, metrics=metrics)
        left = self._schedule.num_steps - self._step
        eta = datetime.timedelta(seconds=round(left / rate)) if rate else "?"
        logging.info(
            "train | step %d/%d | eta %s | %.1f examples/s | %s | lr %.2e",
            self._step,
            self._schedule.num_steps,
            eta,
            metrics["examples_per_second"],
            format_metrics({n: metrics[n] for n in self._console_metrics}),
            metrics["learning_rate"],
        )
        self.model.reset_metrics()
        self._seconds, self._steps = 0.0, 0
