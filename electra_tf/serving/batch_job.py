"""What a batch prediction makes from what, and under which names.

OUTPUT_DIR/job.json                           the job
           predictions-00000-of-00010.jsonl   one JSON object a record
           malformed-00000-of-00010.jsonl     what was left out, if any
"""

from collections.abc import Sequence
import dataclasses
import json
import os

import tensorflow as tf

from electra_tf import model_folder
from electra_tf.serving import batch_sources


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What decides the output; the same job continues in its folder.

    Attributes:
        saved_model: folder of one version.
        signature: the function of the model that is called.
        sources: the files, in order.
        record_format: of all files.
        num_shards: files of output.
        skip_malformed: whether malformed records are left out.
    """

    saved_model: str
    signature: str
    sources: tuple[batch_sources.Source, ...]
    record_format: batch_sources.Format
    num_shards: int
    skip_malformed: bool

    @property
    def num_records(self) -> int:
        return sum(source.num_records for source in self.sources)

    def limits(self, shard: int) -> tuple[int, int]:
        """The numbers of a shard's first record and of that after its last."""
        return (
            shard * self.num_records // self.num_shards,
            (shard + 1) * self.num_records // self.num_shards,
        )

    def shard_name(self, shard: int) -> str:
        return self._name("predictions", shard)

    def malformed_name(self, shard: int) -> str:
        """Of the file that tells what was left out of a shard."""
        return self._name("malformed", shard)

    def _name(self, kind: str, shard: int) -> str:
        return f"{kind}-{shard:05d}-of-{self.num_shards:05d}.jsonl"


def plan(
    patterns: Sequence[str],
    *,
    saved_model: str,
    signature: str,
    record_format: batch_sources.Format | None,
    num_shards: int,
    skip_malformed: bool,
) -> Job:
    """Finds the files and counts their records.

    Args:
        patterns: of the files' names.
        saved_model: a SavedModel, or a folder of versions of one.
        signature: the function to call.
        record_format: of the files; guessed from their names if None.
        num_shards: files of output; fewer if there are fewer records.
        skip_malformed: whether malformed records are left out.
    """
    saved_model = newest_version(saved_model)
    paths = batch_sources.find(patterns)
    record_format = record_format or batch_sources.guess_format(paths)
    sources = [batch_sources.count(path, record_format) for path in paths]
    num_records = sum(source.num_records for source in sources)
    if not num_records:
        raise ValueError(f"There are no records in {', '.join(paths)}.")
    return Job(
        saved_model=saved_model,
        signature=signature,
        sources=tuple(sources),
        record_format=record_format,
        num_shards=min(num_shards, num_records),
        skip_malformed=skip_malformed,
    )


def newest_version(path: str) -> str:
    """The folder of a SavedModel: this one, or its newest version."""
    path = path.rstrip("/")
    if tf.saved_model.contains_saved_model(path):
        return path
    names = []
    if tf.io.gfile.isdir(path):
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(path)]
    versions = [int(name) for name in names if name.isdecimal()]
    if not versions:
        raise ValueError(
            f"{path!r} is no SavedModel and holds no version of one, such as "
            f"{os.path.join(path, '1')}."
        )
    return os.path.join(path, str(max(versions)))


def claim(output_dir: str, job: Job):
    """Writes what a folder is for, or checks that it is for this job.

    Raises:
        ValueError: it is another job's, or holds something else.
    """
    path = os.path.join(output_dir, "job.json")
    # As JSON gives it back: lists for tuples.
    wanted = json.loads(json.dumps(dataclasses.asdict(job)))
    if tf.io.gfile.exists(path):
        found = model_folder.read_json(path)
        differing = [key for key in wanted if wanted[key] != found.get(key)]
        if differing:
            raise ValueError(
                f"{output_dir!r} holds another job, which differs in "
                f"{', '.join(differing)} (see job.json there). Repeat its "
                "flags to continue it, or name another folder."
            )
        return
    if tf.io.gfile.isdir(output_dir) and tf.io.gfile.listdir(output_dir):
        raise ValueError(
            f"{output_dir!r} is not empty and holds no job.json of an earlier "
            "start. Name a new folder."
        )
    tf.io.gfile.makedirs(output_dir)
    model_folder.write_json(path, wanted)
