"""The words of a context, as the original divides it."""

import re

# As in the original: only these five characters divide words, so that other
# spaces of Unicode, such as the no-break space, are part of a word.
_WORD = re.compile(r"[^ \t\r\n\u202f]+")


def spans(context: str) -> list[tuple[int, int]]:
    """First and last (exclusive) character of each word."""
    return [match.span() for match in _WORD.finditer(context)]
