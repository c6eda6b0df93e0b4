"""Building a data folder from text: read, tokenize, pack, write, publish.

The examples are those of the original's `build_pretraining_dataset.py`,
except that no token of a long line is lost. Those of a document depend on the
seed and the document's number only.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
import os
import re
import sys
import time

from absl import logging
import tensorflow as tf

from data_prep import corpora
from data_prep import segments
from electra_tf import config_checks
from electra_tf import records
from electra_tf import tokenization

_SHARD_BYTES = 4_000_000
_MAX_SHARDS = 512  # All are open at once; systems allow 1,024 files or more.

# What a data set consists of, and nothing else is ever deleted.
_DATA_FILE = re.compile(
    rf"{re.escape(records.SHARD_PREFIX)}\d{{5}}-of-\d{{5}}"
    rf"|{re.escape(records.INFO_FILE)}"
)
_STAGED_FILE = re.compile(
    rf"({_DATA_FILE.pattern}|{re.escape(tokenization.VOCAB_FILE)}"
    rf"|{re.escape(tokenization.SETTINGS_FILE)})(\.tmp)?"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """What decides the examples of a text, and where they go.

    Attributes:
        max_seq_length: Tokens an example, with [CLS] and [SEP].
        lower_case: Whether the text is lower-cased; the vocabulary has to
            match.
        strip_accents: Whether accents are removed, if it is lower-cased.
        blanks_separate_docs: Whether a blank line ends a document; otherwise
            a file is one document.
        split_long_lines: Whether what does not fit into an example starts the
            next one; otherwise it is dropped, as the original does.
        one_segment_prob: Share of the examples with one segment only.
        short_seq_prob: Share of the examples with a random shorter length.
        eval_fraction: Share of the documents, chosen by their text, that go
            to the folder `eval` in the output, a data folder of its own.
        num_shards: Number of record files; if not given, one for each 4 MB of
            text, up to 512.
        seed: Decides all random choices.
    """

    max_seq_length: int = 128
    lower_case: bool = True
    strip_accents: bool = True
    blanks_separate_docs: bool = True
    split_long_lines: bool = True
    one_segment_prob: float = 0.1
    short_seq_prob: float = 0.05
    eval_fraction: float = 0.0
    num_shards: int | None = None
    seed: int = 0

    def __post_init__(self):
        config_checks.check_types(self)
        config_checks.check_range(
            self, at_least_0="seed", share="eval_fraction"
        )
        if self.num_shards is not None:
            config_checks.check_range(self, at_least_1="num_shards")
        _ = self.segment_options  # Its own checks.

    @property
    def segment_options(self) -> segments.SegmentOptions:
        """How lines become examples."""
        return segments.SegmentOptions(
            max_seq_length=self.max_seq_length,
            split_long_lines=self.split_long_lines,
            one_segment_prob=self.one_segment_prob,
            short_seq_prob=self.short_seq_prob,
        )


@dataclasses.dataclass
class Counts:
    """What a data folder was made of, without and with special tokens."""

    documents: int = 0
    lines: int = 0
    lines_without_tokens: int = 0
    tokens: int = 0
    unknown_tokens: int = 0
    dropped_tokens: int = 0
    examples: int = 0
    example_tokens: int = 0

    def __str__(self) -> str:
        return (
            f"{self.documents:,} documents, {self.lines:,} lines "
            f"({self.lines_without_tokens:,} skipped: no tokens in them), "
            f"{self.tokens:,} tokens "
            f"({self.unknown_tokens / max(1, self.tokens):.3%} [UNK], "
            f"{self.dropped_tokens:,} dropped from long lines), "
            f"{self.examples:,} examples of "
            f"{self.example_tokens / max(1, self.examples):.1f} tokens"
        )


@dataclasses.dataclass(kw_only=True)
class _FolderWriter:
    """Writes a data folder beside its place, and moves it there in the end."""

    directory: str
    staging: str
    tokenizer: tokenization.Tokenizer
    config: BuildConfig

    def __post_init__(self):
        self.counts = Counts()
        self._shards = records.shard_names(self.config.num_shards)
        self._sizes = [0] * len(self._shards)
        try:
            # Of a run that was killed.
            _remove_files(self.staging, _STAGED_FILE)
            self.tokenizer.save(self.staging)
            self._files = [
                tf.io.TFRecordWriter(os.path.join(self.staging, name))
                for name in self._shards
            ]
        except tf.errors.OpError as error:
            raise ValueError(
                f"Cannot write to {self.directory}: {error.message}"
            ) from error

    def add(self, sentences: list[list[int]], index: int) -> None:
        """Writes the examples of a document."""
        counts = self.counts
        num_tokens = sum(map(len, sentences))
        unknown = self.tokenizer.unk_id
        counts.documents += 1
        counts.lines += len(sentences)
        counts.lines_without_tokens += sentences.count([])
        counts.tokens += num_tokens
        counts.unknown_tokens += sum(ids.count(unknown) for ids in sentences)
        counts.dropped_tokens += num_tokens
        examples = segments.document_features(
            sentences,
            self.config.segment_options,
            index=index,
            seed=self.config.seed,
            cls_id=self.tokenizer.cls_id,
            sep_id=self.tokenizer.sep_id,
        )
        for number, features in enumerate(examples):
            shard = (index + number) % len(self._files)
            self._files[shard].write(records.serialize_example(features))
            self._sizes[shard] += 1
            length = sum(features["input_mask"])
            num_special = 2 + max(features["segment_ids"])
            counts.examples += 1
            counts.example_tokens += length
            counts.dropped_tokens -= length - num_special

    def publish(self, corpus: Sequence[str]) -> None:
        """Describes the data set and moves it to its place."""
        for file in self._files:
            file.close()
        info = records.DatasetInfo(
            max_seq_length=self.config.max_seq_length,
            shards=dict(zip(self._shards, self._sizes)),
            vocab_size=self.tokenizer.vocab_size,
            vocab_sha256=self.tokenizer.vocab_sha256,
            tokenizer=self.tokenizer.settings(),
            source=list(corpus),
            seed=self.config.seed,
            command=sys.argv,
            versions={"tensorflow": tf.__version__},
            counts=dataclasses.asdict(self.counts),
        )
        records.write_info(info, self.staging)
        tf.io.gfile.makedirs(self.directory)
        _remove_files(self.directory, _DATA_FILE)
        names = tf.io.gfile.listdir(self.staging)
        # The description comes last: without it, there is no data set.
        for name in sorted(names, key=lambda name: name == records.INFO_FILE):
            tf.io.gfile.rename(
                os.path.join(self.staging, name),
                os.path.join(self.directory, name),
                overwrite=True,
            )

    def clean_up(self) -> None:
        """Removes what was not published."""
        for file in self._files:
            file.close()
        _remove_files(self.staging, _STAGED_FILE)
        if not tf.io.gfile.listdir(self.staging):
            tf.io.gfile.rmtree(self.staging)


def build(
    corpus: Sequence[str],
    *,
    vocab_file: str,
    output_dir: str,
    build_config: BuildConfig,
    overwrite: bool = False,
) -> str:
    """Writes a data folder, and perhaps one of held-out documents in it.

    Returns:
        A summary of what was read and written.

    Raises:
        ValueError: if the corpus cannot be read or is empty, the vocabulary
            is not one, or the output cannot be written to.
    """
    output_dir = output_dir.rstrip("/")
    tokenizer = tokenization.Tokenizer.from_vocab_file(
        vocab_file,
        lower_case=build_config.lower_case,
        strip_accents=build_config.strip_accents,
    )
    stats = corpora.CorpusStats()
    documents = corpora.read_documents(
        corpus,
        blanks_separate_docs=build_config.blanks_separate_docs,
        stats=stats,
    )
    _check_output(output_dir, overwrite)
    total_bytes = _corpus_bytes(corpus)
    if build_config.num_shards is None:
        num_shards = min(_MAX_SHARDS, 1 + total_bytes // _SHARD_BYTES)
        build_config = dataclasses.replace(build_config, num_shards=num_shards)
    folders = {"train": output_dir}
    eval_dir = os.path.join(output_dir, "eval")
    if build_config.eval_fraction:
        folders["eval"] = eval_dir
    progress = _Progress(stats, total_bytes)
    with contextlib.ExitStack() as stack:
        writers = {}
        for name, folder in folders.items():
            writers[name] = _FolderWriter(
                directory=folder,
                staging=f"{output_dir}.{name}.partial",
                tokenizer=tokenizer,
                config=build_config,
            )
            stack.callback(writers[name].clean_up)
        _write_examples(
            progress.watch(segments.tokenize_documents(documents, tokenizer)),
            writers,
            build_config.eval_fraction,
        )
        # Of a data set that is replaced, perhaps by one without.
        _remove_files(eval_dir, _DATA_FILE)
        for writer in reversed(writers.values()):  # The whole comes last.
            writer.publish(corpus)
    counts = [f"{name}: {writer.counts}" for name, writer in writers.items()]
    return "\n".join([progress.summary(), *counts])


def _write_examples(
    documents: Iterable[tuple[list[str], list[list[int]]]],
    writers: Mapping[str, _FolderWriter],
    eval_fraction: float,
) -> None:
    for index, (document, sentences) in enumerate(documents):
        # By its text: equal documents are on the same side.
        is_eval = corpora.hash_position(document) < eval_fraction
        writers["eval" if is_eval else "train"].add(sentences, index)
    for name, writer in writers.items():
        if not writer.counts.examples:
            raise ValueError(
                f"The corpus gives no example for the {name} data, with "
                f"eval_fraction {eval_fraction}. Give more text."
            )


class _Progress:
    """Says how far the work is and how fast it goes."""

    def __init__(self, stats: corpora.CorpusStats, total_bytes: int):
        self._stats = stats
        self._total_megabytes = total_bytes / 1e6
        self._start = time.monotonic()

    def watch(self, items: Iterable) -> Iterator:
        for item in items:
            yield item
            logging.log_every_n_seconds(logging.INFO, "%s", 10, self)

    def __str__(self) -> str:
        done, rate = self._megabytes_and_rate()
        line = f"build | {done:.1f} MB | {rate:.2f} MB/s"
        if self._total_megabytes:
            line += f" | ETA {(self._total_megabytes - done) / rate:.0f} s"
        return line

    def summary(self) -> str:
        stats = self._stats
        done, rate = self._megabytes_and_rate()
        return (
            f"corpus: {done:.1f} MB in {stats.files} files, {rate:.2f} MB/s; "
            f"{stats.empty_lines:,} blank lines skipped, "
            f"{stats.invalid_lines:,} lines of invalid UTF-8 repaired"
        )

    def _megabytes_and_rate(self) -> tuple[float, float]:
        megabytes = self._stats.bytes / 1e6
        return megabytes, megabytes / (time.monotonic() - self._start)


def _corpus_bytes(corpus: Sequence[str]) -> int:
    """How much text there is; 0 if that is not known before it is read."""
    paths = [path for source in corpus for path in corpora.expand(source)]
    if any(path.endswith((corpora.EMBEDDED, ".gz", ".xz")) for path in paths):
        return 0
    return sum(tf.io.gfile.stat(path).length for path in paths)


def _check_output(output_dir: str, overwrite: bool) -> None:
    if not tf.io.gfile.isdir(output_dir):
        if tf.io.gfile.exists(output_dir):
            raise ValueError(f"{output_dir} is a file. Name a folder.")
    elif tf.io.gfile.listdir(output_dir) and not overwrite:
        raise ValueError(
            f"{output_dir} is not empty. Name another folder, or replace the "
            f"data set in it with --overwrite."
        )


def _remove_files(directory: str, pattern: re.Pattern) -> None:
    if tf.io.gfile.isdir(directory):
        for name in filter(pattern.fullmatch, tf.io.gfile.listdir(directory)):
            tf.io.gfile.remove(os.path.join(directory, name))
