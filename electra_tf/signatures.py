"""What an exported model answers: functions of texts, and of ids.

Each is plain Python that runs eagerly as well as in a graph.
"""

from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from electra_tf import encoder as encoder_lib
from electra_tf import pretraining
from electra_tf import tokenization

# The signature that is called if a caller names none.
DEFAULT = "serving_default"

IDS = {
    name: tf.TensorSpec([None, None], tf.int32, name=name)
    for name in ("input_ids", "input_mask", "segment_ids")
}

# What every exported model is tried on.
SAMPLE_TEXTS = (
    "The chef cooked the meal.",
    "Crème brûlée, naïve Ångström; İstanbul, ΟΔΥΣΣΕΥΣ, ﬁne.",
    "Thumbs up 👍🏽 for the 👩‍🚀!",
    "السلام عليكم, שלום עולם",
    "",
    "深度学习 \t and\u00a0spaces\n",
    "A very long text, " * 500,
    "w" * 300,
)


class Signature(NamedTuple):
    """One function of a SavedModel.

    Attributes:
        function: takes tensors by name, returns tensors by name; all are
            dense, with the batch as first dimension.
        inputs: what it takes.
        samples: inputs that the saved function is compared with it on.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    samples: Sequence[dict[str, tf.Tensor]]


def of_texts(function: Callable, names: Sequence[str]) -> Signature:
    """A function of texts as a signature.

    Args:
        function: takes string `[batch]` by each of the names.
        names: of its inputs, one or two.
    """
    columns = (SAMPLE_TEXTS, SAMPLE_TEXTS[::-1])
    batches = (slice(None), slice(0, 1), slice(4, 5))  # All, first, empty.
    return Signature(
        function,
        inputs={
            name: tf.TensorSpec([None], tf.string, name=name) for name in names
        },
        samples=[
            {
                name: tf.constant(texts[rows])
                for name, texts in zip(names, columns)
            }
            for rows in batches
        ],
    )


def of_ids(
    function: Callable,
    tokenizer: tokenization.Tokenizer,
    *,
    max_seq_length: int,
) -> Signature:
    """A function of `IDS`, int32 `[batch, length]` each, as a signature."""
    first = tokenizer.tokenize(tf.constant(SAMPLE_TEXTS))
    second = tokenizer.tokenize(tf.constant(SAMPLE_TEXTS[::-1]))
    length = max_seq_length
    return Signature(
        function,
        inputs=IDS,
        samples=[
            tokenizer.pack(first, max_seq_length=length, pad=False),
            tokenizer.pack(first, second, max_seq_length=length, pad=False),
            tokenizer.pack(first[:1], max_seq_length=length),
        ],
    )


def check_length(inputs: dict[str, tf.Tensor], *, max_length: int):
    """Returns `IDS`, or fails with a message if they are too long."""
    check = tf.debugging.assert_less_equal(
        tf.shape(inputs["input_ids"])[1],
        max_length,
        message=f"The model reads at most {max_length} tokens an example.",
    )
    with tf.control_dependencies([check]):
        return {name: tf.identity(value) for name, value in inputs.items()}


class PretrainedFunctions:
    """The discriminator's answers to texts and to ids.

    A text is cut after `max_seq_length` tokens, and a batch padded to its
    longest text. [CLS] and [SEP] count as tokens.

    Args:
        encoder: the discriminator.
        head: the discriminator's head.
        tokenizer: the one that it was trained with.
        vocab_file: the tokenizer's, which becomes an asset.
        max_seq_length: most tokens of a text.

    Attributes:
        vocab_table: gives pieces for ids.
    """

    def __init__(
        self,
        *,
        encoder: encoder_lib.Encoder,
        head: pretraining.ReplacedTokenHead,
        tokenizer: tokenization.Tokenizer,
        vocab_file: str,
        max_seq_length: int,
    ):
        self._encoder = encoder
        self._head = head
        self._tokenizer = tokenizer
        self._max_seq_length = max_seq_length
        self.vocab_table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                vocab_file,
                key_dtype=tf.int64,
                key_index=tf.lookup.TextFileIndex.LINE_NUMBER,
                value_dtype=tf.string,
                value_index=tf.lookup.TextFileIndex.WHOLE_LINE,
            ),
            default_value="",
        )

    def signatures(self) -> dict[str, Signature]:
        """All functions by name; `discriminate` is the default."""
        discriminate = of_texts(self.discriminate, ["text"])
        return {
            DEFAULT: discriminate,
            "discriminate": discriminate,
            "encode": of_texts(self.encode, ["text"]),
            "discriminate_ids": self._of_ids(self.discriminate_ids),
            "encode_ids": self._of_ids(self.encode_ids),
        }

    def discriminate(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """How likely each token of a text was replaced.

        Args:
            text: string `[batch]`.

        Returns:
            Tensors `[batch, length]`, 0 or empty on padding: `tokens`
            (string); `starts` and `ends` (int32), the token's place in the
            UTF-8 bytes of the text, both 0 for [CLS] and [SEP];
            `replaced_probabilities` (float32); `mask` (int32, 1 for tokens).
        """
        pieces = self._tokenizer.tokenize_with_offsets(text)
        inputs = self._pack(pieces.ids)
        outputs = self.discriminate_ids(**inputs)
        return {
            "tokens": self._tokens(inputs),
            "starts": self._offsets(pieces.starts),
            "ends": self._offsets(pieces.ends),
            "replaced_probabilities": outputs["replaced_probabilities"],
            "mask": inputs["input_mask"],
        }

    def encode(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The encoder's last layer.

        Args:
            text: string `[batch]`.

        Returns:
            What `encode_ids` returns, and `[batch, length]`: `tokens`
            (string) and `mask` (int32, 1 for tokens).
        """
        inputs = self._pack(self._tokenizer.tokenize(text))
        return self.encode_ids(**inputs) | {
            "tokens": self._tokens(inputs),
            "mask": inputs["input_mask"],
        }

    def discriminate_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """How likely each token was replaced.

        Args:
            **inputs: `IDS`, int32 `[batch, length]`.

        Returns:
            `logits` and `replaced_probabilities`, float32 `[batch, length]`,
            0 on padding.
        """
        features = self._encode(inputs).sequence_output
        logits = tf.cast(self._head(features), tf.float32)
        is_token = tf.cast(inputs["input_mask"], tf.float32)
        return {
            "logits": logits * is_token,
            "replaced_probabilities": tf.nn.sigmoid(logits) * is_token,
        }

    def encode_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """The encoder's last layer.

        Args:
            **inputs: `IDS`, int32 `[batch, length]`.

        Returns:
            `features`, float32 `[batch, length, hidden]`, 0 on padding; `cls`
            and `mean`, float32 `[batch, hidden]`: the features of [CLS], and
            their mean over all tokens.
        """
        output = self._encode(inputs)
        is_token = tf.cast(inputs["input_mask"], tf.float32)[..., tf.newaxis]
        features = tf.cast(output.sequence_output, tf.float32) * is_token
        return {
            "features": features,
            "cls": tf.cast(output.pooled_output, tf.float32),
            "mean": tf.math.divide_no_nan(
                tf.reduce_sum(features, axis=1), tf.reduce_sum(is_token, axis=1)
            ),
        }

    def _of_ids(self, function: Callable) -> Signature:
        return of_ids(
            function, self._tokenizer, max_seq_length=self._max_seq_length
        )

    def _encode(self, inputs) -> encoder_lib.EncoderOutput:
        max_length = self._encoder.config.max_position_embeddings
        return self._encoder(check_length(inputs, max_length=max_length))

    def _pack(self, ids: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        return self._tokenizer.pack(
            ids, max_seq_length=self._max_seq_length, pad=False
        )

    def _tokens(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        tokens = self.vocab_table.lookup(tf.cast(inputs["input_ids"], tf.int64))
        return tf.where(inputs["input_mask"] > 0, tokens, "")

    def _offsets(self, offsets: tf.RaggedTensor) -> tf.Tensor:
        """Cut and padded as `pack` does it with ids."""
        kept = offsets[:, : self._max_seq_length - 2]
        return tf.pad(kept.to_tensor(), [[0, 0], [1, 1]])
