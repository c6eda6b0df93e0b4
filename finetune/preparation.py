"""Reads, checks and tokenizes all that a fine-tuning run needs."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import os
from typing import NamedTuple

from absl import logging
import numpy as np

from electra_tf import sources
from electra_tf import tokenization
from finetune import feature_cache
from finetune import features
from finetune import finetune_config
from finetune import finetuned
from finetune import kinds
from finetune import tagging_features
from finetune import task as task_lib
from finetune import task_data
from finetune import window_features

_FEATURE_CLASSES = (
    features.Features,
    tagging_features.TaggingFeatures,
    window_features.WindowFeatures,
)


class Run(NamedTuple):
    """What all trials share.

    Attributes:
        config: with no None in it.
        data: of each task, what is learned and from what.
        source: weights to start from, and the shape of their encoder.
        tokenizer: of the source.
    """

    config: finetune_config.FinetuneConfig
    data: Sequence[task_data.TaskData]
    source: sources.Source
    tokenizer: tokenization.Tokenizer

    @property
    def tasks(self) -> list[task_lib.Task]:
        """What is learned."""
        return [data.task for data in self.data]


class Rows(NamedTuple):
    """The features of all tasks.

    Attributes:
        by_task: of each task those of each split, by their names.
        rows_per_epoch: of each task, in its order, how many an epoch has.
        num_steps: optimizer steps of a trial.
    """

    by_task: Mapping[str, Mapping[str, features.Features]]
    rows_per_epoch: Sequence[int]
    num_steps: int


def prepare(
    run_config: finetune_config.FinetuneConfig,
    *,
    read: task_data.Reader,
) -> Run:
    """Reads and checks all that a run needs, and writes nothing.

    Args:
        run_config: what to compute.
        read: reads a task's examples.

    Raises:
        ValueError: an unknown task, a model that cannot be used, or data
            files that are missing or cannot be read.
    """
    data = [read(name, run_config=run_config) for name in run_config.task_names]
    source = _load_source(run_config)
    tasks = [part.task for part in data]
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise ValueError(f"The same task twice: {', '.join(names)}.")
    resolved = finetune_config.resolve(
        dataclasses.replace(run_config, task=",".join(names)),
        tasks=tasks,
        encoder_config=source.encoder,
    )
    return Run(
        config=resolved,
        data=data,
        source=_extended(source, resolved),
        tokenizer=source.tokenizer(),
    )


def make_rows(run: Run) -> Rows:
    """Tokenizes all examples, or finds them in the cache of features."""
    by_task = {
        part.task.name: {
            split: _make_features(run, part, split) for split in part.examples
        }
        for part in run.data
    }
    sizes = [splits["train"].num_rows for splits in by_task.values()]
    for part, splits in zip(run.data, by_task.values(), strict=True):
        if splits["train"].num_rows == 0:
            raise ValueError(
                f"The training data of task {part.task.name!r} holds nothing "
                "that the model could read."
            )
    return Rows(
        by_task=by_task,
        rows_per_epoch=_shares(sizes, run.config.task_sampling_exponent),
        num_steps=finetune_config.num_train_steps(run.config, sum(sizes)),
    )


def _make_features(
    run: Run, part: task_data.TaskData, split: str
) -> features.Features:
    arguments = dict(
        task=part.task,
        tokenizer=run.tokenizer,
        run_config=run.config,
        is_training=split == "train",
    )
    examples = part.examples[split]

    def make():
        logging.info(
            "Tokenizing %d examples: %s, %s",
            len(examples),
            part.task.name,
            split,
        )
        return kinds.of(part.task).make_features(examples, **arguments)

    if not run.config.feature_cache_dir:
        return make()
    key = feature_cache.key(examples, **arguments)
    return feature_cache.load_or_make(
        os.path.join(
            run.config.feature_cache_dir,
            f"{part.task.name}-{split}-{key[:32]}.npz",
        ),
        make,
        _FEATURE_CLASSES,
    )


def _shares(sizes: Sequence[int], exponent: float) -> list[int]:
    """How many rows of each task are in an epoch; at least one."""
    weights = np.asarray(sizes, np.float64) ** exponent
    wanted = sum(sizes) * weights / weights.sum()
    return [max(1, round(count)) for count in wanted]


def _load_source(
    run_config: finetune_config.FinetuneConfig,
) -> sources.Source:
    path = run_config.init_checkpoint
    if run_config.init_from_task:
        path = finetuned.best_folder(run_config.init_from_task)
    if not path:
        raise ValueError("Name a model to start from by --init_checkpoint.")
    return sources.load(
        path,
        sources.Untold(
            vocab_file=run_config.vocab_file,
            lower_case=run_config.lower_case,
            strip_accents=run_config.strip_accents,
            num_attention_heads=run_config.num_attention_heads,
        ),
    )


def _extended(
    source: sources.Source, run_config: finetune_config.FinetuneConfig
) -> sources.Source:
    num_positions = source.encoder.max_position_embeddings
    if run_config.max_seq_length > num_positions:
        return sources.extended(source, run_config.max_seq_length)
    return source
