"""Reads HTML as a browser would, and checks that it is well-formed."""

import html.parser
import re

_VOID = ("meta", "input")
# What makes a browser load something; a plain link would not.
_LOADS = re.compile(
    r"https?://|\bsrc=|\bsrcset=|<link|<iframe|<base|@import|url\(|\bhref=",
    re.IGNORECASE,
)


class Page(html.parser.HTMLParser):
    """What is on a page.

    Attributes:
        text: all of it, without markup, style and script.
        tables: rows of cells of each table.
        titles: the `title` attributes.
        elements: names of all elements, in order.
    """

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tables, self.titles, self.elements = [], [], []
        self._open = []

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        names = [name for name, _ in attributes]
        if len(set(names)) < len(names):
            raise ValueError(f"<{tag}> has an attribute twice: {names}.")
        self.titles += [value for name, value in attributes if name == "title"]
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            raise ValueError(f"</{tag}> at {self.getpos()} closes nothing.")

    def handle_data(self, data):
        if self._open and self._open[-1] in ("style", "script"):
            return
        self.text += data
        if "td" in self._open or "th" in self._open:
            self.tables[-1][-1][-1] += data

    def close(self):
        super().close()
        if self._open:
            raise ValueError(f"Not closed: {self._open}.")


def read(text: str) -> Page:
    """The page of that HTML; ValueError if elements do not nest."""
    page = Page()
    page.feed(text)
    page.close()
    return page


def loads(text: str) -> list[str]:
    """What would be loaded from elsewhere, or might be."""
    return _LOADS.findall(text)


def rows(page: Page, first_header: str) -> dict[str, list[str]]:
    """The cells of a table by the names of its rows.

    Args:
        page: with the table.
        first_header: of its first column.
    """
    for header, *body in page.tables:
        if header[0] == first_header:
            return {row[0]: row[1:] for row in body}
    raise ValueError(f"No table of {first_header!r}.")
