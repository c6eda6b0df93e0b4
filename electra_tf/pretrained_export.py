"""Exporting the discriminator: its answers to texts, and to ids."""

from collections.abc import Callable
import os

from absl import logging
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import encoder as encoder_lib
from electra_tf import export
from electra_tf import model_folder
from electra_tf import pretraining_heads
from electra_tf import signatures
from electra_tf import tokenization


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
        head: pretraining_heads.ReplacedTokenHead,
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

    def all_signatures(self) -> dict[str, signatures.Signature]:
        """All functions by name; `discriminate` is the default."""
        discriminate = signatures.of_texts(self.discriminate, ["text"])
        return {
            signatures.DEFAULT: discriminate,
            "discriminate": discriminate,
            "encode": signatures.of_texts(self.encode, ["text"]),
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

    def _of_ids(self, function: Callable) -> signatures.Signature:
        return signatures.of_ids(
            function, self._tokenizer, max_seq_length=self._max_seq_length
        )

    def _encode(self, inputs) -> encoder_lib.EncoderOutput:
        max_length = self._encoder.config.max_position_embeddings
        return self._encoder(
            signatures.check_length(inputs, max_length=max_length)
        )

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


def export_pretrained(
    model_dir: str,
    *,
    output_dir: str,
    checkpoint: str | None = None,
    max_seq_length: int | None = None,
    version: int | None = None,
) -> export.Exported:
    """Exports the discriminator of a pre-training run.

    Args:
        model_dir: folder of the run.
        output_dir: folder that gets the numbered version.
        checkpoint: as for `checkpoints.find`; the run's newest if None.
        max_seq_length: most tokens of a text; as in training if None.
        version: the next one if None.
    """
    contents = model_folder.read(model_dir)
    if contents["kind"] != "pretraining":
        raise ValueError(
            f"{model_dir!r} is of kind {contents['kind']!r}; this program "
            "exports pre-trained models. Use python -m finetune.export_task."
        )
    run_config = config.from_dict(config.PretrainConfig, contents["config"])
    if run_config.objective not in ("electra", "electra_15"):
        raise ValueError(
            f"{model_dir!r} was trained with objective="
            f"{run_config.objective!r}: it has no discriminator that tells "
            "replaced tokens. Fine-tune it, or score texts with it."
        )
    max_seq_length = max_seq_length or run_config.max_seq_length
    _check_length(max_seq_length, run_config)
    checkpoint = checkpoints.find(checkpoint or model_dir)
    discriminator, head = _load_discriminator(run_config, checkpoint)
    tokenizer = tokenization.Tokenizer.load(model_dir)
    functions = PretrainedFunctions(
        encoder=discriminator,
        head=head,
        tokenizer=tokenizer,
        vocab_file=os.path.join(model_dir, tokenization.VOCAB_FILE),
        max_seq_length=max_seq_length,
    )
    variables = discriminator.variables + head.variables
    return export.save(
        functions.all_signatures(),
        resources={
            "weights": checkpoints.by_name(variables),
            "vocab_table": functions.vocab_table,
        },
        info={
            "kind": contents["kind"],
            "checkpoint": checkpoint,
            "config": contents["config"],
            "max_seq_length": max_seq_length,
            "tokenizer": tokenizer.settings(),
            "vocab_sha256": tokenizer.vocab_sha256,
        },
        output_dir=output_dir,
        version=version,
    )


def _check_length(max_seq_length: int, run_config: config.PretrainConfig):
    if max_seq_length > run_config.max_position_embeddings:
        raise ValueError(
            f"max_seq_length {max_seq_length} is longer than the "
            f"{run_config.max_position_embeddings} positions of the model."
        )
    if max_seq_length > run_config.max_seq_length:
        logging.warning(
            "The model was trained on no more than %d of the %d tokens.",
            run_config.max_seq_length,
            max_seq_length,
        )


def _load_discriminator(run_config: config.PretrainConfig, checkpoint: str):
    discriminator = encoder_lib.Encoder(run_config.encoder)
    head = pretraining_heads.ReplacedTokenHead(run_config.encoder)
    restored = checkpoints.restore(
        discriminator.variables + head.variables,
        checkpoints.fold_deltas(checkpoints.read_variables(checkpoint)),
        may_be_unused=(r"(?!electra/|discriminator_predictions/)",),
    )
    checkpoints.log_restored(restored, checkpoint)
    return discriminator, head
