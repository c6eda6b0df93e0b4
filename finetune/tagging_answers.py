"""What a tagging model answers: one tag for each word of a sentence."""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

import numpy as np
from scipy import special

from finetune import finetune_config
from finetune import metrics
from finetune import tag_schemes
from finetune import task as task_lib

if TYPE_CHECKING:  # They need TensorFlow, which takes seconds to import.
    from electra_tf import tokenization
    from finetune import tagging_features


class TagAnswer(NamedTuple):
    """The tags of one sentence.

    Attributes:
        tags: One for each word, in the scheme BIOES, which they may break.
            "O" for words that the model did not see, because the sentence was
            cut or the tokenizer left nothing of them.
        probabilities: float32 `[words, labels]`; zeros for such words.
        labels: The tags that can be predicted.
    """

    tags: tuple[str, ...]
    probabilities: np.ndarray
    labels: tuple[str, ...]


def answers(
    task: task_lib.Task,
    examples: Sequence[task_lib.Sentence],
    rows: "tagging_features.TaggingFeatures",
    outputs: Mapping[str, np.ndarray],
    *,
    run_config: finetune_config.FinetuneConfig,
    tokenizer: "tokenization.Tokenizer",
) -> list[TagAnswer]:
    """The likeliest tag of each word, at its first piece.

    Args:
        task: with its labels.
        examples: of the split.
        rows: made of `examples`.
        outputs: `logits`, `[rows, length, labels]`.
        run_config: of the run; nothing of it matters here.
        tokenizer: of the model; not needed here.
    """
    del run_config, tokenizer
    labels = tuple(task.labels)
    found = []
    for index, _ in enumerate(examples):
        positions = rows.word_positions[index]
        is_seen = positions >= 0
        probabilities = np.zeros([len(positions), len(labels)], np.float32)
        probabilities[is_seen] = special.softmax(
            outputs["logits"][index, positions[is_seen]].astype(np.float32),
            axis=-1,
        )
        found.append(_answer(probabilities, labels))
    return found


def _answer(probabilities: np.ndarray, labels: tuple[str, ...]) -> TagAnswer:
    tags = tuple(
        labels[np.argmax(word)] if np.any(word) else tag_schemes.OUTSIDE
        for word in probabilities
    )
    return TagAnswer(tags, probabilities, labels)


def score(
    task: task_lib.Task,
    examples: Sequence[task_lib.Sentence],
    answers: Sequence[TagAnswer],
    *,
    run_config: finetune_config.FinetuneConfig,
) -> dict[str, float]:
    """The task's metrics, in percent.

    Unlike the original: all words of a sentence count. It leaves out those
    that are cut off, so that a shorter `max_seq_length` does no harm.
    """
    del run_config
    targets = [example.tags for example in examples]
    predictions = [answer.tags for answer in answers]
    return metrics.compute(task.metrics, targets, predictions)


def records(
    task: task_lib.Task,
    examples: Sequence[task_lib.Sentence],
    answers: Sequence[TagAnswer],
) -> Iterator[dict[str, Any]]:
    """One record a sentence, as JSON types.

    It has the sentence's `id` and `words`, their predicted `tags`, the
    entities in these as `spans`, whose `start_word` and `end_word` are
    indices of their first and last word, and the right tags as `target`.
    """
    del task
    for example, answer in zip(examples, answers, strict=True):
        record = {
            "id": example.id,
            "words": list(example.words),
            "tags": list(answer.tags),
            "spans": [
                {
                    "start_word": span.start,
                    "end_word": span.end,
                    "type": span.type,
                    "text": " ".join(example.words[span.start : span.end + 1]),
                }
                for span in tag_schemes.spans(answer.tags)
            ],
        }
        if example.tags is not None:
            record["target"] = list(example.tags)
        yield record


def combine(
    answers_of_trials: Sequence[Sequence[TagAnswer]],
) -> list[TagAnswer]:
    """The answers of the mean of all trials' probabilities."""
    return [
        _answer(
            np.mean([answer.probabilities for answer in same], axis=0),
            same[0].labels,
        )
        for same in zip(*answers_of_trials, strict=True)
    ]


def failure(task: task_lib.Task, answers: Sequence[TagAnswer]) -> str:
    """Why answers look like those of a model that has learned nothing."""
    del task
    tags = [tag for answer in answers for tag in answer.tags]
    if len(tags) < 2 or len(set(tags)) > 1:
        return ""
    if tags[0] == tag_schemes.OUTSIDE:
        return f"it finds no entity in {len(answers)} sentences"
    return f"it gives all {len(tags)} words the tag {tags[0]!r}"
