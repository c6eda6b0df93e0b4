"""Many records to a server, in batches, several at once, answers in order."""

import collections
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from concurrent import futures
import itertools
from typing import Any

import numpy as np

from electra_tf.serving import answer_rows
from electra_tf.serving import record_lines
from electra_tf.serving import served_signatures
from electra_tf.serving import serving_client


def predict_records(
    client: serving_client.Client,
    records: Iterable[Mapping[str, Any]],
    *,
    batch_size: int = 8,
    concurrency: int = 4,
    signature: str = served_signatures.DEFAULT,
) -> Iterator[dict[str, Any]]:
    """Answers records, one answer each, in their order.

    Only a few batches are read ahead of the answer that is due, so that
    `records` may be endless.

    Args:
        client: asks the model.
        records: one value for each input of the signature, by name, without
            the dimension of the batch.
        batch_size: records in a request.
        concurrency: requests that are under way at once.
        signature: the function to call.

    Yields:
        What `answer_rows.rows` makes of the answers: arrays and scalars by
        name, without padding.

    Raises:
        ValueError: a record is wrong; its number, from 1, is told.
        request_errors.RequestError: a request got no answer.
    """
    for name, value in (
        ("batch_size", batch_size),
        ("concurrency", concurrency),
    ):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}.")
    inputs = served_signatures.find(client.metadata(), signature).inputs
    batches = _batches(iter(records), batch_size, inputs)
    executor = futures.ThreadPoolExecutor(concurrency)
    pending = collections.deque()
    try:
        # Twice as many as run, so that a slow one does not stop the others.
        for batch in itertools.islice(batches, 2 * concurrency):
            pending.append(executor.submit(client.predict, batch, signature))
        while pending:
            outputs = pending.popleft().result()
            yield from answer_rows.rows(outputs)
            for batch in itertools.islice(batches, 1):
                pending.append(
                    executor.submit(client.predict, batch, signature)
                )
    finally:
        executor.shutdown(cancel_futures=True)


def _batches(
    records: Iterator[Mapping[str, Any]],
    size: int,
    inputs: Mapping[str, served_signatures.TensorInfo],
) -> Iterator[dict[str, Any]]:
    number = 0
    while batch := list(itertools.islice(records, size)):
        for record in batch:
            number += 1
            record_lines.check(record, inputs=inputs, where=f"Record {number}")
        yield collate(batch, inputs)


def collate(
    records: list[Mapping[str, Any]],
    inputs: Mapping[str, served_signatures.TensorInfo],
) -> dict[str, Any]:
    """Records as the inputs of one batch, `[batch, ...]`.

    Lists of numbers, such as ids, are padded with 0 to the longest of the
    batch where the model takes any length: 0 is [PAD], and 0 in a mask.
    """
    return {
        name: _column([record[name] for record in records], info)
        for name, info in inputs.items()
    }


def _column(values: list, info: served_signatures.TensorInfo) -> Any:
    if info.dtype == "str" or info.shape != (None, None):
        return values
    longest = max(len(value) for value in values)
    column = np.zeros((len(values), longest), info.dtype)
    for row, value in enumerate(values):
        column[row, : len(value)] = value
    return column
