"""Metrics: pure functions of (targets, predictions), in percent."""

from collections.abc import Sequence

import numpy as np
from scipy import stats
from sklearn import metrics as sklearn_metrics


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


def _checked(targets, predictions) -> tuple[np.ndarray, np.ndarray]:
    targets, predictions = np.asarray(targets), np.asarray(predictions)
    if targets.shape != predictions.shape or targets.size == 0:
        raise ValueError(
            "A metric needs as many predictions as targets, and at least "
            f"one; got shapes {predictions.shape} and {targets.shape}."
        )
    return targets, predictions
