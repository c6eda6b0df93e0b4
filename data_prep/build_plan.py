"""What a build of records computes, and where it keeps what is unfinished.

A build works in a folder beside its output:

    plan.json            what is computed; with another plan it starts anew
    units/00012-0.run    examples of a part of the corpus, by output file
    units/00012.json     says that the part is done, and what it was made of
    files/00003.json     the same of a file of the output
    data/                what becomes the output

All files get their names when they are complete, so that a build that was
killed goes on with what is missing.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
import math
import os
from typing import Any
from typing import NamedTuple

import tensorflow as tf

from data_prep import build_config
from data_prep import corpora
from electra_tf import model_folder
from electra_tf import records
from electra_tf import tokenization

EVAL_FOLDER = "eval"
# Other numbers than those of an unfinished build: it starts anew.
_FORMAT_VERSION = 1

# Of text that is read by itself. For each file of the output those of all units
# are opened, so there are not too many.
UNIT_BYTES = 8 << 20
_MANY_UNITS = 2000
_SHARD_BYTES = 8_000_000
_MAX_SHARDS = 1000
# A file is shuffled in memory: about 1.3 GB for so much text.
_MAX_SHARD_BYTES = 512_000_000


class Part(NamedTuple):
    """One of the data sets that a build makes.

    Attributes:
        name: "train" or "eval".
        folder: Within the output.
        files: Numbers of its files among all.
    """

    name: str
    folder: str
    files: range


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What a build computes.

    Attributes:
        config: What decides the records.
        units: The parts of the corpus.
        weights: How often each source of the corpus is used.
        vocab_sha256: Of the vocabulary.
        num_shards: Number of record files to train on.
        num_eval_shards: Number of those that are held out.
        runner: What does the work: "local" or "beam".
    """

    config: build_config.BuildConfig
    units: tuple[corpora.Unit, ...]
    weights: tuple[float, ...]
    vocab_sha256: str
    num_shards: int
    num_eval_shards: int
    runner: str

    @property
    def parts(self) -> list[Part]:
        """The data sets: to train on, and perhaps held out."""
        num_files = self.num_shards + self.num_eval_shards
        parts = [
            Part("train", "", range(self.num_shards)),
            Part("eval", EVAL_FOLDER, range(self.num_shards, num_files)),
        ]
        return [part for part in parts if part.files]

    @property
    def files(self) -> list[str]:
        """The record files of all data sets, within the output."""
        return [
            os.path.join(part.folder, name)
            for part in self.parts
            for name in records.shard_names(len(part.files))
        ]

    def to_json(self) -> dict[str, Any]:
        """What `plan.json` holds."""
        plan = {"format_version": _FORMAT_VERSION} | dataclasses.asdict(self)
        return json.loads(json.dumps(plan))  # With lists for tuples.


def make(
    config: build_config.BuildConfig,
    *,
    corpus: Sequence[str],
    weights: Sequence[float],
    vocab_sha256: str,
    runner: str,
) -> Plan:
    """Plans a build.

    Raises:
        ValueError: A source of the corpus is none, or the number of files is
            too small for it.
    """
    units = corpora.plan(corpus, config, unit_bytes=UNIT_BYTES)
    if len(units) > _MANY_UNITS:
        units = corpora.plan(corpus, config, unit_bytes=8 * UNIT_BYTES)
    num_bytes = sum(unit.size * weights[unit.source] for unit in units)
    num_shards = config.num_shards
    if num_shards is None:
        num_shards = 1 + int(num_bytes) // _SHARD_BYTES
        num_shards = max(min(num_shards, _MAX_SHARDS), _min_shards(num_bytes))
    if num_shards < _min_shards(num_bytes):
        raise ValueError(
            f"num_shards must be at least {_min_shards(num_bytes)} for a "
            f"corpus of {num_bytes / 1e9:.1f} GB, got {num_shards}: the "
            f"examples of a file are shuffled in memory."
        )
    return Plan(
        config=config,
        units=tuple(units),
        weights=tuple(map(float, weights)),
        vocab_sha256=vocab_sha256,
        num_shards=num_shards,
        num_eval_shards=math.ceil(config.eval_fraction * num_shards),
        runner=runner,
    )


def _min_shards(num_bytes: float) -> int:
    return 1 + int(num_bytes) // _MAX_SHARD_BYTES


@dataclasses.dataclass(frozen=True)
class WorkFolder:
    """The names of what an unfinished build has, see above."""

    path: str

    @property
    def plan(self) -> str:
        return os.path.join(self.path, "plan.json")

    @property
    def data(self) -> str:
        return os.path.join(self.path, "data")

    def run(self, unit: int, number: int) -> str:
        return os.path.join(self.path, "units", f"{unit:05d}-{number}.run")

    def unit_report(self, unit: int) -> str:
        return os.path.join(self.path, "units", f"{unit:05d}.json")

    def file_report(self, file: int) -> str:
        return os.path.join(self.path, "files", f"{file:05d}.json")

    def missing_units(self, plan: Plan) -> list[int]:
        """The numbers of the units that are not done."""
        done = set(tf.io.gfile.listdir(os.path.join(self.path, "units")))
        return [
            number
            for number in range(len(plan.units))
            if os.path.basename(self.unit_report(number)) not in done
        ]

    def missing_files(self, plan: Plan) -> list[int]:
        """The numbers of the files of the output that are not written."""
        return [
            number
            for number, name in enumerate(plan.files)
            if not tf.io.gfile.exists(self.file_report(number))
            or not tf.io.gfile.exists(os.path.join(self.data, name))
        ]

    def start(self, plan: Plan, tokenizer: tokenization.Tokenizer) -> bool:
        """Makes the folder; returns whether a build with this plan is in it.

        Raises:
            ValueError: Something else is in it, or it cannot be written to.
        """
        if tf.io.gfile.exists(self.plan):
            if read_json(self.plan) == plan.to_json():
                return True
            tf.io.gfile.rmtree(self.path)
        elif tf.io.gfile.isdir(self.path) and tf.io.gfile.listdir(self.path):
            raise ValueError(
                f"{self.path} is needed for unfinished work, but holds "
                "something else. Move it away."
            )
        try:
            for name in ("units", "files"):
                tf.io.gfile.makedirs(os.path.join(self.path, name))
            for part in plan.parts:
                tokenizer.save(os.path.join(self.data, part.folder))
            model_folder.write_json(self.plan, plan.to_json())
        except tf.errors.OpError as error:
            raise ValueError(
                f"Cannot write to {self.path}: {error.message}"
            ) from error
        return False

    def load_plan(self) -> Plan:
        """The plan of the build in it."""
        fields = read_json(self.plan)
        del fields["format_version"]
        fields["config"] = build_config.BuildConfig(**fields["config"])
        fields["units"] = tuple(corpora.Unit(**u) for u in fields["units"])
        fields["weights"] = tuple(fields["weights"])
        return Plan(**fields)


def read_json(path: str) -> Mapping[str, Any]:
    with tf.io.gfile.GFile(path) as file:
        return json.load(file)
