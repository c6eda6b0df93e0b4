"""Position tables for longer sequences than an encoder was trained on."""

import re

import numpy as np

_TABLE = re.compile(r"(?:^|/)position_embeddings(?:_delta)?$")


def extend_positions(
    values: dict[str, np.ndarray], new_length: int
) -> dict[str, np.ndarray]:
    """Repeats the rows of all position tables up to a length.

    Row 0, where nothing but [CLS] has ever stood, is not repeated: after rows
    0, 1, ..., n-1 come 1, 2, ..., n-1, 1, 2 and so on. A trained encoder
    attends to neighbours by the differences of their rows, which repetition
    keeps everywhere but at the seams; random rows would have to be learned
    anew (Section 5 of https://arxiv.org/abs/2004.05150 compares the two).

    Args:
        values: variables by name, `[positions, size]` for position tables.
        new_length: number of rows that each table gets.

    Returns:
        All of `values`, with longer tables.

    Raises:
        ValueError: a table has more than `new_length` rows, which are never
            thrown away, or has a single row.
    """
    extended = dict(values)
    for name, table in values.items():
        if not _TABLE.search(name):
            continue
        num_rows = len(table)
        check(num_rows, new_length)
        if num_rows < new_length:
            rows = 1 + np.arange(new_length - num_rows) % (num_rows - 1)
            extended[name] = np.concatenate([table, table[rows]])
    return extended


def check(num_rows: int, new_length: int):
    """Raises ValueError if no table of so many rows is made so long."""
    if num_rows > new_length or num_rows == 1 < new_length:
        raise ValueError(
            f"A table of {num_rows} positions cannot be made {new_length} "
            "long. Tables are only extended, never shortened; set "
            f"max_position_embeddings to at least {num_rows}."
        )
