"""What a fine-tuning run computes, and the paper's values for each model."""

from collections.abc import Sequence
import dataclasses
import typing

from electra_tf import config
from electra_tf import config_checks
from finetune import task as task_lib


@dataclasses.dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """Everything that decides what one fine-tuning run computes.

    The default values are those of Table 7 of the paper, which are not
    always those of the original's `configure_finetuning.py`.

    Attributes:
        task: Name of the task, such as "cola"; of several, with commas
            between, which are learned at once by one encoder.
        init_checkpoint: Model folder, checkpoint of the original or of BERT,
            or Hugging Face folder whose encoder is fine-tuned; its vocabulary
            is used, too.
        vocab_file: Vocabulary, if it is not beside `init_checkpoint`.
        lower_case: Whether text is lower-cased; None for what is written
            beside `init_checkpoint`, or yes.
        strip_accents: Whether lower-cased text loses its accents; None as
            for `lower_case`.
        num_attention_heads: Of the encoder; None for what is written beside
            `init_checkpoint`, or a 64th of its width.
        extend_positions: Repeat the position embeddings of an encoder that
            is for sequences shorter than `max_seq_length`.
        from_scratch: Start from random weights in the shape of
            `init_checkpoint`; the baseline for what pre-training is worth.
        init_from_task: Folder of a run that was fine-tuned on another task,
            in place of `init_checkpoint`; of several trials, the best.
        max_seq_length: Longest example in tokens; what is longer is cut, but
            contexts of questions are read in windows. None for 512 for
            question answering, 128 for other tasks.
        train_batch_size: Examples a step, over all devices together.
        eval_batch_size: Examples a step of evaluation.
        num_train_epochs: Passes over the training data; None for 10 on RTE
            and STS-B, 2 for question answering, 3 on the other tasks.
        learning_rate: Peak learning rate; None for 3e-4, 1e-4 and 5e-5 for a
            model of the size of ELECTRA-Small, Base and Large.
        layerwise_lr_decay: Factor of the learning rate from each layer to the
            one below; None for 0.9 for a model of the size of ELECTRA-Large,
            0.8 for smaller ones.
        warmup_proportion: Share of the steps in which the learning rate
            rises from 0.
        weight_decay_rate: Decoupled weight decay; never on biases and layer
            normalisation.
        dropout_prob: Dropout of the head and everywhere in the encoder.
        clip_norm: Largest global norm of the gradients.
        clip_per_replica: Clip the gradient of each device before they are
            added up, as in the original; otherwise their sum.
        layerwise_rule: "original", in which the top layer is decayed twice
            and the layers below accordingly, or "corrected".
        bias_correction: Correct the bias of Adam's moments, which the
            original does not.
        freeze: Regular expression; variables in whose names it is found, such
            as "embeddings|layer_[0-5]/", keep their values.
        precision: Of the products of matrices: "float32", or, with weights,
            softmax, normalisation, losses and optimizer in float32,
            "bfloat16" or "float16".
        jit_compile: Compile the whole step with XLA; None for what is faster:
            on a CPU parts of it, in runs that are worth it, on other devices
            the whole, if all batches have one length.
        num_micro_batches: In how many parts a batch is computed, one after
            the other, to save memory; the result is the same.
        loss_reduction: "mean" over the batch, or, as in the original, "sum",
            which makes clipping act on nearly every step.
        seed: Decides the head's initial weights, data order and dropout.
        num_trials: Number of runs that differ only in the seed, which counts
            up from `seed`.
        task_sampling_exponent: Of several tasks, how the share of a task in
            training depends on the number of its examples n: as n to this
            power. 1 shows all examples equally often, 0 all tasks.
        early_stopping: End a trial after so many evaluations without a better
            main metric; 0 for never.
        best_on_dev: Evaluate and keep the weights of the evaluation with the
            best main metric, instead of the last ones.
        predict_test: Whether to predict the labels of the test files.
        skip_malformed_lines: Leave lines that cannot be read out, with a
            message for each, instead of stopping at the first.
        pad_to_max_length: Pad each batch to `max_seq_length` instead of its
            longest example; devices that need static shapes want that.
        bucket_batches: Training examples are sorted by length among so many
            batches, which are then shuffled, to save padding; 1 for never.
        feature_cache_dir: Folder that keeps the tokenized examples for other
            runs on the same data; none if empty.
        doc_stride: Tokens between the starts of two windows over a long
            context.
        max_query_length: Tokens of a question; what is longer is cut.
        joint_prediction: Whether the end of an answer is scored for each of
            the likeliest starts, as in the original, or on its own.
        beam_size: How many starts, and ends of each, are then looked at.
        answerable_classifier: Learn whether a question has an answer with a
            classifier of its own; None for tasks that have such questions.
        answerable_uses_start_logits: Whether that classifier also reads the
            average of the tokens, weighted by how likely an answer starts
            there.
        answerable_weight: Weight of its loss.
        n_best_size: Answers that are written for each question.
        max_answer_length: Longest answer in tokens.
        null_threshold: The score from which on a question counts as having no
            answer; beside it the best one is reported.
        answer_text: How the text of an answer is found: by "offsets" into the
            context, or as in the "original" by aligning it with the
            normalised text, which keeps whole words.
        log_steps: Training steps between two log lines.
        save_checkpoints_steps: Training steps between two checkpoints, each
            with an evaluation.
        keep_checkpoints: Number of newest checkpoints that are kept.
        skip_nonfinite_steps: So many steps whose loss or gradient is not
            finite may change nothing; one more ends the run.
    """

    task: str = ""
    init_checkpoint: str = ""
    vocab_file: str | None = None
    lower_case: bool | None = None
    strip_accents: bool | None = None
    num_attention_heads: int | None = None
    extend_positions: bool = False
    from_scratch: bool = False
    init_from_task: str = ""
    max_seq_length: int | None = None
    train_batch_size: int = 32
    eval_batch_size: int = 32
    num_train_epochs: float | None = None
    learning_rate: float | None = None
    layerwise_lr_decay: float | None = None
    warmup_proportion: float = 0.1
    weight_decay_rate: float = 0.0
    dropout_prob: float = 0.1
    clip_norm: float = 1.0
    clip_per_replica: bool = False
    layerwise_rule: typing.Literal["original", "corrected"] = "original"
    bias_correction: bool = False
    freeze: str = ""
    precision: config.Precision = "float32"
    jit_compile: bool | None = None
    num_micro_batches: int = 1
    loss_reduction: typing.Literal["mean", "sum"] = "mean"
    seed: int = 0
    num_trials: int = 1
    task_sampling_exponent: float = 1.0
    early_stopping: int = 0
    best_on_dev: bool = False
    predict_test: bool = True
    skip_malformed_lines: bool = False
    pad_to_max_length: bool = False
    bucket_batches: int = 16
    feature_cache_dir: str = ""
    doc_stride: int = 128
    max_query_length: int = 64
    joint_prediction: bool = True
    beam_size: int = 20
    answerable_classifier: bool | None = None
    answerable_uses_start_logits: bool = True
    answerable_weight: float = 0.5
    n_best_size: int = 20
    max_answer_length: int = 30
    null_threshold: float = -2.75
    answer_text: typing.Literal["offsets", "original"] = "offsets"
    log_steps: int = 50
    save_checkpoints_steps: int = 1000
    keep_checkpoints: int = 1
    skip_nonfinite_steps: int = 0

    # What does not change the weights that a run ends with, so that a run
    # may be continued with another value.
    MAY_CHANGE: typing.ClassVar[frozenset[str]] = frozenset(
        (
            "eval_batch_size",
            "predict_test",
            "feature_cache_dir",
            "n_best_size",
            "max_answer_length",
            "null_threshold",
            "answer_text",
            "log_steps",
            "save_checkpoints_steps",
            "keep_checkpoints",
            "skip_nonfinite_steps",
        )
    )

    def __post_init__(self):
        config_checks.check_types(self)
        config_checks.check_range(
            self,
            at_least_1=(
                "train_batch_size eval_batch_size num_trials log_steps "
                "save_checkpoints_steps keep_checkpoints num_micro_batches "
                "bucket_batches doc_stride max_query_length beam_size "
                "n_best_size max_answer_length"
            ),
            at_least_0=(
                "weight_decay_rate seed skip_nonfinite_steps early_stopping "
                "answerable_weight task_sampling_exponent"
            ),
            positive="clip_norm",
            share="warmup_proportion dropout_prob",
        )
        config_checks.check_pattern(self, "freeze")
        if self.init_checkpoint and self.init_from_task:
            raise ValueError(
                "init_checkpoint and init_from_task exclude each other: a run "
                "starts from one model."
            )
        # [CLS] a [SEP] b [SEP] with one token of each text.
        length = self.max_seq_length
        if length is not None and length < 5:
            raise ValueError(
                f"max_seq_length must be at least 5, got {length}."
            )
        for name in (
            "num_train_epochs",
            "learning_rate",
            "num_attention_heads",
        ):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0, got {value}.")
        decay = self.layerwise_lr_decay
        if decay is not None and not 0 < decay <= 1:
            raise ValueError(
                f"layerwise_lr_decay must be in (0, 1], got {decay}."
            )

    @property
    def source(self) -> str:
        """Where the weights to start from are."""
        return self.init_checkpoint or self.init_from_task

    @property
    def padded_length(self) -> int | None:
        """The length of all batches; None for that of their longest row."""
        return self.max_seq_length if self.pad_to_max_length else None

    @property
    def task_names(self) -> list[str]:
        """The names of the tasks, as they were given."""
        return [name.strip() for name in self.task.split(",")]


class Recipe(typing.NamedTuple):
    """What Table 7 of the paper makes depend on the size of the model.

    Attributes:
        max_hidden_size: Widest encoder that it is meant for.
        learning_rate: Peak learning rate.
        layerwise_lr_decay: Factor from each layer to the one below.
    """

    max_hidden_size: float
    learning_rate: float
    layerwise_lr_decay: float


# Small is 256 wide, Base 768 and Large 1024; others go with the next of them.
RECIPES = (
    Recipe(512, learning_rate=3e-4, layerwise_lr_decay=0.8),
    Recipe(768, learning_rate=1e-4, layerwise_lr_decay=0.8),
    Recipe(float("inf"), learning_rate=5e-5, layerwise_lr_decay=0.9),
)


def resolve(
    run_config: FinetuneConfig,
    *,
    tasks: Sequence[task_lib.Task],
    encoder_config: config.EncoderConfig,
) -> FinetuneConfig:
    """The configuration with the paper's value for every None.

    Where several tasks differ, the larger value is taken.

    Raises:
        ValueError: the encoder cannot read `max_seq_length` tokens.
    """
    positions = encoder_config.max_position_embeddings
    length = max_seq_length(run_config, tasks)
    if length > positions and not run_config.extend_positions:
        raise ValueError(
            f"max_seq_length {length} is longer than the {positions} positions "
            f"of the model in {run_config.source!r}. --extend_positions "
            "extends them; or ask for a smaller --max_seq_length."
        )
    recipe = next(
        recipe
        for recipe in RECIPES
        if encoder_config.hidden_size <= recipe.max_hidden_size
    )
    defaults = {
        "max_seq_length": length,
        "answerable_classifier": any(task.has_impossible for task in tasks),
        "num_train_epochs": max(task.num_train_epochs for task in tasks),
        "learning_rate": recipe.learning_rate,
        "layerwise_lr_decay": recipe.layerwise_lr_decay,
    }
    return dataclasses.replace(
        run_config,
        **{
            name: value
            for name, value in defaults.items()
            if getattr(run_config, name) is None
        },
    )


def max_seq_length(
    run_config: FinetuneConfig, tasks: Sequence[task_lib.Task]
) -> int:
    """Longest row in tokens: as configured, or what the tasks want."""
    if run_config.max_seq_length is not None:
        return run_config.max_seq_length
    return max(task.max_seq_length for task in tasks)


def num_train_steps(run_config: FinetuneConfig, num_examples: int) -> int:
    """Steps of a resolved run; as in the original, a rest makes no step."""
    seen = run_config.num_train_epochs * num_examples
    return max(1, int(seen / run_config.train_batch_size))
