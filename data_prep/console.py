"""Text for a terminal: colours, wrapped lines, aligned columns, bars."""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses
import os
import shutil
import sys
from typing import Literal
from typing import NamedTuple
import unicodedata

Choice = Literal["auto", "always", "never"]

BOLD, DIM = "1", "2"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_NAME_COLUMNS = 24


class Span(NamedTuple):
    """Text in one style.

    Attributes:
        text: without line breaks.
        style: numbers of the terminal's "select graphic rendition", such as
            "1;36"; empty for none.
    """

    text: str
    style: str = ""


# What is not divided between two lines.
Word = Sequence[Span]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Console:
    """What the text is written for.

    Attributes:
        width: Columns of a line.
        color: Whether styles are shown.
    """

    width: int = 80
    color: bool = False

    def paint(self, spans: Iterable[Span]) -> str:
        """The spans one after another, as they are written."""
        return "".join(map(self._paint, spans))

    def _paint(self, span: Span) -> str:
        text = _printable(span.text)
        if not self.color or not span.style:
            return text
        return f"\x1b[{span.style}m{text}\x1b[0m"

    def heading(self, title: str) -> str:
        """A line over the whole width that begins with the title."""
        title = title[: self.width - 4]
        rule = "─" * max(0, self.width - 4 - columns(title))
        return self.paint(
            [Span("── ", DIM), Span(title, BOLD), Span(f" {rule}", DIM)]
        )

    def wrap(
        self,
        words: Iterable[Word],
        *,
        indent: int = 0,
        first: str | None = None,
    ) -> list[str]:
        """Lines of words with spaces between them.

        Args:
            words: a word that is longer than a line is divided.
            indent: columns that every line begins with.
            first: what the first line begins with instead, of that width.
        """
        available = max(1, self.width - indent)
        lines, line, used = [], [], 0
        for word in words:
            for part in _divide(word, available):
                size = sum(columns(span.text) for span in part)
                if line and used + 1 + size > available:
                    lines.append(line)
                    line, used = [], 0
                used += size + bool(line)
                line.append(self.paint(part))
        lines.append(line)
        starts = [" " * indent if first is None else first]
        starts += [" " * indent] * (len(lines) - 1)
        return [
            (start + " ".join(line)).rstrip()
            for start, line in zip(starts, lines)
        ]

    def field(self, name: str, value: str) -> list[str]:
        """Lines with a name at the left and the value beside it."""
        words = [[Span(word)] for word in value.split()]
        first = f"  {name}".ljust(_NAME_COLUMNS - 1) + " "
        return self.wrap(words, indent=_NAME_COLUMNS, first=first)

    def table(self, cells: Sequence[str]) -> list[str]:
        """Cells of equal width in as many columns as there is room for.

        They are read down, then to the right.
        """
        gap = "   "
        size = max(map(columns, cells), default=0) + len(gap)
        num_columns = max(1, (self.width - 2 + len(gap)) // size)
        num_rows = -(-len(cells) // num_columns)
        return [
            ("  " + gap.join(cells[row::num_rows])).rstrip()
            for row in range(num_rows)
        ]


def create(choice: Choice) -> Console:
    """The console that standard output is.

    Args:
        choice: of colours. "auto": if it is a terminal, and the environment
            variable NO_COLOR (https://no-color.org) is empty or not set.
    """
    is_terminal = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Console(
        width=max(40, shutil.get_terminal_size().columns),
        color=is_terminal if choice == "auto" else choice == "always",
    )


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(map(_columns, text))


def pad(text: str, size: int) -> str:
    """The text with spaces after it, up to a number of columns."""
    return text + " " * max(0, size - columns(text))


def bar(share: float, size: int) -> str:
    """A bar of that share of `size` columns; none is shorter than an eighth."""
    eighths = round(share * size * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _printable(text: str) -> str:
    """Without characters that could command the terminal."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _divide(word: Word, size: int) -> list[list[Span]]:
    """Parts of a word that have at most `size` columns."""
    if sum(columns(span.text) for span in word) <= size:
        return [list(word)]
    parts, used = [[]], 0
    for span in word:
        for char in span.text:
            if used + _columns(char) > size:
                parts.append([])
                used = 0
            parts[-1].append(Span(char, span.style))
            used += _columns(char)
    return parts
