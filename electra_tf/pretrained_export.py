"""Exporting a pre-trained model: its answers to texts, and to ids."""

from collections.abc import Callable
from collections.abc import Sequence
import os

from absl import logging
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder as encoder_lib
from electra_tf import export
from electra_tf import mask_filling
from electra_tf import model_folder
from electra_tf import pretrained_networks
from electra_tf import pretraining_heads
from electra_tf import served_texts
from electra_tf import signatures
from electra_tf import text_scores
from electra_tf import tokenization

_KINDS = ("pretraining", "encoder")
# Signatures of which the first that a model has is its default. Only Electric,
# which has neither of the first two, scores texts in one pass.
_DEFAULTS = ("discriminate", "fill_mask", "score", "encode")


class PretrainedFunctions:
    """The main network's answers to texts and to ids.

    Args:
        encoder: the main network's; the discriminator, if there is one.
        texts: how texts are read.
        head: the discriminator's head; None if nothing is said of tokens.
    """

    def __init__(
        self,
        *,
        encoder: encoder_lib.Encoder,
        texts: served_texts.ServedTexts,
        head: pretraining_heads.ReplacedTokenHead | None = None,
    ):
        self._encoder = encoder
        self._head = head
        self._texts = texts

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """All functions by name."""
        found = {}
        if self._head is not None:
            found["discriminate"] = self._of_texts(self.discriminate)
        found["encode"] = self._of_texts(self.encode)
        if self._head is not None:
            found["discriminate_ids"] = self._of_ids(self.discriminate_ids)
        return found | {"encode_ids": self._of_ids(self.encode_ids)}

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
        pieces = self._texts.tokenizer.tokenize_with_offsets(text)
        inputs = self._texts.pack(pieces.ids)
        outputs = self.discriminate_ids(**inputs)
        return self._texts.tokens(inputs) | {
            "starts": self._texts.offsets(pieces.starts),
            "ends": self._texts.offsets(pieces.ends),
            "replaced_probabilities": outputs["replaced_probabilities"],
        }

    def encode(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """The encoder's last layer.

        Args:
            text: string `[batch]`.

        Returns:
            What `encode_ids` returns, and `[batch, length]`: `tokens`
            (string) and `mask` (int32, 1 for tokens).
        """
        inputs = self._texts.read(text)
        return self.encode_ids(**inputs) | self._texts.tokens(inputs)

    def discriminate_ids(self, **inputs) -> dict[str, tf.Tensor]:
        """How likely each token was replaced.

        Args:
            **inputs: `signatures.IDS`, int32 `[batch, length]`.

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
            **inputs: `signatures.IDS`, int32 `[batch, length]`.

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

    def _of_texts(self, function: Callable) -> signatures.Signature:
        return signatures.of_texts(function, ["text"])

    def _of_ids(self, function: Callable) -> signatures.Signature:
        return self._texts.ids_signature(function)

    def _encode(self, inputs) -> encoder_lib.EncoderOutput:
        max_length = self._encoder.config.max_position_embeddings
        return self._encoder(
            signatures.check_length(inputs, max_length=max_length)
        )


def all_signatures(
    networks: pretrained_networks.Networks,
    texts: served_texts.ServedTexts,
    *,
    fill_mask_top_k: int = 10,
) -> dict[str, signatures.Signature]:
    """All that networks can answer, by name, and one of it as the default.

    Args:
        networks: of the model.
        texts: how texts are read.
        fill_mask_top_k: how many word pieces are named for each [MASK].
    """
    says_replaced = networks.head_says == "replaced"
    found = PretrainedFunctions(
        encoder=networks.encoder,
        texts=texts,
        head=networks.head if says_replaced else None,
    ).all_signatures()
    if networks.masked_model is not None:
        filling = mask_filling.MaskFilling(
            networks.masked_model, texts, top_k=fill_mask_top_k
        )
        found |= filling.all_signatures()
    scores = _scores(networks, texts)
    if scores is not None:
        found |= scores.all_signatures()
    default = next(found[name] for name in _DEFAULTS if name in found)
    return {signatures.DEFAULT: default} | found


def _scores(
    networks: pretrained_networks.Networks, texts: served_texts.ServedTexts
) -> text_scores.TextScores | None:
    """What scores texts; None if no network does."""
    if networks.head_says == "energy":
        return text_scores.TextScores(
            text_scores.of_energies(networks.encoder, networks.head),
            texts,
            max_length=networks.encoder.config.max_position_embeddings,
            is_slow=False,
        )
    model = networks.masked_model
    if model is None:
        return None
    return text_scores.TextScores(
        text_scores.of_masked_model(model, mask_id=texts.tokenizer.mask_id),
        texts,
        max_length=model.encoder.config.max_position_embeddings,
        is_slow=True,
    )


def export_pretrained(
    model_dir: str,
    *,
    output_dir: str,
    checkpoint: str | None = None,
    max_seq_length: int | None = None,
    version: int | None = None,
    fixed_length: bool = False,
    precision: config.Precision = "float32",
    fill_mask_top_k: int = 10,
    warmup_batch_sizes: Sequence[int] = (),
) -> export.Exported:
    """Exports all that the networks of a pre-trained model can answer.

    Args:
        model_dir: folder of a pre-training run, or of converted weights.
        output_dir: folder that gets the numbered version.
        checkpoint: as for `checkpoints.find`; the run's newest if None.
        max_seq_length: most tokens of a text; as in training if None.
        version: the next one if None.
        fixed_length: whether all rows are padded to that length.
        precision: what the networks compute in.
        fill_mask_top_k: how many word pieces are named for each [MASK].
        warmup_batch_sizes: see `export.save`.
    """
    contents = model_folder.read(model_dir)
    if contents["kind"] not in _KINDS:
        raise ValueError(
            f"{model_dir!r} is of kind {contents['kind']!r}; this program "
            "exports pre-trained models. Use python -m finetune.export_task."
        )
    tokenizer = tokenization.Tokenizer.load(model_dir)
    checkpoint = checkpoints.find(checkpoint or model_dir)
    networks = pretrained_networks.load(
        contents, checkpoint, tokenizer=tokenizer, precision=precision
    )
    if not fixed_length:
        networks.prepare_for_inference()
    max_seq_length = max_seq_length or networks.trained_length
    _check_length(max_seq_length, networks)
    vocab_file = os.path.join(model_dir, tokenization.VOCAB_FILE)
    texts = served_texts.ServedTexts(
        tokenizer=tokenizer,
        vocab_table=served_texts.vocab_table(vocab_file),
        max_seq_length=max_seq_length,
        fixed_length=fixed_length,
    )
    return export.save(
        all_signatures(networks, texts, fill_mask_top_k=fill_mask_top_k),
        resources={
            "weights": checkpoints.by_name(networks.variables),
            "vocab_table": texts.vocab_table,
        },
        info={
            "kind": contents["kind"],
            "checkpoint": checkpoint,
            "config": contents["config"],
            "max_seq_length": max_seq_length,
            "fixed_length": fixed_length,
            "tokenizer": tokenizer.settings(),
            "vocab_sha256": tokenizer.vocab_sha256,
        },
        output_dir=output_dir,
        version=version,
        precision=precision,
        warmup_batch_sizes=warmup_batch_sizes,
    )


def _check_length(max_seq_length: int, networks: pretrained_networks.Networks):
    num_positions = networks.encoder.config.max_position_embeddings
    if max_seq_length > num_positions:
        raise ValueError(
            f"max_seq_length {max_seq_length} is longer than the "
            f"{num_positions} positions of the model."
        )
    if max_seq_length > networks.trained_length:
        logging.warning(
            "The model was trained on no more than %d of the %d tokens.",
            networks.trained_length,
            max_seq_length,
        )
