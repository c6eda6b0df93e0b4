"""Building a data folder from text: plan, make examples, write, publish.

The examples are those of the original's `build_pretraining_dataset.py`,
except that no token of a long line is lost. They, their files and their order
are functions of the text, the vocabulary and the configuration: not of the
number of processes, nor of interruptions.
"""

from collections.abc import Sequence
import dataclasses
import functools
import math
import os
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
from data_prep import publishing
from data_prep import work_folder
from data_prep import workers
from electra_tf import dataset_info
from electra_tf import model_folder
from electra_tf import records
from electra_tf import tokenization

# Share of examples that equal the one before, of which a user is warned.
_MANY_REPEATED = 0.1
# Share of lines that are not UTF-8.
_MANY_INVALID = 0.1


class _NothingError(ValueError):
    """There is nothing in a data set."""


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
    output_dir = publishing.normalize(output_dir)
    _check_weights(weights, corpus)
    beam = None
    if beam_options is not None:
        from data_prep import beam_pipeline  # Beam is optional.

        options = beam_pipeline.parse_options(beam_options)
        beam = functools.partial(beam_pipeline.run, options=options)
    tokenizer = tokenization.Tokenizer.from_vocab_file(
        vocab_file,
        lower_case=config.lower_case,
        strip_accents=config.strip_accents,
    )
    plan = build_plan.make(
        config,
        corpus=corpus,
        weights=weights or [1.0] * len(corpus),
        vocab_sha256=tokenizer.vocab_sha256,
        runner="beam" if beam else "local",
    )
    publishing.check_corpus(output_dir, plan)
    work = work_folder.WorkFolder.beside(output_dir)
    build_tasks.forget()
    with work.locked():
        if not work.holds(plan):
            publishing.check(output_dir, overwrite=overwrite)
        if work.start(plan, tokenizer, discard=overwrite):
            logging.info("Going on with the unfinished work in %s.", work.path)
        try:
            (beam or functools.partial(_work, num_processes=num_processes))(
                work, plan
            )
        except (ValueError, OSError):
            logging.info("What was done until now is kept in %s.", work.path)
            raise
        try:
            summary = _describe(work, plan, corpus=corpus, tokenizer=tokenizer)
        except _NothingError:  # The same text would give the same again.
            work.discard()
            raise
        publishing.publish(work, output_dir)
    seconds = time.monotonic() - start
    return f"{summary}\n{output_dir}: made in {seconds:.1f} s"


def _work(
    work: work_folder.WorkFolder, plan: build_plan.Plan, *, num_processes: int
) -> None:
    """Does what is missing of both kinds of work, one after the other."""
    numbers = work.missing_tasks(plan)
    num_bytes = sum(
        plan.units[unit].size
        for number in numbers
        for unit in plan.tasks[number]
    )
    advance = progress.Progress("read", total=num_bytes / 1e6, unit="MB")
    workers.run(
        functools.partial(build_tasks.read_text, work.path),
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
    work: work_folder.WorkFolder,
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
    for number in range(len(plan.tasks)):
        report = model_folder.read_json(work.task_report(number))
        stats += corpora.CorpusStats(**report["corpus"])
        counts = [
            total + examples.Counts(**fields)
            for total, fields in zip(counts, report["counts"])
        ]
    try:
        stats.check_text(corpus)
    except ValueError as error:
        raise _NothingError(str(error)) from error
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
            raise _NothingError(
                f"The corpus gives no example for the {part.name} data, with "
                f"eval_fraction {plan.config.eval_fraction}. Give more text."
            )
        contents = _contents(work, part, plan.config.max_seq_length)
        contents["counts"] |= dataclasses.asdict(part_counts)
        contents["counts"] |= {
            f"corpus_{name}": count
            for name, count in dataclasses.asdict(stats).items()
        }
        directory = os.path.join(work.data, part.folder)
        tokenizer.save(directory)
        dataset_info.write(
            dataset_info.DatasetInfo(**common, **contents), directory
        )
        repeated = contents["counts"]["repeated_examples"]
        if repeated > _MANY_REPEATED * part_counts.examples:
            logging.warning(
                "%.0f%% of the examples of the %s data are repeated, because "
                "their documents are. Copies lie side by side in one file.",
                100 * repeated / part_counts.examples,
                part.name,
            )
        lines.append(
            f"{part.name}: {part_counts}"
            + f", {repeated:,} of them repeated" * bool(repeated)
        )
    return "\n".join(lines)


def _contents(
    work: work_folder.WorkFolder, part: build_plan.Part, max_seq_length: int
) -> dict[str, Any]:
    """What is in the files of a data set, for its description."""
    reports = [
        model_folder.read_json(work.file_report(number))
        for number in part.files
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
    if stats.invalid_lines > _MANY_INVALID * stats.lines:
        logging.warning(
            "%d of %d lines are not UTF-8. Is all of the corpus text?",
            stats.invalid_lines,
            stats.lines,
        )
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


def _check_weights(
    weights: Sequence[float] | None, corpus: Sequence[str]
) -> None:
    if weights is None:
        return
    if len(weights) != len(corpus) or not all(
        math.isfinite(weight) and weight > 0 for weight in weights
    ):
        raise ValueError(
            f"Give one weight above 0 for each of the {len(corpus)} sources "
            f"of the corpus, got {weights}."
        )
