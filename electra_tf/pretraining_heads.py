"""What stands on the two encoders: scores of word pieces, and of "replaced".

The original's `_get_masked_lm_output` and `_get_discriminator_output`.
"""

import tensorflow as tf
import tf_keras

from electra_tf import config
from electra_tf import encoder
from electra_tf import fused


class MaskedLanguageModelHead(tf_keras.layers.Layer):
    """Scores of all word pieces, by products with their embeddings.

    Reads `[batch, tokens, hidden]`, the encoder's output at some tokens or
    all; returns float32 `[batch, tokens, vocab]`. Built when made.

    Args:
        encoder_config: of the encoder.
        embeddings: that the scores are products with.
        hidden_size: width of what is read.
        name: scope of the variables.
    """

    def __init__(
        self,
        encoder_config: config.EncoderConfig,
        embeddings: encoder.Embeddings,
        *,
        hidden_size: int,
        name: str = "generator_predictions",
    ):
        super().__init__(name=name)
        self.config = encoder_config
        self.embeddings = embeddings
        self.dense = tf_keras.layers.Dense(
            encoder_config.embedding_size,
            name="dense",
            activation=fused.gelu,
            kernel_initializer=tf_keras.initializers.TruncatedNormal(
                stddev=encoder_config.initializer_range
            ),
        )
        self.layer_norm = encoder.LayerNorm()
        encoder.build_in_scope(self, [None, None, hidden_size])

    def build(self, input_shape):
        """Makes all variables but the embeddings."""
        encoder.build_in_scope(self.dense, input_shape)
        encoder.build_in_scope(
            self.layer_norm, [*input_shape[:-1], self.config.embedding_size]
        )
        self.output_bias = self.add_weight(
            name="output_bias",
            shape=[self.config.vocab_size],
            initializer="zeros",
            experimental_autocast=False,  # Scores are float32.
        )
        self.built = True

    def call(self, hidden):
        shape = tf.concat([tf.shape(hidden)[:-1], [self.config.vocab_size]], 0)
        # As matrices: a gradient for each row of the batch would be a copy
        # of the whole table.
        hidden = tf.reshape(hidden, [-1, hidden.shape[-1]])
        hidden = self.layer_norm(self.dense(hidden))
        logits = tf.matmul(
            hidden, self.embeddings.word_table(), transpose_b=True
        )
        logits = tf.nn.bias_add(tf.cast(logits, tf.float32), self.output_bias)
        return tf.reshape(logits, shape)


class ReplacedTokenHead(tf_keras.layers.Layer):
    """One score a token, positive for "replaced".

    Reads `[batch, length, hidden]`; returns float32 `[batch, length]`. Built
    when made. For Electric the score is the token's energy.
    """

    def __init__(self, encoder_config: config.EncoderConfig):
        super().__init__(name="discriminator_predictions")
        self.dense = tf_keras.layers.Dense(
            encoder_config.hidden_size,
            name="dense",
            activation=fused.gelu,
            kernel_initializer=tf_keras.initializers.TruncatedNormal(
                stddev=encoder_config.initializer_range
            ),
        )
        # As in the original: initialised by TensorFlow's default, Glorot.
        self.output_dense = tf_keras.layers.Dense(
            1, name="dense_1", dtype="float32"
        )
        encoder.build_in_scope(self, [None, None, encoder_config.hidden_size])

    def build(self, input_shape):
        """Makes all variables."""
        encoder.build_in_scope(self.dense, input_shape)
        encoder.build_in_scope(self.output_dense, input_shape)
        self.built = True

    def call(self, hidden):
        return tf.squeeze(self.output_dense(self.dense(hidden)), axis=-1)


class CopyHead(tf_keras.layers.Layer):
    """One score a token, positive for "as it stands in the input".

    Reads `[batch, length, hidden]`; returns float32 `[batch, length]`. Built
    when made.
    """

    def __init__(self, hidden_size: int):
        super().__init__(name="copy_predictions")
        self.dense = tf_keras.layers.Dense(1, name="dense", dtype="float32")
        encoder.build_in_scope(self, [None, None, hidden_size])

    def build(self, input_shape):
        """Makes all variables."""
        encoder.build_in_scope(self.dense, input_shape)
        self.built = True

    def call(self, hidden):
        return tf.squeeze(self.dense(hidden), axis=-1)
