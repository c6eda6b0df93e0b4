"""What training with Hugging Face's networks in PyTorch is made of."""

from collections.abc import Callable

import torch
import transformers

from benchmarks import trainer_settings
from electra_tf import config


def start(settings: trainer_settings.TrainerSettings):
    """Sets threads and seed of this process."""
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    transformers.utils.logging.set_verbosity_error()


def electra_config(encoder: config.EncoderConfig) -> transformers.ElectraConfig:
    """Theirs of the same encoder."""
    return transformers.ElectraConfig(
        vocab_size=encoder.vocab_size,
        embedding_size=encoder.embedding_size,
        hidden_size=encoder.hidden_size,
        num_hidden_layers=encoder.num_hidden_layers,
        num_attention_heads=encoder.num_attention_heads,
        intermediate_size=encoder.intermediate_size,
        max_position_embeddings=encoder.max_position_embeddings,
        type_vocab_size=encoder.type_vocab_size,
        hidden_dropout_prob=encoder.hidden_dropout_prob,
        attention_probs_dropout_prob=encoder.attention_probs_dropout_prob,
        initializer_range=encoder.initializer_range,
    )


def autocast(precision: config.Precision) -> torch.autocast:
    """In it layers compute in a precision; weights stay float32."""
    return torch.autocast(
        "cpu",
        torch.bfloat16 if precision == "float32" else getattr(torch, precision),
        enabled=precision != "float32",
    )


def parameters(*models: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Those of models, each once."""
    every = [p for model in models for p in model.parameters()]
    return list({id(p): p for p in every}.values())


class Optimizer:
    """AdamW after clipping by the global norm; the rate stays what it is.

    Args:
        parameters: what is learned.
        learning_rate: of every step.
        weight_decay: not of biases and layer normalisation, as ours.
        clip_norm: largest norm of all gradients together.
        is_fused: whether all are updated in one pass; by default PyTorch does
            a pass for each operation.
    """

    def __init__(
        self,
        parameters: list[torch.nn.Parameter],
        *,
        learning_rate: float,
        weight_decay: float,
        clip_norm: float,
        is_fused: bool,
    ):
        matrices = [p for p in parameters if p.ndim > 1]
        vectors = [p for p in parameters if p.ndim == 1]
        self._parameters = parameters
        self._clip_norm = clip_norm
        self._adam = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": weight_decay},
                {"params": vectors, "weight_decay": 0.0},
            ],
            lr=learning_rate,
            eps=1e-6,
            fused=is_fused or None,
        )

    def step(self, compute_loss: Callable[..., torch.Tensor], **batch) -> float:
        """Learns from a batch; returns its loss."""
        loss = compute_loss(**batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        return loss.item()
