"""Tasks in tensorflow_datasets, as if they were files.

What a data set holds is written as the lines or the JSON of a format that
`readers` knows, so that all that is checked in files is checked here, too.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
from typing import Any
from typing import NamedTuple

import numpy as np

from electra_tf import tfds_builders
from finetune import task as task_lib

# The index of an example in the official file, of which a data set holds
# another order.
_INDEX = "idx"


class Options(NamedTuple):
    """Where data sets are.

    Attributes:
        data_dir: Folder of the data sets; that of tensorflow_datasets if None.
        download: Whether they are downloaded and prepared if need be.
    """

    data_dir: str | None = None
    download: bool = False


class _Set(NamedTuple):
    """How a known task is found.

    Attributes:
        splits: Name of the data set and of its split, by the task's split.
        columns: The data set's name of each column, if it is another one.
        labels: The data set's names of the task's labels, in their order, if
            they are others.
    """

    splits: Mapping[str, tuple[str, str]]
    columns: Mapping[str, str] = {}
    labels: Sequence[str] = ()


def _set(name: str, dev: str = "validation", test: str = "", **fields) -> _Set:
    splits = {"train": (name, "train"), "dev": (name, dev)}
    if test:
        splits[test] = (name, "test")
    return _Set(splits, **fields)


_SETS = {
    "cola": _set(
        "glue/cola", test="test", labels=("unacceptable", "acceptable")
    ),
    "sst": _set("glue/sst2", test="test", labels=("negative", "positive")),
    "mrpc": _set(
        "glue/mrpc",
        test="test",
        columns={
            "#1 String": "sentence1",
            "#2 String": "sentence2",
            "Quality": "label",
        },
        labels=("not_equivalent", "equivalent"),
    ),
    "sts": _set("glue/stsb", test="test", columns={"score": "label"}),
    "qqp": _set(
        "glue/qqp",
        test="test",
        columns={"is_duplicate": "label"},
        labels=("not_duplicate", "duplicate"),
    ),
    "mnli": _Set(
        {
            "train": ("glue/mnli", "train"),
            "dev": ("glue/mnli", "validation_matched"),
            "dev_mismatched": ("glue/mnli", "validation_mismatched"),
            "test": ("glue/mnli", "test_matched"),
            "test_mismatched": ("glue/mnli", "test_mismatched"),
            "test_diagnostic": ("glue/ax", "test"),
        },
        columns={
            "sentence1": "premise",
            "sentence2": "hypothesis",
            "gold_label": "label",
        },
    ),
    "qnli": _set("glue/qnli", test="test"),
    "rte": _set("glue/rte", test="test"),
    "wnli": _set(
        "glue/wnli", test="test", labels=("not_entailment", "entailment")
    ),
    "squadv1": _set("squad/v1.1"),
    "squad": _set("squad/v2.0"),
    "mrqa_squad": _set("mrqa/squad"),
    "newsqa": _set("mrqa/news_qa"),
    "triviaqa": _set("mrqa/trivia_qa"),
    "searchqa": _set("mrqa/search_qa"),
    "hotpotqa": _set("mrqa/hotpot_qa"),
    "naturalqs": _set("mrqa/natural_questions"),
    "conll2003": _set("conll2003", dev="dev", test="dev_test"),
}


class Content(NamedTuple):
    """A split, as if it were a file.

    Attributes:
        name: For messages.
        content: In the format of the row.
        task: The row that says how `content` is read.
    """

    name: str
    content: bytes
    task: task_lib.Task


def custom_splits(name: str, splits: Mapping[str, str]) -> dict[str, str]:
    """`files` of a row of format "tfds": data set and split in one."""
    return {split: f"{name} {part}" for split, part in splits.items()}


def has(task: task_lib.Task, *, split: str, options: Options) -> bool:
    """Whether a split is there."""
    name, part = _place(task, split)
    try:
        builder = _builder(name, options)
    except ValueError:
        return False
    return part.partition("[")[0] in builder.info.splits


def read(task: task_lib.Task, *, split: str, options: Options) -> Content:
    """A split of a task.

    Raises:
        ValueError: there is no such data set or split, it is not prepared, or
            has not the columns of the task.
    """
    name, part = _place(task, split)
    builder = _builder(name, options)
    examples = _examples(builder, name, part)
    title = f"Data set {name!r}, split {part!r}"
    file_format = _format(task, builder)
    try:
        lines = _WRITERS[file_format](
            _Part(examples, task, split, builder.info.features)
        )
    except KeyError as error:
        raise ValueError(
            f"{title}: no feature {error.args[0]!r}; there are "
            f"{', '.join(sorted(builder.info.features))}."
        ) from error
    except ValueError as error:
        raise ValueError(f"{title}: {error}.") from error
    row = dataclasses.replace(task, format=file_format)
    if task.kind == "tagging":
        row = dataclasses.replace(row, text_columns=(), label_column="")
    return Content(title, "\n".join(lines).encode(), row)


def label_names(
    task: task_lib.Task, *, options: Options
) -> tuple[str, ...] | None:
    """The names of the classes, if the data set tells them."""
    name, _ = _place(task, "train")
    features = dict(_builder(name, options).info.features)
    return getattr(features.get(task.label_column), "names", None)


def _place(task: task_lib.Task, split: str) -> tuple[str, str]:
    """The names of a data set and of its split."""
    if task.format == "tfds":
        name, _, part = task.files[split].partition(" ")
        return name, part
    if task.name not in _SETS:
        raise ValueError(
            f"tensorflow_datasets has no data set for task {task.name!r}; it "
            f"has {', '.join(_SETS)}. Read it from files."
        )
    return _SETS[task.name].splits[split]


def _builder(name: str, options: Options):
    return tfds_builders.open_builder(
        name, data_dir=options.data_dir, may_download=options.download
    )


def _examples(builder, name: str, part: str) -> list[dict[str, Any]]:
    """All examples, in the official order where they tell it."""
    if part.partition("[")[0] not in builder.info.splits:
        raise ValueError(
            f"Data set {name!r} has no split {part!r}. Its splits are "
            f"{', '.join(builder.info.splits)}."
        )
    tfds = tfds_builders.tensorflow_datasets()
    dataset = builder.as_dataset(
        split=part,
        shuffle_files=False,
        read_config=tfds.ReadConfig(
            interleave_cycle_length=1, try_autocache=False
        ),
    )
    examples = list(dataset.as_numpy_iterator())
    if examples and _INDEX in examples[0]:
        examples.sort(key=lambda example: example[_INDEX])
    return examples


def _format(task: task_lib.Task, builder) -> str:
    if task.kind == "question_answering":
        is_mrqa = "detected_answers" in builder.info.features
        return "mrqa" if is_mrqa else "squad"
    return "conll" if task.kind == "tagging" else "jsonl"


class _Part(NamedTuple):
    """What is written of a data set."""

    examples: Sequence[dict[str, Any]]
    task: task_lib.Task
    split: str
    features: Mapping[str, Any]


def _json_lines(part: _Part) -> list[str]:
    task = part.task
    known = _SETS.get(task.name, _Set({}))
    label = known.columns.get(task.label_column, task.label_column)
    name_of = _label_namer(part.features[label], known.labels, task.labels)
    lines = []
    for example in part.examples:
        row = {
            column: _plain(example[known.columns.get(column, column)])
            for column in task.text_columns
        }
        if not part.split.startswith("test"):
            row[task.label_column] = name_of(_plain(example[label]))
        lines.append(json.dumps(row))
    return lines


def _label_namer(
    feature, tfds_names: Sequence[str], names: Sequence[str]
) -> Callable[[Any], Any]:
    """From a label of the data set to the task's name of it."""
    own_names = dict(zip(tfds_names, names))

    def name_of(value):
        # -1 is no label; it stays what it is and is told with its place.
        if hasattr(feature, "names") and value >= 0:
            value = feature.int2str(value)
        return own_names.get(value, value)

    return name_of


def _columns(part: _Part) -> list[str]:
    """A word and its tag a line, a blank line after each sentence."""
    (word_column,) = part.task.text_columns or ("tokens",)
    tag_column = part.task.label_column or "ner"
    tag_feature = getattr(part.features[tag_column], "feature", None)
    name_of = _label_namer(tag_feature, (), ())
    lines = []
    for example in part.examples:
        words = _plain(example[word_column])
        tags = map(name_of, _plain(example[tag_column]))
        for word, tag in zip(words, tags, strict=True):
            if word.split() != [word]:
                raise ValueError(
                    f"{word!r} is no word: it is empty or has spaces"
                )
            lines.append(f"{word}\t{tag}")
        lines.append("")
    return lines


def _squad_json(part: _Part) -> list[str]:
    paragraphs = []
    for example in map(_plain, part.examples):
        answers = example["answers"]
        qa = {
            "id": example["id"],
            "question": example["question"],
            "answers": [
                {"text": text, "answer_start": start}
                for text, start in zip(
                    answers["text"], answers["answer_start"], strict=True
                )
            ],
        }
        if part.task.has_impossible:
            qa["is_impossible"] = example["is_impossible"]
        paragraphs.append({"context": example["context"], "qas": [qa]})
    return [json.dumps({"data": [{"paragraphs": paragraphs}]})]


def _mrqa_lines(part: _Part) -> list[str]:
    lines = []
    for example in map(_plain, part.examples):
        detected = example["detected_answers"]
        spans = detected["char_spans"]
        answers = [
            {"text": text, "char_spans": [list(span) for span in zip(*places)]}
            for text, *places in zip(
                detected["text"], spans["start"], spans["end"], strict=True
            )
        ]
        qa = {
            "qid": example["qid"],
            "question": example["question"],
            "detected_answers": answers,
            "answers": example["answers"],
        }
        lines.append(json.dumps({"context": example["context"], "qas": [qa]}))
    return lines


_WRITERS = {
    "jsonl": _json_lines,
    "conll": _columns,
    "squad": _squad_json,
    "mrqa": _mrqa_lines,
}


def _plain(value: Any) -> Any:
    """A value of an example as JSON types."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if hasattr(value, "to_list"):  # Ragged.
        return _plain(value.to_list())
    if isinstance(value, np.ndarray | list):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.floating):
        return float(str(value))  # Not the float32 nearest to 3.8.
    return value.item() if isinstance(value, np.generic) else value
