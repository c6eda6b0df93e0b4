"""One pre-training run: data, model, training, curves."""

from collections.abc import Sequence
import functools
import itertools
from typing import Any

from absl import logging
import numpy as np
import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import dataset_info
from electra_tf import distribution
from electra_tf import hardware
from electra_tf import initialisation
from electra_tf import input_pipeline
from electra_tf import micro_batches
from electra_tf import model_folder
from electra_tf import optimization
from electra_tf import plots
from electra_tf import precision
from electra_tf import pretraining
from electra_tf import records
from electra_tf import run_report
from electra_tf import stages
from electra_tf import throughput
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
_MAX_COUNTED_EXAMPLES = 20_000


@records.plain_errors()
def pretrain(
    run_config: config.PretrainConfig,
    *,
    data_dirs: Sequence[str],
    model_dir: str,
    data_weights: Sequence[float] | None = None,
    eval_data_dir: str | None = None,
    skip_corrupt: bool = False,
    strategy: tf.distribute.Strategy | None = None,
) -> pretraining.ElectraPretrainer:
    """Trains to the last step and returns the model.

    Args:
        run_config: what to compute.
        data_dirs: folders of training records, of one vocabulary.
        model_dir: folder that the run writes to, or has written to before.
        data_weights: how many examples are seen of each folder, relative to
            the others; by default every example is seen equally often.
        eval_data_dir: folder of held-out records.
        skip_corrupt: whether records that cannot be read are skipped.
        strategy: which devices train; one, if not given.
    """
    strategy = strategy or distribution.create("one_device")
    precision.check_strategy(strategy, run_config.precision)
    for batch_size in (run_config.train_batch_size, run_config.eval_batch_size):
        distribution.check_batch_size(strategy, batch_size)
    micro_batches.check_batch_size(
        run_config.train_batch_size // strategy.num_replicas_in_sync,
        run_config.num_micro_batches,
    )
    data = _Data(
        data_dirs,
        weights=data_weights,
        eval_dir=eval_data_dir,
        skip_corrupt=skip_corrupt,
    )
    _check_same_data(model_dir, data.description)
    tokenizer = tokenization.Tokenizer.load(data_dirs[0])
    data.check(run_config, tokenizer)
    model = _create_model(run_config, tokenizer=tokenizer, strategy=strategy)
    if tf.train.latest_checkpoint(model_folder.checkpoints(model_dir)) is None:
        _initialise(model, data=data, tokenizer=tokenizer)
    if distribution.is_chief(strategy):
        model_folder.start(
            model_dir,
            kind="pretraining",
            run_config=run_config,
            extra={
                "data": data.description,
                "eval_data_dir": eval_data_dir,
                "hardware": hardware.describe(),
            },
        )
        tokenizer.save(model_dir)
    _fit(model, data=data, model_dir=model_dir)
    if distribution.is_chief(strategy):
        plots.plot_pretraining(model_dir)
        run_report.write_at_the_end(model_dir)
    return model


class _Data:
    """The data folders of a run."""

    def __init__(
        self,
        train_dirs: Sequence[str],
        *,
        weights: Sequence[float] | None,
        eval_dir: str | None,
        skip_corrupt: bool,
    ):
        load = functools.partial(dataset_info.load, skip_corrupt=skip_corrupt)
        self._train_dirs = train_dirs
        self._train_infos = [load(directory) for directory in train_dirs]
        self._weights = weights
        self._eval_dir = eval_dir
        self._eval_info = load(eval_dir) if eval_dir is not None else None
        self._skip_corrupt = skip_corrupt
        dataset_info.check_agreement(self._train_infos, train_dirs)

    @property
    def description(self) -> list[dict[str, Any]]:
        """What `config.json` says of each folder of training data."""
        counts = input_pipeline.cycle_counts(self._train_infos, self._weights)
        return [
            {
                "data_dir": directory,
                "num_examples": info.num_examples,
                "fingerprint": info.fingerprint,
                "examples_per_thousand": count,
            }
            for directory, info, count in zip(
                self._train_dirs, self._train_infos, counts
            )
        ]

    def check(
        self,
        run_config: config.PretrainConfig,
        tokenizer: tokenization.Tokenizer,
    ):
        """Raises ValueError if the data is not for such a run."""
        infos = list(zip(self._train_dirs, self._train_infos))
        if self._eval_info is not None:
            infos.append((self._eval_dir, self._eval_info))
        for directory, info in infos:
            dataset_info.check(
                info,
                data_dir=directory,
                max_seq_length=run_config.max_seq_length,
                vocab_size=run_config.vocab_size,
                vocab_sha256=tokenizer.vocab_sha256,
            )

    @property
    def num_counted(self) -> int:
        """How many examples show how frequent word pieces are."""
        if self._weights is not None:
            return _MAX_COUNTED_EXAMPLES
        num_examples = sum(info.num_examples for info in self._train_infos)
        return min(num_examples, _MAX_COUNTED_EXAMPLES)

    @property
    def has_eval(self) -> bool:
        return self._eval_dir is not None

    def num_eval_steps(self, run_config: config.PretrainConfig) -> int:
        """Batches of an evaluation: all there are, or as many as asked for."""
        num_batches = -(
            -self._eval_info.num_examples // run_config.eval_batch_size
        )
        return min(run_config.eval_steps or num_batches, num_batches)

    def train_dataset(
        self, num_pipelines: int = 1, pipeline: int = 0, **order
    ) -> tf.data.Dataset:
        """One host's rows; `order` is for `input_pipeline.train_dataset`."""
        return input_pipeline.train_dataset(
            self._train_dirs,
            weights=self._weights,
            num_pipelines=num_pipelines,
            pipeline=pipeline,
            skip_corrupt=self._skip_corrupt,
            **order,
        )

    def eval_dataset(
        self, num_pipelines: int = 1, pipeline: int = 0, *, batch_size: int
    ) -> tf.data.Dataset:
        """One host's rows of all batches."""
        return input_pipeline.eval_dataset(
            self._eval_dir,
            batch_size=batch_size,
            num_pipelines=num_pipelines,
            pipeline=pipeline,
            skip_corrupt=self._skip_corrupt,
        )


def _check_same_data(model_dir: str, description: list[dict[str, Any]]):
    """Raises ValueError if a folder's run has seen other data.

    The data may have moved: the folders' names are not compared.
    """
    if not model_folder.is_folder(model_dir):
        return
    earlier = model_folder.read(model_dir).get("data", description)
    differences = [
        f"folder {number}: {_data_line(old)} -> {_data_line(new)}"
        for number, (old, new) in enumerate(
            itertools.zip_longest(earlier, description), start=1
        )
        if not old or not new or old | {"data_dir": new["data_dir"]} != new
    ]
    if differences:
        raise ValueError(
            f"{model_dir!r} holds a run on other training data:\n  "
            + "\n  ".join(differences)
            + "\nRepeat the earlier --data_dir and --data_weights to continue "
            "it, or name another folder."
        )


def _data_line(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "none"
    return (
        f"{entry['data_dir']} ({entry['num_examples']:,} examples, "
        f"{entry['examples_per_thousand']} of 1,000 seen, "
        f"fingerprint {entry['fingerprint']})"
    )


def _create_model(
    run_config: config.PretrainConfig,
    *,
    tokenizer: tokenization.Tokenizer,
    strategy: tf.distribute.Strategy,
) -> pretraining.ElectraPretrainer:
    tf_keras.utils.set_random_seed(run_config.seed)  # Initial weights.
    with strategy.scope():
        model = pretraining.ElectraPretrainer.for_tokenizer(
            run_config, tokenizer
        )
        optimization.unfrozen(model.trainable_variables, run_config.freeze)
        model.compile(
            optimizer=precision.wrap_optimizer(
                optimization.create(run_config), run_config.precision
            ),
            jit_compile=precision.should_jit_compile(run_config.jit_compile),
        )
    num_parameters = sum(
        v.shape.num_elements() for v in model.trainable_weights
    )
    logging.info("%s parameters.", f"{num_parameters:,}")
    return model


def _fit(
    model: pretraining.ElectraPretrainer, *, data: _Data, model_dir: str
) -> None:
    run_config = model.config
    evaluate = None
    if data.has_eval:
        evaluate = functools.partial(
            model.evaluate,
            distribution.distribute(
                model.distribute_strategy,
                functools.partial(
                    data.eval_dataset, batch_size=run_config.eval_batch_size
                ),
                batch_size=run_config.eval_batch_size,
            ),
            steps=data.num_eval_steps(run_config),
            return_dict=True,
            verbose=0,
        )

    def make_dataset(step: int):
        return distribution.distribute(
            model.distribute_strategy,
            functools.partial(
                data.train_dataset,
                batch_size=run_config.train_batch_size,
                seed=run_config.seed,
                start_step=step,
            ),
            batch_size=run_config.train_batch_size,
        )

    training.fit(
        model,
        make_dataset=make_dataset,
        model_dir=model_dir,
        schedule=training.Schedule(
            num_steps=run_config.num_train_steps,
            log_steps=run_config.log_steps,
            save_checkpoints_steps=run_config.save_checkpoints_steps,
            save_checkpoints_minutes=run_config.save_checkpoints_minutes,
            keep_checkpoints=run_config.keep_checkpoints,
            keep_checkpoint_every_steps=run_config.keep_checkpoint_every_steps,
            best_metric=run_config.best_metric,
            eval_every_steps=run_config.eval_every_steps,
            profile_steps=run_config.profile_steps,
        ),
        batch_size=run_config.train_batch_size,
        rate_metrics=functools.partial(throughput.metrics, run_config),
        evaluate=evaluate,
        # Those of `test_step`.
        eval_metrics=[n for n in model.metric_names if n != "gradient_norm"],
        console_metrics=[
            n for n in _CONSOLE_METRICS if n in model.metric_names
        ],
        callbacks=[stages.StartDiscriminator()]
        if run_config.generator_training == "two_stage"
        else [],
    )


def _initialise(
    model: pretraining.ElectraPretrainer,
    *,
    data: _Data,
    tokenizer: tokenization.Tokenizer,
):
    """Replaces random weights by what the configuration names."""
    run_config = model.config
    if run_config.generator == "unigram":
        model.generator.set_counts(_count_tokens(data, run_config))
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


def _count_tokens(data: _Data, run_config: config.PretrainConfig) -> np.ndarray:
    """How often each word piece is in the first examples: `[vocab]`."""
    batch_size = min(data.num_counted, 1000)
    dataset = data.train_dataset(batch_size=batch_size, seed=run_config.seed)
    counts = np.zeros(run_config.vocab_size, np.int64)
    for batch in dataset.take(data.num_counted // batch_size):
        tokens = batch["input_ids"][batch["input_mask"] == 1]
        counts += np.bincount(tokens, minlength=run_config.vocab_size)
    return counts
