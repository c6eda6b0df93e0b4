"""What a run computes: frozen dataclasses without any TensorFlow."""

import dataclasses
import typing


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
        check_types(self)
        check_range(
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
        tying: What the generator shares with the discriminator:
            "embeddings" (of words, positions and segments), or "all", the
            whole encoder, for which the two shares below must be 1.
        generator_hidden_size: Width of the generator as a share of
            `hidden_size`; it has one attention head for 64 units and
            feed-forward layers 4 times as wide.
        generator_layers: Depth of the generator as a share of
            `num_hidden_layers`.
        max_seq_length: Tokens an example; the data must be of this length.
        mask_prob: Share of the tokens that the generator predicts. 0.25 for
            the paper's Large model, 0.15 for the others.
        gen_weight: Weight of the generator's masked-LM loss.
        disc_weight: Weight of the discriminator's loss.
        temperature: Divides the generator's logits before sampling.
        learning_rate: Peak learning rate.
        warmup_steps: Steps over which the learning rate rises from 0.
        lr_decay_power: Power of the polynomial decay to 0; 1 is linear.
        weight_decay_rate: Decoupled weight decay; never on biases and layer
            normalisation.
        adam_beta_1: Decay rate of Adam's first moment.
        adam_beta_2: Decay rate of Adam's second moment.
        adam_epsilon: Added to the root of Adam's second moment.
        clip_norm: Largest global norm of the gradients.
        train_batch_size: Examples a step, over all devices together.
        num_train_steps: Optimizer steps of the whole run.
        seed: Decides initial weights, data order, masking and dropout.
        eval_batch_size: Examples a step of evaluation.
        eval_steps: Batches of an evaluation; 0 for all of the data.
        eval_every_steps: Training steps between evaluations; 0 for one at
            each checkpoint.
        log_steps: Training steps between two log lines.
        save_checkpoints_steps: Training steps between two checkpoints.
        keep_checkpoints: Number of newest checkpoints that are kept.
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
    tying: typing.Literal["embeddings", "all"] = "embeddings"
    generator_hidden_size: float = 0.25
    generator_layers: float = 1.0
    max_seq_length: int = 128
    mask_prob: float = 0.15
    gen_weight: float = 1.0
    disc_weight: float = 50.0
    temperature: float = 1.0
    learning_rate: float = 5e-4
    warmup_steps: int = 10_000
    lr_decay_power: float = 1.0
    weight_decay_rate: float = 0.01
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_epsilon: float = 1e-6
    clip_norm: float = 1.0
    train_batch_size: int = 128
    num_train_steps: int = 1_000_000
    seed: int = 0
    eval_batch_size: int = 128
    eval_steps: int = 100
    eval_every_steps: int = 0
    log_steps: int = 100
    save_checkpoints_steps: int = 1000
    keep_checkpoints: int = 5

    # What does not change the weights that a run ends with, so that a run
    # may be continued with another value.
    MAY_CHANGE: typing.ClassVar[frozenset[str]] = frozenset(
        (
            "eval_batch_size",
            "eval_steps",
            "eval_every_steps",
            "log_steps",
            "save_checkpoints_steps",
            "keep_checkpoints",
        )
    )

    def __post_init__(self):
        check_types(self)
        check_range(
            self,
            at_least_1=(
                "max_seq_length train_batch_size num_train_steps "
                "eval_batch_size log_steps save_checkpoints_steps "
                "keep_checkpoints"
            ),
            at_least_0=(
                "warmup_steps eval_steps eval_every_steps seed gen_weight "
                "disc_weight weight_decay_rate lr_decay_power"
            ),
            positive=(
                "generator_hidden_size generator_layers temperature "
                "learning_rate adam_epsilon clip_norm"
            ),
            share="mask_prob adam_beta_1 adam_beta_2",
        )
        if self.mask_prob == 0.0:
            raise ValueError("mask_prob must be above 0, got 0.0.")
        if self.max_seq_length > self.max_position_embeddings:
            raise ValueError(
                f"max_seq_length {self.max_seq_length} is longer than the "
                f"{self.max_position_embeddings} positions of the model "
                f"(max_position_embeddings)."
            )
        if self.max_predictions_per_seq < 1:
            raise ValueError(
                f"mask_prob {self.mask_prob} of max_seq_length "
                f"{self.max_seq_length} leaves no token to predict."
            )
        is_full_size = self.generator_hidden_size == self.generator_layers == 1
        if self.tying == "all" and not is_full_size:
            raise ValueError(
                "tying='all' needs a generator of the discriminator's shape: "
                "generator_hidden_size and generator_layers 1, got "
                f"{self.generator_hidden_size} and {self.generator_layers}."
            )
        # Their own checks: heads divide widths, no width rounds to zero.
        _ = self.discriminator, self.generator

    @property
    def discriminator(self) -> EncoderConfig:
        """The discriminator's encoder."""
        return EncoderConfig(
            **{name: getattr(self, name) for name in ENCODER_FIELDS}
        )

    @property
    def generator(self) -> EncoderConfig:
        """The generator's encoder (the original's `get_generator_config`)."""
        if self.tying == "all":
            return self.discriminator
        hidden_size = round(self.hidden_size * self.generator_hidden_size)
        return dataclasses.replace(
            self.discriminator,
            hidden_size=hidden_size,
            num_hidden_layers=round(
                self.num_hidden_layers * self.generator_layers
            ),
            num_attention_heads=max(1, hidden_size // 64),
            intermediate_size=4 * hidden_size,
        )

    @property
    def max_predictions_per_seq(self) -> int:
        """Most tokens that the generator predicts in one example."""
        # (0.15 + 0.005) * 128 = 19.84, so 19.
        count = int((self.mask_prob + 0.005) * self.max_seq_length)
        return min(count, self.max_seq_length)


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


def check_types(config):
    """Raises ValueError for a field whose value is not of its type."""
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value, hint = getattr(config, field.name), hints[field.name]
        if not _is_instance(value, hint):
            raise ValueError(
                f"{field.name} must be {_type_name(hint)}, got {value!r}."
            )


def _is_instance(value, hint) -> bool:
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    if args := typing.get_args(hint):  # A union, `float | None`.
        return any(_is_instance(value, arg) for arg in args)
    if hint is float:
        hint = (int, float)
    is_bool = isinstance(value, bool)
    return is_bool if hint is bool else isinstance(value, hint) and not is_bool


def _type_name(hint) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(hint)))
    return getattr(hint, "__name__", str(hint))


def check_range(config, *, at_least_1="", at_least_0="", positive="", share=""):
    """Raises ValueError for a field out of its range; names are spaced."""
    rules = (
        (at_least_1, "at least 1", lambda value: value >= 1),
        (at_least_0, "at least 0", lambda value: value >= 0),
        (positive, "above 0", lambda value: value > 0),
        (share, "in [0, 1)", lambda value: 0 <= value < 1),
    )
    for names, text, is_valid in rules:
        for name in names.split():
            if not is_valid(getattr(config, name)):
                raise ValueError(
                    f"{name} must be {text}, got {getattr(config, name)}."
                )
