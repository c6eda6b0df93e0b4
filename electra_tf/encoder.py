"""The transformer encoder of both networks (the original's `modeling.py`).

Layers and variables bear the names of the original's checkpoints, such as
`electra/encoder/layer_0/attention/self/query/kernel`.
"""

from typing import Literal
from typing import NamedTuple

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import fused
from electra_tf import padding
from electra_tf import randomness

# Of the variables that are added to the embeddings of another encoder.
DELTA_SUFFIX = "_delta"

Direction = Literal["both", "left_to_right", "right_to_left"]


class EncoderOutput(NamedTuple):
    """What an encoder computes, in the precision of its layers.

    Attributes:
        sequence_output: `[batch, length, hidden]`, the last layer.
        pooled_output: `[batch, hidden]`, the last layer at [CLS]; as in the
            original there is no dense layer on top.
        all_layer_outputs: one `[batch, length, hidden]` a layer.
        embedding_output: `[batch, length, hidden]`, what the first layer
            reads.
    """

    sequence_output: tf.Tensor
    pooled_output: tf.Tensor
    all_layer_outputs: tuple[tf.Tensor, ...]
    embedding_output: tf.Tensor


class LayerNorm(tf_keras.layers.LayerNormalization):
    """Layer normalisation with the original's name and epsilon.

    Called with an update, it adds that first, with dropout.
    """

    def __init__(self):
        super().__init__(epsilon=1e-12, name="LayerNorm")

    def call(self, x, *updates, rate=0.0, seed=None):
        return fused.add_and_normalize(
            x,
            *updates,
            gamma=tf.convert_to_tensor(self.gamma),
            beta=tf.convert_to_tensor(self.beta),
            epsilon=self.epsilon,
            rate=rate,
            seed=seed,
        )


def build_in_scope(layer: tf_keras.layers.Layer, input_shape):
    """Builds a layer so that its variables' names begin with its name."""
    with tf.name_scope(layer.name):
        layer.build(input_shape)


class Embeddings(tf_keras.layers.Layer):
    """Word, position and segment embeddings, normalised.

    Reads `input_ids` and `segment_ids`, int32 `[batch, length]`; returns
    `[batch, length, embedding_size]`.

    Args:
        encoder_config: sizes and initialisation.
        base: built embeddings of the same sizes. The tables here are then
            differences, 0 at first, that are added to those of `base`, which
            get no gradient from here (gradient-disentangled embedding
            sharing, Section 3.3 of https://arxiv.org/abs/2111.09543).
    """

    def __init__(
        self,
        encoder_config: config.EncoderConfig,
        base: "Embeddings | None" = None,
    ):
        super().__init__(name="embeddings")
        self.config = encoder_config
        self.base = base
        self.layer_norm = LayerNorm()

    def build(self, input_shape):
        """Makes the three tables and the layer normalisation."""
        size = self.config.embedding_size
        self.word_embeddings = self._table(
            "word_embeddings", [self.config.vocab_size, size]
        )
        self.token_type_embeddings = self._table(
            "token_type_embeddings", [self.config.type_vocab_size, size]
        )
        self.position_embeddings = self._table(
            "position_embeddings", [self.config.max_position_embeddings, size]
        )
        build_in_scope(self.layer_norm, [*input_shape, size])
        self.built = True

    def _table(self, name: str, shape: list[int]) -> tf.Variable:
        if self.base is None:
            initializer = _initializer(self.config)
        else:
            name, initializer = name + DELTA_SUFFIX, "zeros"
        return self.add_weight(name=name, shape=shape, initializer=initializer)

    def word_table(self) -> tf.Tensor:
        """What stands for each word piece: `[vocab, embedding_size]`."""
        if self.base is None:
            return tf.convert_to_tensor(self.word_embeddings)
        return self.word_embeddings + tf.stop_gradient(self.base.word_table())

    def call(self, input_ids, segment_ids, dropout_seed=None):
        embedded = self.embed(input_ids, segment_ids)
        return fused.dropout(
            self.layer_norm(embedded),
            rate=self.config.hidden_dropout_prob,
            seed=dropout_seed,
        )

    def embed(self, input_ids, segment_ids) -> tf.Tensor:
        """The sum of the three embeddings, before normalisation."""
        length = input_ids.shape[1] or tf.shape(input_ids)[1]
        embedded = tf.gather(self.word_embeddings, input_ids)
        # One-hot products are faster than look-ups in a table of two rows,
        # and their gradient is no scatter.
        embedded += tf.matmul(
            tf.one_hot(
                segment_ids,
                self.config.type_vocab_size,
                dtype=self.compute_dtype,
            ),
            self.token_type_embeddings,
        )
        embedded += self.position_embeddings[:length]
        if self.base is not None:
            embedded += tf.stop_gradient(
                self.base.embed(input_ids, segment_ids)
            )
        return embedded


class TransformerLayer(tf_keras.layers.Layer):
    """Self-attention and a feed-forward network, each added and normalised.

    Reads `hidden` `[rows, hidden]`, because products of two matrices are
    faster than those of one with three dimensions, and `attention_bias`,
    float32 `[batch, 1, 1 or length, length]`, added to the attention scores;
    returns the shape of `hidden`. `rows` knows which rows these are.
    """

    def __init__(self, encoder_config: config.EncoderConfig, name: str):
        super().__init__(name=name)
        self.config = encoder_config
        self.head_size = (
            encoder_config.hidden_size // encoder_config.num_attention_heads
        )
        hidden_size = encoder_config.hidden_size
        self.query = self._dense("attention/self/query", hidden_size)
        self.key = self._dense("attention/self/key", hidden_size)
        self.value = self._dense("attention/self/value", hidden_size)
        self.attention_output = self._dense(
            "attention/output/dense", hidden_size
        )
        self.attention_norm = LayerNorm()
        self.intermediate = self._dense(
            "intermediate/dense", encoder_config.intermediate_size
        )
        self.output_dense = self._dense("output/dense", hidden_size)
        self.output_norm = LayerNorm()
        self._joined = None

    def _dense(self, name: str, units: int) -> tf_keras.layers.Dense:
        return tf_keras.layers.Dense(
            units, name=name, kernel_initializer=_initializer(self.config)
        )

    def build(self, input_shape):
        """Makes all variables."""
        for layer in (self.query, self.key, self.value):
            build_in_scope(layer, input_shape)
        build_in_scope(self.attention_output, input_shape)
        with tf.name_scope("attention/output"):
            build_in_scope(self.attention_norm, input_shape)
        build_in_scope(self.intermediate, input_shape)
        build_in_scope(
            self.output_dense,
            [*input_shape[:-1], self.config.intermediate_size],
        )
        with tf.name_scope("output"):
            build_in_scope(self.output_norm, input_shape)
        self.built = True

    def join_projections(self):
        """Keeps a copy of the weights of query, key and value as one.

        Otherwise they are joined in each call, which takes a seventh of the
        time for one short text. Later changes of weights are not seen.
        """
        names = (self.query.kernel.name, self.query.bias.name)
        self._joined = [
            tf.Variable(
                tf.cast(weights, self.compute_dtype),
                trainable=False,
                name=name.replace("/query/", "/joined/").partition(":")[0],
            )
            for weights, name in zip(self._join(), names, strict=True)
        ]

    def call(self, hidden, attention_bias, rows, dropout_seed=None):
        rate = self.config.hidden_dropout_prob
        probs_seed, attention_seed, output_seed = randomness.split(
            dropout_seed, 3
        )
        hidden = self.attention_norm(
            hidden,
            self.attention_output(
                self._attend(hidden, attention_bias, rows, probs_seed)
            ),
            rate=rate,
            seed=attention_seed,
        )
        return self.output_norm(
            hidden,
            fused.feed_forward(
                hidden,
                *self._weights(self.intermediate),
                *self._weights(self.output_dense),
            ),
            rate=rate,
            seed=output_seed,
        )

    def _weights(self, dense: tf_keras.layers.Dense) -> list[tf.Tensor]:
        """Kernel and bias in the precision of this layer."""
        return [tf.convert_to_tensor(w) for w in (dense.kernel, dense.bias)]

    def _attend(self, hidden, attention_bias, rows, seed) -> tf.Tensor:
        query, key, value = self._project(hidden, rows)
        context = fused.attention(
            query,
            key,
            value,
            bias=attention_bias,
            rate=self.config.attention_probs_dropout_prob,
            seed=seed,
        )
        return rows.of_tokens(context)

    def _project(self, hidden, rows) -> list[tf.Tensor]:
        """Query, key and value: `[batch, heads, length, head_size]` each."""
        # One product is faster than three.
        kernel, bias = self._joined or self._join()
        projected = tf.nn.bias_add(tf.matmul(hidden, kernel), bias)
        heads = [3, self.config.num_attention_heads, self.head_size]
        projected = tf.reshape(
            rows.of_all(projected), tf.concat([rows.shape, heads], axis=0)
        )
        return tf.unstack(tf.transpose(projected, [2, 0, 3, 1, 4]))

    def _join(self) -> list[tf.Tensor]:
        """Kernels and biases of query, key and value, side by side."""
        weights = map(self._weights, (self.query, self.key, self.value))
        kernels, biases = zip(*weights, strict=True)
        return [tf.concat(kernels, axis=1), tf.concat(biases, axis=0)]


class Encoder(tf_keras.layers.Layer):
    """A transformer encoder; built, with all its variables, when made.

    Args:
        encoder_config: its shape.
        name: prefix of its variables, "electra" or "generator".
        embeddings: built `Embeddings` of another encoder to be shared; if
            they are not as wide as this encoder, it projects them.
        base_embeddings: built `Embeddings` of another encoder, to which this
            one's are added, see `Embeddings`.
        direction: which tokens a token attends to: "both", or only those
            before, or after it; itself always.
    """

    def __init__(
        self,
        encoder_config: config.EncoderConfig,
        *,
        name: str = "electra",
        embeddings: Embeddings | None = None,
        base_embeddings: Embeddings | None = None,
        direction: Direction = "both",
    ):
        super().__init__(name=name)
        self.config = encoder_config
        self.direction = direction
        self._rows = padding.AllRows
        shares_embeddings = embeddings is not None
        self.embeddings = embeddings or Embeddings(
            encoder_config, base=base_embeddings
        )
        self.embeddings_project = None
        if encoder_config.embedding_size != encoder_config.hidden_size:
            # As in the original: initialised by TensorFlow's default, Glorot.
            self.embeddings_project = tf_keras.layers.Dense(
                encoder_config.hidden_size, name="embeddings_project"
            )
        self.layers = [
            TransformerLayer(encoder_config, name=f"layer_{i}")
            for i in range(encoder_config.num_hidden_layers)
        ]
        with tf.name_scope(name):
            self._build_layers(build_embeddings=not shares_embeddings)
        self.built = True

    def _build_layers(self, *, build_embeddings: bool):
        if build_embeddings:
            build_in_scope(self.embeddings, [None, None])
        if self.embeddings_project is not None:
            build_in_scope(
                self.embeddings_project,
                [None, None, self.config.embedding_size],
            )
        with tf.name_scope("encoder"):
            for layer in self.layers:
                build_in_scope(layer, [None, None, self.config.hidden_size])

    def prepare_for_inference(self):
        """Makes calls without dropout faster, once weights are what they stay.

        Padding is left out of all but attention, which needs shapes that are
        not static: neither XLA nor a TPU can compile it then. Outputs for
        padding are 0.
        """
        self._rows = padding.TokenRows
        for layer in self.layers:
            layer.join_projections()

    def call(self, inputs, dropout_seed=None) -> EncoderOutput:
        """Encodes a batch.

        Args:
            inputs: `input_ids`, `input_mask` (0 on padding) and
                `segment_ids`, each int32 `[batch, length]`.
            dropout_seed: int32 `[2]`; None turns dropout off.
        """
        seeds = randomness.split(dropout_seed, 1 + len(self.layers))
        hidden = self.embeddings(
            inputs["input_ids"], inputs["segment_ids"], dropout_seed=seeds[0]
        )
        if self.embeddings_project is not None:
            hidden = self.embeddings_project(hidden)
        embedding_output = hidden
        attention_bias = padding_bias(inputs["input_mask"])
        if self.direction != "both":
            attention_bias = tf.minimum(
                attention_bias,
                _direction_bias(self.direction, tf.shape(hidden)[1]),
            )
        outputs = []
        rows = self._rows(inputs["input_mask"])
        hidden = rows.of_tokens(
            tf.reshape(hidden, [-1, self.config.hidden_size])
        )
        for layer, seed in zip(self.layers, seeds[1:], strict=True):
            hidden = layer(hidden, attention_bias, rows, dropout_seed=seed)
            outputs.append(rows.to_batch(hidden))
        return EncoderOutput(
            sequence_output=outputs[-1],
            pooled_output=outputs[-1][:, 0],
            all_layer_outputs=tuple(outputs),
            embedding_output=embedding_output,
        )


def padding_bias(input_mask: tf.Tensor) -> tf.Tensor:
    """What to add to attention scores so that padding is not attended to.

    Args:
        input_mask: int32 `[batch, length]`; 0 on padding.

    Returns:
        float32 `[batch, 1, 1, length]`: 0 for tokens, -10000 for padding, as
        in the original.
    """
    bias = (1.0 - tf.cast(input_mask, tf.float32)) * -10000.0
    return bias[:, tf.newaxis, tf.newaxis, :]


def _direction_bias(direction: Direction, length) -> tf.Tensor:
    """-10000 where a token may not look: `[length, length]`, by query."""
    hidden = tf.ones([length, length]) * -10000.0
    if direction == "left_to_right":
        hidden = tf.linalg.band_part(hidden, 0, -1)
    else:
        hidden = tf.linalg.band_part(hidden, -1, 0)
    return tf.linalg.set_diag(hidden, tf.zeros([length]))


def _initializer(encoder_config: config.EncoderConfig):
    return tf_keras.initializers.TruncatedNormal(
        stddev=encoder_config.initializer_range
    )
