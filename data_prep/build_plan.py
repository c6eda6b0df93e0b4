"""What a build of records computes: the parts of its corpus and its files."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import functools
import json
import math
import os
from typing import Any
from typing import NamedTuple

from data_prep import build_config
from data_prep import corpora
from electra_tf import records

EVAL_FOLDER = "eval"
# A plan of another version cannot be continued.
_FORMAT_VERSION = 1

# Of text that is worked on at once. For each file of the output something of
# all tasks is read, so there are not too many.
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
        unit_bytes: Text that is worked on at once.
        weights: How often each source of the corpus is used.
        vocab_sha256: Of the vocabulary.
        num_shards: Number of record files to train on.
        num_eval_shards: Number of those that are held out.
        runner: What does the work: "local" or "beam".
    """

    config: build_config.BuildConfig
    units: tuple[corpora.Unit, ...]
    unit_bytes: int
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

    @functools.cached_property
    def tasks(self) -> list[range]:
        """Numbers of units that are worked on together: small files are."""
        tasks, size, source = [], 0, None
        for number, unit in enumerate(self.units):
            # An unknown size is 0; such a unit may be large.
            if (
                unit.source != source
                or not unit.size
                or size + unit.size > self.unit_bytes
            ):
                tasks.append(range(number, number))
                size, source = 0, unit.source
            tasks[-1] = range(tasks[-1].start, number + 1)
            size += unit.size or self.unit_bytes
        return tasks

    @functools.cached_property
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
        unit_bytes=UNIT_BYTES,
        weights=tuple(map(float, weights)),
        vocab_sha256=vocab_sha256,
        num_shards=num_shards,
        num_eval_shards=math.ceil(config.eval_fraction * num_shards),
        runner=runner,
    )


def _min_shards(num_bytes: float) -> int:
    return 1 + int(num_bytes) // _MAX_SHARD_BYTES


def is_plan(values: Mapping[str, Any]) -> bool:
    """Whether JSON is that of a plan, of this version of it."""
    fields = {field.name for field in dataclasses.fields(Plan)}
    return (
        isinstance(values, dict)
        and values.get("format_version") == _FORMAT_VERSION
        and set(values) == fields | {"format_version"}
    )


def from_json(values: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.to_json` wrote."""
    fields = dict(values)
    del fields["format_version"]
    fields["config"] = build_config.BuildConfig(**fields["config"])
    fields["units"] = tuple(corpora.Unit(**unit) for unit in fields["units"])
    fields["weights"] = tuple(fields["weights"])
    return Plan(**fields)
