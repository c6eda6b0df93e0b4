"""Flags that say where the examples of tasks are."""

from absl import flags

from finetune import custom_task_flags
from finetune import task_data
from finetune import tfds_tasks

_DATA_DIR = flags.DEFINE_string(
    "data_dir", "", "Folder that holds the folders of the tasks."
)
_DATA_SOURCE = flags.DEFINE_enum(
    "data_source",
    "files",
    ["files", "tfds"],
    "Whether examples are read from files in their official layout, or from "
    "tensorflow_datasets.",
)
_TFDS_DATA_DIR = flags.DEFINE_string(
    "tfds_data_dir",
    None,
    "Of --data_source=tfds: where data sets are; if not given, where "
    "tensorflow_datasets puts them.",
)
_TFDS_DOWNLOAD = flags.DEFINE_bool(
    "tfds_download",
    False,
    "Of --data_source=tfds: whether data sets are downloaded and prepared if "
    "they are not there.",
)
flags.adopt_module_key_flags(custom_task_flags)


def create_source() -> task_data.Source:
    """What reads the examples.

    Raises:
        ValueError: flags that do not fit together.
    """
    tfds = None
    if _DATA_SOURCE.value == "tfds":
        tfds = tfds_tasks.Options(_TFDS_DATA_DIR.value, _TFDS_DOWNLOAD.value)
    given = [
        flag.name for flag in (_TFDS_DATA_DIR, _TFDS_DOWNLOAD) if flag.present
    ]
    if given and tfds is None:
        raise ValueError(f"--{given[0]} is for --data_source=tfds.")
    if tfds is not None and _DATA_DIR.present:
        raise ValueError(
            "--data_dir is for files; --data_source=tfds reads from "
            "--tfds_data_dir."
        )
    return task_data.Source(
        data_dir=_DATA_DIR.value,
        tfds=tfds,
        custom=custom_task_flags.create(tfds),
    )
