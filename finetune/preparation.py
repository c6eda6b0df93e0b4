"""Reads and checks all that a fine-tuning run needs, and writes nothing."""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

from electra_tf import sources
from electra_tf import tokenization
from finetune import features
from finetune import finetune_config
from finetune import glue
from finetune import registry
from finetune import task as task_lib

# Of a model folder that fine-tuning wrote.
KIND = "finetuning"


class Run(NamedTuple):
    """What all trials share.

    Attributes:
        config: with no None in it.
        task: what is learned.
        source: weights to start from, and the shape of their encoder.
        tokenizer: of the source.
        examples: those of each split, in the order of its file.
    """

    config: finetune_config.FinetuneConfig
    task: task_lib.Task
    source: sources.Source
    tokenizer: tokenization.Tokenizer
    examples: dict[str, Sequence[task_lib.Example]]

    @property
    def num_steps(self) -> int:
        """Optimizer steps of a trial."""
        return finetune_config.num_train_steps(
            self.config, len(self.examples["train"])
        )


def prepare(
    run_config: finetune_config.FinetuneConfig, *, data_dir: str
) -> Run:
    """Reads and checks all that a run needs, and writes nothing.

    Raises:
        ValueError: an unknown task, a model that cannot be used, or data
            files that are missing or cannot be read.
    """
    task = registry.get(run_config.task)
    source = _load_source(run_config)
    splits = ["train", *task.dev_splits]
    if run_config.predict_test:
        splits += task.test_splits
    return Run(
        config=finetune_config.resolve(
            dataclasses.replace(run_config, task=task.name),
            task=task,
            encoder_config=source.encoder,
        ),
        task=task,
        source=source,
        tokenizer=source.tokenizer(),
        examples={
            split: glue.read_examples(
                task,
                split=split,
                data_dir=data_dir,
                skip_malformed=run_config.skip_malformed_lines,
            )
            for split in splits
        },
    )


def make_features(run: Run) -> dict[str, features.Features]:
    """The features of all splits."""
    return {
        split: features.make_features(
            examples,
            task=run.task,
            tokenizer=run.tokenizer,
            max_seq_length=run.config.max_seq_length,
        )
        for split, examples in run.examples.items()
    }


def _load_source(
    run_config: finetune_config.FinetuneConfig,
) -> sources.Source:
    source = sources.load(
        run_config.init_checkpoint,
        sources.Untold(
            vocab_file=run_config.vocab_file,
            lower_case=run_config.lower_case,
            strip_accents=run_config.strip_accents,
            num_attention_heads=run_config.num_attention_heads,
        ),
    )
    num_positions = source.encoder.max_position_embeddings
    if (
        run_config.extend_positions
        and run_config.max_seq_length > num_positions
    ):
        return sources.extended(source, run_config.max_seq_length)
    return source
