"""Converting weights between our format, the original's and Hugging Face's.

Numbers are moved, never changed; a converted model is loaded back and
compared with its source before it gets its name.
"""

from collections.abc import Iterable
import os
from typing import NamedTuple
import uuid

from absl import logging
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import conversion_check
from electra_tf import huggingface
from electra_tf import model_folder
from electra_tf import networks
from electra_tf import original_files
from electra_tf import sources

_WHOLE = "model"
_NO_COUNTERPART = {
    "generator": "no generator there has such embeddings of its own",
    "task_specific": "heads of tasks are other networks there",
}


class Converted(NamedTuple):
    """What `convert` did.

    Attributes:
        source: what was converted.
        output_format: what to.
        folders: what was written, by the folder that it was written to.
        left_out: why variables of the source were not converted, by scope.
        check: a line that says what was compared.
    """

    source: sources.Source
    output_format: sources.Format
    folders: dict[str, networks.Weights]
    left_out: dict[str, str]
    check: str


def convert(
    path: str,
    *,
    output: str,
    output_format: sources.Format,
    untold: sources.Untold | None = None,
    max_position_embeddings: int | None = None,
) -> Converted:
    """Converts what a path holds into a new folder, and checks it.

    Args:
        path: as for `sources.load`.
        output: the new folder.
        output_format: what it is to hold: "electra_tf", a model folder that
            every program of ours takes as weights to start from; "original",
            a checkpoint that the original's code restores; "huggingface", a
            folder that transformers loads, or, for two networks, such folders
            `discriminator` and `generator`.
        untold: what the path may not tell.
        max_position_embeddings: length that position tables are extended to.

    Raises:
        ValueError: nothing that can be converted, or the output exists.
        RuntimeError: the converted model computes something else. Then there
            is no output.
    """
    output = output.rstrip("/")
    if tf.io.gfile.exists(output):
        raise ValueError(f"{output!r} exists. Name a new folder.")
    source = sources.load(path, untold)
    source.tokenizer()  # Before any work: is there one that fits?
    if max_position_embeddings is not None:
        source = sources.extended(source, max_position_embeddings)
    logging.info("Read %d variables from %s.", len(source.variables), path)
    expected = conversion_check.forward(source.weights)
    parts = _parts(source.weights, output_format)
    folders = {part: part if len(parts) > 1 else "" for part in parts}
    temporary = f"{output}.tmp-{uuid.uuid4().hex}"
    try:
        for part, weights in parts.items():
            directory = _join(temporary, folders[part])
            tf.io.gfile.makedirs(directory)
            logging.info("Writing %s.", directory)
            _WRITERS[output_format](directory, weights, source)
        reloaded = {
            part: _reload(_join(temporary, folders[part]), weights)
            for part, weights in parts.items()
        }
        check = conversion_check.compare(expected, reloaded)
        tf.io.gfile.rename(temporary, output)
    finally:
        if tf.io.gfile.exists(temporary):
            tf.io.gfile.rmtree(temporary)
    return Converted(
        source=source,
        output_format=output_format,
        folders={_join(output, folders[p]): w for p, w in parts.items()},
        left_out=_left_out(source.variables, parts),
        check=check,
    )


def summary(converted: Converted) -> str:
    """What was converted, for people."""
    source, run_config = converted.source, converted.source.run_config
    found = f"{source.format}, {source.kind}, step {source.step}"
    if run_config is not None:
        found += (
            f", objective {run_config.objective}, generator "
            f"{run_config.generator}, tying {run_config.tying}"
        )
    encoder = [f"{n} {v}" for n, v in config.to_dict(source.encoder).items()]
    settings = [f"{n} {v}" for n, v in source.tokenizer().settings().items()]
    lines = [
        f"Converted {source.path} to {converted.output_format}.",
        f"  found: {found}",
        f"  encoder: {', '.join(encoder)}",
        f"  tokenizer: {', '.join(settings)}",
    ]
    for folder, weights in converted.folders.items():
        size = sum(value.size for value in weights.values.values())
        lines.append(
            f"  written: {folder}: {len(weights.values)} variables, "
            f"{size:,} parameters, in {', '.join(_files(folder))}"
        )
    lines += [f"  not read: {n}: {why}" for n, why in source.unused.items()]
    lines += [
        f"  not written: {scope}/...: {why}"
        for scope, why in converted.left_out.items()
    ]
    return "\n".join(
        [
            *lines,
            "  not converted: the optimizer's state; training starts anew",
            f"  checked: {converted.check}",
        ]
    )


def _parts(
    weights: networks.Weights, output_format: sources.Format
) -> dict[str, networks.Weights]:
    """What of a model a format can hold."""
    if output_format == "huggingface":
        return networks.split(weights)
    if output_format == "original" and not original_files.fits(weights.values):
        parts = networks.split(weights)
        return {networks.DISCRIMINATOR: parts[networks.DISCRIMINATOR]}
    return {_WHOLE: weights}


def _write_ours(
    directory: str, weights: networks.Weights, source: sources.Source
):
    contents = {
        "pretraining": {"config": weights.run_config},
        "encoder": {"config": weights.encoder},
        "finetuning": {"encoder": weights.encoder},
    }[source.kind]
    kept = {
        n: source.contents[n]
        for n in ("config", "task")
        if n in source.contents
    }
    model_folder.write(
        directory,
        source.kind,
        kept
        | {name: config.to_dict(value) for name, value in contents.items()}
        | {"converted_from": source.path},
    )
    source.tokenizer().save(directory)
    checkpoints.write_variables(
        model_folder.checkpoints(directory), weights.values, step=source.step
    )


def _write_original(
    directory: str, weights: networks.Weights, source: sources.Source
):
    original_files.write(
        directory,
        weights.values,
        encoder_config=weights.encoder,
        step=source.step,
    )
    source.tokenizer().save(directory)


def _write_huggingface(
    directory: str, weights: networks.Weights, source: sources.Source
):
    huggingface.write(
        directory,
        weights.values,
        encoder=weights.encoder,
        tokenizer=source.tokenizer(),
    )


_WRITERS = {
    "electra_tf": _write_ours,
    "original": _write_original,
    "huggingface": _write_huggingface,
}


def _reload(directory: str, written: networks.Weights) -> networks.Weights:
    """What a folder holds; RuntimeError if that is not what was written."""
    source = sources.load(directory)
    source.tokenizer()
    read = source.weights
    same = read.encoder == written.encoder and networks.equal(
        read.values, written.values
    )
    if not same:
        raise RuntimeError(
            f"What was written to {directory!r} is not read back as the same "
            "variables or the same configuration."
        )
    return read


def _left_out(
    values: Iterable[str], parts: dict[str, networks.Weights]
) -> dict[str, str]:
    """Scopes of a model that are in none of its parts, and why."""
    kept = {
        name.partition("/")[0]
        for weights in parts.values()
        for name in weights.values
    }
    if networks.GENERATOR in parts:
        kept.add("generator")
    scopes = dict.fromkeys(name.partition("/")[0] for name in values)
    return {
        scope: _NO_COUNTERPART.get(scope, "no network there has it")
        for scope in scopes
        if scope not in kept
    }


def _files(directory: str) -> list[str]:
    """Paths of all files below a folder, relative to it."""
    return [
        os.path.relpath(os.path.join(folder, name), directory)
        for folder, _, names in tf.io.gfile.walk(directory)
        for name in names
    ]


def _join(directory: str, folder: str) -> str:
    return os.path.join(directory, folder) if folder else directory
