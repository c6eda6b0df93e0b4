r"""Fine-tunes a pre-trained model on a task, evaluates it, and predicts.

    python -m finetune.run_finetuning --task=cola --init_checkpoint=MODEL \
        --data_dir=GLUE --output_dir=OUTPUT

    python -m finetune.run_finetuning --task=custom --kind=classification \
        --train_file=train.csv --dev_file=dev.csv --text_columns=title,body \
        --label_column=topic --init_checkpoint=MODEL --output_dir=OUTPUT

GLUE holds the official folders: `CoLA/train.tsv`, `CoLA/dev.tsv`, ... The
same command again continues a run that was stopped. docs/finetuning.md says
more.
"""

from absl import flags

from electra_tf import config_flags
from electra_tf import device_flags
from electra_tf import program
from finetune import data_flags
from finetune import finetune_config
from finetune import finetuning
from finetune import results

_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", None, "Folder that the run writes to.", required=True
)
config_flags.define(finetune_config.FinetuneConfig)
for module in (config_flags, data_flags, device_flags):
    flags.adopt_module_key_flags(module)  # Lists them in --help.
flags.mark_flags_as_required(["task"])


def main():
    run_results = finetuning.finetune(
        config_flags.override(finetune_config.FinetuneConfig()),
        read=data_flags.create_source().read,
        output_dir=_OUTPUT_DIR.value,
        strategy=device_flags.create_strategy(),
    )
    print(results.format_table(run_results))


def run():
    program.run(main)


if __name__ == "__main__":
    run()
