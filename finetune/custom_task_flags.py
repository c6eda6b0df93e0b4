"""Flags that describe a user's own task, for `--task=custom`."""

from absl import flags

from finetune import custom_task
from finetune import task as task_lib
from finetune import tfds_tasks

_KIND = flags.DEFINE_enum(
    "kind",
    None,
    ["classification", "regression", "tagging", "question_answering"],
    "Of --task=custom: what kind of answer it asks for.",
)
_FILES = {
    split: flags.DEFINE_string(
        f"{split}_file", None, f"Of --task=custom: file {purpose}."
    )
    for split, purpose in (
        ("train", "to learn from"),
        ("dev", "with labels, to evaluate on"),
        ("test", "to predict"),
    )
}
_DEV_SHARE = flags.DEFINE_float(
    "dev_share",
    None,
    "Of --task=custom: hold out this share of --train_file, in place of a "
    "--dev_file.",
)
_TFDS_NAME = flags.DEFINE_string(
    "tfds_name",
    "",
    "Of --task=custom: data set of tensorflow_datasets, such as "
    "imdb_reviews; --train_file and the others then name its splits, such as "
    "train[:90%], and columns its features.",
)
_FILE_FORMAT = flags.DEFINE_enum(
    "file_format",
    None,
    ["tsv", "csv", "jsonl", "conll", "squad", "mrqa"],
    "Of --task=custom: format of its files; by default as they end.",
)
_TEXT_COLUMNS = flags.DEFINE_list(
    "text_columns", [], "Of --task=custom: columns with one text or two."
)
_LABEL_COLUMN = flags.DEFINE_string(
    "label_column", "", "Of --task=custom: column with the label or score."
)
_LABELS = flags.DEFINE_list(
    "labels",
    [],
    "Of --task=custom: names of the classes; by default those of --train_file.",
)
_SCORE_RANGE = flags.DEFINE_list(
    "score_range", ["0", "1"], "Of --task=custom: lowest and highest score."
)
_HAS_IMPOSSIBLE = flags.DEFINE_bool(
    "has_impossible",
    False,
    "Of --task=custom: whether questions may have no answer.",
)


def create(tfds: tfds_tasks.Options | None) -> task_lib.Task | None:
    """The task that the flags describe; None if they describe none.

    Args:
        tfds: where data sets of tensorflow_datasets are, if examples are read
            from them.

    Raises:
        ValueError: they do not fit together.
    """
    if _KIND.value is None:
        given = [
            flag.name
            for flag in (
                *_FILES.values(),
                _DEV_SHARE,
                _TFDS_NAME,
                _LABEL_COLUMN,
                _TEXT_COLUMNS,
            )
            if flag.present
        ]
        if given:
            raise ValueError(
                f"--{given[0]} is for --task={custom_task.NAME}, which needs "
                "--kind, too."
            )
        return None
    if bool(_TFDS_NAME.value) != (tfds is not None):
        raise ValueError(
            "--task=custom needs --tfds_name if, and only if, the "
            "--data_source is tfds."
        )
    try:
        low, high = map(float, _SCORE_RANGE.value)
    except ValueError as error:
        raise ValueError(
            "--score_range is two numbers with a comma between, got "
            f"{','.join(_SCORE_RANGE.value)!r}."
        ) from error
    return custom_task.create(
        name=custom_task.NAME,
        kind=_KIND.value,
        files={split: flag.value for split, flag in _FILES.items()},
        dev_share=_DEV_SHARE.value,
        tfds_name=_TFDS_NAME.value,
        tfds=tfds,
        text_columns=_TEXT_COLUMNS.value,
        label_column=_LABEL_COLUMN.value,
        labels=_LABELS.value,
        score_range=(low, high),
        has_impossible=_HAS_IMPOSSIBLE.value,
        file_format=_FILE_FORMAT.value or "",
    )
