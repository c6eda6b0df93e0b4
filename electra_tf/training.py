"""The Keras fit loop of both stages: resume, checkpoints, logs, progress.

docs/long_runs.md says what that means for whoever runs it.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
import contextlib
import dataclasses
import os
import re

import tensorflow as tf
import tf_keras

from electra_tf import checkpointing
from electra_tf import config_checks
from electra_tf import distribution
from electra_tf import interruption
from electra_tf import metrics_log
from electra_tf import model_folder
from electra_tf import training_loop

# TensorFlow's words for ENOSPC and EDQUOT, after the path.
_NO_SPACE = re.compile(
    r"(?:(\S+); )?(No space left on device|Disk quota exceeded)"
)
# What a host meets whose sums with others are ended because one was lost.
_LOST_HOST = re.compile(r"Collective ops is aborted by: (.*?)[:.]?$", re.M)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a run does what, in optimizer steps.

    Attributes:
        num_steps: Steps of the whole run.
        log_steps: Between two log lines.
        save_checkpoints_steps: Between two checkpoints.
        save_checkpoints_minutes: After which one is written all the same; 0
            for never.
        keep_checkpoints: Number of newest checkpoints that are kept.
        keep_checkpoint_every_steps: Those of its multiples are kept for ever;
            0 for none.
        best_metric: Of evaluations, whose best checkpoint is kept, too; after
            `-` if less is better.
        early_stopping: End the run after so many evaluations in which
            `best_metric` was not better than before; 0 for never.
        eval_every_steps: Between two evaluations; 0 for one after every
            `save_checkpoints_steps`.
        profile_steps: First and last step of a profile, such as "10,20".
    """

    num_steps: int
    log_steps: int
    save_checkpoints_steps: int
    save_checkpoints_minutes: float = 0.0
    keep_checkpoints: int = 5
    keep_checkpoint_every_steps: int = 0
    best_metric: str = ""
    early_stopping: int = 0
    eval_every_steps: int = 0
    profile_steps: str = ""

    def __post_init__(self):
        config_checks.parse_steps("profile_steps", self.profile_steps)

    def logs_at(self, step: int) -> bool:
        """Whether a log line follows this step.

        Also where metrics begin anew, so that lines cover all steps.
        """
        return step % self.log_steps == 0 or self.evaluates_at(step)

    def saves_at(self, step: int) -> bool:
        """Whether a checkpoint follows this step, whatever the clock says."""
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
    rate_metrics: Callable[[float], dict[str, float]] | None = None,
    evaluate: Callable[[], dict[str, float]] | None = None,
    eval_metrics: Sequence[str] | None = None,
    console_metrics: Sequence[str] = ("loss",),
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
):
    """Trains a compiled model to the last step, from the newest checkpoint.

    Args:
        model: compiled; its `train_step` returns metrics since their reset.
            It may have a `guards.Guard` as `guard`.
        make_dataset: the batches from a step on, as a function of the step.
        model_dir: a model folder, made by `model_folder.start`.
        schedule: when to log, save and evaluate.
        batch_size: examples a step, for the rate.
        rate_metrics: what follows from the examples per second.
        evaluate: returns the metrics of held-out data.
        eval_metrics: their names, so that `schedule.best_metric` can be
            checked before any step; None if they are not known.
        console_metrics: those that the console shows; files hold all.
        callbacks: further callbacks for Keras.

    Raises:
        interruption.Interrupted: SIGTERM or SIGINT has ended the run, and a
            checkpoint was written.
        guards.NonFiniteError: the loss or the gradient was not finite.
        OSError: there is no space left to write to.
        ConnectionError: another host of the run was lost.
    """
    _check_best_metric(schedule, evaluate, eval_metrics)
    checkpointer = checkpointing.Checkpointer(
        model_folder.checkpoints(model_dir),
        model=model,
        keep=schedule.keep_checkpoints,
        keep_every=schedule.keep_checkpoint_every_steps,
        is_writer=distribution.is_chief(model.distribute_strategy),
    )
    with _lost_host_is_explained(), _no_space_is_explained(checkpointer):
        step = checkpointer.restore_latest()
        log = metrics_log.MetricsLog(
            model_dir, start_step=step, is_writer=checkpointer.is_writer
        )
        with contextlib.closing(log), interruption.Signals() as signals:
            loop = training_loop.Loop(
                start_step=step,
                schedule=schedule,
                log=log,
                checkpointer=checkpointer,
                evaluation=evaluate
                and training_loop.Evaluation(
                    evaluate,
                    model=model,
                    log=log,
                    best=_best_checkpoint(schedule, checkpointer),
                    patience=_patience(schedule, model_dir),
                ),
                signals=signals,
                batch_size=batch_size,
                rate_metrics=rate_metrics,
                console_metrics=console_metrics,
            )
            if schedule.profile_steps and checkpointer.is_writer:
                callbacks = [_profiler(model_dir, schedule, step), *callbacks]
            loop.run(model, make_dataset, callbacks)


def best_checkpoint(model_dir: str) -> str | None:
    """The prefix of the best checkpoint, if `Schedule.best_metric` kept one."""
    return checkpointing.find_best(model_folder.checkpoints(model_dir))


def _check_best_metric(
    schedule: Schedule, evaluate, eval_metrics: Sequence[str] | None
):
    if not schedule.best_metric:
        if schedule.early_stopping:
            raise ValueError("early_stopping needs a best_metric.")
        return
    if evaluate is None:
        raise ValueError(
            f"best_metric {schedule.best_metric!r} needs data to evaluate on."
        )
    if eval_metrics is not None:
        checkpointing.check_best_metric(schedule.best_metric, eval_metrics)


def _best_checkpoint(
    schedule: Schedule, checkpointer: checkpointing.Checkpointer
) -> checkpointing.BestCheckpoint | None:
    if not schedule.best_metric:
        return None
    return checkpointing.BestCheckpoint(
        checkpointer, metric=schedule.best_metric
    )


def _patience(
    schedule: Schedule, model_dir: str
) -> training_loop.Patience | None:
    """With what the earlier evaluations of this run came to."""
    if not schedule.early_stopping:
        return None
    patience = training_loop.Patience(
        schedule.best_metric, schedule.early_stopping
    )
    for entry in metrics_log.read(model_dir):
        if entry["kind"] == "eval":
            patience.add(entry)
    return patience


def _profiler(
    model_dir: str, schedule: Schedule, start_step: int
) -> training_loop.Profiler:
    return training_loop.Profiler(
        os.path.join(model_dir, "tensorboard"),
        start_step=start_step,
        steps=config_checks.parse_steps(
            "profile_steps", schedule.profile_steps
        ),
    )


@contextlib.contextmanager
def _no_space_is_explained(
    checkpointer: checkpointing.Checkpointer,
) -> Iterator[None]:
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        match = _NO_SPACE.search(str(error))
        if match is None:
            raise
        where = match[1] or checkpointer.directory
        raise OSError(
            f"{match[2]} for {where}; "
            f"{training_loop.describe_newest(checkpointer)}. Make room, and "
            "repeat the command to continue."
        ) from error


@contextlib.contextmanager
def _lost_host_is_explained() -> Iterator[None]:
    try:
        yield
    except tf.errors.UnavailableError as error:
        match = _LOST_HOST.search(str(error))
        if match is None:
            raise
        raise ConnectionError(
            f"Another host was lost: {match[1]}. The same commands on all "
            "hosts continue the run from the newest whole checkpoint."
        ) from error
