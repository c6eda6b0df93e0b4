"""Metrics: pure functions of (targets, predictions), in percent."""

from collections.abc import Callable
from collections.abc import Sequence
import itertools

import numpy as np
from scipy import stats
from seqeval.metrics import sequence_labeling
from sklearn import metrics as sklearn_metrics

from finetune import tag_schemes


def accuracy(targets: Sequence, predictions: Sequence) -> dict[str, float]:
    """Share of predictions that equal their targets."""
    equal = np.equal(*_checked(targets, predictions))
    return {"accuracy": 100.0 * float(np.mean(equal))}


def matthews_correlation(
    targets: Sequence, predictions: Sequence
) -> dict[str, float]:
    """Matthews correlation of two labellings; 0 if one is constant."""
    targets, predictions = _checked(targets, predictions)
    mcc = sklearn_metrics.matthews_corrcoef(targets, predictions)
    return {"mcc": 100.0 * float(mcc)}


def f1(targets: Sequence, predictions: Sequence) -> dict[str, float]:
    """F1 of label 1; 0 if it was never predicted rightly.

    Unlike the original: its scorer counts predicted instead of true
    positives, so that what it calls recall and F1 are both the precision.
    """
    targets, predictions = _checked(targets, predictions)
    return {
        "f1": 100.0
        * float(
            sklearn_metrics.f1_score(targets, predictions, zero_division=0.0)
        )
    }


def macro_f1(targets: Sequence, predictions: Sequence) -> dict[str, float]:
    """Mean of the F1 of all labels that occur on either side."""
    targets, predictions = _checked(targets, predictions)
    value = sklearn_metrics.f1_score(
        targets, predictions, average="macro", zero_division=0.0
    )
    return {"macro_f1": 100.0 * float(value)}


def correlations(
    targets: Sequence[float], predictions: Sequence[float]
) -> dict[str, float]:
    """Pearson and Spearman correlations; 0 if either side is constant.

    Unlike the original: constant predictions, the sign of a failed run, get
    0 and not NaN, which no table or JSON file can hold.
    """
    targets, predictions = _checked(targets, predictions)
    if np.ptp(targets) == 0.0 or np.ptp(predictions) == 0.0:
        return {"pearson": 0.0, "spearman": 0.0}
    pearson, _ = stats.pearsonr(targets, predictions)
    spearman, _ = stats.spearmanr(targets, predictions)
    return {
        "pearson": 100.0 * float(pearson),
        "spearman": 100.0 * float(spearman),
    }


def mse(
    targets: Sequence[float], predictions: Sequence[float]
) -> dict[str, float]:
    """Mean squared error, not in percent but in the task's unit squared."""
    targets, predictions = _checked(targets, predictions)
    return {"mse": float(np.mean(np.square(targets - predictions)))}


def entity_f1(
    targets: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Precision, recall and F1 of entities; right are all words and the type.

    seqeval counts them, but what entities are in tags that break the scheme
    is read as the original does, see `tag_schemes.spans`: on its own seqeval
    starts another entity where the type changes, and after E.

    Args:
        targets: BIOES tags of the words of each sentence.
        predictions: likewise; any tag may follow any other.
    """
    _check_lengths(targets, predictions)
    values = sequence_labeling.precision_recall_fscore_support(
        [_in_scheme(tags) for tags in targets],
        [_in_scheme(tags) for tags in predictions],
        average="micro",
        zero_division=0,
    )
    names = ("precision", "recall", "f1")
    return {
        name: 100.0 * float(value)
        for name, value in zip(names, values[:3], strict=True)
    }


def word_accuracy(
    targets: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]
) -> dict[str, float]:
    """Share of the words of all sentences whose tag is predicted rightly.

    Args:
        targets: tags of the words of each sentence.
        predictions: likewise.
    """
    _check_lengths(targets, predictions)
    flat = (
        list(itertools.chain.from_iterable(side))
        for side in (targets, predictions)
    )
    return {"word_accuracy": accuracy(*flat)["accuracy"]}


def _in_scheme(tags: Sequence[str]) -> list[str]:
    return list(tag_schemes.from_spans(tag_schemes.spans(tags), len(tags)))


def _check_lengths(
    targets: Sequence[Sequence[str]], predictions: Sequence[Sequence[str]]
):
    if [*map(len, targets)] != [*map(len, predictions)] or not any(targets):
        raise ValueError(
            "A metric of tags needs one predicted tag for each word of each "
            f"sentence, and at least one word; got {len(predictions)} "
            f"sentences with {sum(map(len, predictions))} tags for "
            f"{len(targets)} sentences with {sum(map(len, targets))} words."
        )


def _checked(targets, predictions) -> tuple[np.ndarray, np.ndarray]:
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    if targets.shape != predictions.shape or targets.size == 0:
        raise ValueError(
            "A metric needs as many predictions as targets, and at least "
            f"one; got shapes {predictions.shape} and {targets.shape}."
        )
    return targets, predictions


# What rows of tasks name.
METRICS: dict[str, Callable[..., dict[str, float]]] = {
    metric.__name__: metric
    for metric in (
        accuracy,
        matthews_correlation,
        f1,
        macro_f1,
        correlations,
        mse,
        entity_f1,
        word_accuracy,
    )
}


def compute(
    names: Sequence[str], targets: Sequence, predictions: Sequence
) -> dict[str, float]:
    """The values of several of `METRICS`.

    Raises:
        ValueError: there is no metric of that name.
    """
    values = {}
    for name in names:
        if name not in METRICS:
            raise ValueError(
                f"Unknown metric {name!r}. Known metrics: "
                f"{', '.join(sorted(METRICS))}."
            )
        values |= METRICS[name](targets, predictions)
    return values
