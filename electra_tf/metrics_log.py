"""`metrics.jsonl` and TensorBoard's files of a run."""

import json
import os

from absl import logging
import tensorflow as tf


class MetricsLog:
    """Writes the metrics of one run.

    A continued run drops the lines after the step that it continues from,
    for it writes them again.

    Args:
        model_dir: the run's folder.
        start_step: steps done before.
        is_writer: whether this process is the one that writes.
    """

    def __init__(
        self, model_dir: str, *, start_step: int, is_writer: bool = True
    ):
        self._path = os.path.join(model_dir, "metrics.jsonl")
        self._writers = {}
        self._model_dir = model_dir
        self._is_writer = is_writer
        entries = [e for e in read(model_dir) if e["step"] <= start_step]
        self._evaluated = {e["step"] for e in entries if e["kind"] == "eval"}
        if is_writer:
            with tf.io.gfile.GFile(self._path + ".tmp", "w") as file:
                file.write("".join(json.dumps(e) + "\n" for e in entries))
            tf.io.gfile.rename(self._path + ".tmp", self._path, overwrite=True)

    def has_evaluation(self, step: int) -> bool:
        """Whether the metrics of held-out data at that step are there."""
        return step in self._evaluated

    def write(self, kind: str, *, step: int, metrics: dict[str, float]):
        """Adds the metrics of a step; kind is "train" or "eval"."""
        metrics = {name: float(value) for name, value in metrics.items()}
        if self._is_writer:
            with tf.io.gfile.GFile(self._path, "a") as file:
                line = {"kind": kind, "step": step} | metrics
                file.write(json.dumps(line) + "\n")
            with self._writer(kind).as_default(step=step):
                for name, value in metrics.items():
                    tf.summary.scalar(name, value)
        if kind == "eval":
            logging.info("eval  | step %d | %s", step, format_metrics(metrics))

    def close(self):
        """Completes TensorBoard's files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, kind: str) -> tf.summary.SummaryWriter:
        if kind not in self._writers:
            self._writers[kind] = tf.summary.create_file_writer(
                os.path.join(self._model_dir, "tensorboard", kind)
            )
        return self._writers[kind]


def read(model_dir: str) -> list[dict]:
    """The entries of a run's `metrics.jsonl`; empty if there is none.

    A last line that a killed run left half-written is left out.
    """
    path = os.path.join(model_dir, "metrics.jsonl")
    if not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        return [json.loads(line) for line in file if line.endswith("}\n")]


def format_metrics(metrics: dict[str, float]) -> str:
    """`loss 17.42 | disc_auc 0.812`."""
    return " | ".join(f"{name} {value:.4g}" for name, value in metrics.items())
