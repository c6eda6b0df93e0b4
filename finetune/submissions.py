"""Predictions in the files that the tasks' leaderboards want.

GLUE (https://gluebenchmark.com/faq): a zip with one tab-separated file for
each test set. SQuAD: a JSON object from the question's id to the answer.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import io
import json
import os
from typing import Any
from typing import NamedTuple
import zipfile

import tensorflow as tf

from electra_tf import model_folder
from finetune import finetuned
from finetune import glue
from finetune import task as task_lib

# Rows of the official test files.
_NUM_ROWS = {
    "CoLA.tsv": 1063,
    "SST-2.tsv": 1821,
    "MRPC.tsv": 1725,
    "STS-B.tsv": 1379,
    "QQP.tsv": 390965,
    "MNLI-m.tsv": 9796,
    "MNLI-mm.tsv": 9847,
    "QNLI.tsv": 5463,
    "RTE.tsv": 3000,
    "WNLI.tsv": 146,
    "AX.tsv": 1104,
}
_HEADER = "index\tprediction"


class Predictions(NamedTuple):
    """What a run has predicted for one split.

    Attributes:
        task: of the run.
        split: the split's name.
        records: one an example, as `kinds.Kind.records` makes them.
        path: of their file, for messages.
    """

    task: task_lib.Task
    split: str
    records: Sequence[Mapping[str, Any]]
    path: str


def read_predictions(
    model_dir: str, *, use_ensemble: bool = False
) -> list[Predictions]:
    """All predictions in the folder of a run.

    Args:
        model_dir: of the run.
        use_ensemble: of several trials, those of all together instead of
            those of the best.

    Raises:
        ValueError: the folder holds no finished run.
    """
    folder = finetuned.best_folder(model_dir)
    if use_ensemble:
        if folder == model_dir:
            raise ValueError(f"{model_dir!r} holds one trial, no ensemble.")
        folder = model_dir
    values = model_folder.read(folder)["tasks"]
    tasks = [task_lib.Task.from_dict(value) for value in values]
    found = []
    for task in tasks:
        for split in task.files:
            label = split if len(tasks) == 1 else f"{task.name}/{split}"
            path = os.path.join(folder, "predictions", f"{label}.jsonl")
            if tf.io.gfile.exists(path):
                with tf.io.gfile.GFile(path) as file:
                    records = [json.loads(line) for line in file]
                found.append(Predictions(task, split, records, path))
    if not found:
        raise ValueError(
            f"No predictions in {folder!r}. Repeat the command that began the "
            "run."
        )
    return found


def glue_zip(
    predictions: Sequence[Predictions],
    *,
    fill_missing: bool = False,
    check_counts: bool = True,
) -> tuple[bytes, list[str]]:
    """A zip of all eleven files.

    Args:
        predictions: of any splits; what GLUE does not ask for is left out.
        fill_missing: write the first label of the task, or 0, for test sets
            that nothing was predicted for.
        check_counts: whether a file must have as many rows as the test set.

    Returns:
        The zip's content, and the names of the files that were filled.

    Raises:
        ValueError: a test set is missing, twice there, or of the wrong size.
    """
    files = {}
    for part in predictions:
        name = part.task.submission.get(part.split)
        if name not in _NUM_ROWS:
            continue
        if name in files:
            raise ValueError(f"{name} twice; the second: {part.path}.")
        files[name] = _glue_file(
            part, _NUM_ROWS[name] if check_counts else None
        )
    missing = sorted(set(_NUM_ROWS) - set(files))
    if missing and not fill_missing:
        raise ValueError(
            f"No predictions for {', '.join(missing)}. GLUE wants all of "
            f"{', '.join(_NUM_ROWS)}: name the runs of all tasks by "
            "--model_dir, or say --fill_missing, which gives these tasks "
            "worthless answers."
        )
    defaults = _default_answers()
    for name in missing:
        files[name] = _rows([defaults[name]] * _NUM_ROWS[name])
    return _zip(files), missing


def _glue_file(part: Predictions, num_rows: int | None) -> str:
    if num_rows is not None and len(part.records) != num_rows:
        raise ValueError(
            f"{part.path} holds {len(part.records)} predictions; GLUE's test "
            f"set for {part.task.name!r} has {num_rows} examples. Predict the "
            "official test file."
        )
    ids = [record["id"] for record in part.records]
    if ids != list(range(len(ids))):
        raise ValueError(
            f"{part.path} does not hold one prediction for each row of the "
            "test file, in its order."
        )
    if part.task.kind == "regression":
        low, high = part.task.score_range
        return _rows(
            [f"{min(max(r['score'], low), high):.3f}" for r in part.records]
        )
    return _rows([record["label"] for record in part.records])


def _default_answers() -> dict[str, str]:
    """The first label, or the lowest score, of each file's task."""
    return {
        name: task.labels[0]
        if task.kind == "classification"
        else f"{task.score_range[0]:.3f}"
        for task in glue.TASKS
        for name in task.submission.values()
    }


def _rows(answers: Sequence[str]) -> str:
    lines = [f"{index}\t{answer}" for index, answer in enumerate(answers)]
    return "\n".join([_HEADER, *lines]) + "\n"


def _zip(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in _NUM_ROWS:
            # A fixed date: the same predictions are the same bytes.
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name])
    return buffer.getvalue()


def squad_json(part: Predictions) -> tuple[dict[str, str], dict[str, float]]:
    """Answers, and scores for there being none, by the question's id.

    Raises:
        ValueError: the predictions are no answers to questions.
    """
    if part.task.kind != "question_answering":
        raise ValueError(
            f"{part.path} holds predictions of task {part.task.name!r}, "
            f"which is {part.task.kind}, not question answering."
        )
    answers = {
        record["id"]: record["answer"]
        if record.get("is_answerable", True)
        else ""
        for record in part.records
    }
    null_scores = {
        record["id"]: record["null_score"]
        for record in part.records
        if "null_score" in record
    }
    return answers, null_scores
