"""Questions with their contexts as rows: windows over long contexts.

`QATask.featurize` of the original's `qa_tasks.py`; what it keeps of words of
the context is kept of characters, too.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import dataclasses
import datetime
import time
from typing import NamedTuple

from absl import logging
import numpy as np
import tensorflow as tf

from electra_tf import tokenization
from finetune import context_words
from finetune import features
from finetune import finetune_config
from finetune import task as task_lib

_CHUNK_SIZE = 256
# [CLS] question [SEP] context [SEP].
_NUM_SPECIAL = 3
_LOG_SECONDS = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class WindowFeatures(features.Features):
    """Rows that know which part of which context they are.

    Attributes:
        question_index: int64 `[rows]`, index of the question.
        token_spans: for each row int32 `[tokens, 2]`: first and last
            (exclusive) character of each token in the context; -1 for tokens
            that are not of the context.
        word_index: for each row int32 `[tokens]`: which of
            `context_words.spans` each token belongs to; -1 likewise.
        is_max_context: for each row bool `[tokens]`: whether no other window
            has more context around that token.
    """

    question_index: np.ndarray
    token_spans: tuple[np.ndarray, ...]
    word_index: tuple[np.ndarray, ...]
    is_max_context: tuple[np.ndarray, ...]


class _Context(NamedTuple):
    """The tokens of a context.

    Attributes:
        ids: int32 `[tokens]`.
        spans: int32 `[tokens, 2]`, characters.
        word_index: int32 `[tokens]`, ascending.
        word_starts: int64 `[words]`, the first character of each word.
    """

    ids: np.ndarray
    spans: np.ndarray
    word_index: np.ndarray
    word_starts: np.ndarray


class _Window(NamedTuple):
    """A part of a context, in tokens."""

    start: int
    length: int


class _Row(NamedTuple):
    question_index: int
    input_ids: np.ndarray
    segment_ids: np.ndarray
    token_spans: np.ndarray
    word_index: np.ndarray
    is_max_context: np.ndarray
    start_position: int
    end_position: int
    is_impossible: bool


def make_features(
    examples: Sequence[task_lib.Question],
    *,
    task: task_lib.Task,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> WindowFeatures:
    """Windows over the contexts of questions, exactly as in the original.

    A context without tokens has no window. As in the original a window that
    does not hold the whole answer points at [CLS], but is not impossible.

    Returns:
        Rows with the targets `start_positions`, `end_positions` and
        `is_impossible`, int32 `[rows]`; positions are 0 outside of training.

    Raises:
        ValueError: the questions leave no room for contexts.
    """
    del task
    rows = list(
        _rows(
            examples,
            tokenizer=tokenizer,
            run_config=run_config,
            is_training=is_training,
        )
    )
    rows.sort(key=lambda row: row.question_index)
    return WindowFeatures(
        input_ids=_ragged([row.input_ids for row in rows]),
        segment_ids=_ragged([row.segment_ids for row in rows]),
        targets={
            name: np.array([getattr(row, field) for row in rows], np.int32)
            for name, field in (
                ("start_positions", "start_position"),
                ("end_positions", "end_position"),
                ("is_impossible", "is_impossible"),
            )
        },
        pad_id=tokenizer.pad_id,
        question_index=np.array([r.question_index for r in rows], np.int64),
        token_spans=tuple(row.token_spans for row in rows),
        word_index=tuple(row.word_index for row in rows),
        is_max_context=tuple(row.is_max_context for row in rows),
    )


def _ragged(parts: Sequence[np.ndarray]) -> tf.RaggedTensor:
    values = np.concatenate(parts) if parts else np.zeros(0)
    return tf.RaggedTensor.from_row_lengths(
        values.astype(np.int32),
        np.array([len(part) for part in parts], np.int64),
    )


def _rows(
    examples: Sequence[task_lib.Question],
    *,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> Iterator[_Row]:
    """The rows of all questions; those of each question in their order."""
    order = _by_context(examples)
    contexts: dict[str, _Context] = {}
    started = last_logged = time.monotonic()
    for first in range(0, len(examples), _CHUNK_SIZE):
        indices = order[first : first + _CHUNK_SIZE]
        chunk = [examples[index] for index in indices]
        # The first questions may have the last context of the chunk before.
        texts = list(dict.fromkeys(question.context for question in chunk))
        contexts = {text: contexts.get(text) for text in texts}
        new = [text for text in texts if contexts[text] is None]
        contexts.update(zip(new, _tokenize(new, tokenizer), strict=True))
        queries = _tokenize_flat([q.question for q in chunk], tokenizer)
        answers = _tokenize_flat(
            [q.answers[0].text if q.answers else "" for q in chunk], tokenizer
        )
        for offset, question in enumerate(chunk):
            yield from _rows_of_question(
                indices[offset],
                question,
                contexts[question.context],
                query=queries[offset][: run_config.max_query_length],
                answer=answers[offset],
                tokenizer=tokenizer,
                run_config=run_config,
                is_training=is_training,
            )
        now = time.monotonic()
        if now - last_logged > _LOG_SECONDS:
            last_logged = now
            done = first + len(chunk)
            left = (now - started) * (len(examples) - done) / done
            logging.info(
                "%d of %d questions | eta %s",
                done,
                len(examples),
                datetime.timedelta(seconds=round(left)),
            )


def _by_context(examples: Sequence[task_lib.Question]) -> list[int]:
    """All indices, so that questions with the same context are neighbours."""
    numbers: dict[str, int] = {}
    for question in examples:
        numbers.setdefault(question.context, len(numbers))
    # Sorting is stable.
    return sorted(
        range(len(examples)), key=lambda i: numbers[examples[i].context]
    )


def _tokenize_flat(
    texts: Sequence[str], tokenizer: tokenization.Tokenizer
) -> list[np.ndarray]:
    pieces = tokenizer.tokenize(tf.constant(texts))
    return np.split(pieces.values.numpy(), pieces.row_splits.numpy()[1:-1])


def _tokenize(
    texts: Sequence[str], tokenizer: tokenization.Tokenizer
) -> list[_Context]:
    """The tokens of contexts."""
    if not texts:
        return []
    pieces = tokenizer.tokenize_with_offsets(tf.constant(texts))
    bounds = pieces.ids.row_splits.numpy()
    ids, starts, ends = (
        ragged.values.numpy()
        for ragged in (pieces.ids, pieces.starts, pieces.ends)
    )
    contexts = []
    for row, text in enumerate(texts):
        part = slice(bounds[row], bounds[row + 1])
        spans = _characters(text, starts[part], ends[part])
        word_starts = np.array(
            [first for first, _ in context_words.spans(text)], np.int64
        )
        contexts.append(
            _Context(
                ids=ids[part],
                spans=spans,
                word_index=_word_at(word_starts, spans[:, 0]),
                word_starts=word_starts,
            )
        )
    return contexts


def _characters(text: str, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Spans in UTF-8 bytes as spans in characters: int32 `[spans, 2]`."""
    encoded = np.frombuffer(text.encode("utf-8"), np.uint8)
    # Bytes 10xxxxxx go on with a character.
    character = np.cumsum((encoded & 0xC0) != 0x80) - 1
    spans = [character[starts], character[ends - 1] + 1]
    return np.stack(spans, axis=1).astype(np.int32)


def _word_at(word_starts: np.ndarray, characters) -> np.ndarray:
    """Index of the last word that starts at or before each character."""
    index = np.searchsorted(word_starts, characters, side="right") - 1
    return index.astype(np.int32)


def _rows_of_question(
    index: int,
    question: task_lib.Question,
    context: _Context,
    *,
    query: np.ndarray,
    answer: np.ndarray,
    tokenizer: tokenization.Tokenizer,
    run_config: finetune_config.FinetuneConfig,
    is_training: bool,
) -> Iterator[_Row]:
    room = run_config.max_seq_length - len(query) - _NUM_SPECIAL
    if room < 1:
        raise ValueError(
            f"Question {question.id!r} has {len(query)} tokens, which leaves "
            f"no room for its context in {run_config.max_seq_length}. Ask for "
            "a larger --max_seq_length or a smaller --max_query_length."
        )
    windows = _windows(len(context.ids), room, run_config.doc_stride)
    span = None
    if is_training and not question.is_impossible and question.answers:
        span = _answer_tokens(question.answers[0], context, answer)
    has_max = _max_context(windows, len(context.ids))
    before = len(query) + 2
    for number, window in enumerate(windows):
        part = slice(window.start, window.start + window.length)
        start, end = _positions(span, window, before)
        yield _Row(
            question_index=index,
            input_ids=np.concatenate(
                [
                    [tokenizer.cls_id],
                    query,
                    [tokenizer.sep_id],
                    context.ids[part],
                    [tokenizer.sep_id],
                ]
            ),
            segment_ids=np.repeat([0, 1], [before, window.length + 1]),
            token_spans=_outside(context.spans[part], before, -1),
            word_index=_outside(context.word_index[part], before, -1),
            is_max_context=_outside(has_max[part] == number, before, False),
            start_position=start,
            end_position=end,
            is_impossible=question.is_impossible,
        )


def _outside(values: np.ndarray, before: int, fill) -> np.ndarray:
    """Values of the context's tokens, with those of the other tokens."""
    widths = [(before, 1), *[(0, 0)] * (values.ndim - 1)]
    return np.pad(values, widths, constant_values=fill)


def _windows(num_tokens: int, room: int, stride: int) -> list[_Window]:
    windows = []
    start = 0
    while start < num_tokens:
        length = min(num_tokens - start, room)
        windows.append(_Window(start, length))
        if start + length == num_tokens:
            break
        start += min(length, stride)
    return windows


def _max_context(windows: Sequence[_Window], num_tokens: int) -> np.ndarray:
    """Which window has the most context around each token: `[tokens]`.

    As in the original that is the smaller of what is left and right of it,
    and the longer window if they are equal.
    """
    best = np.full(num_tokens, -1.0)
    index = np.zeros(num_tokens, np.int64)
    for number, (start, length) in enumerate(windows):
        left = np.arange(length)
        scores = np.minimum(left, left[::-1]) + 0.01 * length
        part = slice(start, start + length)
        is_better = scores > best[part]
        best[part] = np.where(is_better, scores, best[part])
        index[part] = np.where(is_better, number, index[part])
    return index


def _answer_tokens(
    answer: task_lib.Answer, context: _Context, pieces: np.ndarray
) -> tuple[int, int]:
    """The first and the last token of an answer.

    As in the original those of the words that it is in, unless some of these
    tokens are exactly those of the answer.
    """
    characters = [answer.start, answer.start + max(len(answer.text), 1) - 1]
    first_word, last_word = _word_at(context.word_starts, characters)
    start = int(np.searchsorted(context.word_index, first_word))
    end = int(np.searchsorted(context.word_index, last_word, side="right")) - 1
    for new_start in range(start, end + 1):
        new_end = new_start + len(pieces) - 1
        if new_end <= end and np.array_equal(
            context.ids[new_start : new_end + 1], pieces
        ):
            return (new_start, new_end) if len(pieces) else (start, end)
    return start, end


def _positions(
    span: tuple[int, int] | None, window: _Window, before: int
) -> tuple[int, int]:
    """Where in a row the answer is; at [CLS] if it is not all in there."""
    if span is None:
        return 0, 0
    start, end = span
    if start < window.start or end >= window.start + window.length:
        return 0, 0
    return start - window.start + before, end - window.start + before
