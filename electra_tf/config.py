"""What a run computes: frozen dataclasses without any TensorFlow."""

import dataclasses
import typing

from electra_tf import config_checks


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """The shape of one transformer encoder.

    Attributes:
        vocab_size: Number of word pieces.
        embedding_size: Width of the embeddings; if it differs from
            `hidden_size`, a projection connects the two.
        hidden_size: Width of every layer's output.
        num_hidden_layers: Number of transformer layers.
        num_attention_heads: Attention heads a layer; divides `hidden_size`.
        intermediate_size: Width of the feed-forward layers.
        max_position_embeddings: Longest sequence the encoder can read.
        type_vocab_size: Number of segment types.
        hidden_dropout_prob: Dropout on embeddings and sub-layer outputs.
        attention_probs_dropout_prob: Dropout on attention probabilities.
        initializer_range: Standard deviation of the truncated normal that
            initialises kernels and embeddings.
    """

    vocab_size: int = 30522
    embedding_size: int = 128
    hidden_size: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02

    def __post_init__(self):
        config_checks.check_types(self)
        config_checks.check_range(
            self,
            at_least_1=(
                "vocab_size embedding_size hidden_size num_hidden_layers "
                "num_attention_heads intermediate_size "
                "max_position_embeddings type_vocab_size"
            ),
            share="hidden_dropout_prob attention_probs_dropout_prob",
            positive="initializer_range",
        )
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size must be a multiple of num_attention_heads, got "
                f"{self.hidden_size} and {self.num_attention_heads}."
            )


Objective = typing.Literal[
    "electra",
    "mlm",
    "electric",
    "electra_15",
    "replace_mlm",
    "all_tokens_mlm",
]
Generator = typing.Literal["transformer", "two_tower", "unigram", "uniform"]
GeneratorTraining = typing.Literal["joint", "two_stage", "adversarial"]
Tying = typing.Literal["embeddings", "all", "none", "gdes"]
Precision = typing.Literal["float32", "bfloat16", "float16"]
Masking = typing.Literal[
    "without_replacement", "with_replacement", "whole_words"
]

ENCODER_FIELDS = tuple(f.name for f in dataclasses.fields(EncoderConfig))


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Everything that decides what one pre-training run computes.

    The names and the default values (ELECTRA-Small) are the original's
    (`configure_pretraining.py`) and those of Table 6 of the paper.

    Attributes:
        vocab_size: Number of word pieces; taken from the data set if neither
            a flag nor a configuration file gives it.
        embedding_size: Width of the embeddings that both networks share.
        hidden_size: Width of the discriminator.
        num_hidden_layers: Number of the discriminator's layers.
        num_attention_heads: The discriminator's attention heads; divides
            `hidden_size`.
        intermediate_size: Width of the discriminator's feed-forward layers.
        max_position_embeddings: Longest sequence that the model can read.
        type_vocab_size: Number of segment types.
        hidden_dropout_prob: Dropout on embeddings and sub-layer outputs.
        attention_probs_dropout_prob: Dropout on attention probabilities.
        initializer_range: Standard deviation of the truncated normal that
            initialises kernels and embeddings.
        objective: What is learned. "electra": which tokens were replaced;
            "mlm": BERT's masked tokens, without a second network;
            "electric": an energy of each token, by noise-contrastive
            estimation (https://arxiv.org/abs/2012.08561). The ablations of
            Section 3.4 of the ELECTRA paper: "electra_15", the
            discriminator's loss on masked-out tokens only; "replace_mlm",
            masked tokens are predicted where samples stand instead of
            [MASK]; "all_tokens_mlm", so is every token, with a copy
            mechanism.
        generator: What proposes replacements: "transformer", a small masked
            language model; "two_tower", a left-to-right and a right-to-left
            language model, as Electric needs it; "unigram", one learned
            score a word piece; "uniform", every word piece alike.
        generator_training: "joint", by maximum likelihood beside the
            discriminator; "two_stage", the generator alone in the first half
            of the steps, then the discriminator alone, which starts from the
            generator's weights; "adversarial", by REINFORCE, to raise the
            discriminator's loss (Appendix F).
        tying: What the generator shares with the discriminator:
            "embeddings" (of words, positions and segments), "none", or
            "all", the whole encoder, for which the two shares below must be
            1. "gdes": the generator's embeddings, without gradients from the
            discriminator, which adds a difference of its own (DeBERTa-V3,
            https://arxiv.org/abs/2111.09543).
        generator_hidden_size: Width of the generator as a share of
            `hidden_size`; it has one attention head for 64 units and
            feed-forward layers 4 times as wide.
        generator_layers: Depth of the generator as a share of
            `num_hidden_layers`.
        max_seq_length: Tokens an example; the data must be of this length.
        mask_prob: Share of the tokens that the generator predicts. 0.25 for
            the paper's Large model, 0.15 for the others.
        masking: How the tokens to predict are drawn: "without_replacement",
            "with_replacement" as in the original, where slots may repeat a
            token, or "whole_words", all pieces of a word together.
        gen_weight: Weight of the generator's loss.
        disc_weight: Weight of the loss of the network that is kept.
        temperature: Divides the generator's logits before sampling.
        disallow_correct: Never sample the original token.
        learning_rate: Peak learning rate.
        warmup_steps: Steps over which the learning rate rises from 0.
        lr_decay_power: Power of the polynomial decay to 0; 1 is linear.
        weight_decay_rate: Decoupled weight decay; never on biases and layer
            normalisation.
        adam_beta_1: Decay rate of Adam's first moment.
        adam_beta_2: Decay rate of Adam's second moment.
        adam_epsilon: Added to the root of Adam's second moment.
        clip_norm: Largest global norm of the gradients.
        clip_per_replica: Clip the gradient of each device before they are
            added up, as in the original; otherwise their sum.
        optimizer: "adam", the original's, or "lamb", for very large batches.
        bias_correction: Correct the bias of Adam's moments, which the
            original does not; LAMB always does.
        disc_learning_rate: Peak learning rate of the discriminator, but for
            what it shares with the generator; None for `learning_rate`.
        freeze: Regular expression; variables in whose names it is found, such
            as "electra/embeddings/", keep their values.
        ema_momentum: Momentum, such as 0.9999, of a moving average of the
            weights, which replaces them after the last step; 0 for none.
        precision: Of the products of matrices: "float32", or, with weights,
            softmax, normalisation, losses and optimizer in float32,
            "bfloat16" or "float16".
        jit_compile: Compile the whole step with XLA; None for the whole on
            GPUs and TPUs, on a CPU the parts that become faster.
        num_micro_batches: In how many parts a batch is computed, one after
            the other, to save memory; the result is the same.
        train_batch_size: Examples a step, over all devices together.
        num_train_steps: Optimizer steps of the whole run.
        init_checkpoint: Weights to start from, in place of random ones: a
            model folder, a checkpoint of the original or a Hugging Face
            folder, of ELECTRA or BERT.
        init_generator: Likewise, for the generator only.
        init_discriminator: Likewise, for the discriminator only.
        extend_positions: Repeat the position embeddings of weights to start
            from that are for shorter sequences.
        seed: Decides initial weights, data order, masking and dropout.
        eval_batch_size: Examples a step of evaluation.
        eval_steps: Batches of an evaluation; 0 for all of the data.
        eval_every_steps: Training steps between evaluations; 0 for one at
            each checkpoint.
        log_steps: Training steps between two log lines.
        save_checkpoints_steps: Training steps between two checkpoints.
        save_checkpoints_minutes: Minutes after which a checkpoint is written
            all the same; 0 for never.
        keep_checkpoints: Number of newest checkpoints that are kept.
        keep_checkpoint_every_steps: Checkpoints of multiples of so many steps
            are kept for ever; 0 for none.
        best_metric: Metric of evaluations, such as "disc_auc", or "-loss"
            where less is better, whose best checkpoint is kept, too.
        skip_nonfinite_steps: So many steps whose loss or gradient is not
            finite may change nothing; one more ends the run.
        profile_steps: Two steps, such as "10,20", between which a profile is
            taken for TensorBoard.
        peak_flops: FLOPs a second of which the devices are capable together,
            to show which share is used; 0 if unknown.
    """

    vocab_size: int = 30522
    embedding_size: int = 128
    hidden_size: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    objective: Objective = "electra"
    generator: Generator = "transformer"
    generator_training: GeneratorTraining = "joint"
    tying: Tying = "embeddings"
    generator_hidden_size: float = 0.25
    generator_layers: float = 1.0
    max_seq_length: int = 128
    mask_prob: float = 0.15
    masking: Masking = "without_replacement"
    gen_weight: float = 1.0
    disc_weight: float = 50.0
    temperature: float = 1.0
    disallow_correct: bool = False
    learning_rate: float = 5e-4
    warmup_steps: int = 10_000
    lr_decay_power: float = 1.0
    weight_decay_rate: float = 0.01
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_epsilon: float = 1e-6
    clip_norm: float = 1.0
    clip_per_replica: bool = False
    optimizer: typing.Literal["adam", "lamb"] = "adam"
    bias_correction: bool = False
    disc_learning_rate: float | None = None
    freeze: str = ""
    ema_momentum: float = 0.0
    precision: Precision = "float32"
    jit_compile: bool | None = None
    num_micro_batches: int = 1
    train_batch_size: int = 128
    num_train_steps: int = 1_000_000
    init_checkpoint: str = ""
    init_generator: str = ""
    init_discriminator: str = ""
    extend_positions: bool = False
    seed: int = 0
    eval_batch_size: int = 128
    eval_steps: int = 100
    eval_every_steps: int = 0
    log_steps: int = 100
    save_checkpoints_steps: int = 1000
    save_checkpoints_minutes: float = 0.0
    keep_checkpoints: int = 5
    keep_checkpoint_every_steps: int = 0
    best_metric: str = ""
    skip_nonfinite_steps: int = 0
    profile_steps: str = ""
    peak_flops: float = 0.0

    # What does not change the weights that a run ends with, so that a run
    # may be continued with another value.
    MAY_CHANGE: typing.ClassVar[frozenset[str]] = frozenset(
        (
            "eval_batch_size",
            "eval_steps",
            "eval_every_steps",
            "log_steps",
            "save_checkpoints_steps",
            "save_checkpoints_minutes",
            "keep_checkpoints",
            "keep_checkpoint_every_steps",
            "best_metric",
            "skip_nonfinite_steps",
            "profile_steps",
            "peak_flops",
        )
    )

    def __post_init__(self):
        config_checks.check_types(self)
        config_checks.check_range(
            self,
            at_least_1=(
                "max_seq_length train_batch_size num_train_steps "
                "eval_batch_size log_steps save_checkpoints_steps "
                "keep_checkpoints num_micro_batches"
            ),
            at_least_0=(
                "warmup_steps eval_steps eval_every_steps seed gen_weight "
                "disc_weight weight_decay_rate lr_decay_power "
                "save_checkpoints_minutes keep_checkpoint_every_steps "
                "skip_nonfinite_steps peak_flops"
            ),
            positive=(
                "generator_hidden_size generator_layers temperature "
                "learning_rate adam_epsilon clip_norm"
            ),
            share="mask_prob adam_beta_1 adam_beta_2 ema_momentum",
        )
        config_checks.check_pattern(self, "freeze")
        if self.mask_prob == 0.0:
            raise ValueError("mask_prob must be above 0, got 0.0.")
        if self.max_seq_length > self.max_position_embeddings:
            raise ValueError(
                f"max_seq_length {self.max_seq_length} is longer than the "
                f"{self.max_position_embeddings} positions of the model "
                f"(max_position_embeddings)."
            )
        disc_rate = self.disc_learning_rate
        if disc_rate is not None and not disc_rate > 0:
            raise ValueError(
                f"disc_learning_rate must be above 0, got {disc_rate}."
            )
        if self.max_predictions_per_seq < 1:
            raise ValueError(
                f"mask_prob {self.mask_prob} of max_seq_length "
                f"{self.max_seq_length} leaves no token to predict."
            )
        config_checks.parse_steps("profile_steps", self.profile_steps)
        check_combination(self)
        # Their own checks: heads divide widths, no width rounds to zero.
        _ = self.encoder, self.generator_encoder

    @property
    def encoder(self) -> EncoderConfig:
        """The encoder that people keep; but for "mlm", the discriminator's."""
        return EncoderConfig(
            **{name: getattr(self, name) for name in ENCODER_FIELDS}
        )

    @property
    def generator_encoder(self) -> EncoderConfig:
        """The generator's encoder (the original's `get_generator_config`)."""
        if self.tying == "all" or self.generator_training == "two_stage":
            return self.encoder
        hidden_size = round(self.hidden_size * self.generator_hidden_size)
        return dataclasses.replace(
            self.encoder,
            # As in the original: embeddings of its own are as wide as itself.
            embedding_size=hidden_size
            if self.tying == "none"
            else self.embedding_size,
            hidden_size=hidden_size,
            num_hidden_layers=round(
                self.num_hidden_layers * self.generator_layers
            ),
            num_attention_heads=max(1, hidden_size // 64),
            intermediate_size=4 * hidden_size,
        )

    @property
    def has_discriminator(self) -> bool:
        """Whether there is a second network that reads the replacements."""
        return self.objective != "mlm"

    @property
    def max_predictions_per_seq(self) -> int:
        """Most tokens that the generator predicts in one example."""
        # (0.15 + 0.005) * 128 = 19.84, so 19.
        count = int((self.mask_prob + 0.005) * self.max_seq_length)
        return min(count, self.max_seq_length)


def check_combination(config: PretrainConfig):
    """Raises ValueError for choices that make no sense together."""
    is_full_size = config.generator_hidden_size == config.generator_layers == 1
    rules = (
        # If this holds, then these must have these values.
        (
            config.objective == "mlm",
            dict(
                generator="transformer",
                generator_training="joint",
                tying="embeddings",
                disallow_correct=False,
                disc_learning_rate=None,
            ),
        ),
        (
            config.objective == "electric",
            dict(
                generator="two_tower", temperature=1.0, disallow_correct=False
            ),
        ),
        (config.generator != "transformer", dict(tying="embeddings")),
        (config.generator_training != "joint", dict(generator="transformer")),
        (
            config.generator_training == "two_stage",
            dict(objective="electra", tying="none"),
        ),
        (
            config.generator_training == "adversarial",
            dict(objective="electra", disallow_correct=False),
        ),
    )
    for holds, needed in rules:
        wrong = [
            n for n, value in needed.items() if getattr(config, n) != value
        ]
        if holds and wrong:
            raise ValueError(
                f"objective={config.objective!r}, generator="
                f"{config.generator!r} and generator_training="
                f"{config.generator_training!r} need "
                + ", ".join(f"{name}={needed[name]!r}" for name in wrong)
                + ", got "
                + ", ".join(repr(getattr(config, name)) for name in wrong)
                + "."
            )
    if not is_full_size:
        for name, value in (
            ("tying", "all"),
            ("generator_training", "two_stage"),
        ):
            if getattr(config, name) == value:
                raise ValueError(
                    f"{name}={value!r} needs a generator of the "
                    "discriminator's shape: generator_hidden_size and "
                    f"generator_layers 1, got {config.generator_hidden_size} "
                    f"and {config.generator_layers}."
                )


def to_dict(config) -> dict:
    """Every field of a configuration, ready for JSON."""
    return dataclasses.asdict(config)


def from_dict(config_class, values: dict):
    """A configuration from a dictionary whose keys are all fields of it."""
    names = [f.name for f in dataclasses.fields(config_class)]
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise ValueError(
            f"{config_class.__name__} has no field {', '.join(unknown)}. "
            f"Its fields are: {', '.join(names)}."
        )
    return config_class(**values)


def differences(old, new) -> list[str]:
    """`field: old -> new` for what would make a continued run another run."""
    return [
        f"{field.name}: {getattr(old, field.name)!r} -> "
        f"{getattr(new, field.name)!r}"
        for field in dataclasses.fields(old)
        if field.name not in old.MAY_CHANGE
        and getattr(old, field.name) != getattr(new, field.name)
    ]
