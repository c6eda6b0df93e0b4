"""One trial of a run: build, load, train, evaluate, predict."""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import json
import os
from typing import Any
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import checkpoints
from electra_tf import optimization
from electra_tf import plots
from electra_tf import precision
from electra_tf import training
from finetune import custom_task
from finetune import features
from finetune import finetune_config
from finetune import finetuned
from finetune import finetuning_model
from finetune import heads
from finetune import kinds
from finetune import preparation
from finetune import results

# What a pre-trained or fine-tuned model has beside its encoder.
_OTHER_VARIABLES = (r"(?!electra/)",)
# With batches of many lengths.
_MIN_COMPILED_STEPS = 1000


class Evaluated(NamedTuple):
    """The answers for a split of a task, and what they are worth.

    Attributes:
        answers: one for each example.
        metrics: mean loss and metrics in percent; None without targets.
    """

    answers: list
    metrics: dict[str, float] | None


def new_model(
    run: preparation.Run, num_steps: int
) -> finetuning_model.FinetuningModel:
    """A compiled model with the weights that training starts from."""
    tf_keras.utils.set_random_seed(run.config.seed)  # Initial weights.
    model = finetuning_model.FinetuningModel(
        _worth_compiling(run.config, num_steps),
        tasks=run.tasks,
        encoder_config=run.source.encoder,
    )
    optimization.unfrozen(model.trainable_variables, run.config.freeze)
    model.compile(
        optimizer=precision.wrap_optimizer(
            finetuning_model.make_optimizer(
                run.config,
                num_steps=num_steps,
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
    values = checkpoints.fold_deltas(run.source.read())
    if run.config.init_from_task:
        # Another task of that name may have other labels.
        custom_head = f"{heads.SCOPE}/{custom_task.NAME}/"
        values = {
            name: value
            for name, value in values.items()
            if not name.startswith(custom_head)
        }
    restored = checkpoints.restore(
        model.trainable_variables,
        values,
        may_be_missing=tuple(f"{heads.SCOPE}/{t.name}/" for t in run.tasks),
        may_be_unused=_OTHER_VARIABLES,
    )
    checkpoints.log_restored(restored, run.config.source)
    return model


def _worth_compiling(
    run_config: finetune_config.FinetuneConfig, num_steps: int
) -> finetune_config.FinetuneConfig:
    """The same, but that short runs compile no parts of a step.

    They would be compiled for each length of a batch when it comes first.
    """
    is_short = num_steps < _MIN_COMPILED_STEPS
    if run_config.pad_to_max_length or run_config.jit_compile or not is_short:
        return run_config
    return dataclasses.replace(run_config, jit_compile=False)


def train(
    model: finetuning_model.FinetuningModel,
    run: preparation.Run,
    rows: preparation.Rows,
    model_dir: str,
):
    """Trains to the end, from the newest checkpoint if there is one.

    The model has the weights to be kept then: the last ones, or the best.
    """
    run_config = run.config
    training_rows = {
        name: splits["train"] for name, splits in rows.by_task.items()
    }
    order = features.training_order(
        [part.lengths for part in training_rows.values()],
        num_steps=rows.num_steps,
        batch_size=run_config.train_batch_size,
        seed=run_config.seed,
        rows_per_epoch=rows.rows_per_epoch,
        bucket_batches=1
        if run_config.pad_to_max_length
        else run_config.bucket_batches,
    )

    def make_dataset(step: int) -> tf.data.Dataset:
        return features.batches(
            training_rows, order[step:], pad_to=run_config.padded_length
        )

    def evaluate_main_splits() -> dict[str, float]:
        metrics = {
            label: evaluate(model, run, rows, task_name, split).metrics
            for label, task_name, split in results.main_splits(run.tasks)
        }
        return results.evaluation_metrics(run.tasks, metrics)

    needs_metric = run_config.best_on_dev or run_config.early_stopping
    main_metric = results.main_metric(run.tasks)
    training.fit(
        model,
        make_dataset=make_dataset,
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=rows.num_steps,
            log_steps=run_config.log_steps,
            save_checkpoints_steps=run_config.save_checkpoints_steps,
            keep_checkpoints=run_config.keep_checkpoints,
            best_metric=main_metric if needs_metric else "",
            early_stopping=run_config.early_stopping,
        ),
        batch_size=run_config.train_batch_size,
        evaluate=evaluate_main_splits,
    )
    plots.plot_curves(
        model_dir,
        panels=(
            ("Loss", "loss", ("loss",)),
            (run_config.task, "percent", (main_metric,)),
        ),
    )
    if run_config.best_on_dev:
        finetuned.restore(model, model_dir)


def evaluate(
    model: finetuning_model.FinetuningModel,
    run: preparation.Run,
    rows: preparation.Rows,
    task_name: str,
    split: str,
) -> Evaluated:
    """Answers a split of a task, and compares with its targets, if any."""
    (part,) = [part for part in run.data if part.task.name == task_name]
    examples, split_rows = part.examples[split], rows.by_task[task_name][split]
    kind = kinds.of(part.task)
    outputs = finetuned.predict(
        model,
        split_rows,
        task=part.task,
        batch_size=run.config.eval_batch_size,
    )
    answers = kind.answers(
        part.task,
        examples,
        split_rows,
        outputs,
        run_config=run.config,
        tokenizer=run.tokenizer,
    )
    if split not in part.task.dev_splits:
        return Evaluated(answers, None)
    loss = float(np.mean(outputs["losses"])) if outputs else 0.0
    scores = kind.score(part.task, examples, answers, run_config=run.config)
    return Evaluated(answers, {"loss": loss} | scores)


def write_predictions(path: str, records: Iterable[Mapping[str, Any]]):
    """Writes one JSON object a line; the file is there when complete."""
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path + ".tmp", "w") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
