"""Fine-tuning: build, load, train, evaluate, predict.

A run has one trial or several, which differ only in their seeds.
"""

from collections.abc import Iterable
import dataclasses
import json
import os

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import distribution
from electra_tf import micro_batches
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import plots
from electra_tf import precision
from electra_tf import run_report
from electra_tf import tokenization
from electra_tf import training
from electra_tf import trial_hparams
from finetune import features
from finetune import finetune_config
from finetune import finetuning_model
from finetune import heads
from finetune import preparation
from finetune import registry
from finetune import results
from finetune import task as task_lib

_RESULTS_FILE = "results.json"
# What a pre-trained or fine-tuned model has beside its encoder.
_OTHER_VARIABLES = (r"(?!electra/)",)


def finetune(
    run_config: finetune_config.FinetuneConfig,
    *,
    data_dir: str,
    output_dir: str,
    strategy: tf.distribute.Strategy | None = None,
) -> dict:
    """Runs all trials, or what is left of them, and returns the results.

    The output folder becomes a model folder with `results.json`. With one
    trial it holds the model, and `predictions/SPLIT.jsonl`; with several,
    that is what its folders `trial_0`, `trial_1`, ... hold.

    Args:
        run_config: what to compute.
        data_dir: holds the folder of the task.
        output_dir: new, empty, or of an earlier start of this run.
        strategy: which devices train; one, if not given.

    Returns:
        What `results.json` holds, see `results.summarise`.

    Raises:
        ValueError: wrong input; before any training.
    """
    strategy = strategy or distribution.create("one_device")
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError("Fine-tuning runs on one host; use 'mirrored'.")
    for batch_size in (run_config.train_batch_size, run_config.eval_batch_size):
        distribution.check_batch_size(strategy, batch_size)
    micro_batches.check_batch_size(
        run_config.train_batch_size // strategy.num_replicas_in_sync,
        run_config.num_micro_batches,
    )
    run = preparation.prepare(run_config, data_dir=data_dir)
    _start_folder(output_dir, run)
    split_features = preparation.make_features(run)
    trials = []
    for folder, trial in _trials(run):
        logging.info("Trial with seed %d.", trial.config.seed)
        trial_dir = os.path.join(output_dir, folder)
        _start_folder(trial_dir, trial)
        with strategy.scope():
            model = new_model(trial)
        _train(model, trial, split_features, trial_dir)
        metrics = _evaluate(model, trial, split_features, trial_dir)
        trial_hparams.write(
            trial_dir,
            settings=config.to_dict(trial.config),
            metrics=metrics,
            step=trial.num_steps,
        )
        trials.append(
            {
                "seed": trial.config.seed,
                "folder": folder,
                "metrics": metrics,
            }
        )
    summary = results.summarise(
        run.task,
        trials,
        num_train_examples=len(run.examples["train"]),
        num_train_steps=run.num_steps,
    )
    model_folder.write_json(os.path.join(output_dir, _RESULTS_FILE), summary)
    run_report.write_at_the_end(output_dir)
    return summary


def new_model(run: preparation.Run) -> finetuning_model.FinetuningModel:
    """A compiled model with the weights that training starts from."""
    tf_keras.utils.set_random_seed(run.config.seed)  # Initial weights.
    model = finetuning_model.FinetuningModel(
        run.config, task=run.task, encoder_config=run.source.encoder
    )
    optimization.unfrozen(model.trainable_variables, run.config.freeze)
    model.compile(
        optimizer=precision.wrap_optimizer(
            finetuning_model.make_optimizer(
                run.config,
                num_steps=run.num_steps,
                num_hidden_layers=run.source.encoder.num_hidden_layers,
            ),
            run.config.precision,
        ),
        # By default not for batches of many lengths: each is compiled.
        jit_compile=precision.should_jit_compile(run.config.jit_compile)
        if run.config.pad_to_max_length
        else bool(run.config.jit_compile),
    )
    if run.config.from_scratch:
        logging.info("Starting from random weights.")
        return model
    restored = checkpoints.restore(
        model.trainable_variables,
        checkpoints.fold_deltas(run.source.read()),
        may_be_missing=(f"{heads.SCOPE}/{run.task.name}/",),
        may_be_unused=_OTHER_VARIABLES,
    )
    checkpoints.log_restored(restored, run.config.init_checkpoint)
    return model


def load(
    model_dir: str,
) -> tuple[
    finetuning_model.FinetuningModel,
    tokenization.Tokenizer,
    task_lib.Task,
]:
    """The fine-tuned model of a folder, its tokenizer, and its task.

    If the folder holds several trials, it is the one that was best on the
    (first) dev split. `model.config` is the run's configuration.
    """
    contents = model_folder.read(model_dir)
    if contents["kind"] != preparation.KIND:
        raise ValueError(
            f"{model_dir!r} holds a {contents['kind']} model, not one that was "
            "fine-tuned on a task."
        )
    run_config = config.from_dict(
        finetune_config.FinetuneConfig, contents["config"]
    )
    if run_config.num_trials > 1:
        best = _read_results(model_dir)["best_trial"]
        logging.info("Best of %d trials: %s.", run_config.num_trials, best)
        return load(os.path.join(model_dir, best))
    task = registry.get(contents["task"]["name"])
    if contents["task"] != _task_info(task):
        raise ValueError(
            f"{model_dir!r} was trained on {contents['task']}, but the task is "
            f"{_task_info(task)} now."
        )
    model = finetuning_model.FinetuningModel(
        run_config,
        task=task,
        encoder_config=config.from_dict(
            config.EncoderConfig, contents["encoder"]
        ),
    )
    checkpoints.restore(
        model.trainable_variables, checkpoints.read_variables(model_dir)
    )
    return model, tokenization.Tokenizer.load(model_dir), task


def predict(
    model: finetuning_model.FinetuningModel, data: features.Features
) -> dict[str, np.ndarray]:
    """What `model.predict_step` returns, in the order of the examples."""
    order = features.evaluation_order(
        data, batch_size=model.config.eval_batch_size
    )
    outputs = model.predict(
        features.batches(data, order, pad_to=_padded_length(model.config)),
        verbose=0,
    )
    original_order = np.argsort(order.reshape(-1)[: data.num_examples])
    return {name: values[original_order] for name, values in outputs.items()}


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
    model_folder.start(
        directory,
        kind=preparation.KIND,
        run_config=run.config,
        extra={
            "task": _task_info(run.task),
            "encoder": config.to_dict(run.source.encoder),
        },
    )
    run.tokenizer.save(directory)


def _task_info(task: task_lib.Task) -> dict:
    """What a model has to know of its task, as JSON types."""
    return {
        "name": task.name,
        "kind": task.kind,
        "labels": list(task.labels),
        "score_range": list(task.score_range),
    }


def _train(
    model: finetuning_model.FinetuningModel,
    run: preparation.Run,
    split_features: dict[str, features.Features],
    model_dir: str,
):
    """Trains to the last step, from the newest checkpoint if there is one."""
    order = features.training_order(
        split_features["train"].num_examples,
        num_steps=run.num_steps,
        batch_size=run.config.train_batch_size,
        seed=run.config.seed,
    )

    def make_dataset(step: int) -> tf.data.Dataset:
        return features.batches(
            split_features["train"],
            order[step:],
            pad_to=_padded_length(run.config),
        )

    def evaluate() -> dict[str, float]:
        main_split = run.task.dev_splits[0]
        return results.metrics(
            run.task,
            run.examples[main_split],
            predict(model, split_features[main_split]),
        )

    training.fit(
        model,
        make_dataset=make_dataset,
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=run.num_steps,
            log_steps=run.config.log_steps,
            save_checkpoints_steps=run.config.save_checkpoints_steps,
            keep_checkpoints=run.config.keep_checkpoints,
        ),
        batch_size=run.config.train_batch_size,
        evaluate=evaluate,
    )
    plots.plot_curves(
        model_dir,
        panels=(
            ("Loss", "loss", ("loss",)),
            (run.task.name, "percent", (run.task.main_metric,)),
        ),
    )


def _evaluate(
    model: finetuning_model.FinetuningModel,
    run: preparation.Run,
    split_features: dict[str, features.Features],
    model_dir: str,
) -> dict[str, dict[str, float]]:
    """Writes all predictions; returns the metrics of the dev splits."""
    metrics = {}
    for split, examples in run.examples.items():
        if split == "train":
            continue
        outputs = predict(model, split_features[split])
        _write_predictions(
            os.path.join(model_dir, "predictions", f"{split}.jsonl"),
            results.prediction_records(run.task, examples, outputs),
        )
        if split in run.task.dev_splits:
            metrics[split] = results.metrics(run.task, examples, outputs)
    return metrics


def _write_predictions(path: str, records: Iterable[dict]):
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)


def _padded_length(run_config: finetune_config.FinetuneConfig) -> int | None:
    """The length of all batches; None for that of their longest example."""
    return run_config.max_seq_length if run_config.pad_to_max_length else None


def _read_results(model_dir: str) -> dict:
    path = os.path.join(model_dir, _RESULTS_FILE)
    if not tf.io.gfile.exists(path):
        raise ValueError(
            f"No {path!r}: the trials have not all been run. Repeat the "
            "command that began them, or name the folder of one trial."
        )
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)
