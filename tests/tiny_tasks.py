"""Tasks that a tiny model can learn, and the model, as files."""

import os

import numpy as np

from electra_tf import checkpointing
from electra_tf import config as electra_config
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import pretraining
from electra_tf import tokenization
from finetune import finetune_config
from tests import testing

NUM_TRAIN, NUM_DEV, NUM_TEST = 64, 10, 6


def sentences(count: int, seed: int) -> list[tuple[str, int]]:
    """Sentences with "will" (label 1) or "no" (label 0) among other words."""
    rng = np.random.default_rng(seed)
    sentences = []
    for i in range(count):
        words = list(rng.choice(["the", "time", "was", "it"], size=1 + i % 4))
        words.insert(rng.integers(len(words) + 1), ["no", "will"][i % 2])
        sentences.append((" ".join(words), i % 2))
    return sentences


def write_task(data_dir: str):
    """Writes `sentences` in the format of CoLA."""
    os.makedirs(os.path.join(data_dir, "CoLA"))
    for split, count, row in (
        ("train", NUM_TRAIN, "x\t{1}\t\t{0}\n"),
        ("dev", NUM_DEV, "x\t{1}\t\t{0}\n"),
        ("test", NUM_TEST, "7\t{0}\n"),
    ):
        header = "index\tsentence\n" if split == "test" else ""
        rows = [row.format(*s) for s in sentences(count, seed=len(split))]
        path = os.path.join(data_dir, "CoLA", f"{split}.tsv")
        with open(path, "w") as file:
            file.write(header + "".join(rows))


def pretrain_config() -> electra_config.PretrainConfig:
    """Of `write_pretrained`: one layer is traced sooner than two."""
    return testing.tiny_config(num_hidden_layers=1)


def write_pretrained(model_dir: str):
    """A model folder with the random weights of a tiny model."""
    run_config = pretrain_config()
    model_folder.start(model_dir, kind="pretraining", run_config=run_config)
    tokenization.Tokenizer(testing.tiny_vocab()).save(model_dir)
    model = pretraining.ElectraPretrainer(run_config, testing.special_ids())
    model.compile(optimizer=optimization.create(run_config))
    checkpointer = checkpointing.Checkpointer(
        model_folder.checkpoints(model_dir), model=model, keep=1
    )
    checkpointer.save(0)


def config(source: str, **fields) -> finetune_config.FinetuneConfig:
    """One epoch of eight batches, of what `write_task` has written.

    Args:
        source: what `write_pretrained` has written.
        **fields: other values.
    """
    values = dict(
        task="cola",
        init_checkpoint=source,
        max_seq_length=16,
        train_batch_size=8,
        eval_batch_size=4,
        num_train_epochs=1.0,
        learning_rate=1e-3,
        log_steps=4,
        save_checkpoints_steps=4,
    )
    return finetune_config.FinetuneConfig(**values | fields)


def write_pairs(data_dir: str):
    """Writes `sentences` twice a line in the format of RTE."""
    os.makedirs(os.path.join(data_dir, "RTE"))
    labels = ("not_entailment", "entailment")
    for split, count in (("train", 16), ("dev", 6)):
        path = os.path.join(data_dir, "RTE", f"{split}.tsv")
        with open(path, "w") as file:
            file.write("index\tsentence1\tsentence2\tlabel\n")
            for i, (text, label) in enumerate(sentences(count, seed=9)):
                file.write(f"{i}\t{text}\t{text}\t{labels[label]}\n")
