"""Models with random weights: they cost what trained ones cost."""

from collections.abc import Sequence
import dataclasses
import os

import numpy as np

from benchmarks import prose
from electra_tf import checkpoints
from electra_tf import config
from electra_tf import conversion
from electra_tf import model_folder
from electra_tf import presets
from electra_tf import pretrained_export
from electra_tf import pretraining
from electra_tf import tokenization

# Added to every variable, so that none of them is 0.
_NOISE = 0.02


def write(
    directory: str, preset: str, *, vocab_file: str | None, seed: int = 0
):
    """Writes a pre-training run's folder, as if it were trained.

    Args:
        directory: the new folder.
        preset: gives the sizes of the networks.
        vocab_file: one piece a line; None for a vocabulary that is made up,
            of the preset's size.
        seed: of the weights.
    """
    run_config = presets.get(preset)
    if vocab_file is None:
        vocab = prose.vocabulary(run_config.vocab_size)
    else:
        vocab = tokenization.read_vocab(vocab_file)
        run_config = dataclasses.replace(run_config, vocab_size=len(vocab))
    tokenizer = tokenization.Tokenizer(vocab)
    model = pretraining.ElectraPretrainer.for_tokenizer(run_config, tokenizer)
    rng = np.random.default_rng(seed)
    values = {
        name: variable.numpy()
        + rng.normal(scale=_NOISE, size=variable.shape).astype(np.float32)
        for name, variable in checkpoints.by_name(
            model.trainable_variables
        ).items()
    }
    model_folder.start(directory, kind="pretraining", run_config=run_config)
    tokenizer.save(directory)
    checkpoints.write_variables(
        model_folder.checkpoints(directory), values, step=1
    )


def export_one(
    directory: str,
    preset: str,
    *,
    vocab_file: str | None,
    seed: int = 0,
    precision: config.Precision = "float32",
    warmup_batch_sizes: Sequence[int] = (),
) -> tuple[str, str]:
    """Exports a model of `write` as the next version in a directory.

    Args:
        directory: gets folders `electra`, of all versions, and `weights_SEED`.
        preset: as for `write`.
        vocab_file: as for `write`.
        seed: as for `write`.
        precision: what the exported model computes in.
        warmup_batch_sizes: of the requests that a server warms it up with.

    Returns:
        The folder of the weights, and that of the SavedModel.
    """
    model_dir = os.path.join(directory, f"weights_{seed}")
    write(model_dir, preset, vocab_file=vocab_file, seed=seed)
    exported = pretrained_export.export_pretrained(
        model_dir,
        output_dir=os.path.join(directory, "electra"),
        precision=precision,
        warmup_batch_sizes=warmup_batch_sizes,
    )
    return model_dir, exported.path


def export_versions(
    directory: str, preset: str, *, num_versions: int, **settings
) -> str:
    """Exports versions 1, 2, ... with weights of their own.

    Args:
        directory: as for `export_one`.
        preset: as for `write`.
        num_versions: how many.
        **settings: as for `export_one`.

    Returns:
        The folder of the versions.
    """
    paths = [
        export_one(directory, preset, seed=seed, **settings)[1]
        for seed in range(num_versions)
    ]
    return os.path.dirname(paths[0])


def write_huggingface(model_dir: str, output: str) -> str:
    """Converts a model; returns the folder of the discriminator."""
    converted = conversion.convert(
        model_dir, output=output, output_format="huggingface"
    )
    return min(converted.folders)  # `discriminator` is before `generator`.
