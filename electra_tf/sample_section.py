"""The part of a page that shows corrupted examples, token by token.

Colour only adds to what the marks say without it.
"""

from collections.abc import Sequence

from electra_tf import corrupter
from electra_tf import html_page
from electra_tf import number_text
from electra_tf import sample_corruptions
from electra_tf import shown_tokens

tag = html_page.tag

# As precision and recall of the log count.
_THRESHOLD = 0.5
_MOST_OPAQUE = 0.75
_ARROW = "→"
_FOUND, _MISSED, _FALSE_ALARM = "✓", "✗", "!"

_KEYS = {
    "verdicts": (
        (_FOUND, "replaced, and found"),
        (_MISSED, "replaced, and missed"),
        (_FALSE_ALARM, "a false alarm: called replaced, but original"),
    ),
    "guesses": (
        (_FOUND, "masked, and guessed"),
        (_MISSED, "masked, and another word guessed"),
    ),
    "replacements": (),
    "masks": (),
}


def section(samples: sample_corruptions.Samples) -> html_page.Markup:
    """All examples, with what their marks mean."""
    where = "held-out" if samples.is_held_out else "training"
    return html_page.section(
        "What the networks do to text",
        tag(
            "p",
            f"{len(samples.examples)} {where} examples of ",
            tag("code", samples.data_dir),
            f", with the weights of step {samples.step:,}: {samples.about}.",
        ),
        _legend(samples.shows),
        tag("p", _counts(samples), class_="note"),
        [
            tag(
                "div",
                tag("h3", f"Example {number}"),
                tag("div", text(tokens, samples.shows)),
                class_="card text",
            )
            for number, tokens in enumerate(samples.examples, start=1)
        ],
    )


def text(
    tokens: Sequence[shown_tokens.Token], shows: corrupter.Shows
) -> html_page.Markup:
    """An example as a line; pieces with ## are joined to the one before."""
    parts: list[html_page.Child] = []
    can_glue = False
    for token in tokens:
        is_glued = can_glue and token.piece.startswith("##")
        if parts and not is_glued:
            parts.append(" ")
        parts.append(_token(token, shows, is_glued=is_glued))
        can_glue = not token.is_special
    return html_page.join(parts)


def mark(token: shown_tokens.Token, shows: corrupter.Shows) -> str:
    """Whether the model is right about a token, where that is of interest."""
    if shows == "guesses" and token.is_masked:
        return _FOUND if token.replacement is None else _MISSED
    if token.probability is None:
        return ""
    is_said = token.probability > _THRESHOLD
    if token.is_noise:
        return _FOUND if is_said else _MISSED
    return _FALSE_ALARM if is_said else ""


def _token(
    token: shown_tokens.Token, shows: corrupter.Shows, *, is_glued: bool
) -> html_page.Markup:
    piece = token.piece.removeprefix("##") if is_glued else token.piece
    classes = ["token"] + ["glued"] * is_glued
    if token.is_special:
        classes.append("special")
    elif token.replacement is not None:
        classes.append("replaced")
    elif token.is_masked:
        classes.append("masked")
    style = None
    if token.probability is not None:
        opacity = _MOST_OPAQUE * token.probability
        style = f"background:rgba(var(--heat),{opacity:.2f})"
    sign = mark(token, shows)
    is_right = sign == _FOUND
    return tag(
        "span",
        piece
        if token.replacement is None
        else [tag("del", token.piece), _ARROW, token.replacement],
        tag("sup", sign, class_="good" if is_right else "bad")
        if sign
        else None,
        class_=" ".join(classes),
        style=style,
        title=_title(token),
    )


def _title(token: shown_tokens.Token) -> str:
    parts = []
    if token.replacement is not None:
        parts.append(f"{token.piece} became {token.replacement}")
    elif token.is_masked:
        parts.append(f"{token.piece}, masked: the generator kept it")
    else:
        parts.append(token.piece)
    if token.probability is not None:
        probability = number_text.percent(token.probability)
        parts.append(f"replaced with probability {probability}")
    return "; ".join(parts)


def _legend(shows: corrupter.Shows) -> html_page.Markup:
    parts = [
        [tag("span", "word", class_="token masked"), " masked, unchanged"],
        [
            tag(
                "span",
                tag("del", "old"),
                _ARROW,
                "new",
                class_="token replaced",
            ),
            " the generator's word",
        ],
    ]
    for sign, meaning in _KEYS[shows]:
        style = "good" if sign == _FOUND else "bad"
        parts.append([tag("strong", sign, class_=style), " " + meaning])
    if shows == "verdicts":
        parts.append(
            ["replaced: 0 %", tag("span", class_="heat"), "100 % probable"]
        )
    return tag("div", [tag("span", part) for part in parts], class_="legend")


def _counts(samples: sample_corruptions.Samples) -> str:
    tokens = [token for tokens in samples.examples for token in tokens]
    signs = [mark(token, samples.shows) for token in tokens]
    num_masked = sum(token.is_masked for token in tokens)
    num_changed = sum(token.replacement is not None for token in tokens)
    counts = f"Of {len(tokens)} tokens {num_masked} were masked, "
    if samples.shows == "guesses":
        return counts + f"and {signs.count(_FOUND)} of these guessed."
    counts += f"{num_changed} became another word"
    if samples.shows != "verdicts":
        return counts + "."
    num_noise = sum(token.is_noise for token in tokens)
    return counts + (
        f"; {signs.count(_FOUND)} of {num_noise} were found, with "
        f"{signs.count(_FALSE_ALARM)} false alarms."
    )
