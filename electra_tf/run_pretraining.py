"""Pre-trains ELECTRA on the records of a data folder.

    python -m electra_tf.run_pretraining --preset=small \
        --data_dir=DATA --model_dir=MODEL [--eval_data_dir=HELD_OUT]

The same command again continues a run that was stopped.
"""

import dataclasses
import functools

from absl import flags
from absl import logging
import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import config_flags
from electra_tf import distribution
from electra_tf import masking
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import plots
from electra_tf import presets
from electra_tf import pretraining
from electra_tf import program
from electra_tf import records
from electra_tf import tokenization
from electra_tf import training

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


def pretrain(
    run_config: config.PretrainConfig,
    *,
    data_dir: str,
    model_dir: str,
    eval_data_dir: str | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> pretraining.ElectraPretrainer:
    """Trains to the last step and returns the model.

    Args:
        run_config: what to compute.
        data_dir: folder of training records.
        model_dir: folder that the run writes to, or has written to before.
        eval_data_dir: folder of held-out records.
        strategy: which devices train; one, if not given.
    """
    strategy = strategy or distribution.create("one_device")
    for batch_size in (run_config.train_batch_size, run_config.eval_batch_size):
        distribution.check_batch_size(strategy, batch_size)
    tokenizer = tokenization.Tokenizer.load(data_dir)
    for directory in filter(None, (data_dir, eval_data_dir)):
        records.check(
            records.load_info(directory),
            data_dir=directory,
            max_seq_length=run_config.max_seq_length,
            vocab_size=run_config.vocab_size,
            vocab_sha256=tokenizer.vocab_sha256,
        )
    model_folder.start(model_dir, kind="pretraining", run_config=run_config)
    tokenizer.save(model_dir)

    tf_keras.utils.set_random_seed(run_config.seed)  # Initial weights.
    with strategy.scope():
        model = pretraining.ElectraPretrainer(
            run_config,
            masking.SpecialIds(
                cls=tokenizer.cls_id,
                sep=tokenizer.sep_id,
                mask=tokenizer.mask_id,
            ),
        )
        model.compile(optimizer=optimization.create(run_config))
    num_parameters = sum(
        v.shape.num_elements() for v in model.trainable_weights
    )
    logging.info("%s parameters.", f"{num_parameters:,}")

    evaluate = None
    if eval_data_dir is not None:
        evaluate = functools.partial(
            model.evaluate,
            records.eval_dataset(
                eval_data_dir, batch_size=run_config.eval_batch_size
            ),
            steps=run_config.eval_steps or None,
            return_dict=True,
            verbose=0,
        )
    training.fit(
        model,
        make_dataset=lambda step: records.train_dataset(
            data_dir,
            batch_size=run_config.train_batch_size,
            seed=run_config.seed,
            start_step=step,
        ),
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=run_config.num_train_steps,
            log_steps=run_config.log_steps,
            save_checkpoints_steps=run_config.save_checkpoints_steps,
            keep_checkpoints=run_config.keep_checkpoints,
            eval_every_steps=run_config.eval_every_steps,
        ),
        batch_size=run_config.train_batch_size,
        evaluate=evaluate,
        console_metrics=(
            "loss",
            "masked_lm_loss",
            "disc_loss",
            "disc_auc",
            "disc_recall",
        ),
    )
    plots.plot_pretraining(model_dir)
    return model


def main():
    run_config = config_flags.override(presets.get(_PRESET.value))
    if not config_flags.given("vocab_size"):
        info = records.load_info(_DATA_DIR.value)
        run_config = dataclasses.replace(run_config, vocab_size=info.vocab_size)
    pretrain(
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
