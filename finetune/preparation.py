"""Reads and checks all that a fine-tuning run needs, and writes nothing."""

from collections.abc import Sequence
import dataclasses
from typing import NamedTuple

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import model_folder
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
        encoder_config: shape of the encoder.
        tokenizer: of the model that is fine-tuned.
        examples: those of each split, in the order of its file.
    """

    config: finetune_config.FinetuneConfig
    task: task_lib.Task
    encoder_config: config.EncoderConfig
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
    source = run_config.init_checkpoint
    encoder_config = read_encoder_config(source)
    tokenizer = tokenization.Tokenizer.load(source)
    if tokenizer.vocab_size != encoder_config.vocab_size:
        raise ValueError(
            f"The vocabulary in {source!r} has {tokenizer.vocab_size} entries, "
            f"the model {encoder_config.vocab_size}."
        )
    if not run_config.from_scratch:
        checkpoints.find(source)
    splits = ["train", *task.dev_splits]
    if run_config.predict_test:
        splits += task.test_splits
    return Run(
        config=finetune_config.resolve(
            dataclasses.replace(run_config, task=task.name),
            task=task,
            encoder_config=encoder_config,
        ),
        task=task,
        encoder_config=encoder_config,
        tokenizer=tokenizer,
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


def read_encoder_config(model_dir: str) -> config.EncoderConfig:
    """The shape of the encoder in a model folder of either stage."""
    contents = model_folder.read(model_dir)
    if contents["kind"] == KIND:
        return config.from_dict(config.EncoderConfig, contents["encoder"])
    pretrained = config.from_dict(config.PretrainConfig, contents["config"])
    return pretrained.encoder
