"""The description of a data folder, `dataset_info.json`.

A data folder holds `pretrain_data.tfrecord-00000-of-00008` and so on, and the
description, which says how many records each of these files must have.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import hashlib
import json
import os
import re

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import model_folder
from electra_tf import records

INFO_FILE = "dataset_info.json"
FORMAT_VERSION = 1

_NUM_LENGTH_RANGES = 8
# The original's builder does not pad the numbers: `-7-of-1000`.
_ORIGINAL_SHARD = re.compile(
    rf"{re.escape(records.SHARD_PREFIX)}(0|[1-9]\d*)-of-[1-9].*"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What `dataset_info.json` holds.

    Attributes:
        max_seq_length: Tokens an example, padding included.
        shards: Number of examples in each file, by file name.
        vocab_size: Size of the vocabulary; None if it is not known, as for
            files of the original's builder. The same holds for those below.
        vocab_sha256: `Tokenizer.vocab_sha256` of the vocabulary.
        tokenizer: `Tokenizer.settings()`.
        source: Where the text came from.
        seed: Seed of the examples' random choices.
        command: Command line that made the files.
        versions: Versions of what made the files.
        counts: Documents, tokens and so on, by name.
        length_counts: Number of examples by length, special tokens included
            and padding not, in ranges such as "17-32".
        format_version: Version of this format.
    """

    max_seq_length: int
    shards: Mapping[str, int]
    vocab_size: int | None = None
    vocab_sha256: str | None = None
    tokenizer: Mapping[str, bool] | None = None
    source: Sequence[str] | None = None
    seed: int | None = None
    command: Sequence[str] | None = None
    versions: Mapping[str, str] | None = None
    counts: Mapping[str, float] | None = None
    length_counts: Mapping[str, int] | None = None
    format_version: int = FORMAT_VERSION

    def __post_init__(self):
        if self.format_version != FORMAT_VERSION:
            raise ValueError(f"format_version is {self.format_version!r}")
        if not self.num_examples:
            raise ValueError("there are no examples")

    @property
    def num_examples(self) -> int:
        return sum(self.shards.values())

    @property
    def nonempty_shards(self) -> list[str]:
        return [name for name, size in self.shards.items() if size]

    @property
    def fingerprint(self) -> str:
        """Tells this data set from others, wherever it lies."""
        identity = [list(self.shards.items()), self.seed, self.vocab_sha256]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def write(info: DatasetInfo, data_dir: str) -> None:
    """Writes `dataset_info.json`, whole or not at all."""
    path = os.path.join(data_dir, INFO_FILE)
    model_folder.write_json(path, dataclasses.asdict(info))


def load(data_dir: str, *, skip_corrupt: bool = False) -> DatasetInfo:
    """Reads the description of a data folder, and checks that it is complete.

    The files of the original's builder come without one. They are counted,
    and the result is kept in the folder if that can be written to.

    Args:
        data_dir: the folder.
        skip_corrupt: whether a damaged file is counted up to the damage; else
            it is an error.

    Raises:
        ValueError: if there is no whole data set with a valid description.
    """
    path = os.path.join(data_dir, INFO_FILE)
    if not tf.io.gfile.exists(path):
        return _count_original(data_dir, skip_corrupt)
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        info = DatasetInfo(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} does not describe a data set of format version "
            f"{FORMAT_VERSION} ({error}). Build the data set again."
        ) from error
    missing = sorted(set(info.shards) - set(tf.io.gfile.listdir(data_dir)))
    if missing:
        raise ValueError(
            f"{data_dir} lacks {len(missing)} of the {len(info.shards)} files "
            f"that {INFO_FILE} lists, the first is {missing[0]}. Copy or "
            f"build the data set again."
        )
    return info


def check(
    info: DatasetInfo,
    *,
    data_dir: str,
    max_seq_length: int,
    vocab_size: int | None = None,
    vocab_sha256: str | None = None,
) -> None:
    """Raises one ValueError that lists all that does not fit a run.

    What is None, because the run does not care or the data set does not know
    it, is not compared.
    """
    values = (
        ("max_seq_length", info.max_seq_length, max_seq_length),
        ("vocab_size", info.vocab_size, vocab_size),
        ("vocab_sha256", info.vocab_sha256, vocab_sha256),
    )
    differences = [
        f"{name} is {ours} in the data, {theirs} in the run"
        for name, ours, theirs in values
        if None not in (ours, theirs) and ours != theirs
    ]
    if differences:
        raise ValueError(
            f"The data in {data_dir} cannot be used: {'; '.join(differences)}. "
            f"Change the run's settings, or build the data with these."
        )


def check_agreement(
    infos: Sequence[DatasetInfo], data_dirs: Sequence[str]
) -> None:
    """Raises ValueError unless one run can use all of these data sets.

    What a data set does not know is not compared.
    """
    for name in ("max_seq_length", "vocab_sha256"):
        known = [
            (getattr(info, name), data_dir)
            for info, data_dir in zip(infos, data_dirs, strict=True)
            if getattr(info, name) is not None
        ]
        for value, data_dir in known[1:]:
            first_value, first_dir = known[0]
            if value != first_value:
                raise ValueError(
                    f"The data in {first_dir} and {data_dir} cannot be mixed: "
                    f"{name} is {first_value} and {value}. Build both with "
                    "the same."
                )


def count_lengths(
    num_examples: np.ndarray, max_seq_length: int
) -> dict[str, int]:
    """The `length_counts` of a data set.

    Args:
        num_examples: int `[at most max_seq_length + 1]`; number of examples
            of each length from 0 on, as `np.bincount` of the lengths gives
            it.
        max_seq_length: the data set's.

    Returns:
        Number of examples by range. There are eight ranges of equal width,
        but that the last one ends at `max_seq_length`; below 8 tokens, and
        for some lengths that are not divisible by 8, there are fewer.
    """
    longest = int(np.max(np.nonzero(num_examples), initial=0))
    if num_examples[:1].any() or longest > max_seq_length:
        raise ValueError(
            f"Examples must have 1 to {max_seq_length} tokens, got "
            f"{int(num_examples[:1].sum())} without tokens and up to "
            f"{longest} tokens."
        )
    width = -(-max_seq_length // _NUM_LENGTH_RANGES)
    counts = {}
    for start in range(1, max_seq_length + 1, width):
        end = min(start + width - 1, max_seq_length)
        counts[f"{start}-{end}"] = int(num_examples[start : end + 1].sum())
    return counts


def _count_original(data_dir: str, skip_corrupt: bool) -> DatasetInfo:
    """Describes a folder that the original's builder wrote."""
    names = filter(_ORIGINAL_SHARD.fullmatch, tf.io.gfile.listdir(data_dir))
    names = sorted(names, key=lambda name: int(re.findall(r"\d+", name)[0]))
    if not names:
        raise ValueError(
            f"{data_dir} holds no data set: neither {INFO_FILE} nor files "
            f"named as {records.SHARD_PREFIX}0-of-1000."
        )
    shards, lengths = {}, set()
    for name in names:
        examples = _countable(os.path.join(data_dir, name), skip_corrupt)
        shards[name] = len(examples)
        if len(examples):
            lengths.add(records.example_length(examples[0]))
        logging.log_every_n_seconds(
            logging.INFO, "count | %s | %d files", 10, name, len(names)
        )
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"The files of {data_dir} must hold examples with input_ids of "
            f"one length, got lengths {sorted(lengths)}."
        )
    info = DatasetInfo(max_seq_length=lengths.pop(), shards=shards)
    try:
        write(info, data_dir)
    except tf.errors.OpError as error:  # A read-only folder.
        logging.warning("The counts cannot be kept: %s", error)
    return info


def _countable(path: str, skip_corrupt: bool) -> np.ndarray:
    try:
        return records.read_file(path)
    except records.DamagedFileError as error:
        if not skip_corrupt:
            raise
        logging.warning(
            "%s: record %d, counted from 0, is corrupt or cut off. The "
            "records before it are counted, the rest of the file is skipped.",
            path,
            len(error.readable),
        )
        return error.readable
