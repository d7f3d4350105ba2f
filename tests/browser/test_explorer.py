"""The explorer's script in a real browser, joined to the real widget: only Jupyter's wire between them is stood in for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kgmm.knowledge import KnowledgeStore
from kgmm.notebook import explore
from kgmm.store import Fact

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
STATE = ("nodes", "edges", "selected", "relations", "scores", "message")
EVIL = "<img src=x onerror=window.pwned=1>"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>explorer</title><style>STYLE</style><main id="here"></main>
<script type="module">
const listeners = {}, state = STATE;
const take = (fresh) => { Object.assign(state, fresh); Object.values(listeners).flat().forEach((react) => react()); };
const model = {
  get: (name) => state[name], set: (name, value) => { state[name] = value; }, off: () => {},
  on: (event, react) => { (listeners[event] ||= []).push(react); },
  send: async (content) => take(await window.toKernel(content)),
  save_changes: async () => take(await window.toKernel({ selected: state.selected })),
};
const { default: widget } = await import("data:text/javascript;base64,SCRIPT");
widget.render({ model, el: document.getElementById("here") });
</script></html>"""


@pytest.fixture
def page(opened: Callable[..., Page], tmp_path: Path) -> Iterator[Page]:
    kb = KnowledgeStore(tmp_path / "kb")
    kb.add(
        [
            Fact("knife", "UsedFor", "cutting", 3.0),
            Fact("knife", "IsA", "tool", 2.0),
            Fact("butter knife", "IsA", "knife"),
            Fact("cutting", "HasPrerequisite", "sharpness"),
            Fact("knife", "RelatedTo", EVIL),
        ]
    )
    explorer = explore(kb, "knife")

    def state() -> dict[str, Any]:
        return {name: getattr(explorer, name) for name in STATE}

    def to_kernel(content: dict[str, Any]) -> dict[str, Any]:
        if "selected" in content:
            explorer.selected = content["selected"]
        else:
            explorer._on_message(explorer, content, [])
        return state()

    script = base64.b64encode(str(explorer._esm).encode()).decode()
    style = (Path(__file__).parents[2] / "kgmm/notebook/explorer.css").read_text()
    text = (
        PAGE.replace("STYLE</", style + "</")
        .replace("= STATE", "= " + json.dumps(state()).replace("<", "\\u003c"))
        .replace("SCRIPT", script)
    )
    (tmp_path / "explorer.html").write_text(text)
    page = opened(tmp_path / "explorer.html")
    page.expose_function("toKernel", to_kernel)
    page.wait_for_function("document.querySelector('.kgmm-explorer')?.kgmmDrawing?.nodes().length > 0")
    yield page


def shown(page: Page) -> list[str]:
    return page.get_by_role("list", name="Facts shown").get_by_role("listitem").all_inner_texts()


def drawn(page: Page) -> set[str]:
    return set(page.evaluate("document.querySelector('.kgmm-explorer').kgmmDrawing.nodes().map(n => n.data('label'))"))


def test_what_the_kernel_sends_is_drawn_and_listed(page: Page) -> None:
    assert {"knife", "cutting", "tool", "butter knife"} <= drawn(page)
    assert "knife is used for cutting" in shown(page) and len(shown(page)) == 4
    assert page.evaluate("window.pwned") is None


def test_a_node_is_selected_and_expanded(page: Page) -> None:
    page.get_by_role("button", name="knife is used for cutting").click()
    page.get_by_role("button", name="expand").click()
    page.get_by_text("cutting requires sharpness").wait_for()
    assert "sharpness" in drawn(page)


def test_a_relation_is_followed(page: Page) -> None:
    page.get_by_role("button", name="knife is used for cutting").click()
    options = page.get_by_label("Follow a relation")
    options.locator("option", has_text="HasPrerequisite → (1)").wait_for(state="attached")
    options.select_option(label="HasPrerequisite → (1)")
    page.get_by_text("cutting requires sharpness").wait_for()


def test_a_walk_ranks_concepts(page: Page) -> None:
    page.get_by_role("button", name="walk from here").click()
    best = page.get_by_role("list", name="Best of the last walk").get_by_role("listitem")
    best.first.wait_for()
    assert "cutting" in best.first.inner_text()


def test_the_filter_leaves_only_matching_facts(page: Page) -> None:
    page.get_by_label("Show only facts with these words").fill("tool")
    assert shown(page) == ["knife is a kind of tool"]


def test_a_new_concept_is_added_and_an_unknown_one_said(page: Page) -> None:
    find = page.get_by_label("Concept to add")
    find.fill("sharpness")
    find.press("Enter")
    page.get_by_text("cutting requires sharpness").wait_for()
    find.fill("knive")
    find.press("Enter")
    page.get_by_text("near spellings: knife").wait_for()


def test_a_node_is_removed_from_the_drawing(page: Page) -> None:
    page.get_by_role("button", name="remove").click()
    page.wait_for_function("document.querySelectorAll('[aria-label=\"Facts shown\"] li').length === 0")
    assert "knife" not in drawn(page)


def test_axe_finds_no_serious_issue(page: Page) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    found = [v for v in axe.run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == []
