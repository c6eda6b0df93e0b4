"""Exporting a fine-tuned model: its answers to texts, and to ids."""

from collections.abc import Sequence
import dataclasses
import os
import tempfile

from absl import logging
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import export
from electra_tf import signatures
from electra_tf import tokenization
from finetune import finetuned
from finetune import finetuning_model
from finetune import served_answers
from finetune import served_labels
from finetune import served_tags
from finetune import served_tasks

_FUNCTIONS = {
    "classification": served_labels.LabelFunctions,
    "regression": served_labels.LabelFunctions,
    "tagging": served_tags.TaggingFunctions,
    "question_answering": served_answers.AnswerFunctions,
}


def all_signatures(
    served: served_tasks.ServedTask,
) -> dict[str, signatures.Signature]:
    """All functions of a model for its task by name."""
    return _FUNCTIONS[served.task.kind](served).all_signatures()


def export_finetuned(
    model_dir: str,
    *,
    output_dir: str,
    version: int | None = None,
    task_name: str | None = None,
    fixed_length: bool = False,
    precision: config.Precision = "float32",
    warmup_batch_sizes: Sequence[int] = (),
) -> export.Exported:
    """Exports the model of a fine-tuning run.

    Args:
        model_dir: folder of the run; of several trials, the best is taken.
        output_dir: folder that gets the numbered version.
        version: the next one if None.
        task_name: one of its tasks; None for the only one.
        fixed_length: whether all rows are padded to the model's length.
        precision: what the encoder computes in, whatever it was trained in.
        warmup_batch_sizes: see `export.save`.
    """
    loaded = finetuned.load(model_dir)
    served = served_tasks.ServedTask(
        model=_in_precision(loaded.model, loaded.tasks.values(), precision),
        tokenizer=loaded.tokenizer,
        task=loaded.task(task_name),
        fixed_length=fixed_length,
    )
    _warn_of_texts(served)
    model = served.model
    if not fixed_length:
        model.encoder.prepare_for_inference()
    weights = checkpoints.by_name(
        [*model.trainable_variables, *model.encoder.non_trainable_variables]
    )
    with tempfile.TemporaryDirectory() as directory:
        served.tokenizer.save(directory)
        vocab_file = os.path.join(directory, tokenization.VOCAB_FILE)
        return export.save(
            all_signatures(served),
            resources={
                "weights": weights,
                "vocab": tf.saved_model.Asset(vocab_file),
            },
            info=_info(served),
            output_dir=output_dir,
            version=version,
            precision=precision,
            warmup_batch_sizes=warmup_batch_sizes,
        )


def _in_precision(
    model: finetuning_model.FinetuningModel, tasks, precision: config.Precision
) -> finetuning_model.FinetuningModel:
    """The model with layers that compute in a precision."""
    if model.config.precision == precision:
        return model
    converted = finetuning_model.FinetuningModel(
        dataclasses.replace(model.config, precision=precision),
        tasks=list(tasks),
        encoder_config=model.encoder.config,
    )
    named = checkpoints.by_name(model.trainable_variables)
    checkpoints.restore(
        converted.trainable_variables,
        {name: variable.numpy() for name, variable in named.items()},
    )
    return converted


def _warn_of_texts(served: served_tasks.ServedTask):
    is_original = served.model.config.answer_text == "original"
    if served.task.kind == "question_answering" and is_original:
        logging.warning(
            "The run has answer_text='original'; a served model finds the "
            "texts of answers by 'offsets'."
        )


def _info(served: served_tasks.ServedTask) -> dict:
    """What is kept beside the graph, as JSON types."""
    task, model = served.task, served.model
    info = {
        "kind": task.kind,
        "task": task.name,
        "labels": list(task.labels),
        "config": config.to_dict(model.config),
        "encoder": config.to_dict(model.encoder.config),
        "max_seq_length": served.max_seq_length,
        "fixed_length": served.fixed_length,
        "tokenizer": served.tokenizer.settings(),
        "vocab_sha256": served.tokenizer.vocab_sha256,
    }
    if task.kind == "question_answering":
        info |= {
            "has_impossible": task.has_impossible,
            "null_threshold": model.config.null_threshold,
        }
    return info
