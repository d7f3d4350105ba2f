"""The explorer in a real browser: ask, look at the trace, browse, walk, query; nothing fails, nothing leaves the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
PHOTO = Path(__file__).parents[2] / "graphs/photos/astronaut.jpg"


@pytest.fixture
def tab(chromium: Any, address: str) -> Iterator[Any]:
    page = chromium.new_page(base_url=address)
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else wrong.append(r.url))
    yield page
    page.close()
    assert wrong == []


def test_an_uploaded_photograph_is_answered_with_its_trace(tab: Any) -> None:
    tab.goto("/")
    tab.set_input_files("#image", str(PHOTO))
    tab.wait_for_selector("#preview", state="visible")
    tab.fill("#question", "Which object protects the head?")
    tab.click("form.ask button")
    tab.wait_for_url("**/t/*")
    assert "helmet" in tab.inner_text("body") and tab.locator("img").count() >= 1
    link = tab.url
    tab.goto("/")
    tab.goto(link)
    assert "helmet" in tab.inner_text("h1, body")


def test_concepts_are_searched_and_browsed(tab: Any) -> None:
    tab.goto("/")
    tab.fill("#q", "spoon")
    tab.press("#q", "Enter")
    tab.wait_for_url("**/concept?name=*")
    assert "stirring" in tab.inner_text("main")
    tab.click("main >> text=walk from here")
    assert "teaspoon" in tab.inner_text("main")
    tab.goto("/paths?a=dog&b=leash")
    assert "leash" in tab.inner_text("ol")
    tab.goto("/retrieve?text=what+is+a+knife+used+for")
    assert "knife is used for" in tab.inner_text("main")


def test_sparql_runs_on_its_page(tab: Any) -> None:
    tab.goto("/query-page")
    tab.click("#sparql button")
    tab.wait_for_selector("#results table")
    assert "knife" in tab.inner_text("#results")
    tab.fill("#query", "nonsense <script>alert(1)</script>")


def test_axe_finds_nothing_serious(chromium: Any, address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = chromium.new_page(base_url=address, bypass_csp=True)
    for path in (
        "/",
        "/concept?name=spoon",
        "/walk?seed=spoon",
        "/paths?a=dog&b=leash",
        "/query-page",
        "/docs",
        "/find",
    ):
        page.goto(path)
        found = axe.Axe().run(page).response["violations"]
        assert [(path, v["id"]) for v in found if v["impact"] in ("serious", "critical")] == []
    page.close()
