"""Floating-point operations of a configuration, counted in two ways.

The original's way (`flops_computation.py`) makes figures comparable with
those of the ELECTRA paper: embeddings are counted as dense products, the
backward pass costs as much as the forward pass, and one layer normalisation
is counted as 5 operations instead of 5 for each of its units. The usual way
counts products only: two operations for each weight and token forward, twice
that backward, and nothing for looking embeddings up.
"""

import dataclasses

from electra_tf import config

# Of one element. As in the original: drawing a number and dropping, two means
# and scaling, GELU by its approximation, exponential and sum.
_DROPOUT = 4
_LAYER_NORM = 5
_ACTIVATION = 8
_SOFTMAX = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Transformer:
    """A network as the original counts it.

    Attributes:
        hidden: Width.
        layers: Depth.
        length: Tokens a sequence.
        vocab: Number of word pieces.
        embedding: Width of the embeddings; that of the network if None.
        output_share: Share of the tokens that word pieces are predicted for.
        heads: Attention heads; one for 64 units if None.
        head_size: Units of a head; the width is shared out if None.
        intermediate: Width of the feed-forward layers; 4 times the width if
            None.
        is_decoder: Whether each layer also attends to an encoder.
    """

    hidden: int
    layers: int
    length: int = 512
    vocab: int = 30522
    embedding: int | None = None
    output_share: float = 0.15625
    heads: int | None = None
    head_size: int | None = None
    intermediate: int | None = None
    is_decoder: bool = False

    @property
    def _embedding(self) -> int:
        return self.embedding or self.hidden

    def block(self) -> float:
        """FLOPs of one layer for one sequence, forward."""
        hidden = self.hidden
        intermediate = self.intermediate or 4 * hidden
        heads = self.heads or max(1, hidden // 64)
        inner = heads * self.head_size if self.head_size else hidden
        scores = heads * self.length
        attention = (
            3 * (2 * hidden * inner + inner)  # Query, key and value.
            + 2 * inner * self.length  # Their products,
            + (1 + _SOFTMAX + _DROPOUT) * scores  # scaled to a softmax,
            # As in the original: whatever the heads' size from here on.
            + 2 * hidden * self.length  # and the average of values.
            + 2 * hidden * hidden
            + (1 + _DROPOUT + 1) * hidden  # Bias, dropout, residual.
            # As in the original: not for each unit.
            + _LAYER_NORM
        )
        feed_forward = (
            2 * hidden * intermediate
            + (1 + _ACTIVATION) * intermediate
            + 2 * hidden * intermediate
            + (1 + _DROPOUT + 1 + _LAYER_NORM) * hidden
        )
        num_attentions = 2 if self.is_decoder else 1
        return (num_attentions * attention + feed_forward) * self.length

    def embeddings(self) -> float:
        """FLOPs of the embeddings of one sequence, forward."""
        size = self._embedding
        a_token = (
            2 * size * self.vocab  # As if looked up by a dense product.
            + 2 * size * (self.length + 2)  # Positions and segments, too.
            + (2 + _LAYER_NORM + _DROPOUT) * size
        )
        if size != self.hidden:
            a_token += 2 * self.hidden * size + self.hidden
        return a_token * self.length

    def output(self) -> float:
        """FLOPs of predicting word pieces in one sequence, forward."""
        size = self._embedding
        a_token = (
            2 * self.hidden * size
            + (1 + _ACTIVATION + _LAYER_NORM) * size
            + 2 * size * self.vocab
            + (_SOFTMAX + 2) * self.vocab
        )
        return self.output_share * a_token * self.length

    def binary_output(self) -> float:
        """FLOPs of one score a token for one sequence, forward."""
        hidden = self.hidden
        a_token = 2 * hidden * hidden + (1 + _ACTIVATION + 2) * hidden
        return a_token * self.length

    def inference(self) -> float:
        """FLOPs of a fine-tuned classifier on one sequence."""
        return (
            self.layers * self.block() + self.embeddings()
        ) + self.binary_output()

    def training(
        self, *, batch_size: int, num_steps: float, is_discriminator: bool
    ) -> float:
        """FLOPs of a whole pre-training run of this network."""
        output = self.binary_output() if is_discriminator else self.output()
        forward = self.layers * self.block() + self.embeddings() + output
        return 2 * batch_size * num_steps * forward


def other_models() -> dict[str, float]:
    """Training FLOPs of what the paper compares with, by the original.

    ELMo and XLNet are built otherwise: the original takes the FLOPs of their
    graphs, which TensorFlow counted.
    """
    t5 = dict(
        layers=24, vocab=32000, heads=128, head_size=128, intermediate=65536
    )
    models = {
        "gpt": (
            Transformer(hidden=768, layers=12, vocab=40000, output_share=1.0),
            128,
            960_800,
        ),
        "bert_large": (Transformer(hidden=1024, layers=24), 256, 1e6),
        "roberta": (
            Transformer(hidden=1024, layers=24, vocab=50265),
            8000,
            500_000,
        ),
        "albert": (
            Transformer(hidden=4096, layers=12, vocab=30000, embedding=128),
            4096,
            1.5e6,
        ),
        "t5_encoder": (
            Transformer(hidden=1024, output_share=0.0, **t5),
            2048,
            1e6,
        ),
        "t5_decoder": (
            Transformer(hidden=1024, output_share=1.0, is_decoder=True, **t5),
            2048,
            1e6,
        ),
    }
    counts = {
        name: shape.training(
            batch_size=batch_size, num_steps=num_steps, is_discriminator=False
        )
        for name, (shape, batch_size, num_steps) in models.items()
    }
    t5_11b = counts.pop("t5_encoder") + counts.pop("t5_decoder")
    return counts | {
        "t5_11b": t5_11b,
        # 10 passes over 768,648,884 words, forward and backward; a graph of
        # 20 sequences of 128 words.
        "elmo": 2 * 10 * 768_648_884 * 568_093_262_680 / (20 * 128),
        # 500,000 steps of 8,192 examples; a graph of 32.
        "xlnet": 2 * 500_000 * 8192 * 15_064_773_691_518 / 32,
    }


def original_training(run_config: config.PretrainConfig) -> float:
    """FLOPs of a whole run as the original counts them.

    Whatever the share of masked tokens, as in the original, 15.625 % of the
    positions are predicted.
    """
    parts = []
    if run_config.objective in ("mlm", "replace_mlm", "all_tokens_mlm"):
        share = 1.0 if run_config.objective == "all_tokens_mlm" else 0.15625
        parts.append((run_config.encoder, share))
    else:
        parts.append((run_config.encoder, None))
    if run_config.has_discriminator:
        towers, share = {
            "transformer": (1, 0.15625),
            "two_tower": (2, 0.5),  # Every token once, by both towers.
            "unigram": (0, 0.0),
            "uniform": (0, 0.0),
        }[run_config.generator]
        parts += [(run_config.generator_encoder, share)] * towers
    return sum(
        _as_transformer(run_config, shape, share).training(
            batch_size=run_config.train_batch_size,
            num_steps=run_config.num_train_steps,
            is_discriminator=share is None,
        )
        for shape, share in parts
    )


def original_inference(
    encoder_config: config.EncoderConfig, length: int
) -> float:
    """FLOPs of classifying one sequence as the original counts them."""
    return Transformer(
        hidden=encoder_config.hidden_size,
        layers=encoder_config.num_hidden_layers,
        length=length,
        vocab=encoder_config.vocab_size,
        embedding=encoder_config.embedding_size,
        heads=encoder_config.num_attention_heads,
    ).inference()


def training_example(run_config: config.PretrainConfig) -> float:
    """FLOPs of one example of training, forward and backward, as usual."""
    length = run_config.max_seq_length
    masked = run_config.max_predictions_per_seq
    main, generator = run_config.encoder, run_config.generator_encoder
    forward = encoder_forward(main, length)
    forward += {
        "mlm": vocabulary_forward(main, masked),
        "replace_mlm": vocabulary_forward(main, masked),
        "all_tokens_mlm": vocabulary_forward(main, length),
    }.get(run_config.objective, 2 * length * main.hidden_size**2)
    if run_config.has_discriminator:
        if run_config.generator == "transformer":
            forward += encoder_forward(generator, length)
            forward += vocabulary_forward(generator, masked)
        elif run_config.generator == "two_tower":
            forward += 2 * encoder_forward(generator, length)
            forward += vocabulary_forward(generator, length)
            # The head reads both towers.
            forward += (
                2 * length * generator.hidden_size * generator.embedding_size
            )
    return 3.0 * forward


def encoder_forward(encoder_config: config.EncoderConfig, length: int) -> float:
    """FLOPs of an encoder on one sequence, products only."""
    hidden = encoder_config.hidden_size
    a_layer = (
        4 * hidden * hidden
        + 2 * hidden * encoder_config.intermediate_size
        + 2 * hidden * length  # Scores, and averages of values.
    )
    weights = encoder_config.num_hidden_layers * a_layer
    if encoder_config.embedding_size != hidden:
        weights += encoder_config.embedding_size * hidden
    return 2.0 * weights * length


def vocabulary_forward(
    encoder_config: config.EncoderConfig, tokens: int
) -> float:
    """FLOPs of predicting so many word pieces, products only."""
    size = encoder_config.embedding_size
    return (
        2.0
        * tokens
        * size
        * (encoder_config.hidden_size + encoder_config.vocab_size)
    )


def _as_transformer(
    run_config: config.PretrainConfig,
    shape: config.EncoderConfig,
    output_share: float | None,
) -> Transformer:
    return Transformer(
        hidden=shape.hidden_size,
        layers=shape.num_hidden_layers,
        length=run_config.max_seq_length,
        vocab=shape.vocab_size,
        embedding=shape.embedding_size,
        output_share=output_share or 0.0,
        heads=shape.num_attention_heads,
    )
