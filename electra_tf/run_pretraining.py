"""Pre-trains ELECTRA on the records of a data folder.

    python -m electra_tf.run_pretraining --preset=small \
        --data_dir=DATA --model_dir=MODEL [--eval_data_dir=HELD_OUT]

The same command again continues a run that was stopped; with `--dry_run` it
only tells what it would compute.
"""

import dataclasses

from absl import flags

from electra_tf import config
from electra_tf import config_flags
from electra_tf import dataset_info
from electra_tf import device_flags
from electra_tf import dry_run
from electra_tf import presets
from electra_tf import pretraining_run
from electra_tf import program

_PRESET = flags.DEFINE_enum(
    "preset", "small", list(presets.PRESETS), "Configuration to start from."
)
_DATA_DIR = flags.DEFINE_multi_string(
    "data_dir", None, "Folder of training records; repeat it to mix several."
)
_DATA_WEIGHTS = flags.DEFINE_list(
    "data_weights",
    None,
    "Examples seen of each --data_dir, relatively, such as 3,1; by default "
    "every example is seen equally often.",
)
_EVAL_DATA_DIR = flags.DEFINE_string(
    "eval_data_dir", None, "Folder of held-out records."
)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder that the run writes to."
)
_SKIP_CORRUPT = flags.DEFINE_boolean(
    "skip_corrupt", False, "Skip records that cannot be read, with a warning."
)
_DRY_RUN = flags.DEFINE_boolean(
    "dry_run",
    False,
    "Print configuration, parameters, FLOPs, memory and data, and stop.",
)
config_flags.define(config.PretrainConfig)
for module in (config_flags, device_flags):
    flags.adopt_module_key_flags(module)  # Lists them in --help.


def main():
    run_config = config_flags.override(presets.get(_PRESET.value))
    for flag in (_DATA_DIR, _MODEL_DIR):
        if flag.value is None and not _DRY_RUN.value:
            raise ValueError(f"--{flag.name} must be given.")
    data_dirs = _DATA_DIR.value or []
    weights = _weights()
    infos = [
        dataset_info.load(directory, skip_corrupt=_SKIP_CORRUPT.value)
        for directory in data_dirs
    ]
    size = infos[0].vocab_size if infos else None
    if size is not None and not config_flags.given("vocab_size"):
        run_config = dataclasses.replace(run_config, vocab_size=size)
    if _DRY_RUN.value:
        report = dry_run.report(
            run_config, preset=_PRESET.value, infos=infos, data_weights=weights
        )
        print(report)
        return
    pretraining_run.pretrain(
        run_config,
        data_dirs=data_dirs,
        data_weights=weights,
        eval_data_dir=_EVAL_DATA_DIR.value,
        model_dir=_MODEL_DIR.value,
        skip_corrupt=_SKIP_CORRUPT.value,
        strategy=device_flags.create_strategy(),
    )


def _weights() -> list[float] | None:
    try:
        return [float(weight) for weight in _DATA_WEIGHTS.value or ()] or None
    except ValueError as error:
        raise ValueError(f"--{_DATA_WEIGHTS.name}: {error}.") from error


def run():
    program.run(main)


if __name__ == "__main__":
    run()
