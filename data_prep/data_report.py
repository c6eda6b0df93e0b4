"""What a data set is and what was counted in it, as text and as JSON."""

from collections.abc import Sequence
import os
import shlex

import numpy as np
import tensorflow as tf

from data_prep import console as console_lib
from data_prep import data_folder
from data_prep import inspection
from electra_tf import dataset_info
from electra_tf import model_folder
from electra_tf import tokenization

_NOT_RECORDED = "not recorded"
_MAX_BINS = 16


def description(
    folder: data_folder.DataFolder, console: console_lib.Console
) -> str:
    """What is known before any example is read."""
    info, tokenizer = folder.info, folder.tokenizer
    fields = [
        ("folder", os.path.abspath(folder.path)),
        ("source", " ".join(info.source or [_NOT_RECORDED])),
        ("command", shlex.join(info.command or []) or _NOT_RECORDED),
        ("seed", _NOT_RECORDED if info.seed is None else str(info.seed)),
        ("tokens an example", f"{info.max_seq_length:,}"),
        ("vocabulary", _vocabulary(info, tokenizer)),
        ("tokenizer", _settings(info)),
        ("files", _files(info)),
        ("examples", f"{info.num_examples:,}"),
    ]
    counts = {
        name.replace("_", " "): count
        for name, count in (info.counts or {}).items()
        if name != "examples"
    }
    fields += [(name, f"{count:,}") for name, count in counts.items() if count]
    if zeros := [name for name, count in counts.items() if not count]:
        fields.append(("zero", ", ".join(zeros)))
    if info.length_counts:
        fields.append(("lengths", _length_shares(info)))
    return _section("Data set", fields, console) + "\n"


def statistics(
    counted: inspection.Statistics,
    num_pieces: int,
    console: console_lib.Console,
) -> str:
    """What was counted.

    Args:
        counted: in all or some examples.
        num_pieces: how many of the most frequent pieces are shown.
        console: to write for.
    """
    title = f"Statistics of all {counted.num_examples:,} examples"
    if counted.is_sample:
        title = (
            f"Statistics of a sample: {counted.num_examples:,} of "
            f"{counted.num_in_folder:,} examples"
        )
    fields = _example_fields(counted)
    if counted.vocab is None:
        fields.append(("pieces", "unknown, for want of a vocabulary"))
        fields.append(("different ids", f"{counted.num_seen:,}"))
    else:
        fields += _piece_fields(counted)
    lines = [
        _section(title, fields, console),
        "",
        "  Examples by their tokens",
        *_histogram(counted.length_counts, console),
        "",
        f"  Most frequent {'ids' if counted.vocab is None else 'pieces'}",
        *_most_frequent(counted, num_pieces, console),
    ]
    return "\n".join(lines) + "\n"


def write_json(counted: inspection.Statistics, num_pieces: int, path: str):
    """Writes `as_json` to a file; its folder is made if needed."""
    tf.io.gfile.makedirs(os.path.dirname(path) or ".")
    model_folder.write_json(path, as_json(counted, num_pieces))


def as_json(counted: inspection.Statistics, num_pieces: int) -> dict:
    """What was counted, as JSON types; the shares are in [0, 1]."""
    content = {
        "num_examples": counted.num_examples,
        "num_examples_in_folder": counted.num_in_folder,
        "num_tokens": counted.num_tokens,
        "padding_share": counted.padding_share,
        "length_counts": counted.length_counts.tolist(),
        "num_two_segments": counted.num_two_segments,
        "first_segment_mean": counted.first_segment_mean,
        "num_duplicates": counted.num_duplicates,
        "num_distinct_pieces": counted.num_seen,
        "most_frequent": [
            {"id": index, "piece": _name(counted, index), "count": count}
            for index, count in counted.most_frequent(num_pieces)
        ],
    }
    if counted.vocab is not None:
        content |= {
            "special_tokens": counted.special_counts,
            "num_pieces": counted.num_pieces,
            "num_continuations": counted.num_continuations,
            "num_examples_with_unknown": counted.num_with_unknown,
            "num_unseen_pieces": counted.num_unseen,
            "vocab_size": len(counted.vocab),
        }
    return content


def _section(
    title: str,
    fields: Sequence[tuple[str, str]],
    console: console_lib.Console,
) -> str:
    lines = [console.heading(title)]
    for name, value in fields:
        lines += console.field(name, value)
    return "\n".join(lines)


def _vocabulary(
    info: dataset_info.DatasetInfo, tokenizer: tokenization.Tokenizer | None
) -> str:
    if tokenizer is None:
        return "not found: ids are shown; name it by --vocab_file"
    about = (
        f"{tokenizer.vocab_size:,} pieces, SHA-256 "
        f"{tokenizer.vocab_sha256[:8]}..."
    )
    if info.vocab_sha256 is None:
        about += " (which one the data was built with is not recorded)"
    return about


def _settings(info: dataset_info.DatasetInfo) -> str:
    if not info.tokenizer:
        return _NOT_RECORDED
    return ", ".join(
        f"{name} = {value}" for name, value in info.tokenizer.items()
    )


def _files(info: dataset_info.DatasetInfo) -> str:
    sizes = info.shards.values()
    if len(sizes) == 1:
        return "1"
    return (
        f"{len(sizes):,}, the smallest with {min(sizes):,} examples, the "
        f"largest with {max(sizes):,}"
    )


def _length_shares(info: dataset_info.DatasetInfo) -> str:
    total = max(1, sum(info.length_counts.values()))
    return ", ".join(
        f"{lengths}: {_percent(count, total)}"
        for lengths, count in info.length_counts.items()
    )


def _example_fields(counted: inspection.Statistics) -> list[tuple[str, str]]:
    total, two = counted.num_examples, counted.num_two_segments
    within = " of the sample" if counted.is_sample else ""
    segments = f"{_percent(total - two, total)} one, {_percent(two, total)} two"
    if two:
        segments += (
            f"; then the first has {counted.first_segment_mean:.1f} tokens on "
            f"average, with [CLS] and [SEP]"
        )
    return [
        (
            "tokens",
            f"{counted.num_tokens:,}, {counted.num_tokens / total:.1f} an "
            f"example",
        ),
        ("padding", f"{counted.padding_share:.2%} of all places"),
        ("segments", segments),
        (
            "duplicates",
            f"{_of(counted.num_duplicates, total)} of the examples are equal "
            f"to an earlier one{within}",
        ),
    ]


def _piece_fields(counted: inspection.Statistics) -> list[tuple[str, str]]:
    pieces, vocab_size = counted.num_pieces, len(counted.vocab)
    words = pieces - counted.num_continuations
    specials = counted.special_counts
    unknown = specials.pop(tokenization.UNK)
    return [
        (
            "pieces",
            f"{pieces:,} without special tokens; {words:,} words of "
            f"{pieces / max(1, words):.3f} pieces",
        ),
        ("## pieces", _of(counted.num_continuations, pieces)),
        (
            "[UNK]",
            f"{_of(unknown, pieces)}, in "
            f"{_of(counted.num_with_unknown, counted.num_examples)} of the "
            f"examples",
        ),
        (
            "special tokens",
            ", ".join(f"{token} {n:,}" for token, n in specials.items()),
        ),
        ("different pieces", f"{counted.num_seen:,}"),
        (
            "never seen",
            f"{_of(counted.num_unseen, vocab_size)} of the vocabulary",
        ),
    ]


def _histogram(
    length_counts: np.ndarray, console: console_lib.Console
) -> list[str]:
    """A line for each of at most 16 ranges of lengths, with a bar."""
    counts = length_counts[1:]
    step = max(1, -(-len(counts) // _MAX_BINS))
    starts = range(0, len(counts), step)
    sizes = [int(counts[start : start + step].sum()) for start in starts]
    total, largest = max(1, sum(sizes)), max(1, *sizes)
    ends = [min(start + step, len(counts)) for start in starts]
    names = [
        str(end) if step == 1 else f"{start + 1}-{end}"
        for start, end in zip(starts, ends)
    ]
    lines = []
    for name, size in zip(_right(names), sizes):
        line = f"  {name}  {_percent(size, total):>7}  "
        line += f"{size:>{len(f'{largest:,}')},}  "
        room = max(1, console.width - console_lib.columns(line))
        lines.append((line + console_lib.bar(size / largest, room)).rstrip())
    return lines


def _most_frequent(
    counted: inspection.Statistics,
    num_pieces: int,
    console: console_lib.Console,
) -> list[str]:
    total = max(1, counted.num_pieces)
    rows = counted.most_frequent(num_pieces)
    # A long piece would leave room for one column only.
    names = [_name(counted, index)[:20] for index, _ in rows]
    size = max(map(console_lib.columns, names), default=0)
    counts = _right([f"{count:,}" for _, count in rows])
    cells = [
        f"{rank:>{len(str(len(rows)))}}  {console_lib.pad(name, size)}  "
        f"{count_text}  {_percent(count, total):>7}"
        for rank, (name, count_text, (_, count)) in enumerate(
            zip(names, counts, rows), start=1
        )
    ]
    return console.table(cells)


def _name(counted: inspection.Statistics, index: int) -> str:
    return str(index) if counted.vocab is None else counted.vocab[index]


def _right(texts: Sequence[str]) -> list[str]:
    size = max(map(len, texts), default=0)
    return [text.rjust(size) for text in texts]


def _percent(part: int, whole: int) -> str:
    return f"{part / max(1, whole):.2%}"


def _of(part: int, whole: int) -> str:
    return f"{part:,} ({_percent(part, whole)})"
