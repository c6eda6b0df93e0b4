"""HTML of one self-contained page; whatever is not marked up is escaped."""

from collections.abc import Iterable
from collections.abc import Sequence
import html

from electra_tf import page_style

# It keeps browsers from loading anything, should something ask for it.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
)
_VOID = frozenset(("meta", "input"))

Attribute = str | int | float | None


class Markup(str):
    """Text that is HTML already."""


Child = str | int | float | None | Iterable


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        name: of the element.
        *children: elements, text that is escaped, numbers, or iterables of
            these; None is left out.
        **attributes: `class_` and `for_` lose the underscore, others become
            hyphens; None is left out.
    """
    opening = name + "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Elements and texts one after the other."""
    parts = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(child)
        elif isinstance(child, str | int | float):
            parts.append(html.escape(str(child)))
        elif child is not None:
            parts.append(join(*child))
    return Markup("".join(parts))


def table(
    header: Sequence[Child],
    rows: Iterable[Sequence[Child]],
    *,
    numeric: Iterable[int] = (),
    class_: str | None = None,
) -> Markup:
    """A table whose first column names its rows.

    Args:
        header: of the columns.
        rows: cells, as many as there are columns.
        numeric: indices of columns that are aligned to the right.
        class_: for the style.
    """
    numeric = set(numeric)

    def style(column: int) -> str | None:
        return "number" if column in numeric else None

    head = [
        tag("th", cell, scope="col", class_=style(i))
        for i, cell in enumerate(header)
    ]
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row"),
            [
                tag("td", cell, class_=style(i))
                for i, cell in enumerate(row[1:], start=1)
            ],
        )
        for row in rows
    ]
    made = tag(
        "table",
        tag("thead", tag("tr", head)),
        tag("tbody", body),
        class_=class_,
    )
    return tag("div", made, class_="scroll")


def facts(pairs: Iterable[tuple[Child, Child]]) -> Markup:
    """A list of names and what is to be said of them."""
    return tag(
        "dl", [(tag("dt", name), tag("dd", value)) for name, value in pairs]
    )


def tiles(values: Iterable[tuple[str, str]]) -> Markup:
    """Numbers to see first, each with what it is."""
    return tag(
        "div",
        [
            tag("div", tag("b", text), tag("span", label), class_="tile")
            for text, label in values
        ],
        class_="tiles",
    )


def section(title: str, *children: Child) -> Markup:
    """A part of the page with a heading."""
    return tag("section", tag("h2", title), *children)


def document(title: str, *children: Child) -> str:
    """The whole page; nothing is loaded from anywhere."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag(
            "meta",
            name="viewport",
            content="width=device-width, initial-scale=1",
        ),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(page_style.STYLE)),
    )
    body = tag(
        "body",
        tag("main", *children),
        tag("script", Markup(page_style.SCRIPT)),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"
