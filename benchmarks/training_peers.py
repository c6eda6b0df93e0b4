"""Whose training can be measured beside ours, and how it is made."""

from collections.abc import Mapping
from collections.abc import Sequence
import contextlib
import dataclasses
from importlib import metadata
import importlib.util
from typing import Literal

from benchmarks import other_process
from benchmarks import trainer_settings
from benchmarks import training_turns
from electra_tf import config

Work = Literal["pretraining", "finetuning"]

_DISTRIBUTIONS = ("torch", "transformers", "tf-models-official")

# Fields of a preset that all peers have the same value for.
USUAL = {
    "objective": "electra",
    "generator": "transformer",
    "generator_training": "joint",
    "tying": "embeddings",
    "temperature": 1.0,
    "disallow_correct": False,
    "masking": "without_replacement",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Peer:
    """An implementation of training.

    Attributes:
        trainer: class of its trainer, "package.module:name".
        variant: the trainer's argument.
        packages: that must be installed, as they are imported.
        precisions: in which it can train.
    """

    trainer: str
    variant: str
    packages: Sequence[str] = ("torch", "transformers")
    precisions: Sequence[config.Precision] = ("float32", "bfloat16")

    def start(
        self, settings: trainer_settings.TrainerSettings
    ) -> other_process.OtherProcess:
        """Its trainer, in a process of its own."""
        return other_process.OtherProcess(self.trainer, settings, self.variant)

    @property
    def missing(self) -> list[str]:
        """Packages that are not installed."""
        return [
            name
            for name in self.packages
            if importlib.util.find_spec(name) is None
        ]


def _pretraining(variant: str) -> Peer:
    return Peer(
        trainer="benchmarks.torch_trainer:TorchTrainer", variant=variant
    )


def _official(variant: str) -> Peer:
    return Peer(
        trainer="benchmarks.official_trainer:OfficialTrainer",
        variant=variant,
        packages=("official",),
        precisions=("float32",),
    )


def _finetuning(variant: str) -> Peer:
    return Peer(
        trainer="benchmarks.torch_finetuner:TorchFinetuner", variant=variant
    )


PEERS: Mapping[Work, Mapping[str, Peer]] = {
    "pretraining": {
        "hf_eager": _pretraining("eager"),
        "hf_fused": _pretraining("fused"),
        "hf_compiled": _pretraining("compiled"),
        "official_graph": _official("graph"),
        "official_xla": _official("xla"),
    },
    "finetuning": {
        "hf_padded": _finetuning("padded"),
        "hf_dynamic": _finetuning("dynamic"),
    },
}


def select(
    work: Work, names: Sequence[str], precision: config.Precision
) -> dict[str, Peer]:
    """Peers by their names.

    Args:
        work: what they do.
        names: of `PEERS`; none for all that have the precision.
        precision: in which they do it.

    Raises:
        ValueError: an unknown peer, one that has not the precision or is not
            installed, or none at all.
    """
    known = PEERS[work]
    able = [name for name in known if precision in known[name].precisions]
    names = list(names) or able
    wrong = [name for name in names if name not in able]
    if wrong or not names:
        raise ValueError(
            f"No peer does {work} in {precision} as {', '.join(wrong)!r}. "
            f"Those that do: {', '.join(able) or 'none'}."
        )
    selected = {name: known[name] for name in names}
    missing = sorted({m for peer in selected.values() for m in peer.missing})
    if missing:
        raise ValueError(
            f"{', '.join(missing)} cannot be imported, which peers need: `make "
            "bench-peers` installs it; or name other --peers."
        )
    return selected


def start(
    own: other_process.OtherProcess,
    settings: trainer_settings.TrainerSettings,
    peers: Mapping[str, Peer],
    stack: contextlib.ExitStack,
) -> dict[str, other_process.OtherProcess]:
    """All trainers by their names, ready for their first step.

    Args:
        own: ours, which was started.
        settings: of the peers.
        peers: of `select`.
        stack: ends them.
    """
    trainers = {training_turns.OWN: own}
    stack.enter_context(own).wait_until_made()
    for name, peer in peers.items():
        trainers[name] = stack.enter_context(peer.start(settings))
        trainers[name].wait_until_made()
    return trainers


def versions() -> dict[str, str]:
    """Of what peers are made of, as far as it is installed."""
    found = {}
    for name in _DISTRIBUTIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
