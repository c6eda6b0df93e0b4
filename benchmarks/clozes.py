"""Questions and statements about passages, made of their sentences."""

from collections.abc import Iterator
from collections.abc import Sequence
import random
import re
from typing import Any
from typing import NamedTuple

_SENTENCE_END = re.compile(r"(?<=[a-z0-9)][.!?]) +(?=[A-Z])")
# Names within a sentence, and numbers.
_ENTITY = re.compile(
    r"(?<=[a-z,] )[A-Z][\w'-]+(?: (?:of |the )?[A-Z][\w'-]+)*|\b\d[\d,.]*\d\b"
)
# Where there are some, so often one of them is the gap.
_ENTITY_SHARE = 0.7
# Of a sentence that is asked about.
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_WORDS = 8, 35
# In words: the longest passages that statements are about, one for each line.
_STATEMENT_CONTEXTS = (30, 45, 60)
_MAX_STATEMENT_WORDS = 20


class Cloze(NamedTuple):
    """A sentence with a gap, and a context.

    Attributes:
        context: Some sentences.
        before: Words of the sentence before the gap.
        after: Words after it.
        answer: What was in the gap; None if that is not in the context.
        start: Where the answer starts in the context, in characters.
    """

    context: str
    before: list[str]
    after: list[str]
    answer: str | None = None
    start: int = 0

    @property
    def question(self) -> str:
        return " ".join([*self.before, "what", *self.after]) + "?"


def of_document(
    lines: Sequence[str],
    generator: random.Random,
    *,
    impossible_share: float,
    kept_share: float,
    context_words: int,
) -> Iterator[Cloze]:
    """A question about each passage of a document that has one.

    Args:
        lines: of the document.
        generator: draws sentences, gaps and words.
        impossible_share: about this share gets another passage's question.
        kept_share: about this share of the words around a gap is kept.
        context_words: the longest passage.
    """
    passages = [
        passage for line in lines for passage in _passages(line, context_words)
    ]
    clozes = [_cloze(passage, kept_share, generator) for passage in passages]
    for index, cloze in enumerate(clozes):
        others = [*filter(None, clozes[:index] + clozes[index + 1 :])]
        if others and generator.random() < impossible_share:
            other = generator.choice(others)
            context = " ".join(passages[index])
            yield Cloze(context, other.before, other.after)
        elif cloze:
            yield cloze


def statements(
    lines: Sequence[str], generator: random.Random
) -> Iterator[dict[str, str]]:
    """What a passage says, and what it does not, about a document's passages.

    Args:
        lines: of the document; one of less than three passages has none.
        generator: draws sentences, words and labels.

    Yields:
        A `context`, a `statement` and its `label`. A "true" statement is a
        sentence of the context without some of its words. In a "false" one
        some of them are words of the whole document, or it is a sentence of
        another passage.
    """
    passages = [
        passage
        for line in lines
        for passage in _passages(line, generator.choice(_STATEMENT_CONTEXTS))
    ]
    if len(passages) < 3:
        return
    document_words = [
        word
        for passage in passages
        for sentence in passage
        for word in _words(sentence)
    ]
    for index, passage in enumerate(passages):
        words = _words(generator.choice(passage))
        if not 5 <= len(words) <= _MAX_SENTENCE_WORDS:
            continue
        kept_share = generator.uniform(0.5, 1.0)
        is_true = generator.random() < 0.5
        foreign_share = 0.0
        if not is_true:
            if generator.random() < 0.3:
                others = passages[:index] + passages[index + 1 :]
                words = _words(generator.choice(generator.choice(others)))
            else:
                foreign_share = generator.uniform(0.25, 0.7)
        stated = [
            generator.choice(document_words)
            if foreign_share and generator.random() < foreign_share
            else word
            for word in words
            if generator.random() < kept_share
        ]
        if len(stated) < 3:
            continue
        yield {
            "context": " ".join(passage),
            "statement": " ".join(stated[:_MAX_STATEMENT_WORDS]) + ".",
            "label": "true" if is_true else "false",
        }


def _words(sentence: str) -> list[str]:
    return sentence.rstrip(".!? ").split()


def _passages(line: str, max_words: int) -> Iterator[list[str]]:
    """Runs of two or more sentences with at most so many words together."""
    passage, num_words = [], 0
    for sentence in _SENTENCE_END.split(line):
        length = len(sentence.split())
        if passage and num_words + length > max_words:
            if len(passage) > 1:
                yield passage
            passage, num_words = [], 0
        if length <= max_words:
            passage.append(sentence)
            num_words += length
    if len(passage) > 1:
        yield passage


def _cloze(
    passage: list[str], kept_share: float, generator: random.Random
) -> Cloze | None:
    """A question about a sentence of a passage, if one is long enough."""
    indices = [
        index
        for index, sentence in enumerate(passage)
        if _MIN_SENTENCE_WORDS <= len(sentence.split()) <= _MAX_SENTENCE_WORDS
        and re.search(r"\w", sentence)
    ]
    if not indices:
        return None
    index = generator.choice(indices)
    sentence = passage[index]
    start, end = _gap(sentence, generator)

    def kept(text: str) -> list[str]:
        return [w for w in text.split() if generator.random() < kept_share]

    sentences_before = " ".join([*passage[:index], ""])
    return Cloze(
        context=" ".join(passage),
        before=kept(sentence[:start]),
        after=kept(sentence[end:].rstrip(".!? ")),
        answer=sentence[start:end],
        start=len(sentences_before) + start,
    )


def _gap(sentence: str, generator: random.Random) -> tuple[int, int]:
    """Start and end of a name, a number, or one to five words."""
    entities = [match.span() for match in _ENTITY.finditer(sentence)]
    if entities and generator.random() < _ENTITY_SHARE:
        return generator.choice(entities)
    words = [match.span() for match in re.finditer(r"\w+", sentence)]
    first = generator.randrange(len(words))
    last = min(first + generator.randrange(5), len(words) - 1)
    return words[first][0], words[last][1]


def squad(clozes: Sequence[Cloze]) -> dict[str, Any]:
    """Their questions in the format of SQuAD 2.0."""
    paragraphs = []
    for number, cloze in enumerate(clozes):
        answers = []
        if cloze.answer is not None:
            answers = [{"text": cloze.answer, "answer_start": cloze.start}]
        question = {
            "id": str(number),
            "question": cloze.question,
            "answers": answers,
            "is_impossible": not answers,
        }
        paragraphs.append({"context": cloze.context, "qas": [question]})
    return {
        "version": "v2.0",
        "data": [{"title": "cloze", "paragraphs": paragraphs}],
    }
