"""The page of a trace in a real browser: opened from a file, the network off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from kgmm.data import clevr
from kgmm.knowledge import KnowledgeStore
from kgmm.reason.visual import worlds
from kgmm.scene import SceneGraph
from kgmm.trace import Answer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
SCENES = Path(__file__).parents[2] / "graphs" / "scenes"
Open = Callable[..., "Page"]


@pytest.fixture(scope="module")
def answer(bundled_kb: KnowledgeStore) -> Answer:
    return bundled_kb.ask(SCENES / "coffee.json", "Which object is used for stirring?")


@pytest.fixture(scope="module")
def path(answer: Answer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return answer.trace.to_html(tmp_path_factory.mktemp("page") / "trace.html")


@pytest.fixture(scope="module")
def episodes(bundled_kb: KnowledgeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = bundled_kb.ask(SCENES / "coffee.json", "What is the spoon used for?", reasoner="kdmn")
    return found.trace.to_html(tmp_path_factory.mktemp("page") / "episodes.html")


def lit_rows(page: Page) -> list[str]:
    return page.locator("#facts tbody tr.lit td:nth-child(2)").all_inner_texts()


def test_answer_and_evidence_are_there(opened: Open, path: Path, answer: Answer) -> None:
    page = opened(path)
    assert page.locator("h1").inner_text() == answer.trace.question
    assert "spoon" in page.locator(".answer").inner_text()
    assert page.locator(".evidence > li").count() == len(answer.trace.citations)
    assert page.locator(".checks .failed").count() == 0 and page.locator(".checks .passed").count() >= 4


def test_a_box_lights_up_its_facts_and_a_fact_its_boxes(opened: Open, path: Path) -> None:
    page = opened(path)
    page.locator(".box[aria-label^=spoon]").hover()
    lit = lit_rows(page)
    assert "spoon is used for stirring" in lit and 0 < len(lit) < page.locator("#facts tbody tr").count()
    page.locator("#facts tbody tr", has_text="spoon is used for stirring").first.hover()
    assert page.locator(".box.lit").all_inner_texts() == ["spoon"]
    page.locator("h1").hover()
    assert page.locator(".lit").count() == 0


def test_a_pressed_box_keeps_only_its_facts(opened: Open, path: Path) -> None:
    page = opened(path)
    box, rows = page.locator(".box[aria-label^=spoon]"), page.locator("#facts tbody tr:visible")
    before = rows.count()
    box.click()
    assert box.get_attribute("aria-pressed") == "true"
    assert 0 < rows.count() < before
    box.click()
    assert rows.count() == before


def test_any_part_of_the_score_sorts_the_memory(opened: Open, path: Path, answer: Answer) -> None:
    page = opened(path)
    parts = list(answer.trace.memory[0].parts)
    assert len(parts) >= 6
    for part in ["score", *parts]:
        button = page.locator("#facts thead button", has_text=part).first
        head = button.locator("xpath=ancestor::th")
        column = head.evaluate("th => th.cellIndex") + 1
        for _ in range(2):
            button.click()
            values = page.locator(f"#facts tbody td:nth-child({column})").evaluate_all(
                "e => e.map(x => Number(x.dataset.value))"
            )
            assert values == sorted(values, reverse=head.get_attribute("aria-sort") == "descending")


def test_a_switched_off_fact_changes_the_answer_read(opened: Open, path: Path, answer: Answer) -> None:
    page = opened(path)
    for n, c in enumerate(answer.trace.citations):
        expected = answer.trace.without(c)
        switch, outcome = page.locator(f".evidence [data-switch='{n}']"), page.locator("#outcome")
        switch.uncheck()
        assert outcome.inner_text().startswith(f"Without this fact: {expected}, score {expected.score:.2f}")
        switch.check()
        assert outcome.inner_text() == ""
    for n in range(len(answer.trace.citations)):
        page.locator(f".evidence [data-switch='{n}']").uncheck()
    together = answer.trace.without(*answer.trace.citations)
    assert f"Without these 2 facts: {together}" in page.locator("#outcome").inner_text()


def test_the_graph_pans_zooms_and_shows_the_cited_alone(opened: Open, path: Path) -> None:
    page = opened(path)
    drawing = page.locator("#drawing")
    drawing.scroll_into_view_if_needed()
    start = page.evaluate("kgmmDrawing.pan()")
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 80, steps=6)
    page.mouse.up()
    moved = page.evaluate("kgmmDrawing.pan()")
    assert moved["x"] - start["x"] == pytest.approx(120, abs=5) and moved["y"] - start["y"] == pytest.approx(50, abs=5)
    drawing.press("ArrowLeft")
    assert page.evaluate("kgmmDrawing.pan().x") > moved["x"]
    zoom = page.evaluate("kgmmDrawing.zoom()")
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate("kgmmDrawing.zoom()") > zoom
    page.get_by_role("button", name="cited only").click()
    page.evaluate(
        "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
    )  # styles follow a frame later
    cited = page.evaluate("kgmmDrawing.edges(':visible').map(e => e.data('cited'))")
    assert cited == [True, True]


def test_it_works_by_keyboard_alone(opened: Open, path: Path) -> None:
    page = opened(path)
    page.locator(".box[aria-label^=spoon]").focus()
    assert "spoon is used for stirring" in lit_rows(page)
    page.keyboard.press("Enter")
    assert page.locator(".box[aria-label^=spoon]").get_attribute("aria-pressed") == "true"
    page.locator(".evidence [data-switch='0']").focus()
    page.keyboard.press("Space")
    assert page.locator("#outcome").inner_text() != ""


def test_the_filter_keeps_matching_facts(opened: Open, path: Path) -> None:
    page = opened(path)
    page.locator("#filter").fill("stirring")
    texts = page.locator("#facts tbody tr:visible").all_inner_texts()
    assert texts and all("stirring" in t for t in texts)
    assert page.locator("#kept").inner_text().startswith(f"{len(texts)} of ")


def test_attention_of_each_episode_is_shown(opened: Open, episodes: Path) -> None:
    page = opened(episodes)
    assert page.locator("#episodes figure").count() == 2
    weights = page.locator("#episodes figure").first.locator("td.n").all_inner_texts()
    assert [float(w) for w in weights] == sorted(map(float, weights), reverse=True)


def test_what_a_network_looked_at_is_drawn_on_the_picture(
    opened: Open, bundled_kb: KnowledgeStore, tmp_path: Path
) -> None:
    image = tmp_path / "world.png"
    Image.fromarray(np.asarray(worlds.draw(clevr.scene(3)))).save(image)
    scene = SceneGraph("world", image=str(image), width=160, height=160)
    for reasoner, row, mark in (
        ("modules", "[data-step='0']", ".looked i"),
        ("graph", "[data-edges='0']", ".looked line"),
    ):
        trace = bundled_kb.ask(scene, "what color is the circle?", reasoner=reasoner).trace
        page = opened(trace.to_html(tmp_path / f"{reasoner}.html"))
        page.locator(row).focus()
        assert page.locator(mark).count() >= 3
        page.locator("h1").click()
        page.locator(row).blur()
        assert page.locator(mark).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_issue(opened: Open, path: Path, episodes: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    for file in (path, episodes):
        # axe's own script is let through the page's policy, which refuses every other
        found = axe.run(opened(file, color_scheme=scheme, bypass_csp=True)).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_light_and_dark_can_be_switched(opened: Open, path: Path) -> None:
    page = opened(path, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.locator("#theme").click()
    dark = page.evaluate(paper)
    assert light != dark
    page.locator("#theme").click()
    assert page.evaluate(paper) == light


def test_print_shows_the_whole_memory_in_light_colours(opened: Open, path: Path) -> None:
    page = opened(path, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('.scroll')).maxHeight") == "none"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#theme").is_visible()
    page.set_viewport_size({"width": 720, "height": 1000})  # what A4 leaves between its margins
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    assert page.pdf()[:4] == b"%PDF"


def test_a_phone_shows_it_without_scrolling_sideways(opened: Open, path: Path) -> None:
    page = opened(path)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
