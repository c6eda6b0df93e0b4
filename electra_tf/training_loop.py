"""What follows each step of the fit loop: lines, checkpoints, evaluations."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import datetime
import math
import time
from typing import TYPE_CHECKING

from absl import logging
import tensorflow as tf
import tf_keras

from electra_tf import checkpointing
from electra_tf import guards
from electra_tf import interruption
from electra_tf import metrics_log

if TYPE_CHECKING:
    from electra_tf import training


class Loop(tf_keras.callbacks.Callback):
    """Log line, checkpoint, evaluation and stop after a step, in this order.

    Args:
        start_step: steps done before.
        schedule: what is due when.
        log: for the metrics of training.
        checkpointer: of the run.
        evaluation: of held-out data; None for none.
        signals: may ask to stop.
        batch_size: examples a step, for the rate.
        rate_metrics: what follows from the examples per second.
        console_metrics: those that the console shows.

    """

    def __init__(
        self,
        *,
        start_step: int,
        schedule: "training.Schedule",
        log: metrics_log.MetricsLog,
        checkpointer: checkpointing.Checkpointer,
        evaluation: "Evaluation | None",
        signals: interruption.Signals,
        batch_size: int,
        rate_metrics: Callable[[float], dict[str, float]] | None,
        console_metrics: Sequence[str],
    ):
        super().__init__()
        # Keras else waits for the device to copy the logs of every step.
        self._supports_tf_logs = True
        self._was_asked_to_stop = False
        self._step = start_step
        self._schedule = schedule
        self._log = log
        self._checkpointer = checkpointer
        self._evaluation = evaluation
        self._signals = signals
        self._batch_size = batch_size
        self._rate_metrics = rate_metrics
        self._console_metrics = console_metrics
        self._metric_values = checkpointer.metric_values()
        self._num_skipped = 0
        self._rate = _Rate()

    def run(
        self,
        model: tf_keras.Model,
        make_dataset: Callable[[int], tf.data.Dataset],
        callbacks: Sequence[tf_keras.callbacks.Callback],
    ):
        """Trains to the last step, or until a signal.

        Args:
            model: compiled.
            make_dataset: the batches from a step on.
            callbacks: to be called after this one.

        Raises:
            interruption.Interrupted: because of a signal.
        """
        # A run may have been killed between checkpoint and evaluation.
        is_due = self._step > 0 and self._schedule.evaluates_at(self._step)
        if self._evaluation and is_due:
            self._evaluation.make_up_for(self._step)
        num_steps = self._schedule.num_steps
        if self._step >= num_steps:
            logging.info("Already trained for all %d steps.", self._step)
            return
        if self._evaluation and self._evaluation.is_enough:
            logging.info("Ended early, at step %d.", self._step)
            return
        if self._step:
            logging.info("Continuing from step %d.", self._step)
        model.fit(
            make_dataset(self._step),
            steps_per_epoch=num_steps - self._step,
            callbacks=[self, *callbacks],
            verbose=0,
        )
        if self._was_asked_to_stop or self._signals.received:
            name = self._signals.received or "A signal to another host"
            raise interruption.Interrupted(
                f"{name}. The checkpoint of step {self._checkpointer.newest} "
                f"of {num_steps} is written; the same command again continues."
            )

    def on_train_begin(self, logs=None):
        """Refuses to go on after too many steps that were not finite."""
        self._saved = time.monotonic()
        self._num_skipped = self._check_guard()

    def on_epoch_begin(self, epoch, logs=None):
        """Goes on with the metrics of the checkpoint, which Keras resets."""
        self._checkpointer.assign_metrics(self._metric_values)

    def on_train_batch_begin(self, batch, logs=None):
        """Starts the clock."""
        self._rate.start()

    def on_train_batch_end(self, batch, logs=None):
        """Does what is due after this step."""
        self._step += 1
        self._rate.stop()
        logs_now = self._schedule.logs_at(self._step)
        is_asked, is_late = self._agree(
            self._signals.received is not None, self._is_late(), logs_now
        )
        saves_now = self._schedule.saves_at(self._step) or is_asked or is_late
        if logs_now or saves_now:
            num_skipped = self._check_guard()
        if logs_now:
            self._write_log(logs, num_skipped)
        if self._step == self._schedule.num_steps:
            # Keras does so, too, but when the last checkpoint is written.
            self.model.optimizer.finalize_variable_values(
                self.model.trainable_variables
            )
        if saves_now:
            self._checkpointer.save(self._step)
            self._saved = time.monotonic()
        if is_asked:
            self._was_asked_to_stop = self.model.stop_training = True
        elif self._evaluation and self._schedule.evaluates_at(self._step):
            self._evaluation(self._step)
            if self._evaluation.is_enough:
                logging.info("Ended early: no evaluation was better.")
                self.model.stop_training = True

    def _is_late(self) -> bool:
        minutes = self._schedule.save_checkpoints_minutes
        return 0 < minutes * 60 <= time.monotonic() - self._saved

    def _agree(
        self, is_asked: bool, is_late: bool, logs_now: bool
    ) -> tuple[bool, bool]:
        """What any of several hosts says; they ask each other at log lines."""
        strategy = self.model.distribute_strategy
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return is_asked, is_late
        if not logs_now:
            return False, False
        flags = tf.constant([is_asked, is_late], tf.float32)
        sums = strategy.reduce(
            tf.distribute.ReduceOp.SUM,
            strategy.run(tf.identity, args=(flags,)),
            axis=None,
        )
        is_asked, is_late = (bool(value) for value in sums.numpy() > 0)
        return is_asked, is_late

    def _check_guard(self) -> int:
        """How many steps were skipped; raises if it is one too many."""
        guard = getattr(self.model, "guard", None)
        if guard is None:
            return 0
        report = guard.report()
        if report.count > report.num_allowed:
            raise guards.NonFiniteError(
                f"Not finite: {self._describe(report)}. There were "
                f"{report.count} such steps; skip_nonfinite_steps allows "
                f"{report.num_allowed}. Nothing has changed since that step; "
                f"{describe_newest(self._checkpointer)}."
            )
        if report.count > self._num_skipped:
            logging.warning(
                "Skipped because not finite: %d steps so far, the last with "
                "%s.",
                report.count,
                self._describe(report),
            )
        self._num_skipped = report.count
        return report.count

    def _describe(self, report: guards.Report) -> str:
        first = (report.step - 1) * self._batch_size
        return (
            f"{', '.join(report.names)} of step {report.step} (examples "
            f"{first} to {first + self._batch_size - 1} in the order of "
            "training, from 0)"
        )

    def _write_log(self, logs, num_skipped: int):
        metrics = {name: float(value) for name, value in logs.items()}
        metrics["learning_rate"] = float(
            self.model.optimizer.learning_rate.numpy()
        )
        steps_per_second = self._rate.take()
        metrics["examples_per_second"] = steps_per_second * self._batch_size
        if self._rate_metrics is not None:
            metrics |= self._rate_metrics(metrics["examples_per_second"])
        metrics["skipped_steps"] = num_skipped
        self._log.write("train", step=self._step, metrics=metrics)
        left = self._schedule.num_steps - self._step
        eta = "?"
        if steps_per_second:
            eta = datetime.timedelta(seconds=round(left / steps_per_second))
        logging.info(
            "train | step %d/%d | eta %s | %.3g steps/s | %.1f examples/s | "
            "%s | lr %.2e",
            self._step,
            self._schedule.num_steps,
            eta,
            steps_per_second,
            metrics["examples_per_second"],
            metrics_log.format_metrics(
                {name: metrics[name] for name in self._console_metrics}
            ),
            metrics["learning_rate"],
        )
        self.model.reset_metrics()


class Profiler(tf_keras.callbacks.Callback):
    """Takes a profile of some steps, for TensorBoard.

    Args:
        directory: of TensorBoard's files.
        start_step: steps done before.
        steps: the first and the last one, counted from 1.
    """

    def __init__(
        self, directory: str, *, start_step: int, steps: tuple[int, int]
    ):
        super().__init__()
        self._supports_tf_logs = True
        self._directory = directory
        self._step = start_step
        self._first, self._last = steps
        self._is_running = False

    def on_train_batch_begin(self, batch, logs=None):
        """Starts before the first step, or where a continued run starts."""
        self._step += 1
        if not self._is_running and self._first <= self._step <= self._last:
            tf.profiler.experimental.start(self._directory)
            self._is_running = True

    def on_train_batch_end(self, batch, logs=None):
        """Stops after the last step, when the device is done with it."""
        if self._step == self._last and self._is_running:
            tf.nest.map_structure(lambda value: value.numpy(), logs)
            self._stop()

    def on_train_end(self, logs=None):
        """Stops if training ends before."""
        if self._is_running:
            self._stop()

    def _stop(self):
        tf.profiler.experimental.stop()
        self._is_running = False
        logging.info("Profile up to step %d: %s", self._step, self._directory)


class Evaluation:
    """Evaluates, keeps the best checkpoint, and adds to the metrics.

    In this order: if the process is killed in between, the metrics are
    missing, and the continued run evaluates again.

    Args:
        evaluate: returns the metrics of held-out data.
        model: whose metrics an evaluation may use.
        log: for the results.
        best: the best checkpoint so far; None if it is not kept.
        patience: when to end the run early; None for never.
    """

    def __init__(
        self,
        evaluate: Callable[[], dict[str, float]],
        *,
        model: tf_keras.Model,
        log: metrics_log.MetricsLog,
        best: checkpointing.BestCheckpoint | None,
        patience: "Patience | None" = None,
    ):
        self._evaluate = evaluate
        self._model = model
        self._log = log
        self._best = best
        self._patience = patience

    @property
    def is_enough(self) -> bool:
        """Whether the run may end early."""
        return self._patience is not None and self._patience.is_over

    def make_up_for(self, step: int):
        """Evaluates if the metrics of that step are missing."""
        if not self._log.has_evaluation(step):
            self(step)

    def __call__(self, step: int):
        metrics = self._evaluate()
        self._model.reset_metrics()
        if self._best is not None:
            self._best.offer(step, metrics)
        self._log.write("eval", step=step, metrics=metrics)
        if self._patience is not None:
            self._patience.add(metrics)


class Patience:
    """Counts evaluations since the best one.

    Args:
        metric: name of a metric, after `-` if less is better.
        num_evaluations: how many may follow the best one.
    """

    def __init__(self, metric: str, num_evaluations: int):
        self._metric = metric
        self._num_evaluations = num_evaluations
        self._best = -math.inf
        self._num_since = 0

    def add(self, metrics: Mapping[str, float]):
        """Counts the evaluation that gave these metrics."""
        value = checkpointing.metric_score(self._metric, metrics)
        if value > self._best:
            self._best, self._num_since = value, 0
        else:
            self._num_since += 1

    @property
    def is_over(self) -> bool:
        """Whether as many evaluations as allowed were not better."""
        return self._num_since >= self._num_evaluations


def describe_newest(checkpointer: checkpointing.Checkpointer) -> str:
    """Where a run that ends with an error can be continued from."""
    if not checkpointer.newest:
        return "there is no checkpoint yet"
    return f"the checkpoint of step {checkpointer.newest} is intact"


class _Rate:
    """Steps a second since it was last asked, without what callbacks take."""

    def __init__(self):
        self._seconds, self._steps = 0.0, 0
        self._is_first = True

    def start(self):
        self._started = time.perf_counter()

    def stop(self):
        seconds = time.perf_counter() - self._started
        if self._is_first:  # It compiles; its time says nothing of the rate.
            self._is_first = False
            logging.info("First step after %.1f s.", seconds)
            return
        self._seconds += seconds
        self._steps += 1

    def take(self) -> float:
        rate = self._steps / self._seconds if self._steps else 0.0
        self._seconds, self._steps = 0.0, 0
        return rate
