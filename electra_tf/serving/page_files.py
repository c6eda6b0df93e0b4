"""The files of the page that the server shows, each with its headers."""

import base64
import hashlib
import pathlib
import re
from typing import NamedTuple

PAGE_FOLDER = pathlib.Path(__file__).parent / "page"

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_INLINE = r"<{tag}(?:\s[^>]*)?>(.*?)</{tag}>"


class PageFile(NamedTuple):
    """A file as it is sent.

    Attributes:
        content: its bytes.
        headers: by name.
    """

    content: bytes
    headers: dict[str, str]


def load(folder: pathlib.Path = PAGE_FOLDER) -> dict[str, PageFile]:
    """Files by the path of their address; none if there is no such folder.

    All are read here, so that no address can name any other file. `/` is
    index.html.
    """
    files = {}
    if not folder.is_dir():
        return files
    for path in sorted(folder.iterdir()):
        if path.suffix in _CONTENT_TYPES and path.is_file():
            content = path.read_bytes()
            files[f"/{path.name}"] = PageFile(content, _headers(path, content))
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files


def _headers(path: pathlib.Path, content: bytes) -> dict[str, str]:
    headers = {
        "Content-Type": _CONTENT_TYPES[path.suffix],
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    if path.suffix in (".html", ".svg"):
        headers["Content-Security-Policy"] = _policy(content.decode())
    return headers


def _policy(html: str) -> str:
    """Allows this server's own files, and what is written in the page.

    Scripts and styles in the page are named by their hashes, so that nothing
    that is put into it later can run.
    """
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *_hashes("script", html)]),
            " ".join(["style-src 'self'", *_hashes("style", html)]),
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _hashes(tag: str, html: str) -> list[str]:
    # A browser hashes the text with line ends as it has read them.
    html = html.replace("\r\n", "\n")
    pattern = re.compile(_INLINE.format(tag=tag), re.DOTALL | re.IGNORECASE)
    hashes = []
    for text in pattern.findall(html):
        digest = hashlib.sha256(text.encode()).digest()
        hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
    return hashes
