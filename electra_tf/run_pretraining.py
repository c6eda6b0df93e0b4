"""Pre-trains ELECTRA on the records of a data folder.

    python -m electra_tf.run_pretraining --preset=small \
        --data_dir=DATA --model_dir=MODEL [--eval_data_dir=HELD_OUT]

The same command again continues a run that was stopped.
"""

import dataclasses

from absl import flags

from electra_tf import config
from electra_tf import config_flags
from electra_tf import distribution
from electra_tf import presets
from electra_tf import pretraining_run
from electra_tf import program
from electra_tf import records

_PRESET = flags.DEFINE_enum(
    "preset", "small", list(presets.PRESETS), "Configuration to start from."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir", None, "Folder of training records.", required=True
)
_EVAL_DATA_DIR = flags.DEFINE_string(
    "eval_data_dir", None, "Folder of held-out records."
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder that the run writes to.", required=True
)
_STRATEGY = flags.DEFINE_enum(
    "distribution_strategy",
    "one_device",
    distribution.STRATEGIES,
    "one_device: the first GPU, or the CPU; mirrored: every GPU.",
)
config_flags.define(config.PretrainConfig)
flags.adopt_module_key_flags(config_flags)  # Lists them in --help.


def main():
    run_config = config_flags.override(presets.get(_PRESET.value))
    if not config_flags.given("vocab_size"):
        info = records.load_info(_DATA_DIR.value)
        run_config = dataclasses.replace(run_config, vocab_size=info.vocab_size)
    pretraining_run.pretrain(
        run_config,
        data_dir=_DATA_DIR.value,
        eval_data_dir=_EVAL_DATA_DIR.value,
        model_dir=_MODEL_DIR.value,
        strategy=distribution.create(_STRATEGY.value),
    )


def run():
    program.run(main)


if __name__ == "__main__":
    run()
