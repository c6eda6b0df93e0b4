"""What metrics mean, in which order and groups they are shown."""

from collections.abc import Iterable
from typing import NamedTuple

_NATS = "nats a token; lower is better."


class Note(NamedTuple):
    """What to know about a metric.

    Attributes:
        group: of metrics that are shown together.
        meaning: for people.
        better: "lower" or "higher"; "" if that cannot be said.
    """

    group: str
    meaning: str
    better: str = ""


_LOSSES, _GENERATOR, _DISCRIMINATOR = "Losses", "Generator", "Discriminator"
_OPTIMIZATION, _SPEED, _OTHER = "Optimization", "Speed", "Other"

NOTES: dict[str, Note] = {
    "loss": Note(
        _LOSSES, "The weighted sum that training lowers.", better="lower"
    ),
    "masked_lm_loss": Note(
        _LOSSES, f"The generator's, on masked tokens: {_NATS}", "lower"
    ),
    "cloze_loss": Note(
        _LOSSES, f"The two towers', on all tokens: {_NATS}", "lower"
    ),
    "policy_loss": Note(
        _LOSSES, "The adversarial generator's, by REINFORCE; may be negative."
    ),
    "baseline_loss": Note(
        _LOSSES, "Of predicting that generator's reward.", "lower"
    ),
    "disc_loss": Note(
        _LOSSES, f"The discriminator's, on its tokens: {_NATS}", "lower"
    ),
    "token_loss": Note(
        _LOSSES, f"The main network's, on word pieces: {_NATS}", "lower"
    ),
    "masked_lm_accuracy": Note(
        _GENERATOR, "Masked tokens that its best guess gets right.", "higher"
    ),
    "sampled_masked_lm_accuracy": Note(
        _GENERATOR, "Masked tokens where its sample is the original.", "higher"
    ),
    "replaced_share": Note(
        _GENERATOR, "Tokens that really differ after its samples are put in."
    ),
    "disc_auc": Note(
        _DISCRIMINATOR,
        "How well replaced tokens rank above original ones; 0.5 is chance.",
        "higher",
    ),
    "disc_recall": Note(
        _DISCRIMINATOR, "Replaced tokens that it finds.", "higher"
    ),
    "disc_precision": Note(
        _DISCRIMINATOR, "Tokens it calls replaced that are.", "higher"
    ),
    "disc_accuracy": Note(
        _DISCRIMINATOR,
        "Starts high, for most tokens are original: watch AUC and recall.",
        "higher",
    ),
    "token_accuracy": Note(
        _DISCRIMINATOR, "Word pieces that its best guess gets right.", "higher"
    ),
    "learning_rate": Note(_OPTIMIZATION, "Warm-up, then decay."),
    "gradient_norm": Note(
        _OPTIMIZATION, "Before clipping; peaks show unstable steps."
    ),
    "examples_per_second": Note(
        _SPEED, "Without evaluation and checkpoints.", "higher"
    ),
    "tokens_per_second": Note(_SPEED, "Padding included.", "higher"),
    "model_flops_per_second": Note(
        _SPEED, "Products of the model, forward and backward.", "higher"
    ),
    "peak_flops_share": Note(_SPEED, "Of what the devices can do.", "higher"),
}

_OF_OTHERS = Note(_OTHER, "")
_GROUPS = (
    _LOSSES,
    _DISCRIMINATOR,
    _GENERATOR,
    _OPTIMIZATION,
    _SPEED,
    _OTHER,
)


def note(metric: str) -> Note:
    """What to know about a metric; nothing if it is none of pre-training."""
    return NOTES.get(metric, _OF_OTHERS)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Names sorted by group, as in `NOTES`; those that are not there last."""
    known = list(NOTES)

    def rank(metric: str) -> tuple[int, int, str]:
        place = known.index(metric) if metric in NOTES else len(known)
        return _GROUPS.index(note(metric).group), place, metric

    return sorted(metrics, key=rank)


def grouped(metrics: Iterable[str]) -> dict[str, list[str]]:
    """The names of each group that has any, in order."""
    groups: dict[str, list[str]] = {}
    for metric in in_order(metrics):
        groups.setdefault(note(metric).group, []).append(metric)
    return groups
