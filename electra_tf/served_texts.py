"""Texts as inputs of an exported model, and ids as tokens again."""

from collections.abc import Callable
import dataclasses

import tensorflow as tf

from electra_tf import signatures
from electra_tf import tokenization


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServedTexts:
    """How an exported model reads texts.

    A text is cut after `max_seq_length` tokens, [CLS] and [SEP] among them.

    Attributes:
        tokenizer: the one that the model was trained with.
        vocab_table: gives pieces, string, for ids, int64; its file becomes an
            asset.
        max_seq_length: most tokens of a text.
        fixed_length: whether all batches have that length; otherwise that of
            their longest text.
    """

    tokenizer: tokenization.Tokenizer
    vocab_table: tf.lookup.StaticHashTable
    max_seq_length: int
    fixed_length: bool = False

    def pack(self, ids: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """`signatures.IDS` of the ids, `[batch, (pieces)]`, of texts."""
        return self.tokenizer.pack(
            ids, max_seq_length=self.max_seq_length, pad=self.fixed_length
        )

    def read(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """`signatures.IDS` of texts, string `[batch]`."""
        return self.pack(self.tokenizer.tokenize(text))

    def tokens(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What was read, `[batch, length]`.

        Returns:
            `tokens`, string, "" on padding, and `mask`, int32, 1 for tokens.
        """
        mask = inputs["input_mask"]
        tokens = self.pieces(inputs["input_ids"])
        return {"tokens": tf.where(mask > 0, tokens, ""), "mask": mask}

    def pieces(self, ids: tf.Tensor) -> tf.Tensor:
        """The pieces of int32 ids: string of the same shape."""
        return self.vocab_table.lookup(tf.cast(ids, tf.int64))

    def offsets(self, offsets: tf.RaggedTensor) -> tf.Tensor:
        """Cut and padded as `pack` does it with ids: int32 `[batch, length]`.

        Args:
            offsets: int32 `[batch, (pieces)]`.
        """
        room = self.max_seq_length - 2
        length = room if self.fixed_length else None
        kept = offsets[:, :room].to_tensor(shape=[None, length])
        return tf.pad(kept, [[0, 0], [1, 1]])

    def ids_signature(self, function: Callable) -> signatures.Signature:
        """A function of `signatures.IDS` as a signature."""
        return signatures.of_ids(
            function,
            self.tokenizer,
            max_seq_length=self.max_seq_length,
            fixed_length=self.fixed_length,
        )


def vocab_table(vocab_file: str) -> tf.lookup.StaticHashTable:
    """A table from int64 ids to the lines of a file; "" for other ids."""
    return tf.lookup.StaticHashTable(
        tf.lookup.TextFileInitializer(
            vocab_file,
            key_dtype=tf.int64,
            key_index=tf.lookup.TextFileIndex.LINE_NUMBER,
            value_dtype=tf.string,
            value_index=tf.lookup.TextFileIndex.WHOLE_LINE,
        ),
        default_value="",
    )
