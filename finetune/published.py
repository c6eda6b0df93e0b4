"""Published results of ELECTRA models of the three sizes on dev sets.

Of the released checkpoints, medians over many seeds: "Expected results" of
the original's README. Its figure for Base on SQuAD 2.0 is that of the paper's
model; the released one has about 83 (FAQ of its issue 33).
"""

from typing import Any

from electra_tf import config

_SOURCE = "README of google-research/electra, median"
# Of Small, Base and Large; the metric is the one that the README names.
_FIGURES = {
    ("cola", "dev"): ("mcc", 57.0, 67.7, 69.1),
    ("sst", "dev"): ("accuracy", 91.2, 95.1, 96.9),
    ("mrpc", "dev"): ("accuracy", 88.0, 89.5, 90.8),
    ("sts", "dev"): ("spearman", 87.5, 91.2, 92.6),
    ("qqp", "dev"): ("accuracy", 89.0, 91.5, 92.4),
    ("mnli", "dev"): ("accuracy", 81.3, 88.8, 90.9),
    ("qnli", "dev"): ("accuracy", 88.4, 93.2, 95.0),
    ("rte", "dev"): ("accuracy", 66.7, 82.7, 88.0),
    ("squadv1", "dev"): ("em", 75.8, 86.8, 89.7),
    ("squad", "dev"): ("em", 70.1, 80.5, 88.1),
    # On the test set, which is what CoNLL-2000 has.
    ("chunk", "dev"): ("f1", 96.5, 97.1, 97.2),
}
# Width and depth.
_SIZES = {
    (256, 12): "ELECTRA-Small",
    (768, 12): "ELECTRA-Base",
    (1024, 24): "ELECTRA-Large",
}


def find(
    task_name: str, label: str, *, encoder: config.EncoderConfig
) -> dict[str, Any] | None:
    """The published figure for a model of that size, if there is one.

    Args:
        task_name: of the task.
        label: of the split, see `results.splits`.
        encoder: shape of the encoder.

    Returns:
        `metric`, `value` in percent, `model`, and `source`.
    """
    size = (encoder.hidden_size, encoder.num_hidden_layers)
    figures = _FIGURES.get((task_name, label.rpartition("/")[2]))
    if figures is None or size not in _SIZES:
        return None
    metric, *values = figures
    return {
        "metric": metric,
        "value": values[list(_SIZES).index(size)],
        "model": _SIZES[size],
        "source": _SOURCE,
    }
