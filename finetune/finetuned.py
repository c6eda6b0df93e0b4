"""Models that were fine-tuned: found, loaded, and asked."""

import os
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import model_folder
from electra_tf import tokenization
from electra_tf import training
from finetune import features
from finetune import finetune_config
from finetune import finetuning_model
from finetune import task as task_lib

# Of a model folder that fine-tuning wrote.
KIND = "finetuning"
RESULTS_FILE = "results.json"


class Finetuned(NamedTuple):
    """A fine-tuned model and what it was trained with.

    Attributes:
        model: with its configuration as `model.config`.
        tokenizer: of the texts that it reads.
        tasks: what it has learned, by name.
    """

    model: finetuning_model.FinetuningModel
    tokenizer: tokenization.Tokenizer
    tasks: dict[str, task_lib.Task]

    def task(self, name: str | None = None) -> task_lib.Task:
        """The task of that name; None for the only one.

        Raises:
            ValueError: no such task, or it must be named.
        """
        if name is None and len(self.tasks) == 1:
            (name,) = self.tasks
        if name not in self.tasks:
            raise ValueError(
                f"Name one task of {', '.join(self.tasks)}, which the model "
                f"has learned; got {name!r}."
            )
        return self.tasks[name]


def best_folder(model_dir: str) -> str:
    """The folder of a run, or of its best trial if there were several.

    Raises:
        ValueError: no folder of fine-tuning, or not all trials were run.
    """
    contents = model_folder.read(model_dir)
    if contents["kind"] != KIND:
        raise ValueError(
            f"{model_dir!r} holds a {contents['kind']} model, not one that was "
            "fine-tuned on a task."
        )
    if contents["config"]["num_trials"] == 1:
        return model_dir
    path = os.path.join(model_dir, RESULTS_FILE)
    if not tf.io.gfile.exists(path):
        raise ValueError(
            f"No {path!r}: the trials have not all been run. Repeat the "
            "command that began them, or name the folder of one trial."
        )
    best = model_folder.read_json(path)["best_trial"]
    logging.info("Best of the trials in %s: %s.", model_dir, best)
    return os.path.join(model_dir, best)


def load(model_dir: str) -> Finetuned:
    """The fine-tuned model of a folder; of several trials, the best."""
    folder = best_folder(model_dir)
    contents = model_folder.read(folder)
    run_config = config.from_dict(
        finetune_config.FinetuneConfig, contents["config"]
    )
    tasks = [task_lib.Task.from_dict(values) for values in contents["tasks"]]
    model = finetuning_model.FinetuningModel(
        run_config,
        tasks=tasks,
        encoder_config=config.from_dict(
            config.EncoderConfig, contents["encoder"]
        ),
    )
    restore(model, folder)
    return Finetuned(
        model,
        tokenization.Tokenizer.load(folder),
        {task.name: task for task in tasks},
    )


def restore(model: finetuning_model.FinetuningModel, model_dir: str):
    """Reads the weights that a run ended with: the newest, or the best."""
    best = training.best_checkpoint(model_dir)
    use_best = model.config.best_on_dev and best is not None
    checkpoints.restore(
        model.trainable_variables,
        checkpoints.read_variables(best if use_best else model_dir),
    )


def predict(
    model: finetuning_model.FinetuningModel,
    rows: features.Features,
    *,
    task: task_lib.Task,
    batch_size: int,
) -> dict[str, np.ndarray]:
    """What `model.predict_step` returns, in the order of the rows.

    If there are no rows, there are no outputs, either.
    """
    if rows.num_rows == 0:
        return {}
    order = features.evaluation_order(rows, batch_size=batch_size)
    outputs = model.predict(
        features.batches(
            {task.name: rows}, order, pad_to=model.config.padded_length
        ),
        verbose=0,
    )
    original_order = np.argsort(order.reshape(-1)[: rows.num_rows])
    return {name: values[original_order] for name, values in outputs.items()}
