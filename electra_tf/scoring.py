"""How likely texts are to a pre-trained model: pseudo-log-likelihoods.

The sum over all tokens of a token's log likelihood given all others, as it is
used to rerank what speech recognition or translation proposes. Electric says
it of all tokens in one pass (Section 3.2 of
https://arxiv.org/abs/2012.08561), up to a constant a token; a masked language
model (or ELECTRA's generator) needs a pass for each token
(https://arxiv.org/abs/1910.14659).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf import checkpoints
from electra_tf import config
from electra_tf import generators
from electra_tf import masking
from electra_tf import model_folder
from electra_tf import objectives
from electra_tf import pretraining
from electra_tf import tokenization


class Score(NamedTuple):
    """What is said of one text.

    Attributes:
        score: its pseudo-log-likelihood, in nats; the sum of `log_probs`.
        tokens: its word pieces, without [CLS] and [SEP].
        log_probs: of each of them.
        is_cut: whether the text was longer than the model reads.
    """

    score: float
    tokens: list[str]
    log_probs: list[float]
    is_cut: bool


class Scorer:
    """Scores texts.

    Args:
        model: with an Electric discriminator or a masked language model.
        tokenizer: the one that it was trained with.
        batch_size: sequences that are computed at once.

    Raises:
        ValueError: the model has neither.
    """

    def __init__(
        self,
        model: pretraining.ElectraPretrainer,
        tokenizer: tokenization.Tokenizer,
        *,
        batch_size: int = 32,
    ):
        self._model = model
        self._tokenizer = tokenizer
        self._batch_size = batch_size
        if model.config.objective == "electric":
            self._score_batch = tf.function(
                self._negative_energies, reduce_retracing=True
            )
        elif isinstance(model.generator, generators.MaskedLanguageModel):
            self._score_batch = self._masked_one_by_one
            self._log_probs = tf.function(
                self._masked_log_probs, reduce_retracing=True
            )
        else:
            raise ValueError(
                f"A model with generator={model.config.generator!r} and "
                f"objective={model.config.objective!r} cannot score texts. "
                "Use objective='electric', or a generator that is a masked "
                "language model."
            )

    def score(self, texts: Sequence[str]) -> list[Score]:
        """The scores of texts, in their order."""
        scores = []
        for start in range(0, len(texts), self._batch_size):
            scores += self._score(texts[start : start + self._batch_size])
        return scores

    def _score(self, texts: Sequence[str]) -> list[Score]:
        ids = self._tokenizer.tokenize(tf.constant(texts))
        max_length = self._model.config.max_seq_length
        inputs = self._tokenizer.pack(ids, max_seq_length=max_length, pad=False)
        log_probs = np.asarray(self._score_batch(inputs))
        scores = []
        for row, row_ids in zip(log_probs, ids.numpy(), strict=True):
            kept = row_ids[: max_length - 2]
            values = row[1 : 1 + len(kept)].tolist()  # After [CLS].
            scores.append(
                Score(
                    score=float(np.sum(values)),
                    tokens=self._tokenizer.tokens(kept),
                    log_probs=values,
                    is_cut=len(kept) < len(row_ids),
                )
            )
        return scores

    def _negative_energies(self, inputs) -> tf.Tensor:
        """Of all tokens: float32 `[batch, length]`."""
        encoded = self._model.discriminator(inputs)
        return -self._model.heads.main(encoded.sequence_output)

    def _masked_one_by_one(self, inputs) -> np.ndarray:
        """Log likelihoods: float32 `[batch, length]`; 0 at [CLS], [SEP]."""
        inputs = {name: values.numpy() for name, values in inputs.items()}
        # The first and the last token of each row are [CLS] and [SEP].
        is_text = inputs["input_mask"].astype(bool)
        is_text[:, 0] = False
        is_text[np.arange(len(is_text)), inputs["input_mask"].sum(1) - 1] = (
            False
        )
        rows, positions = np.nonzero(is_text)
        log_probs = np.zeros(is_text.shape, np.float32)
        for start in range(0, len(rows), self._batch_size):
            part = slice(start, start + self._batch_size)
            log_probs[rows[part], positions[part]] = self._log_probs(
                {name: values[rows[part]] for name, values in inputs.items()},
                positions[part].astype(np.int32),
            )
        return log_probs

    def _masked_log_probs(self, inputs, positions) -> tf.Tensor:
        """Of one masked token in each row: float32 `[batch]`."""
        positions = positions[:, tf.newaxis]
        ids = masking.gather_positions(inputs["input_ids"], positions)
        masked = masking.MaskedTokens(
            positions=positions, ids=ids, weights=tf.ones(tf.shape(ids))
        )
        masked_ids = masking.replace_tokens(
            inputs["input_ids"],
            masked=masked,
            updates=tf.fill(tf.shape(ids), self._tokenizer.mask_id),
        )
        proposal = self._model.generator(inputs, masked, masked_ids)
        return -objectives.masked_lm_losses(proposal.logits, ids)[:, 0]


def load(
    model_dir: str,
) -> tuple[pretraining.ElectraPretrainer, tokenization.Tokenizer]:
    """The model and the tokenizer of a pre-training run."""
    contents = model_folder.read(model_dir)
    if contents["kind"] != "pretraining":
        raise ValueError(
            f"{model_dir!r} holds a {contents['kind']} run, but only "
            "pre-trained models score texts."
        )
    run_config = config.from_dict(config.PretrainConfig, contents["config"])
    tokenizer = tokenization.Tokenizer.load(model_dir)
    model = pretraining.ElectraPretrainer.for_tokenizer(run_config, tokenizer)
    checkpoints.restore(
        model.trainable_variables, checkpoints.read_variables(model_dir)
    )
    return model, tokenizer
