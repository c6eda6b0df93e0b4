"""How a piece of normalised text is found in the text that it is from.

The original's `get_final_text` (`qa_metrics.py`), which BERT had before.
"""

from collections.abc import Iterator
import functools
import unicodedata

_SPACES = " \t\n\r"
_DROPPED = "\0\ufffd"
# As in the original: blocks of ideographs, each of which is a word.
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def join_pieces(pieces: list[str]) -> str:
    """The normalised text of word pieces, with a space between words."""
    text = " ".join(pieces).replace(" ##", "").replace("##", "")
    return " ".join(text.split())


def find(
    normalized: str,
    text: str,
    *,
    lower_case: bool = True,
    strip_accents: bool = True,
) -> tuple[int, int]:
    """The part of `text` that `normalized` stands for.

    As in the original: whenever the two cannot be aligned character by
    character, as where accents were removed that are characters of their own,
    it is all of `text`.

    Args:
        normalized: words and punctuation marks with spaces between.
        text: in which it was found; whole words.
        lower_case: what the tokenizer does.
        strip_accents: what the tokenizer does, if it lower-cases.

    Returns:
        Its first character and the one after its last.
    """
    everything = 0, len(text)
    tokenized = " ".join(basic_tokens(text, lower_case, strip_accents))
    first = tokenized.find(normalized)
    # As in the original: an empty string is found, but ends nowhere.
    if first < 0 or not normalized:
        return everything
    last = first + len(normalized) - 1
    places = [place for place, char in enumerate(text) if char != " "]
    if len(places) != len(tokenized.replace(" ", "")):
        return everything
    if " " in (tokenized[first], tokenized[last]):
        return everything
    return (
        places[first - tokenized.count(" ", 0, first)],
        places[last - tokenized.count(" ", 0, last)] + 1,
    )


@functools.lru_cache(maxsize=1024)
def basic_tokens(
    text: str, lower_case: bool = True, strip_accents: bool = True
) -> tuple[str, ...]:
    """Words and punctuation marks, normalised but not split into pieces.

    The original's `BasicTokenizer`.

    Unlike the original: `strip_accents` counts here, too; it is only honoured
    where the original makes features.
    """
    tokens = []
    for word in "".join(_cleaned(text)).split():
        if lower_case:
            word = word.lower()
            if strip_accents:
                word = _without_accents(word)
        tokens += "".join(map(_separated, word)).split()
    return tuple(tokens)


def _cleaned(text: str) -> Iterator[str]:
    for char in text:
        category = unicodedata.category(char)
        if char in _SPACES or category == "Zs":
            yield " "
        elif char in _DROPPED or category[0] == "C":
            continue
        elif any(low <= ord(char) <= high for low, high in _IDEOGRAPHS):
            yield f" {char} "
        else:
            yield char


def _without_accents(word: str) -> str:
    return "".join(
        char
        for char in unicodedata.normalize("NFD", word)
        if unicodedata.category(char) != "Mn"
    )


def _separated(char: str) -> str:
    """A character, with spaces around a punctuation mark."""
    # As in the original: all symbols of ASCII, such as "$", are such marks.
    is_ascii_symbol = "!" <= char <= "~" and not char.isalnum()
    if is_ascii_symbol or unicodedata.category(char)[0] == "P":
        return f" {char} "
    return char
