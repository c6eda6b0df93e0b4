"""What a model folder tells of its run, read into one object."""

from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
import math
import os
import statistics
from typing import Any
from typing import Literal

import tensorflow as tf

from electra_tf import config
from electra_tf import metrics_log
from electra_tf import model_folder

Kind = Literal["train", "eval"]
Points = list[tuple[int, float]]

RESULTS_FILE = "results.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A run's files.

    Attributes:
        path: of the folder.
        contents: of `config.json`.
        entries: of `metrics.jsonl`.
        results: of `results.json`, which fine-tuning writes; None without.
        trials: of fine-tuning, if each has a folder of its own.
    """

    path: str
    contents: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    results: Mapping[str, Any] | None = None
    trials: Sequence["Run"] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(os.path.abspath(self.path)) or self.path

    @property
    def kind(self) -> str:
        """What `model_folder.start` was told, such as "pretraining"."""
        return self.contents["kind"]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The configuration, as `config.json` has it."""
        return self.contents.get("config", {})

    @property
    def pretrain_config(self) -> config.PretrainConfig:
        """That of a pre-training run, as an object."""
        return config.from_dict(config.PretrainConfig, dict(self.settings))

    @property
    def metrics(self) -> list[str]:
        """Names of all metrics that were logged, in the order of the files."""
        names: dict[str, None] = {}
        for entry in self.entries:
            names.update(dict.fromkeys(entry))
        return [name for name in names if name not in ("kind", "step")]

    @property
    def step(self) -> int:
        """The last step that the log tells of."""
        return max((entry["step"] for entry in self.entries), default=0)

    def points(self, kind: Kind, metric: str) -> Points:
        """The values of a metric, each with its step."""
        return [
            (entry["step"], entry[metric])
            for entry in self.entries
            if entry["kind"] == kind and metric in entry
        ]

    def last(self, kind: Kind, metric: str) -> float | None:
        """The newest value of a metric; None if there is none."""
        points = self.points(kind, metric)
        return points[-1][1] if points else None

    def final(self, metric: str) -> float | None:
        """The newest value on held-out data, or else of training."""
        value = self.last("eval", metric)
        return self.last("train", metric) if value is None else value

    @property
    def examples_per_second(self) -> float | None:
        """The median of the logged rates."""
        rates = [rate for _, rate in self._rates()]
        return statistics.median(rates) if rates else None

    @property
    def training_seconds(self) -> float | None:
        """What all steps took at the logged rates, without evaluations."""
        batch_size = self.settings.get("train_batch_size")
        rates = self._rates()
        if not rates or not batch_size:
            return None
        seconds, before = 0.0, 0
        for step, rate in rates:
            seconds += (step - before) * batch_size / rate
            before = step
        return seconds

    def _rates(self) -> Points:
        points = self.points("train", "examples_per_second")
        return [
            (step, rate)
            for step, rate in points
            if 0 < rate and rate < math.inf
        ]

    def flag(self, name: str) -> str | None:
        """A flag of the command that started the run; None if not given."""
        arguments = self.contents.get("command", ())
        for number, argument in enumerate(arguments):
            key, has_value, value = argument.lstrip("-").partition("=")
            if argument.startswith("-") and key == name:
                following = arguments[number + 1 : number + 2]
                return value if has_value else next(iter(following), None)
        return None


def load(model_dir: str) -> Run:
    """Reads a model folder.

    Raises:
        ValueError: it is none.
    """
    contents = model_folder.read(model_dir)
    if "kind" not in contents:
        raise ValueError(
            f"{model_dir!r} is no model folder: its config.json is not one of "
            "a run."
        )
    path = os.path.join(model_dir, RESULTS_FILE)
    results, trials = None, []
    if tf.io.gfile.exists(path):
        with tf.io.gfile.GFile(path) as file:
            results = json.load(file)
        folders = [trial["folder"] for trial in results.get("trials", ())]
        trials = [
            load(os.path.join(model_dir, folder))
            for folder in folders
            if folder
            and model_folder.is_folder(os.path.join(model_dir, folder))
        ]
    return Run(
        path=model_dir,
        contents=contents,
        entries=metrics_log.read(model_dir),
        results=results,
        trials=trials,
    )
