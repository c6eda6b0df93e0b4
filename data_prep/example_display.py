"""Examples as text for people: segments, masks, replacements, verdicts.

Colours only add to what the text says without them.
"""

from collections.abc import Iterable
from collections.abc import Sequence
import dataclasses

from data_prep import console as console_lib
from electra_tf import corrupter
from electra_tf import shown_tokens
from electra_tf import tokenization

_SEGMENT_STYLES = ("36", "35")  # Cyan, magenta: readable on black and white.
_REVERSE = "7"
_FOUND_STYLE, _WRONG_STYLE = "1;32", "1;31"  # Green, red.
# Black on what goes from pale yellow to red as the probability rises from
# the lowest that is shown to 1.
_PROBABILITY_STYLES = tuple(f"30;48;5;{n}" for n in (187, 186, 179, 173, 167))
_LOWEST_SHOWN = 0.2
_ARROW = "→"


@dataclasses.dataclass
class Totals:
    """How often what happened.

    Attributes:
        masked: Tokens that the generator predicted.
        replaced: Tokens in whose place another piece stands.
        noise: Tokens of which "replaced" is the right verdict.
        found: Of those, the ones of which it was said.
        false_alarms: Other tokens of which it was said.
    """

    masked: int = 0
    replaced: int = 0
    noise: int = 0
    found: int = 0
    false_alarms: int = 0

    def add(self, tokens: Iterable[shown_tokens.Token], threshold: float):
        """Counts an example in."""
        for token in tokens:
            is_said = (token.probability or 0.0) > threshold
            self.masked += token.is_masked
            self.replaced += token.replacement is not None
            self.noise += token.is_noise
            self.found += is_said and token.is_noise
            self.false_alarms += is_said and not token.is_noise


def word(
    token: shown_tokens.Token, *, glued: bool, threshold: float
) -> list[console_lib.Span]:
    """A token with its marks.

    Args:
        token: to be shown.
        glued: whether it follows the token before without a space.
        threshold: a higher probability says that it was replaced.
    """
    style = _style(token)
    text = token.piece.removeprefix("##") if glued else token.piece
    if token.replacement is not None:
        text = f"[{token.piece}{_ARROW}{token.replacement}]"
    elif token.is_masked:
        text = f"[{text}]"
    return [console_lib.Span(text, style), *_verdict(token, threshold)]


def words(
    shown: Sequence[shown_tokens.Token], *, num_padding: int, threshold: float
) -> list[list[console_lib.Span]]:
    """The words of an example; pieces with ## are joined to the one before."""
    joined = []
    can_glue = False
    for token in shown:
        glued = can_glue and token.piece.startswith("##")
        spans = word(token, glued=glued, threshold=threshold)
        if glued:
            joined[-1] += spans
        else:
            joined.append(spans)
        # Cut text may begin within a word, after a special token.
        can_glue = not token.is_special
    if num_padding:
        text = f"{tokenization.PAD}×{num_padding}"
        joined.append([console_lib.Span(text, console_lib.DIM)])
    return joined


def legend(
    shows: corrupter.Shows | None, *, threshold: float, has_color: bool
) -> list[list[console_lib.Span]]:
    """What the marks mean, each shown as it is used.

    Args:
        shows: what is done to examples; None for nothing.
        threshold: as for `word`.
        has_color: whether segments can be told apart.
    """
    replaced = shown_tokens.Token(
        "a", is_masked=True, replacement="b", is_noise=True
    )
    high, low = 0.5 + threshold / 2, threshold / 2
    entries = []
    if has_color:
        entries.append((shown_tokens.Token("first"), "segment"))
        entries.append((shown_tokens.Token("second", segment=1), "segment"))
    if shows is not None:
        entries.append((shown_tokens.Token("a", is_masked=True), "masked"))
    if shows == "guesses":
        entries.append((replaced, "the generator's guess is b"))
    if shows == "replacements":
        entries.append((replaced, "replaced by the generator"))
    if shows == "verdicts":
        entries += [
            (replaced._replace(probability=high), "replaced and found"),
            (replaced._replace(probability=low), "replaced and missed"),
            (shown_tokens.Token("a", probability=high), "a false alarm"),
        ]
    result = []
    for number, (token, meaning) in enumerate(entries, start=1):
        end = "," if number < len(entries) else ""
        result.append(word(token, glued=False, threshold=threshold))
        result += [[console_lib.Span(w)] for w in f"{meaning}{end}".split()]
    return result


def _style(token: shown_tokens.Token) -> str:
    probability = token.probability
    if probability is not None and probability >= _LOWEST_SHOWN:
        share = (probability - _LOWEST_SHOWN) / (1.0 - _LOWEST_SHOWN)
        level = int(share * len(_PROBABILITY_STYLES))
        return _PROBABILITY_STYLES[min(level, len(_PROBABILITY_STYLES) - 1)]
    if token.is_special:
        return console_lib.DIM
    style = _SEGMENT_STYLES[token.segment]
    if token.is_masked:
        # Reverse would look like a probability.
        style += f";{_REVERSE if probability is None else console_lib.BOLD}"
    return style


def _verdict(
    token: shown_tokens.Token, threshold: float
) -> list[console_lib.Span]:
    """`+87%` found, `-12%` missed, `!73%` a false alarm; else nothing."""
    if token.probability is None:
        return []
    is_said = token.probability > threshold
    if not is_said and not token.is_noise:
        return []
    sign = ("+" if is_said else "-") if token.is_noise else "!"
    style = _FOUND_STYLE if sign == "+" else _WRONG_STYLE
    return [console_lib.Span(f"{sign}{token.probability:.0%}", style)]
