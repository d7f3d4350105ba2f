"""Draw the pictures of docs/traces.md: ``python docs/images/trace.py`` (needs Chromium and playwright)."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from kgmm import bundled
from kgmm.opening import open_bundled

HERE = Path(__file__).parent


def keep(page: Page, name: str, **clip: float) -> None:
    """Write a part of the page, small."""
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip or None)))
    shot.convert("RGB").quantize(200).save(HERE / f"{name}.png", optimize=True)


def main() -> None:
    """Ask two questions, open their pages, use them and take pictures."""
    scenes = bundled.folder("graphs") / "scenes"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        kb = open_bundled(Path(folder) / "kb")
        seen = kb.ask(scenes / "coffee.json", "Which object is used for stirring?")
        episodes = kb.ask(scenes / "coffee.json", "What is the spoon used for?", reasoner="kdmn")
        first, second = (a.trace.to_html(Path(folder) / f"{n}.html") for n, a in enumerate((seen, episodes)))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme="light")
        page.goto(first.as_uri())
        page.locator(".evidence [data-switch='0']").uncheck()
        page.locator(".object", has_text="spoon").hover()
        page.wait_for_timeout(500)
        keep(page, "trace-page", x=0, y=0, width=1000, height=1250)
        page.emulate_media(color_scheme="dark")
        page.goto(second.as_uri())
        page.wait_for_timeout(500)
        top = page.locator("#episodes").bounding_box()
        assert top
        keep(page, "trace-episodes-dark", x=0, y=top["y"] - 10, width=1000, height=620)
        browser.close()


if __name__ == "__main__":
    main()
