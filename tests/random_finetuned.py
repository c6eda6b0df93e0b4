"""Tiny models of tasks, with weights that make all answers differ."""

from collections.abc import Sequence

import numpy as np
import tf_keras

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import model_folder
from finetune import finetune_config
from finetune import finetuned
from finetune import finetuning_model
from finetune import prediction
from finetune import served_tasks
from finetune import task as task_lib
from tests import shared_tokenizers
from tests import testing


def create(
    task: task_lib.Task, *, fixed_length: bool = False, **fields
) -> served_tasks.ServedTask:
    """A model for one task.

    Args:
        task: of the model.
        fixed_length: of its rows.
        **fields: of the configuration.
    """
    tf_keras.utils.set_random_seed(0)
    model = finetuning_model.FinetuningModel(
        finetune_config.FinetuneConfig(
            task=task.name, **{"max_seq_length": 24} | fields
        ),
        tasks=[task],
        encoder_config=testing.tiny_config(num_hidden_layers=1).encoder,
    )
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign_add(rng.normal(0, 0.3, variable.shape))
    return served_tasks.ServedTask(
        model=model,
        tokenizer=shared_tokenizers.tiny(),
        task=task,
        fixed_length=fixed_length,
    )


def predict(served: served_tasks.ServedTask, examples: Sequence) -> list:
    """What `finetune.predict` answers."""
    loaded = finetuned.Finetuned(
        served.model, served.tokenizer, {served.task.name: served.task}
    )
    return prediction.Predictor(loaded).answers(list(examples))


def write(model_dir: str, served: served_tasks.ServedTask):
    """A model folder as a fine-tuning run leaves it."""
    model = served.model
    model_folder.start(
        model_dir,
        kind=finetuned.KIND,
        run_config=model.config,
        extra={
            "tasks": [served.task.to_dict()],
            "encoder": config.to_dict(model.encoder.config),
        },
    )
    served.tokenizer.save(model_dir)
    named = checkpoints.by_name(model.trainable_variables)
    checkpoints.write_variables(
        model_folder.checkpoints(model_dir),
        {name: variable.numpy() for name, variable in named.items()},
        step=0,
    )
