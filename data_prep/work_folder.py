"""Where a build keeps what is unfinished, so that it can be continued.

A build works in a folder beside its output:

    plan.json            what is computed
    vocab.txt, tokenizer.json
    units/00012-0.run    examples of a part of the corpus, by output file
    units/00012.json     says that the part is done, and what it was made of
    files/00003.json     the same of a file of the output
    data/                what becomes the output

All files get their names when they are complete, so that a build that was
killed goes on with what is missing.
"""

from collections.abc import Mapping
import contextlib
import dataclasses
import fcntl
import os
from typing import Any

import tensorflow as tf

from data_prep import build_plan
from electra_tf import model_folder
from electra_tf import tokenization

SUFFIX = ".partial"
_PLAN_FILE = "plan.json"


@dataclasses.dataclass(frozen=True)
class WorkFolder:
    """The names of what an unfinished build has, see above."""

    path: str

    @classmethod
    def beside(cls, output_dir: str) -> "WorkFolder":
        """The folder for an output, on the same file system."""
        if is_local(output_dir) and os.path.ismount(output_dir):
            return cls(os.path.join(output_dir, SUFFIX))
        return cls(output_dir + SUFFIX)

    def holds(self, plan: build_plan.Plan) -> bool:
        """Whether an unfinished build with this plan is in it."""
        return self._earlier_plan() == plan.to_json()

    @property
    def plan(self) -> str:
        return os.path.join(self.path, _PLAN_FILE)

    @property
    def data(self) -> str:
        return os.path.join(self.path, "data")

    def run(self, task: int, number: int) -> str:
        return os.path.join(self.path, "units", f"{task:05d}-{number}.run")

    def task_report(self, task: int) -> str:
        return os.path.join(self.path, "units", f"{task:05d}.json")

    def file_report(self, file: int) -> str:
        return os.path.join(self.path, "files", f"{file:05d}.json")

    def missing_tasks(self, plan: build_plan.Plan) -> list[int]:
        """The numbers of the parts of the corpus that are not done."""
        done = set(tf.io.gfile.listdir(os.path.join(self.path, "units")))
        return [
            number
            for number in range(len(plan.tasks))
            if os.path.basename(self.task_report(number)) not in done
        ]

    def missing_files(self, plan: build_plan.Plan) -> list[int]:
        """The numbers of the files of the output that are not written."""
        return [
            number
            for number, name in enumerate(plan.files)
            if not tf.io.gfile.exists(self.file_report(number))
            or not tf.io.gfile.exists(os.path.join(self.data, name))
        ]

    @contextlib.contextmanager
    def locked(self):
        """Keeps other builds of this machine out of the folder.

        Raises:
            ValueError: There is one, or nothing can be written here.
        """
        if not is_local(self.path):
            yield
            return
        path = f"{self.path}.lock"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            file = open(path, "w")
        except OSError as error:
            raise ValueError(f"Cannot write to {path}: {error}") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ValueError(
                    f"Another build is working in {self.path}."
                ) from error
            try:
                yield
            finally:
                os.remove(path)

    def start(
        self,
        plan: build_plan.Plan,
        tokenizer: tokenization.Tokenizer,
        *,
        discard: bool,
    ) -> bool:
        """Makes the folder; returns whether a build with this plan is in it.

        Args:
            plan: Of this build.
            tokenizer: Is kept there.
            discard: Whether a build with another plan is removed.

        Raises:
            ValueError: Something else is in it, or it cannot be written to.
        """
        is_same = self.holds(plan)
        earlier = self._earlier_plan()
        if earlier is not None and not is_same:
            differences = "; ".join(_differences(earlier, plan.to_json()))
            if not discard:
                raise ValueError(
                    f"{self.path} holds the unfinished work of another "
                    f"command, which differs in {differences}. Give that "
                    "command again to finish it, or discard it with "
                    "--overwrite."
                )
            self.discard()
        try:
            tf.io.gfile.makedirs(self.path)
            model_folder.write_json(self.plan, plan.to_json())
            tokenizer.save(self.path)
            for name in ("units", "files"):
                tf.io.gfile.makedirs(os.path.join(self.path, name))
            for part in plan.parts:
                tf.io.gfile.makedirs(os.path.join(self.data, part.folder))
        except tf.errors.OpError as error:
            raise ValueError(
                f"Cannot write to {self.path}: {error.message}"
            ) from error
        return is_same

    def discard(self) -> None:
        """Removes the folder; a kill leaves none that looks unfinished."""
        dead = f"{self.path}.discarded"
        if tf.io.gfile.exists(dead):
            tf.io.gfile.rmtree(dead)
        tf.io.gfile.rename(self.path, dead)
        tf.io.gfile.rmtree(dead)

    def _earlier_plan(self) -> Mapping[str, Any] | None:
        """What the plan of the folder holds; None if it is empty."""
        if tf.io.gfile.exists(self.plan):
            plan = model_folder.read_json(self.plan)
            if build_plan.is_plan(plan):
                return plan
        elif not tf.io.gfile.isdir(self.path) or not (
            set(tf.io.gfile.listdir(self.path)) - {f"{_PLAN_FILE}.tmp"}
        ):
            return None
        raise ValueError(
            f"{self.path} is needed for unfinished work, but holds something "
            "else. Move it away."
        )

    def load_plan(self) -> build_plan.Plan:
        """The plan of the build in it."""
        return build_plan.from_json(model_folder.read_json(self.plan))


def is_local(path: str) -> bool:
    """Whether a path is one of this machine's file systems."""
    return "://" not in path


def _differences(earlier: Mapping[str, Any], now: Mapping[str, Any]):
    """Yields `name: old -> new` of two plans; of the corpus, that it differs.

    Sizes that follow from the others are left out.
    """
    for name in ("weights", "vocab_sha256", "runner"):
        if earlier[name] != now[name]:
            yield f"{name}: {earlier[name]} -> {now[name]}"
    for name, value in now["config"].items():
        old = earlier["config"].get(name)
        if old != value:
            yield f"{name}: {old} -> {value}"
    if earlier["units"] != now["units"]:
        yield "the files of the corpus or their times"
