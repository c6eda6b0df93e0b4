"""One pre-training run: data, model, training, curves."""

import functools

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import distribution
from electra_tf import initialisation
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import plots
from electra_tf import pretraining
from electra_tf import records
from electra_tf import stages
from electra_tf import tokenization
from electra_tf import training

# Those of them that the objective has.
_CONSOLE_METRICS = (
    "loss",
    "cloze_loss",
    "masked_lm_loss",
    "policy_loss",
    "disc_loss",
    "disc_auc",
    "disc_recall",
    "token_loss",
    "token_accuracy",
)
_NUM_COUNTED_EXAMPLES = 20_000


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
    tf_keras.utils.set_random_seed(run_config.seed)  # Initial weights.
    with strategy.scope():
        model = pretraining.ElectraPretrainer.for_tokenizer(
            run_config, tokenizer
        )
        model.compile(optimizer=optimization.create(run_config))
    num_parameters = sum(
        v.shape.num_elements() for v in model.trainable_weights
    )
    logging.info("%s parameters.", f"{num_parameters:,}")

    if tf.train.latest_checkpoint(model_folder.checkpoints(model_dir)) is None:
        _initialise(model, run_config, data_dir=data_dir, tokenizer=tokenizer)
    model_folder.start(model_dir, kind="pretraining", run_config=run_config)
    tokenizer.save(model_dir)

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
        console_metrics=[
            n for n in _CONSOLE_METRICS if n in model.metric_names
        ],
        callbacks=[stages.StartDiscriminator()]
        if run_config.generator_training == "two_stage"
        else [],
    )
    plots.plot_pretraining(model_dir)
    return model


def _initialise(
    model: pretraining.ElectraPretrainer,
    run_config: config.PretrainConfig,
    *,
    data_dir: str,
    tokenizer: tokenization.Tokenizer,
):
    """Replaces random weights by what the configuration names."""
    if run_config.generator == "unigram":
        model.generator.set_counts(_count_tokens(data_dir, run_config))
    paths = {
        name: getattr(run_config, name)
        for name in ("init_checkpoint", "init_generator", "init_discriminator")
    }
    if any(paths.values()):
        initialisation.initialise(
            model.trainable_variables,
            **paths,
            extend_positions=run_config.extend_positions,
            tokenizer=tokenizer,
        )
    elif run_config.extend_positions:
        raise ValueError(
            "extend_positions is for weights to start from: give it with "
            "init_checkpoint, init_generator or init_discriminator."
        )


def _count_tokens(data_dir: str, run_config: config.PretrainConfig):
    """How often each word piece is in the first examples: `[vocab]`."""
    batch_size = 1000
    dataset = records.train_dataset(
        data_dir, batch_size=batch_size, seed=run_config.seed
    )
    counts = np.zeros(run_config.vocab_size, np.int64)
    for batch in dataset.take(_NUM_COUNTED_EXAMPLES // batch_size):
        tokens = batch["input_ids"][batch["input_mask"] == 1]
        counts += np.bincount(tokens, minlength=run_config.vocab_size)
    return counts
