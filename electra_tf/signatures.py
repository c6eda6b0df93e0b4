"""Functions of texts, and of ids, as signatures of a SavedModel."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from electra_tf import tokenization

# The signature that is called if a caller names none.
DEFAULT = "serving_default"

ID_NAMES = ("input_ids", "input_mask", "segment_ids")
IDS = {
    name: tf.TensorSpec([None, None], tf.int32, name=name) for name in ID_NAMES
}

# What every exported model is tried on: these as a batch, and one long text.
SAMPLE_TEXTS = (
    "The chef cooked the meal.",
    "Crème brûlée, naïve Ångström; İstanbul, ΟΔΥΣΣΕΥΣ, ﬁne.",
    "Thumbs up 👍🏽 for the 👩‍🚀!",
    "السلام عليكم, שלום עולם",
    "",
    "深度学习 \t and\u00a0spaces\n",
    "w" * 300,
)
LONG_SAMPLE_TEXT = "A very long text, " * 500

# Rows of a batch, with one text for each input.
Batch = Sequence[tuple[str, ...]]


class Signature(NamedTuple):
    """One function of a SavedModel.

    Attributes:
        function: takes tensors by name, returns tensors by name; all are
            dense, with the batch as first dimension.
        inputs: what it takes.
        samples: inputs that the saved function is compared with it on. The
            first one is also what users are shown, and servers warmed up
            with.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    inputs: dict[str, tf.TensorSpec]
    samples: Sequence[dict[str, tf.Tensor]]


def of_texts(
    function: Callable,
    names: Sequence[str],
    *,
    batches: Sequence[Batch] | None = None,
) -> Signature:
    """A function of texts as a signature.

    Args:
        function: takes string `[batch]` by each of the names.
        names: of its inputs, one or two.
        batches: the samples; `SAMPLE_TEXTS` and others, if not given.
    """
    if batches is None:
        columns = zip(SAMPLE_TEXTS, SAMPLE_TEXTS[::-1])
        batches = (list(columns), [(LONG_SAMPLE_TEXT,) * 2], [("", "")])
    return Signature(
        function,
        inputs={
            name: tf.TensorSpec([None], tf.string, name=name) for name in names
        },
        samples=[
            dict(zip(names, map(tf.constant, zip(*batch)))) for batch in batches
        ],
    )


def of_ids(
    function: Callable,
    tokenizer: tokenization.Tokenizer,
    *,
    max_seq_length: int,
    fixed_length: bool = False,
) -> Signature:
    """A function of `IDS`, int32 `[batch, length]` each, as a signature.

    Args:
        function: takes them by their names.
        tokenizer: makes the samples.
        max_seq_length: most tokens of a sample.
        fixed_length: whether all batches have that length.
    """
    texts = tokenizer.tokenize(tf.constant(SAMPLE_TEXTS))
    long_text = tokenizer.tokenize(tf.constant([LONG_SAMPLE_TEXT]))
    segments = ((texts,), (texts, texts[::-1]), (long_text,))
    length = max_seq_length if fixed_length else None
    return Signature(
        function,
        inputs={
            name: tf.TensorSpec([None, length], tf.int32, name=name)
            for name in ID_NAMES
        },
        samples=[
            tokenizer.pack(
                *batch, max_seq_length=max_seq_length, pad=fixed_length
            )
            for batch in segments
        ],
    )


def check_length(inputs: dict[str, tf.Tensor], *, max_length: int):
    """Returns `IDS`, or fails with a message if they are too long."""
    check = tf.debugging.assert_less_equal(
        tf.shape(inputs["input_ids"])[1],
        max_length,
        message=f"The model reads at most {max_length} tokens an example.",
    )
    with tf.control_dependencies([check]):
        return {name: tf.identity(value) for name, value in inputs.items()}
