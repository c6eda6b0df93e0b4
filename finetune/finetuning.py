"""Fine-tuning runs: one trial or several, which differ only in their seeds."""

from collections.abc import Mapping
import dataclasses
import os

from absl import logging
import tensorflow as tf

from electra_tf import config
from electra_tf import distribution
from electra_tf import guards
from electra_tf import micro_batches
from electra_tf import model_folder
from electra_tf import precision
from electra_tf import run_report
from electra_tf import trial_hparams
from finetune import finetune_config
from finetune import finetuned
from finetune import kinds
from finetune import preparation
from finetune import result_plots
from finetune import results
from finetune import task_data
from finetune import trial as trial_lib

_Answers = dict[str, list]


def finetune(
    run_config: finetune_config.FinetuneConfig,
    *,
    read: task_data.Reader,
    output_dir: str,
    strategy: tf.distribute.Strategy | None = None,
) -> dict:
    """Runs all trials, or what is left of them, and returns the results.

    The output folder becomes a model folder with `results.json`,
    `results.png` and `predictions/SPLIT.jsonl`. With several trials the models
    are in its folders `trial_0`, `trial_1`, ..., each with its predictions,
    and its own are those of the ensemble.

    Args:
        run_config: what to compute.
        read: reads a task's examples, see `task_data.Source.read`.
        output_dir: new, empty, or of an earlier start of this run.
        strategy: which devices train; one, if not given.

    Returns:
        What `results.json` holds, see `results.summarise`.

    Raises:
        ValueError: wrong input; before any training.
    """
    strategy = strategy or distribution.create("one_device")
    _check_strategy(strategy, run_config)
    run = preparation.prepare(run_config, read=read)
    _start_folder(output_dir, run)
    rows = preparation.make_rows(run)
    trials, answers = [], []
    for folder, trial in _trials(run):
        logging.info("Trial with seed %d.", trial.config.seed)
        trial_dir = os.path.join(output_dir, folder)
        _start_folder(trial_dir, trial)
        report = {"seed": trial.config.seed, "folder": folder}
        try:
            metrics, found = _run_trial(trial, rows, trial_dir, strategy)
        except guards.NonFiniteError as error:
            if not folder:  # There is no other trial to be told of.
                raise
            logging.error("%s failed: %s", folder, error)
            trials.append(report | {"metrics": None, "failure": str(error)})
            continue
        answers.append(found)
        trials.append(
            report | {"metrics": metrics, "failure": _failure(run, found)}
        )
    if not answers:
        raise ValueError(
            f"All trials failed; the last: {trials[-1]['failure']}"
        )
    return _conclude(run, rows, trials, answers, output_dir)


def _check_strategy(
    strategy: tf.distribute.Strategy,
    run_config: finetune_config.FinetuneConfig,
):
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError("Fine-tuning runs on one host; use 'mirrored'.")
    precision.check_strategy(strategy, run_config.precision)
    for batch_size in (run_config.train_batch_size, run_config.eval_batch_size):
        distribution.check_batch_size(strategy, batch_size)
    micro_batches.check_batch_size(
        run_config.train_batch_size // strategy.num_replicas_in_sync,
        run_config.num_micro_batches,
    )


def _trials(run: preparation.Run) -> list[tuple[str, preparation.Run]]:
    """The folder and the run of each trial."""
    num_trials = run.config.num_trials
    if num_trials == 1:
        return [("", run)]
    return [
        (
            f"trial_{number}",
            run._replace(
                config=dataclasses.replace(
                    run.config, seed=run.config.seed + number, num_trials=1
                )
            ),
        )
        for number in range(num_trials)
    ]


def _start_folder(directory: str, run: preparation.Run):
    tasks = [task.to_dict() for task in run.tasks]
    if model_folder.is_folder(directory):
        earlier = model_folder.read(directory).get("tasks", tasks)
        if earlier != tasks:
            raise ValueError(
                f"{directory!r} holds a run on other data or labels: "
                f"{earlier}, now {tasks}. Name a new folder."
            )
    model_folder.start(
        directory,
        kind=finetuned.KIND,
        run_config=run.config,
        extra={
            "tasks": tasks,
            "encoder": config.to_dict(run.source.encoder),
        },
    )
    run.tokenizer.save(directory)


def _run_trial(
    run: preparation.Run,
    rows: preparation.Rows,
    model_dir: str,
    strategy: tf.distribute.Strategy,
) -> tuple[dict[str, dict[str, float]], _Answers]:
    """Metrics and answers of a trial, by the label of the split."""
    with strategy.scope():
        model = trial_lib.new_model(run, rows.num_steps)
    trial_lib.train(model, run, rows, model_dir)
    metrics, answers = {}, {}
    for label, task_name, split in results.splits(run.tasks, with_test=True):
        if split not in rows.by_task[task_name]:
            continue
        evaluated = trial_lib.evaluate(model, run, rows, task_name, split)
        answers[label] = evaluated.answers
        if evaluated.metrics is not None:
            metrics[label] = evaluated.metrics
    _write_predictions(run, answers, model_dir)
    trial_hparams.write(
        model_dir,
        settings=config.to_dict(run.config),
        metrics=metrics,
        step=rows.num_steps,
    )
    return metrics, answers


def _write_predictions(run: preparation.Run, answers: _Answers, directory: str):
    for label, part, split in _parts(run, answers):
        trial_lib.write_predictions(
            os.path.join(directory, "predictions", f"{label}.jsonl"),
            kinds.of(part.task).records(
                part.task, part.examples[split], answers[label]
            ),
        )


def _parts(run: preparation.Run, answers: Mapping[str, list]):
    """Label, data of the task, and split of all that was answered."""
    data = {part.task.name: part for part in run.data}
    for label, task_name, split in results.splits(run.tasks, with_test=True):
        if label in answers:
            yield label, data[task_name], split


def _failure(run: preparation.Run, answers: _Answers) -> str:
    """Why a trial looks as if it had learned nothing; "" if it does not."""
    reasons = []
    for label, part, split in _parts(run, answers):
        if split == part.task.dev_splits[0]:
            reason = kinds.of(part.task).failure(part.task, answers[label])
            reasons += [f"{label}: {reason}"] if reason else []
    return "; ".join(reasons)


def _conclude(
    run: preparation.Run,
    rows: preparation.Rows,
    trials: list[dict],
    answers: list[_Answers],
    output_dir: str,
) -> dict:
    """Writes what is known when all trials are done."""
    ensemble = None
    if len(answers) > 1:
        ensemble, combined = _ensemble(run, answers)
        _write_predictions(run, combined, output_dir)
    summary = results.summarise(
        run.tasks,
        trials,
        encoder=run.source.encoder,
        ensemble=ensemble,
        num_train_examples={
            part.task.name: len(part.examples["train"]) for part in run.data
        },
        num_train_steps=rows.num_steps,
    )
    model_folder.write_json(
        os.path.join(output_dir, finetuned.RESULTS_FILE), summary
    )
    scored = [trial for trial in trials if trial["metrics"] is not None]
    folders = [trial["folder"] for trial in scored]
    best_answers = answers[folders.index(summary["best_trial"])]
    result_plots.plot(
        output_dir,
        summary,
        [
            result_plots.Split(
                label, part.task, part.examples[split], best_answers[label]
            )
            for label, part, split in _parts(run, best_answers)
            if split in part.task.dev_splits
        ],
    )
    run_report.write_at_the_end(output_dir)
    return summary


def _ensemble(
    run: preparation.Run, answers: list[_Answers]
) -> tuple[dict[str, dict[str, float]], _Answers]:
    """Metrics and answers of all trials together."""
    metrics, combined = {}, {}
    for label, part, split in _parts(run, answers[0]):
        kind = kinds.of(part.task)
        combined[label] = kind.combine([trial[label] for trial in answers])
        if split in part.task.dev_splits:
            metrics[label] = kind.score(
                part.task,
                part.examples[split],
                combined[label],
                run_config=run.config,
            )
    return metrics, combined
