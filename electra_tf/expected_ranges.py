"""What metrics of pre-training are to be expected, with the source of each.

Curves of the original were published as images only. These numbers are from
logs and tables that others published of runs with the same objective.
"""

from collections.abc import Mapping
import math
from typing import NamedTuple

from electra_tf import config
from electra_tf import presets

# Steps of the runs that the ranges are of.
END = 1_000_000

_SMALL_RUNS = (
    "ConvBERT-small Spanish and ELECTRA-tiny Chinese, 1,000,000 steps each"
)
_ALL_RUNS = "published runs of small and base models, 1,000,000 steps each"
# What decides the size of the metrics beside how well a model learns.
_MUST_BE_AS_IN_SMALL = (
    "objective generator generator_training tying mask_prob gen_weight "
    "disc_weight temperature disallow_correct hidden_size num_hidden_layers "
    "generator_hidden_size generator_layers max_seq_length"
).split()


class Range(NamedTuple):
    """Where a metric of a small model is at the end of training.

    Attributes:
        low: Smallest usual value.
        high: Largest usual value.
        source: Who measured it.
        is_better: What it means to be beyond the range: "lower" or "higher"
            is better, or neither, "".
        is_comparable: Whether ours is measured in the same way.
    """

    low: float
    high: float
    source: str
    is_better: str = ""
    is_comparable: bool = True


class Published(NamedTuple):
    """Metrics of one published run.

    Attributes:
        source: which run.
        step: of training; None if it was not told.
        metrics: by our names.
        note: what is special about it.
    """

    source: str
    step: int | None
    metrics: Mapping[str, float]
    note: str = ""


RANGES: dict[str, Range] = {
    "loss": Range(9.0, 10.0, _ALL_RUNS, "lower"),
    "masked_lm_loss": Range(2.30, 2.82, _SMALL_RUNS, "lower"),
    "disc_loss": Range(0.136, 0.16, _ALL_RUNS, "lower"),
    # Padding counts in theirs, as easily found originals.
    "disc_auc": Range(0.94, 0.98, _SMALL_RUNS, "higher", False),
    "disc_recall": Range(0.3, 0.6, _ALL_RUNS, "higher"),
    "disc_precision": Range(0.79, 0.81, _ALL_RUNS, "higher"),
    "disc_accuracy": Range(0.948, 0.952, _ALL_RUNS, "higher"),
    "masked_lm_accuracy": Range(0.46, 0.54, _SMALL_RUNS, "higher"),
    "sampled_masked_lm_accuracy": Range(0.35, 0.45, _SMALL_RUNS, "higher"),
    "replaced_share": Range(0.06, 0.07, "the original's author"),
}

_METRICS = (
    "disc_accuracy",
    "disc_auc",
    "disc_loss",
    "disc_precision",
    "disc_recall",
    "masked_lm_accuracy",
    "masked_lm_loss",
    "sampled_masked_lm_accuracy",
    "loss",
)


def _published(
    source: str, step: int, values: str, note: str = ""
) -> Published:
    numbers = map(float, values.split())
    metrics = dict(zip(_METRICS, numbers, strict=True))
    return Published(source, step, metrics, note)


_OTHER_ENCODER = "same objective and metrics, another encoder"
PUBLISHED = (
    _published(
        "a user's log of the original",
        5_000,
        ".8668 .6815 .3594 .7586 .0483 .0323 7.134 .0034 25.11",
        "settings not told",
    ),
    _published(
        "ConvBERT-small Spanish",
        1_000_000,
        ".9516 .9405 .1366 .8083 .4932 .5351 2.303 .4405 9.12",
        _OTHER_ENCODER,
    ),
    _published(
        "ConvBERT-base Spanish",
        1_000_000,
        ".9489 .8833 .1593 .7922 .2744 .6178 1.705 .5379 9.66",
        _OTHER_ENCODER,
    ),
    _published(
        "ELECTRA-tiny Chinese",
        1_000_000,
        ".9509 .9762 .1407 .8018 .6088 .4673 2.821 .3504 9.52",
        "generator a fourth as wide",
    ),
    _published(
        "ELECTRA-base Chinese, continued",
        33_000,
        ".9638 .9759 .1152 .7908 .3217 .7299 1.260 .6685 6.58",
        "a trained model, on texts of one domain",
    ),
    Published(
        "NVIDIA's ELECTRA-base",
        10_930,
        {"loss": 8.70},
        "LAMB, batches of thousands; 8.67 to 8.72",
    ),
    Published("an Arabic base, NVIDIA's code", None, {"loss": 8.84}),
)


def at_random(run_config: config.PretrainConfig) -> dict[str, float]:
    """Metrics of a model that knows nothing, where they can be computed.

    The loss of `small` is ln 30522 + 50 ln 2 = 44.98.
    """
    guess = math.log(run_config.vocab_size)
    values = {"masked_lm_loss": guess}
    if run_config.generator == "two_tower":
        values["cloze_loss"] = guess
    if run_config.objective in ("replace_mlm", "all_tokens_mlm"):
        values["token_loss"] = guess
    if run_config.objective in ("electra", "electra_15"):
        coin = math.log(2.0)
        values |= {"disc_loss": coin, "disc_auc": 0.5, "disc_recall": 0.0}
        if run_config.generator_training == "joint":
            values["loss"] = (
                run_config.gen_weight * values["masked_lm_loss"]
                + run_config.disc_weight * coin
            )
    return values


def why_not_comparable(run_config: config.PretrainConfig, step: int) -> str:
    """Why `RANGES` say little of a run at a step; "" if they are for it."""
    small = presets.get("small")
    changed = [
        name
        for name in _MUST_BE_AS_IN_SMALL
        if getattr(run_config, name) != getattr(small, name)
    ]
    # Fewer word pieces are easier to guess.
    if not 0.5 < run_config.vocab_size / small.vocab_size < 2.0:
        changed.append("vocab_size")
    reasons = []
    if step < END:
        reasons.append(
            f"they are for the end of training, {END:,} steps, not {step:,}"
        )
    if changed:
        reasons.append(
            "they are for the preset small, and this run differs in "
            + ", ".join(changed)
        )
    return "; ".join(reasons)


def verdict(metric: str, value: float) -> str:
    """A word on a value of a run that `RANGES` are for; "" if none is fair."""
    expected = RANGES.get(metric)
    if expected is None or not expected.is_comparable:
        return ""
    if expected.low <= value <= expected.high:
        return "as expected"
    side = "lower" if value < expected.low else "higher"
    if not expected.is_better:
        return side
    return "better" if side == expected.is_better else "worse"
