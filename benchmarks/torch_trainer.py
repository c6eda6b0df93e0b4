"""ELECTRA's pre-training with Hugging Face's networks in PyTorch, on the CPU.

Written as one would for speed: networks share their embeddings, the
generator's head reads the masked positions only, its samples have no gradient.
"""

from collections.abc import Iterator
import itertools
from typing import Literal

import torch
from torch.nn import functional
import transformers

from benchmarks import peer_trainer
from benchmarks import random_batches
from benchmarks import torch_training
from benchmarks import trainer_settings

Variant = Literal["eager", "fused", "compiled"]


class TorchTrainer(peer_trainer.PeerTrainer):
    """`ElectraForPreTraining` and `ElectraForMaskedLM`, trained together.

    Args:
        settings: what to compute; in half precision by `torch.autocast`.
        variant: "eager" with AdamW as it is by default; "fused" with the one
            that updates in one pass; "compiled" likewise, and with losses and
            gradients by `torch.compile`.
    """

    def __init__(
        self, settings: trainer_settings.TrainerSettings, variant: Variant
    ):
        torch_training.start(settings)
        self._precision = settings.precision
        self._config = settings.run_config
        self._variant = variant
        self._batches = _batches(settings)

    def num_parameters(self) -> int:
        """Numbers that are learned; what networks share counts once."""
        return sum(p.numel() for p in self._parameters)

    def _make(self):
        self._discriminator = transformers.ElectraForPreTraining(
            torch_training.electra_config(self._config.encoder)
        ).train()
        self._generator = transformers.ElectraForMaskedLM(
            torch_training.electra_config(self._config.generator_encoder)
        ).train()
        embeddings = self._discriminator.electra.embeddings
        self._generator.electra.embeddings = embeddings
        self._generator.generator_lm_head.weight = (
            embeddings.word_embeddings.weight
        )
        self._parameters = torch_training.parameters(
            self._generator, self._discriminator
        )
        self._optimizer = torch_training.Optimizer(
            self._parameters,
            learning_rate=self._config.learning_rate,
            weight_decay=self._config.weight_decay_rate,
            clip_norm=self._config.clip_norm,
            is_fused=self._variant != "eager",
        )
        self._compute_loss = self._total_loss
        if self._variant == "compiled":
            self._compute_loss = torch.compile(self._total_loss)

    def _step(self) -> float:
        return self._optimizer.step(self._compute_loss, **next(self._batches))

    def _total_loss(self, input_ids, input_mask, segment_ids) -> torch.Tensor:
        """Of a batch: float32 `[]` of int64 `[batch, length]`."""
        inputs = {"attention_mask": input_mask, "token_type_ids": segment_ids}
        positions = _masked_positions(
            input_ids, self._config.max_predictions_per_seq
        )
        with torch_training.autocast(self._precision):
            logits = self._generator_logits(input_ids, positions, inputs)
            corrupted = input_ids.scatter(1, positions, _sample(logits))
            verdict = self._discriminator(input_ids=corrupted, **inputs).logits
        gen_loss = functional.cross_entropy(
            logits.flatten(0, 1).float(),
            input_ids.gather(1, positions).flatten(),
        )
        disc_loss = functional.binary_cross_entropy_with_logits(
            verdict.float(), (corrupted != input_ids).float()
        )
        return (
            self._config.gen_weight * gen_loss
            + self._config.disc_weight * disc_loss
        )

    def _generator_logits(self, input_ids, positions, inputs) -> torch.Tensor:
        """At the masked positions: `[batch, masked, vocab]`."""
        masked_ids = input_ids.scatter(1, positions, random_batches.MASK_ID)
        hidden = self._generator.electra(input_ids=masked_ids, **inputs)[0]
        indices = positions[..., None].expand(-1, -1, hidden.shape[-1])
        return self._generator.generator_lm_head(
            self._generator.generator_predictions(hidden.gather(1, indices))
        )


def _batches(
    settings: trainer_settings.TrainerSettings,
) -> Iterator[dict[str, torch.Tensor]]:
    batches = random_batches.of_settings(settings)
    return itertools.cycle(
        [
            {name: torch.from_numpy(v).long() for name, v in batch.items()}
            for batch in batches
        ]
    )


def _masked_positions(input_ids: torch.Tensor, count: int) -> torch.Tensor:
    """Other ones in every row, neither first nor last: `[batch, masked]`."""
    batch, length = input_ids.shape
    return 1 + torch.rand(batch, length - 2).topk(count, -1).indices


@torch.no_grad()
def _sample(logits: torch.Tensor) -> torch.Tensor:
    """Ids by their probability, with Gumbel's noise: `[batch, masked]`."""
    # In place, which takes a third of the time.
    noise = torch.rand(logits.shape).log_().neg_().log_()
    return (logits - noise).argmax(-1)
