"""What a masked language model puts in the place of each [MASK] of a text."""

import tensorflow as tf

from electra_tf import generators
from electra_tf import served_texts
from electra_tf import signatures
from electra_tf import tokenization

_SAMPLES = (
    [
        ("The chef [MASK] the meal.",),
        ("[MASK][MASK] un[MASK]able 👍🏽 [MASK]",),
        ("",),
        ("No mask, but [mask].",),
    ],
    [("No mask at all.",)],
    [("A very [MASK] text, " * 500,)],
)


class MaskFilling:
    """A masked language model's answers to texts and to ids.

    Args:
        model: usually ELECTRA's generator.
        texts: how texts are read.
        top_k: how many word pieces are named for each [MASK].
    """

    def __init__(
        self,
        model: generators.MaskedLanguageModel,
        texts: served_texts.ServedTexts,
        *,
        top_k: int = 10,
    ):
        self._model = model
        self._texts = texts
        self._tokenizer = texts.tokenizer
        self._top_k = min(top_k, texts.tokenizer.vocab_size)

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """Both functions by name."""
        of_ids = self._texts.ids_signature(self.fill_mask_ids)
        return {
            "fill_mask": signatures.of_texts(
                self.fill_mask, ["text"], batches=_SAMPLES
            ),
            "fill_mask_ids": of_ids._replace(
                samples=[self._masked(sample) for sample in of_ids.samples]
            ),
        }

    def fill_mask(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The likeliest word pieces for each [MASK] that stands in a text.

        Those behind the end of a text that is cut are not seen.

        Args:
            text: string `[batch]`.

        Returns:
            What `fill_mask_ids` returns, and `tokens`, string
            `[batch, masks, top_k]`, the word pieces, "" on padding.
        """
        outputs = self.fill_mask_ids(**self._texts.pack(self._tokenize(text)))
        is_mask = outputs["mask"][..., tf.newaxis] > 0
        tokens = tf.where(is_mask, self._texts.pieces(outputs["ids"]), "")
        return outputs | {"tokens": tokens}

    def fill_mask_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """The likeliest word pieces for each [MASK].

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`.

        Returns:
            The best `top_k` of each [MASK], best first, 0 on padding: `ids`
            (int32) and `probabilities` (float32), `[batch, masks, top_k]`;
            `mask`, int32 `[batch, masks]`, 1 for what stands for a [MASK]. If
            no text of a batch has any, `masks` is 0.
        """
        encoder = self._model.encoder
        max_length = encoder.config.max_position_embeddings
        inputs = signatures.check_length(inputs, max_length=max_length)
        is_mask = (inputs["input_ids"] == self._tokenizer.mask_id) & (
            inputs["input_mask"] > 0
        )
        # All in one row: scores of a whole vocabulary are too large for
        # padding.
        hidden = tf.boolean_mask(encoder(inputs).sequence_output, is_mask)
        logits = self._model.head(hidden[tf.newaxis])[0]  # [masks, vocab]
        scores, ids = tf.math.top_k(logits, k=self._top_k)
        total = tf.reduce_logsumexp(logits, axis=-1, keepdims=True)
        counts = tf.reduce_sum(tf.cast(is_mask, tf.int32), axis=-1)
        return {
            "ids": _by_text(ids, counts),
            "probabilities": _by_text(tf.exp(scores - total), counts),
            "mask": tf.sequence_mask(counts, dtype=tf.int32),
        }

    def _tokenize(self, text: tf.Tensor) -> tf.RaggedTensor:
        """Ids in which each "[MASK]" of the texts is one piece."""
        parts = tf.strings.split(text, sep=tokenization.MASK)
        pieces = self._tokenizer.tokenize(parts.values)
        # A [MASK] is in front of each part but the first of a text.
        is_later = tf.ones_like(parts.values, tf.int64)
        is_later = tf.tensor_scatter_nd_update(
            is_later,
            parts.row_starts()[:, tf.newaxis],
            tf.zeros_like(parts.row_starts()),
        )
        masks = tf.RaggedTensor.from_row_lengths(
            tf.fill([tf.reduce_sum(is_later)], self._tokenizer.mask_id),
            is_later,
            validate=False,
        )
        ids = tf.concat([masks, pieces], axis=1)
        return parts.with_values(ids).merge_dims(1, 2)

    def _masked(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A sample in which every fifth token is [MASK]."""
        ids = inputs["input_ids"]
        is_fifth = tf.range(tf.shape(ids)[1]) % 5 == 2
        is_fifth = tf.broadcast_to(is_fifth, tf.shape(ids))
        is_fifth &= inputs["input_mask"] > 0
        ids = tf.where(is_fifth, self._tokenizer.mask_id, ids)
        return inputs | {"input_ids": ids}


def _by_text(values: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """`[all masks, top_k]` as `[batch, masks, top_k]`."""
    return tf.RaggedTensor.from_row_lengths(
        values, counts, validate=False
    ).to_tensor()
