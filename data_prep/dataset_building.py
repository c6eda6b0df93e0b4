"""Building a data folder from text: plan, make examples, write, publish.

The examples are those of the original's `build_pretraining_dataset.py`,
except that no token of a long line is lost. They, their files and their order
are functions of the text, the vocabulary and the configuration: not of the
number of processes, nor of interruptions.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import functools
import os
import re
import sys
import time
from typing import Any

from absl import logging
import numpy as np
import tensorflow as tf

from data_prep import build_config
from data_prep import build_plan
from data_prep import build_tasks
from data_prep import corpora
from data_prep import examples
from data_prep import progress
from data_prep import workers
from electra_tf import dataset_info
from electra_tf import records
from electra_tf import tokenization

# What a data set consists of; nothing else in a user's folder is deleted.
_DATA_FILE = re.compile(
    rf"{re.escape(records.SHARD_PREFIX)}\d{{5}}-of-\d{{5}}"
    rf"|{re.escape(dataset_info.INFO_FILE)}"
)


def build(
    corpus: Sequence[str],
    *,
    vocab_file: str,
    output_dir: str,
    config: build_config.BuildConfig,
    weights: Sequence[float] | None = None,
    overwrite: bool = False,
    num_processes: int = 1,
    beam_options: Sequence[str] | None = None,
) -> str:
    """Writes a data folder, and perhaps one of held-out documents in it.

    Args:
        corpus: Sources of text, see `corpora.plan`.
        vocab_file: The vocabulary.
        output_dir: A folder that is new or empty.
        config: What decides the records.
        weights: How often each source is used; once if not given.
        overwrite: Whether a data set in `output_dir` is replaced.
        num_processes: How many processes work.
        beam_options: If given, Apache Beam does the work, with these options
            of its pipeline.

    Returns:
        A summary of what was read and written.

    Raises:
        ValueError: if the corpus cannot be read or is empty, the vocabulary
            is not one, or the output cannot be written to.
    """
    start = time.monotonic()
    output_dir = output_dir.rstrip("/")
    weights = _check_weights(weights, corpus)
    tokenizer = tokenization.Tokenizer.from_vocab_file(
        vocab_file,
        lower_case=config.lower_case,
        strip_accents=config.strip_accents,
    )
    plan = build_plan.make(
        config,
        corpus=corpus,
        weights=weights,
        vocab_sha256=tokenizer.vocab_sha256,
        runner="local" if beam_options is None else "beam",
    )
    _check_output(output_dir, overwrite)
    work = build_plan.WorkFolder(f"{output_dir}.partial")
    if work.start(plan, tokenizer):
        logging.info("Going on with the unfinished work in %s.", work.path)
    build_tasks.load.cache_clear()  # Perhaps of another plan.
    try:
        _work(work, plan, num_processes, beam_options)
    except (ValueError, OSError):
        logging.info("What was done until now is kept in %s.", work.path)
        raise
    try:
        summary = _describe(work, plan, corpus=corpus, tokenizer=tokenizer)
    except ValueError:  # The same text would give the same again.
        tf.io.gfile.rmtree(work.path)
        raise
    _publish(work, output_dir)
    seconds = time.monotonic() - start
    return f"{summary}\n{output_dir}: made in {seconds:.1f} s"


def _work(
    work: build_plan.WorkFolder,
    plan: build_plan.Plan,
    num_processes: int,
    beam_options: Sequence[str] | None,
) -> None:
    """Does what is missing of both kinds of work, one after the other."""
    if beam_options is not None:
        from data_prep import beam_pipeline  # Beam is optional.

        beam_pipeline.run(work, plan, beam_options)
        return
    numbers = work.missing_units(plan)
    num_bytes = sum(plan.units[number].size for number in numbers)
    advance = progress.Progress("read", total=num_bytes / 1e6, unit="MB")
    workers.run(
        functools.partial(build_tasks.process_unit, work.path),
        numbers,
        num_processes=num_processes,
        start_process=build_tasks.use_one_thread,
        on_progress=lambda num_bytes: advance(num_bytes / 1e6),
    )
    numbers = work.missing_files(plan)
    workers.run(
        functools.partial(build_tasks.write_file, work.path),
        numbers,
        num_processes=num_processes,
        start_process=build_tasks.use_one_thread,
        on_progress=progress.Progress(
            "write", total=len(numbers), unit="files"
        ),
    )


def _describe(
    work: build_plan.WorkFolder,
    plan: build_plan.Plan,
    *,
    corpus: Sequence[str],
    tokenizer: tokenization.Tokenizer,
) -> str:
    """Writes the descriptions of the data sets; returns a summary.

    Raises:
        ValueError: if there is nothing in one of them.
    """
    stats = corpora.CorpusStats()
    counts = [examples.Counts(), examples.Counts()]
    for number in range(len(plan.units)):
        report = build_plan.read_json(work.unit_report(number))
        stats += corpora.CorpusStats(**report["corpus"])
        counts = [
            total + examples.Counts(**fields)
            for total, fields in zip(counts, report["counts"])
        ]
    stats.check_text(corpus)
    common = dict(
        max_seq_length=plan.config.max_seq_length,
        vocab_size=tokenizer.vocab_size,
        vocab_sha256=tokenizer.vocab_sha256,
        tokenizer=tokenizer.settings(),
        source=list(corpus),
        seed=plan.config.seed,
        command=sys.argv,
        versions={"tensorflow": tf.__version__},
    )
    lines = [_corpus_summary(stats)]
    for part, part_counts in zip(plan.parts, counts):
        if not part_counts.examples:
            raise ValueError(
                f"The corpus gives no example for the {part.name} data, with "
                f"eval_fraction {plan.config.eval_fraction}. Give more text."
            )
        contents = _contents(work, part, plan.config.max_seq_length)
        contents["counts"] |= dataclasses.asdict(part_counts)
        contents["counts"] |= {
            f"corpus_{name}": count
            for name, count in dataclasses.asdict(stats).items()
        }
        dataset_info.write(
            dataset_info.DatasetInfo(**common, **contents),
            os.path.join(work.data, part.folder),
        )
        repeated = contents["counts"]["repeated_examples"]
        lines.append(
            f"{part.name}: {part_counts}"
            + f", {repeated:,} of them repeated" * bool(repeated)
        )
    return "\n".join(lines)


def _contents(
    work: build_plan.WorkFolder, part: build_plan.Part, max_seq_length: int
) -> dict[str, Any]:
    """What is in the files of a data set, for its description."""
    reports = [
        build_plan.read_json(work.file_report(number)) for number in part.files
    ]
    sizes = [report["examples"] for report in reports]
    lengths = np.zeros(max_seq_length + 1, np.int64)
    for report in reports:
        counts = np.array(report["lengths"], np.int64)
        lengths[: len(counts)] += counts
    return {
        "shards": dict(zip(records.shard_names(len(sizes)), sizes)),
        "length_counts": dataset_info.count_lengths(lengths, max_seq_length),
        "counts": {
            "repeated_examples": sum(report["repeated"] for report in reports)
        },
    }


def _corpus_summary(stats: corpora.CorpusStats) -> str:
    parts = [f"corpus: {stats.bytes / 1e6:.1f} MB, {stats.files:,} file(s)"]
    parts += [
        f"{count:,} {what}"
        for count, what in (
            (stats.empty_lines, "blank lines"),
            (stats.empty_documents, "documents without text skipped"),
            (stats.malformed_lines, "malformed lines left out"),
            (stats.invalid_lines, "lines repaired that are not UTF-8"),
            (stats.long_lines, "lines longer than 1 MiB cut"),
        )
        if count
    ]
    return ", ".join(parts)


def _check_output(output_dir: str, overwrite: bool) -> None:
    if not tf.io.gfile.isdir(output_dir):
        if tf.io.gfile.exists(output_dir):
            raise ValueError(f"{output_dir} is a file. Name a folder.")
    elif tf.io.gfile.listdir(output_dir) and not overwrite:
        raise ValueError(
            f"{output_dir} is not empty. Name another folder, or replace the "
            f"data set in it with --overwrite."
        )


def _publish(work: build_plan.WorkFolder, output_dir: str) -> None:
    """Moves the data to their place, and removes what is left of the work."""
    is_dir = tf.io.gfile.isdir(output_dir)
    if is_dir and tf.io.gfile.listdir(output_dir):
        _replace(work.data, output_dir)
    else:
        tf.io.gfile.rename(work.data, output_dir, overwrite=is_dir)
    tf.io.gfile.rmtree(work.path)


def _replace(data_dir: str, output_dir: str) -> None:
    """Replaces a data set in a folder that may hold other things."""
    eval_dir = os.path.join(output_dir, build_plan.EVAL_FOLDER)
    for directory in (output_dir, eval_dir):
        # The description goes first and comes last: without it, there is no
        # data set.
        _remove_data(directory)
    for folder in (build_plan.EVAL_FOLDER, ""):
        source = os.path.join(data_dir, folder)
        if not tf.io.gfile.isdir(source):
            continue
        target = os.path.join(output_dir, folder)
        tf.io.gfile.makedirs(target)
        names = [
            name
            for name in tf.io.gfile.listdir(source)
            if not tf.io.gfile.isdir(os.path.join(source, name))
        ]
        for name in _description_last(names):
            tf.io.gfile.rename(
                os.path.join(source, name),
                os.path.join(target, name),
                overwrite=True,
            )


def _remove_data(directory: str) -> None:
    if tf.io.gfile.isdir(directory):
        names = filter(_DATA_FILE.fullmatch, tf.io.gfile.listdir(directory))
        for name in reversed(_description_last(names)):
            tf.io.gfile.remove(os.path.join(directory, name))


def _description_last(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name == dataset_info.INFO_FILE)


def _check_weights(
    weights: Sequence[float] | None, corpus: Sequence[str]
) -> list[float]:
    weights = [1.0] * len(corpus) if weights is None else list(weights)
    if len(weights) != len(corpus) or min(weights, default=1.0) <= 0.0:
        raise ValueError(
            f"Give one weight above 0 for each of the {len(corpus)} sources "
            f"of the corpus, got {weights}."
        )
    return weights
