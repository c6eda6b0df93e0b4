"""Fine-tuning of a classifier with Hugging Face's network in PyTorch."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import transformers

from benchmarks import peer_trainer
from benchmarks import sst_input
from benchmarks import torch_training
from benchmarks import trainer_settings
from finetune import finetune_config

Variant = Literal["padded", "dynamic"]

_PAD_ID = 0


class TorchFinetuner(peer_trainer.PeerTrainer):
    """`ElectraForSequenceClassification` with random weights, fused AdamW.

    Args:
        settings: what to compute; of the preset the discriminator counts.
        variant: how long batches are: "padded" to the longest sentence that
            may be, or "dynamic", as long as their longest sentence.
    """

    def __init__(
        self, settings: trainer_settings.TrainerSettings, variant: Variant
    ):
        torch_training.start(settings)
        self._encoder = settings.run_config.encoder
        self._precision = settings.precision
        self._padded_length = (
            settings.max_seq_length if variant == "padded" else None
        )
        self._batches = iter(())

    def prepare(self, batches: Iterable[sst_input.Batch]):
        """Takes what `OwnFinetuner.examples` returns, to be learned once."""
        self._batches = iter(batches)

    def num_parameters(self) -> int:
        """Numbers that are learned."""
        return sum(p.numel() for p in self._parameters)

    def _make(self):
        their_config = torch_training.electra_config(self._encoder)
        their_config.num_labels = 2
        self._model = transformers.ElectraForSequenceClassification(
            their_config
        ).train()
        self._parameters = torch_training.parameters(self._model)
        defaults = finetune_config.FinetuneConfig()
        self._optimizer = torch_training.Optimizer(
            self._parameters,
            learning_rate=finetune_config.RECIPES[0].learning_rate,
            weight_decay=defaults.weight_decay_rate,
            clip_norm=defaults.clip_norm,
            is_fused=True,
        )

    def _step(self) -> float:
        ids, labels = next(self._batches)
        return self._optimizer.step(
            self._compute_loss,
            **pad(ids, self._padded_length),
            labels=torch.tensor(labels),
        )

    def _compute_loss(self, **batch: torch.Tensor) -> torch.Tensor:
        with torch_training.autocast(self._precision):
            return self._model(**batch).loss


def pad(
    ids: Sequence[Sequence[int]], length: int | None
) -> dict[str, torch.Tensor]:
    """What the network reads of sentences: int64 `[batch, length]` each.

    Args:
        ids: tokens of each sentence.
        length: of all of them; None for that of the longest.
    """
    shape = len(ids), length or max(map(len, ids))
    input_ids = np.full(shape, _PAD_ID, np.int64)
    mask = np.zeros(shape, np.int64)
    for row, sentence in enumerate(ids):
        input_ids[row, : len(sentence)] = sentence
        mask[row, : len(sentence)] = 1
    return {
        "input_ids": torch.from_numpy(input_ids),
        "attention_mask": torch.from_numpy(mask),
    }
