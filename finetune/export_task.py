"""Exports a fine-tuned model as a SavedModel that answers texts.

    python -m finetune.export_task --model_dir=MODEL --output_dir=SERVED

Signatures: `serving_default` takes `text_a`, and `text_b` for tasks with two
texts; `serve_ids` takes the ids of word pieces.
"""

from absl import flags

from electra_tf import export
from electra_tf import program
from finetune import task_export

_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder of a fine-tuning run.", required=True
)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir",
    None,
    "Folder that gets the SavedModel as a numbered version, such as 1/.",
    required=True,
)
_VERSION = flags.DEFINE_integer(
    "version",
    None,
    "Number of the version; one more than the newest by default.",
    lower_bound=0,
)
_TASK = flags.DEFINE_string(
    "task", None, "Which task, if the model has learned several."
)


def main():
    exported = task_export.export_finetuned(
        _MODEL_DIR.value,
        output_dir=_OUTPUT_DIR.value,
        version=_VERSION.value,
        task_name=_TASK.value,
    )
    print(export.summary(exported))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
