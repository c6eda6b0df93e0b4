"""Exports a fine-tuned model as a SavedModel that answers texts.

    python -m finetune.export_task --model_dir=MODEL --output_dir=SERVED

Its signature `serving_default` takes, for classification and regression,
`text_a`, and `text_b` for tasks with two texts; for tagging `text`, whose words
stand between spaces; for question answering `question` and `context`.
`serve_ids` takes the ids of word pieces.
"""

from absl import flags

from electra_tf import export
from electra_tf import export_flags
from electra_tf import program
from finetune import task_export

flags.adopt_module_key_flags(export_flags)  # Lists them in --help.

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Folder of a fine-tuning run; of several trials, the best is taken.",
    required=True,
)
_TASK = flags.DEFINE_string(
    "task", None, "Which task, if the model has learned several."
)


def main():
    exported = task_export.export_finetuned(
        _MODEL_DIR.value, task_name=_TASK.value, **export_flags.arguments()
    )
    print(export.summary(exported))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
