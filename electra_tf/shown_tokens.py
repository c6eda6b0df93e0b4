"""The tokens of corrupted examples, as they are to be shown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from electra_tf import corrupter
from electra_tf import tokenization


class Token(NamedTuple):
    """One token of an example, as it is to be shown.

    Attributes:
        piece: of the vocabulary, or an id as text.
        segment: 0 or 1.
        is_special: whether it stands for no text.
        is_masked: whether the generator predicts it.
        replacement: what stands in its place, if that is another piece.
        is_noise: whether "replaced" is the right verdict.
        probability: that it was replaced, as the discriminator says; None if
            it says nothing.
    """

    piece: str
    segment: int = 0
    is_special: bool = False
    is_masked: bool = False
    replacement: str | None = None
    is_noise: bool = False
    probability: float | None = None


def tokens(
    features: dict[str, np.ndarray],
    row: int,
    *,
    vocab: Sequence[str] | None,
    corruption: corrupter.Corruption | None = None,
) -> list[Token]:
    """The tokens of one example of a batch, without padding.

    Args:
        features: int32 `[batch, length]` each.
        row: of the example.
        vocab: all pieces; ids are shown if None.
        corruption: of the batch; None if nothing is masked.
    """
    name = str if vocab is None else vocab.__getitem__
    ids, segments = features["input_ids"][row], features["segment_ids"][row]
    shown = []
    for place in np.nonzero(features["input_mask"][row])[0]:
        piece = name(ids[place])
        token = Token(
            piece,
            segment=int(segments[place] > 0),
            # [UNK] stands for text, and is to be noticed.
            is_special=piece in tokenization.SPECIAL_TOKENS
            and piece != tokenization.UNK,
        )
        if corruption is not None:
            token = _corrupted(token, corruption, (row, place))
            if corruption.ids is not None:
                new_piece = name(corruption.ids[row, place])
                if new_piece != piece:
                    token = token._replace(replacement=new_piece)
        shown.append(token)
    return shown


def _corrupted(token, corruption, place) -> Token:
    token = token._replace(is_masked=bool(corruption.is_masked[place]))
    if corruption.probabilities is not None:
        probability = float(corruption.probabilities[place])
        token = token._replace(
            is_noise=bool(corruption.is_noise[place]),
            probability=None if np.isnan(probability) else probability,
        )
    return token
