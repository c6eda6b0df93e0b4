"""What a measured training step computes, whoever's the implementation."""

from collections.abc import Mapping
import dataclasses
import os
from typing import Any

from electra_tf import config
from electra_tf import presets


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """Given to every trainer, which is in a process of its own.

    Attributes:
        preset: Gives the sizes of the networks, and the rest.
        changes: Fields of the preset's `PretrainConfig` with other values.
        precision: Of the products of matrices.
        batch_size: Examples a step, over all devices together.
        max_seq_length: Tokens an example.
        jit_compile: Whether XLA compiles the whole step; None for what is
            faster on the device.
        num_threads: That an operation may use; None for as many as cores.
        seed: Decides weights, batches, masks and dropout.
    """

    preset: str = "small"
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    precision: config.Precision = "float32"
    batch_size: int = 32
    max_seq_length: int = 128
    jit_compile: bool | None = None
    num_threads: int | None = None
    seed: int = 0

    def __post_init__(self):
        if self.num_threads is not None and self.num_threads < 1:
            raise ValueError(
                f"num_threads must be at least 1, got {self.num_threads}."
            )
        _ = self.run_config  # Its own checks.

    @property
    def run_config(self) -> config.PretrainConfig:
        """The configuration of a run that does the same."""
        values = {
            "precision": self.precision,
            "train_batch_size": self.batch_size,
            "max_seq_length": self.max_seq_length,
            "jit_compile": self.jit_compile,
            "seed": self.seed,
        }
        return dataclasses.replace(
            presets.get(self.preset), **values, **self.changes
        )

    @property
    def threads(self) -> int:
        """How many an operation may use."""
        return self.num_threads or len(os.sched_getaffinity(0))

    def figures(self) -> dict[str, Any]:
        """What a line of results says of them, ready for JSON."""
        values = dataclasses.asdict(self) | {"num_threads": self.threads}
        return values | {"changes": dict(self.changes)}
