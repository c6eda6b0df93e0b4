"""A browser with the page, for its tests."""

import shutil
import tempfile
import unittest
import urllib.parse

from absl.testing import absltest
import pytest

from electra_tf.serving import serving_server
from tests.browser import page_models

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_TIMEOUT_MS = 20_000
# What Chromium says of answers that are no success, and of silent servers.
_REFUSED = "Failed to load resource"


def browser_path() -> str | None:
    """The Chromium that is installed; None if there is none."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


class PageTestCase(absltest.TestCase):
    """Opens the page of a server with `page_models` for each test.

    Attributes:
        server: serves all models.
        paths: of the models by name.
        page: in the browser.
        complaints: what the browser says is wrong. A test that expects some
            removes them.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        sync_api = pytest.importorskip("playwright.sync_api")
        path = browser_path()
        if path is None:
            raise unittest.SkipTest(
                f"None of {', '.join(_BROWSERS)} is installed."
            )
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.paths = page_models.save_all(folder.name)
        cls.server = serving_server.Server(cls.paths)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        playwright = sync_api.sync_playwright().start()
        cls.addClassCleanup(playwright.stop)
        cls.browser = playwright.chromium.launch(
            executable_path=path, args=list(OPTIONS)
        )
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        super().setUp()
        self.page = self.browser.new_page()
        self.addCleanup(self.page.close)
        self.page.set_default_timeout(_TIMEOUT_MS)
        self.complaints, self.hosts = [], set()
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(error))
        self.page.on(
            "request",
            lambda request: self.hosts.add(
                urllib.parse.urlsplit(request.url).netloc
            ),
        )

    def tearDown(self):
        # Whatever was done: nothing was forbidden, and nobody else was asked.
        self.assertEmpty(self.complaints)
        self.assertLen(self.hosts, 1)
        super().tearDown()

    def open(self, model: str, view: str, server=None):
        port = (server or self.server).rest_port
        self.page.goto(f"http://127.0.0.1:{port}/#model={model}&view={view}")
        self.wait()

    def wait(self):
        self.page.wait_for_selector(".answer:not([aria-busy]) > *")

    def press(self, name: str):
        self.page.get_by_role("button", name=name, exact=True).click()
        self.wait()

    def ask(self, **texts: str):
        for name, text in texts.items():
            self.page.fill(f"[name={name}]", text)
        self.press("Ask")

    def texts(self, selector: str) -> list[str]:
        return self.page.locator(selector).all_inner_texts()

    def tokens(self) -> list[tuple[str, float]]:
        """The coloured parts of the text that is shown."""
        found = self.page.eval_on_selector_all(
            ".answer .text .token",
            "all => all.map(each => [each.textContent, Number("
            "each.style.getPropertyValue('--probability'))])",
        )
        return [tuple(pair) for pair in found]

    def words(self) -> list[str]:
        return [word for word, _ in self.tokens()]

    def signs(self) -> str:
        return "".join(self.texts(".answer .text sup"))

    def summary(self) -> str:
        return self.page.inner_text(".summary")

    def replace(self, word: str, replacement: str):
        """As one does by hand."""
        self.page.locator(".answer .word", has_text=word).first.click()
        self.page.fill(".edit", replacement)
        self.page.press(".edit", "Enter")
        self.wait()

    def forget_refusals(self, number: int):
        refusals = [x for x in self.complaints if str(x).startswith(_REFUSED)]
        self.assertLen(refusals, number)
        self.complaints = [x for x in self.complaints if x not in refusals]
