"""Question answering: the rows, and the readers of their files.

https://rajpurkar.github.io/SQuAD-explorer, https://mrqa.github.io,
`qa_tasks.py` of the original.
"""

import bisect
from collections.abc import Iterator
import contextlib
import io
import json
from typing import Any

from absl import logging

from finetune import context_words
from finetune import task as task_lib

_COMMON = dict(
    kind="question_answering",
    main_metric="f1",
    num_train_epochs=2.0,
    max_seq_length=512,
)

_SQUAD = dict(
    folder="SQuAD",
    format="squad",
    source="https://rajpurkar.github.io/SQuAD-explorer",
    **_COMMON,
)

SQUAD1 = task_lib.Task(
    name="squadv1",
    files={"train": "train-v1.1.json", "dev": "dev-v1.1.json"},
    metrics=("squad_v1",),
    **_SQUAD,
)
SQUAD2 = task_lib.Task(
    name="squad",
    files={"train": "train-v2.0.json", "dev": "dev-v2.0.json"},
    metrics=("squad_v2",),
    has_impossible=True,
    **_SQUAD,
)


def _mrqa(name: str, file_name: str) -> task_lib.Task:
    """A training set of the shared task of MRQA 2019."""
    return task_lib.Task(
        name=name,
        folder="MRQA",
        format="mrqa",
        files={
            split: f"{split}/{file_name}.jsonl.gz" for split in ("train", "dev")
        },
        metrics=("mrqa",),
        source="https://github.com/mrqa/MRQA-Shared-Task-2019",
        **_COMMON,
    )


TASKS = (
    SQUAD1,
    SQUAD2,
    _mrqa("mrqa_squad", "SQuAD"),
    _mrqa("newsqa", "NewsQA"),
    _mrqa("triviaqa", "TriviaQA-web"),
    _mrqa("searchqa", "SearchQA"),
    _mrqa("hotpotqa", "HotpotQA"),
    _mrqa("naturalqs", "NaturalQuestionsShort"),
)


class _Questions:
    """Collects questions, and tells of what cannot be read.

    Args:
        file_name: for messages.
        skip_malformed: leave out what cannot be read, instead of stopping.
    """

    def __init__(self, file_name: str, *, skip_malformed: bool):
        self._file_name = file_name
        self._skip_malformed = skip_malformed
        self._num_skipped = 0
        self._found: dict[str, task_lib.Question] = {}

    @contextlib.contextmanager
    def reading(self, place: str) -> Iterator[None]:
        """Inside of it ValueErrors are about this place of the file."""
        try:
            yield
        except ValueError as error:
            message = f"{self._file_name}, {place}: {error}."
            if not self._skip_malformed:
                raise ValueError(
                    f"{message} Correct it, or leave such parts out with "
                    "--skip_malformed_lines."
                ) from error
            logging.warning("Left out: %s", message)
            self._num_skipped += 1

    def entries(self, parent: Any, name: str, place: str) -> list:
        """A list in the file; empty if there is none and that is skipped."""
        with self.reading(place):
            return _field(parent, name, list)
        return []

    def add(self, question: task_lib.Question):
        """Adds a question; ValueError if there is one with its id."""
        if question.id in self._found:
            raise ValueError("an earlier question has the same id")
        self._found[question.id] = question

    def all(self) -> list[task_lib.Question]:
        """The questions in their order; ValueError if there are none."""
        if self._num_skipped:
            logging.warning(
                "%s: left out %d parts that cannot be read; questions left: %d",
                *(self._file_name, self._num_skipped, len(self._found)),
            )
        if not self._found:
            raise ValueError(f"{self._file_name} holds no questions.")
        return list(self._found.values())


def parse_squad(
    content: bytes,
    *,
    task: task_lib.Task,
    split: str,
    file_name: str = "",
    skip_malformed: bool = False,
) -> list[task_lib.Question]:
    """All questions of a file of SQuAD 1.1 or 2.0, in their order.

    As in the original the answer to learn is the first one.

    Unlike the original: what cannot be read is an error, and so is a question
    of the training data whose answer is not where the file says. The original
    leaves the latter out with a message.

    Args:
        content: of the file, JSON.
        task: whose `format` is "squad".
        split: a key of `task.files`; of one that begins with "test" no
            answers are read.
        file_name: for messages.
        skip_malformed: log such parts and leave them out instead.

    Raises:
        ValueError: what cannot be read, with its place in the file.
    """
    try:
        data = _field(_json(content), "data", list)
    except ValueError as error:
        raise ValueError(f"{file_name}: {error}.") from error
    found = _Questions(file_name, skip_malformed=skip_malformed)
    for number, article in enumerate(data):
        place = f"data[{number}]"
        paragraphs = found.entries(article, "paragraphs", place)
        for number, paragraph in enumerate(paragraphs):
            where = f"{place}.paragraphs[{number}]"
            for number, qa in enumerate(found.entries(paragraph, "qas", where)):
                with found.reading(f"{where}.qas[{number}]{_named(qa, 'id')}"):
                    found.add(_squad_question(qa, paragraph, task, split))
    return found.all()


def _squad_question(
    qa: Any, paragraph: Any, task: task_lib.Task, split: str
) -> task_lib.Question:
    question = task_lib.Question(
        str(_field(qa, "id", str, int)),
        _field(qa, "question", str),
        _field(paragraph, "context", str),
    )
    if split.startswith("test"):
        return question
    if task.has_impossible and _field(qa, "is_impossible", bool):
        return question._replace(is_impossible=True)
    answers = [
        task_lib.Answer(_field(a, "text", str), _field(a, "answer_start", int))
        for a in _field(qa, "answers", list)
    ]
    return _with_answers(question, answers, split)


def parse_mrqa(
    content: bytes,
    *,
    task: task_lib.Task,
    split: str,
    file_name: str = "",
    skip_malformed: bool = False,
) -> list[task_lib.Question]:
    """All questions of a file of MRQA: JSON lines, the first one a header.

    As in the original the answer to learn is the first detected one, at the
    first place where it was detected. For scores all of `answers` count; one
    that was not detected in the context starts at -1.

    Args:
        content: of the file.
        task: whose `format` is "mrqa".
        split: see `parse_squad`.
        file_name: for messages.
        skip_malformed: see `parse_squad`.

    Raises:
        ValueError: what cannot be read, with its line.
    """
    del task  # All tasks of this format are read alike.
    found = _Questions(file_name, skip_malformed=skip_malformed)
    for number, line in enumerate(io.BytesIO(content), start=1):
        place, entry = f"line {number}", {"header": {}}
        with found.reading(place):
            if line.strip():
                entry = _json(line)
        if "header" in entry:
            continue
        for qa in found.entries(entry, "qas", place):
            with found.reading(place + _named(qa, "qid")):
                found.add(_mrqa_question(qa, entry, split))
    return found.all()


def _mrqa_question(qa: Any, entry: Any, split: str) -> task_lib.Question:
    question = task_lib.Question(
        str(_field(qa, "qid", str, int)),
        _field(qa, "question", str),
        _field(entry, "context", str),
    )
    if split.startswith("test"):
        return question
    detected = [_detected(a) for a in _field(qa, "detected_answers", list)]
    if split == "train":
        return _with_answers(question, detected, split)
    starts = {answer.text: answer.start for answer in reversed(detected)}
    texts = _field(qa, "answers", list)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"'answers' must be texts, got {texts!r:.60}")
    answers = [task_lib.Answer(text, starts.get(text, -1)) for text in texts]
    return _with_answers(question, answers, split)


def _detected(answer: Any) -> task_lib.Answer:
    """An answer at the first of the places where it was found."""
    spans = _field(answer, "char_spans", list)
    # As in the original: the second number, the last character, is not read.
    start = spans[0][0] if spans and isinstance(spans[0], list) else None
    if not isinstance(start, int):
        raise ValueError(
            f"'char_spans' must be pairs of integers, got {spans!r:.60}"
        )
    return task_lib.Answer(_field(answer, "text", str), start)


def _with_answers(
    question: task_lib.Question, answers: list[task_lib.Answer], split: str
) -> task_lib.Question:
    """The question, if its answers can be used; else raises ValueError."""
    if not answers:
        raise ValueError("the question has no answer, but should have one")
    if split == "train" and not _is_in_context(answers[0], question.context):
        raise ValueError(
            f"the answer {answers[0].text!r} is not in the context at "
            f"character {answers[0].start}"
        )
    return question._replace(answers=tuple(answers))


def _is_in_context(answer: task_lib.Answer, context: str) -> bool:
    """Whether the words of the context there have those of the answer.

    As in the original case does not matter, nor how many spaces there are.

    Unlike the original: an answer with spaces that do not divide words, such
    as the no-break space, is found.
    """
    start, end = answer.start, answer.start + len(answer.text)
    if not answer.text.strip() or start < 0 or end > len(context):
        return False
    if context[start:end] == answer.text:
        return True
    spans = context_words.spans(context)
    starts = [first for first, _ in spans]
    first = max(bisect.bisect_right(starts, start) - 1, 0)
    words = [
        context[slice(*span)]
        for span in spans[first : bisect.bisect_left(starts, end)]
    ]
    wanted = " ".join(answer.text.split()).lower()
    return wanted in " ".join(words).lower()


def _named(qa: Any, key: str) -> str:
    has_name = isinstance(qa, dict) and isinstance(qa.get(key), str | int)
    return f", question {qa[key]!r}" if has_name else ""


def _json(content: bytes) -> dict[str, Any]:
    try:
        # A byte-order mark is no part of the text.
        value = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON in UTF-8, or cut off ({error})") from error
    if not isinstance(value, dict):
        raise ValueError("not an object, which is in braces")
    return value


def _field(parent: Any, name: str, *kinds: type) -> Any:
    """A value that must be there, of one of these types."""
    if not isinstance(parent, dict) or name not in parent:
        raise ValueError(f"there is no {name!r}")
    value = parent[name]
    if type(value) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name!r} must be {wanted}, got {value!r:.60}")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name!r} holds half a character") from error
    return value
