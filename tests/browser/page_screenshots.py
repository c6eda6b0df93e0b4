"""Takes the pictures of docs/images from the page of a running server.

    python -m electra_tf.serving.local_server --model_base_path=SERVED/NAME
    python -m tests.browser.page_screenshots --model=NAME

The model is a pre-trained one with a generator.
"""

import io
import os

from absl import flags
from PIL import Image
from playwright import sync_api

from electra_tf import program
from tests.browser import page_driver

_URL = flags.DEFINE_string("url", "http://127.0.0.1:8501", "Of the server.")
_MODEL = flags.DEFINE_string("model", None, "Its name.", required=True)
_OUTPUT_DIR = flags.DEFINE_string(
    "output_dir", "docs/images", "Folder of the pictures."
)
_SEED = flags.DEFINE_integer("seed", 1, "Of the corruption.")
_THRESHOLD = flags.DEFINE_integer("threshold", 50, "In percent.")
_TEXT = (
    "The first stone bridge over the river was built in the twelfth century. "
    "It was destroyed during the war and was rebuilt by the city council ten "
    "years later. Today it is one of the most famous places in the north of "
    "the country, and many people visit it every summer."
)
_SIZE = {"width": 1150, "height": 700}


def main():
    path = page_driver.browser_path()
    if path is None:
        raise ValueError("No Chromium is installed: apt-get install chromium.")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(page_driver.OPTIONS)
        )
        page = browser.new_page(viewport=_SIZE)
        _open(page, "discriminate")
        page.fill("[name=text]", _TEXT)
        _press(page, "Ask")
        page.fill("#seed", str(_SEED.value))
        page.fill("#threshold", str(_THRESHOLD.value))
        _press(page, "Corrupt")
        page.locator(".answer .text .replaced").last.hover()
        _save(page, "page_replaced.png")
        page = browser.new_page(viewport=_SIZE, color_scheme="dark")
        _open(page, "fill_mask")
        page.fill(
            "[name=text]", "He was born in [MASK] in the [MASK] of France."
        )
        _press(page, "Ask")
        _save(page, "page_masks.png")
        browser.close()


def _open(page, view: str):
    page.goto(f"{_URL.value}/#model={_MODEL.value}&view={view}")
    page.wait_for_selector(".answer:not([aria-busy]) > *")


def _press(page, name: str):
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector(".answer:not([aria-busy]) > *")


def _save(page, name: str):
    content = page.screenshot(full_page=True)
    # A third of the size, and no difference to see.
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture = picture.quantize(256, Image.Quantize.MAXCOVERAGE)
    picture.save(os.path.join(_OUTPUT_DIR.value, name), optimize=True)


if __name__ == "__main__":
    program.run(main)
