"""The checkpoints of a run: written, kept, found whole, and gone on from."""

from collections.abc import Iterable
from collections.abc import Mapping
import json
import math
import os
import tempfile
import time

from absl import logging
import tensorflow as tf
import tf_keras

from electra_tf import checkpoint_files
from electra_tf import checkpoints
from electra_tf import model_folder
from electra_tf import precision

# The folder of the best checkpoint, in that of the others.
_BEST = "best"


class Checkpointer:
    """Numbered checkpoints of all state of a training run in one folder.

    That is the model's and the optimizer's variables, the sums that metrics
    are computed from, and the counters of the model's `guard`, if it has one.

    Args:
        directory: made if needed.
        model: compiled, with all its variables.
        keep: number of newest checkpoints that are kept.
        keep_every: those of multiples of so many steps are kept for ever; 0
            for none.
        is_writer: whether this process is the one that writes. Where there
            are several they must all call `save`: some values are the sums of
            what each of them has.

    Attributes:
        directory: where they are.
        is_writer: as given.
        newest: step of the newest whole checkpoint; 0 if there is none.
    """

    def __init__(
        self,
        directory: str,
        *,
        model: tf_keras.Model,
        keep: int,
        keep_every: int = 0,
        is_writer: bool = True,
    ):
        optimizer = model.optimizer
        # In the scope, or all replicas would share one set of moments.
        with model.distribute_strategy.scope():
            optimizer.build(model.trainable_variables)
        self.directory = directory
        self.newest = 0
        self._keep = keep
        self._keep_every = keep_every
        self.is_writer = is_writer
        self._damaged = set()
        self._optimizer = optimizer
        self._metrics = [v for m in model.metrics for v in m.variables]
        guard = getattr(model, "guard", None)
        self._checkpoint = tf.train.Checkpoint(
            model=checkpoints.by_name(model.trainable_variables),
            optimizer=checkpoints.by_name(optimizer.variables),
            loss_scale=precision.loss_scale_variables(optimizer),
            metrics=self._metrics,
            guard=guard.variables if guard is not None else {},
        )

    def restore_latest(self) -> int:
        """Loads the newest whole checkpoint, if any; returns its step.

        Damaged ones that are newer are named in a warning. If the process was
        killed while it wrote the first one, there is none.

        Raises:
            ValueError: there are checkpoints, but none can be read; or the
                newest that can is not of such a model.
        """
        problems = []
        for step in reversed(checkpoint_files.steps(self.directory)):
            path = checkpoint_files.prefix(self.directory, step)
            problem = checkpoint_files.damage(path)
            if problem is None:
                self._read(path)
                self.newest = step
                return int(self._optimizer.iterations.numpy())
            logging.warning(
                "The checkpoint of step %d is damaged: %s (%s)",
                step,
                path,
                problem,
            )
            self._damaged.add(step)
            problems.append(f"{path}: {problem}")
        if problems and checkpoint_files.has_state(self.directory):
            raise ValueError(
                f"None of the checkpoints in {self.directory!r} can be read:\n"
                "  " + "\n  ".join(problems) + "\nRestore one of them, or "
                "delete them all to begin anew."
            )
        return 0

    def save(self, step: int) -> str:
        """Writes a checkpoint with the number of the step; returns its prefix.

        If it cannot be written completely, nothing of it is left. Those that
        need not be kept are deleted after that.
        """
        started = time.perf_counter()
        path = checkpoint_files.prefix(self.directory, step)
        kept = self._kept(step)
        has_written = self.write(
            self.directory, step, whole=kept - self._damaged
        )
        self.newest = step
        if has_written:
            self._damaged = {other for other in self._damaged if other > step}
            self._sweep(kept)
            logging.info(
                "Checkpoint of step %d: %s (%.1f s)",
                step,
                path,
                time.perf_counter() - started,
            )
        return path

    def write(self, directory: str, step: int, *, whole: set[int]) -> bool:
        """Writes a checkpoint into any folder, of which it is the newest then.

        Args:
            directory: made if needed.
            step: the checkpoint's number.
            whole: numbers of all that can be read in that folder.

        Returns:
            Whether this process is the one that writes.
        """
        if not self.is_writer:
            with tempfile.TemporaryDirectory() as elsewhere:
                self._checkpoint.write(os.path.join(elsewhere, "ckpt"))
            return False
        tf.io.gfile.makedirs(directory)
        try:
            self._checkpoint.write(checkpoint_files.prefix(directory, step))
            checkpoint_files.write_state(directory, whole | {step})
        except (tf.errors.OpError, OSError):
            checkpoint_files.delete(directory, step)
            raise
        return True

    def metric_values(self) -> list:
        """The sums that metrics are computed from."""
        return [variable.numpy() for variable in self._metrics]

    def assign_metrics(self, values: list):
        """Sets them to what `metric_values` has returned."""
        for variable, value in zip(self._metrics, values, strict=True):
            variable.assign(value)

    def _read(self, path: str):
        status = self._checkpoint.read(path)
        try:
            status.assert_consumed()
        except AssertionError as error:
            raise ValueError(
                f"{path!r} does not hold what this run needs; another version "
                f"of this program or of TensorFlow may have written it: {error}"
            ) from error

    def _kept(self, newest: int) -> set[int]:
        """Which steps are kept when `newest` is the last one written."""
        damaged = self._damaged - {newest}
        whole = {newest, *checkpoint_files.steps(self.directory)} - damaged
        kept = set(sorted(whole)[-self._keep :])
        if self._keep_every:
            kept |= {step for step in whole if step % self._keep_every == 0}
        # A damaged one might be mended until there is a newer one.
        return kept | {step for step in damaged if step > newest}

    def _sweep(self, kept: set[int]):
        checkpoint_files.delete_unfinished(self.directory)
        for step in checkpoint_files.steps(self.directory):
            if step not in kept:
                checkpoint_files.delete(self.directory, step)


class BestCheckpoint:
    """The checkpoint of a run's best evaluation, in a folder of its own.

    Beside it `best.json` says step, metric and value.

    Args:
        checkpointer: of the run; the folder is `best` in its folder.
        metric: name of a metric, after `-` if less is better.
    """

    def __init__(self, checkpointer: Checkpointer, *, metric: str):
        self._checkpointer = checkpointer
        self._directory = os.path.join(checkpointer.directory, _BEST)
        self._metric = metric
        self._name = metric.removeprefix("-")
        self._best = self._read()

    def offer(self, step: int, metrics: dict[str, float]):
        """Keeps this step's state if no evaluation was better.

        Raises:
            ValueError: there is no such metric.
        """
        check_best_metric(self._metric, metrics)
        value = float(metrics[self._name])
        best = metric_score(self._metric, {self._name: self._best})
        if not metric_score(self._metric, metrics) > best:
            return
        if self._checkpointer.write(self._directory, step, whole=set()):
            contents = {"step": step, "metric": self._metric, "value": value}
            model_folder.write_json(self._json_path, contents)
            checkpoint_files.delete_unfinished(self._directory)
            for other in checkpoint_files.steps(self._directory):
                if other != step:
                    checkpoint_files.delete(self._directory, other)
        self._best = value
        logging.info("Best %s so far: %.6g", self._name, value)

    @property
    def _json_path(self) -> str:
        return os.path.join(self._directory, "best.json")

    def _read(self) -> float:
        """The best value before; NaN without one of this metric."""
        if tf.io.gfile.exists(self._json_path):
            with tf.io.gfile.GFile(self._json_path) as file:
                contents = json.load(file)
            if contents["metric"] == self._metric:
                return contents["value"]
        return math.nan


def find_best(directory: str) -> str | None:
    """The prefix of the checkpoint that `BestCheckpoint` kept, if any.

    Args:
        directory: of the run's checkpoints.
    """
    return checkpoint_files.newest(os.path.join(directory, _BEST))


def metric_score(metric: str, metrics: Mapping[str, float]) -> float:
    """The value of a metric, so that more is better; NaN is worse than all.

    Args:
        metric: name of a metric, after `-` if less is better.
        metrics: values by name.
    """
    value = float(metrics[metric.removeprefix("-")])
    if math.isnan(value):
        return -math.inf
    return -value if metric.startswith("-") else value


def check_best_metric(metric: str, known: Iterable[str]):
    """Raises ValueError unless it is the name of a metric, or `-` and that."""
    if metric.removeprefix("-") not in known:
        raise ValueError(
            f"Unknown best_metric {metric!r}. Metrics of an evaluation: "
            f"{', '.join(sorted(known))}; with '-' in front if less is better."
        )
