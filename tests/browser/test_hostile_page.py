"""Five hundred hostile names, questions and facts: nothing in them runs, and nothing breaks the page."""

from __future__ import annotations

import random
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kgmm.errors import BadInput
from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Citation, Counterfactual, Link, MemoryFact, Step, Trace

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PAGES = 10

SEEDS = [
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "' onmouseover='window.pwned=1",
    "<!--<script>",
    "]]>",
    "-->",
    "</style><script>window.pwned=1</script>",
    "{{ 7*7 }}",
    "{% raw %}",
    "${window.pwned=1}",
    "#{1+1}",
    "javascript:window.pwned=1",
    "&lt;b&gt;&#x3c;",
    "</title><base href=//evil>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    "<a href=http://evil.invalid>x",
    "<link rel=stylesheet href=//evil.invalid/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.invalid'>",
    "\u202e evil \u2066",
    "\u200f\u200e\u061c",
    "a\x00b",
    "\x1b[31m",
    "\ufeff",
    "\u2028window.pwned=1\u2029",
    "\ud800",
    "\ud83d\ude00" * 30,
    "z\u0315\u0361\u0489" * 100,
    "A" * 1_000_000,
    "é" * 5_000,
    " ",
    "\t\n",
    "\\",
    "\\u003cscript>",
    "__proto__",
    "constructor",
    "toString",
    "%s%n%x",
    "'; DROP TABLE facts;--",
    "/s/x/o1",
    "/c/en/",
    "http://evil.invalid/<script>",
    '"literal"@en',
    '"quote',
    "a|b`c`",
    "𝕳𝖔𝖘𝖙𝖎𝖑𝖊",
    "مرحبا بالعالم",
    "ﷺ" * 50,
    "-0",
    "NaN",
    "1e999",
    "url(http://evil.invalid)",
    "expression(window.pwned=1)",
    "<math><mtext><script>window.pwned=1</script>",
    "<template><script>window.pwned=1</script></template>",
    "<x onclick=window.pwned=1>",
    "<body onload=window.pwned=1>",
    "<style>*{display:none}</style>",
    "<plaintext>",
    "<noscript><p title='</noscript><img src=x onerror=window.pwned=1>'>",
]


def hostile(n: int) -> list[str]:
    """The seeds, then combinations of two of them, *n* in all."""
    draw = random.Random(7)
    short = [s for s in SEEDS if len(s) < 1000]
    return [*SEEDS, *(draw.choice(short) + draw.choice(" /\n'\"<>") + draw.choice(short) for _ in range(n))][:n]


def elements(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    """Every element with its attributes, as a parser reads them."""
    found: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, attrs))

    Parser().feed(html)
    return found


def fact(text: str, other: str) -> Fact | None:
    try:
        return Fact(text, other[:60] or "r", text[:50] + other)
    except BadInput:
        return None  # such a fact cannot be in a store


def trace_of(words: list[str]) -> Trace:
    objects = tuple(
        SceneObject(f"o{i}" if i % 3 else w, w, (5.0 * i, 5.0, 40.0, 60.0), 0.5, (w,)) for i, w in enumerate(words)
    )
    facts = [f for a, b in zip(words, reversed(words), strict=True) if (f := fact(a, b)) is not None]
    return Trace(
        words[0],
        SceneGraph(words[1], objects, (), 400, 300),
        None,
        [Link(w, f.subject, w, 0.5, o.id) for w, f, o in zip(words, facts, objects, strict=False)],
        [MemoryFact(f, 0.5, {w[:99]: 0.5}, (f,), f.object) for w, f in zip(words, facts, strict=False)],
        [Step(w, w, {w[:99]: w, "attention": [[w, 0.5]], "value": [0.1], "boxes": [[1, 2, 3, 4]]}) for w in words],
        [Citation(f, "scene" if i % 2 else "knowledge", words[i]) for i, f in enumerate(facts[:6])],
        words[2],
        0.5,
        [(w, 0.1) for w in words],
        abstained=words[3],
        reasoner=words[4],
        folder=words[7],
        model=words[5],
        store=words[6],
        store_version=1,
        timings=dict.fromkeys(words, 0.1),
        counterfactuals=[Counterfactual((f,), w, 0.5) for f, w in zip(facts, words, strict=False)],
    )


@pytest.mark.parametrize("part", range(PAGES))
def test_hostile_text_is_shown_and_does_nothing(opened: Callable[..., Page], tmp_path: Path, part: int) -> None:
    words = hostile(500)[part::PAGES]
    trace = trace_of(words)
    path = trace.to_html(tmp_path / "hostile.html")
    assert path.stat().st_size < 1_500_000
    page = opened(path)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main > section, main > .columns").count() == 8  # every section, none swallowed
    assert page.locator("script").count() == 3 and page.locator("iframe, base, link, template").count() == 0
    assert page.locator("#facts tbody tr").count() >= 25
    page.locator(".box").last.click(force=True)
    page.locator("#facts thead button").nth(1).click()
    page.locator(".evidence [data-switch='0']").uncheck()
    assert page.locator("#outcome").inner_text().startswith("Without this fact: ")
    assert page.evaluate("kgmmDrawing.edges().length") > 0 and page.evaluate("window.pwned") is None
    assert page.evaluate("({}).polluted") is None


def test_right_to_left_marks_stay_inside_their_text(opened: Callable[..., Page], tmp_path: Path) -> None:
    trace = Trace("What is \u202eeno sihT?", SceneGraph("x"), answer="\u202eyes", score=0.25, reasoner="\u202er")
    page = opened(trace.to_html(tmp_path / "rtl.html"))
    assert page.evaluate("getComputedStyle(document.querySelector('h1 bdi')).unicodeBidi") == "isolate"
    answer, score = page.locator(".answer bdi").bounding_box(), page.locator(".answer .score").bounding_box()
    assert answer and score and answer["x"] < score["x"]


def test_a_hostile_trace_reads_back_and_renders_in_a_notebook() -> None:
    words = [w for w in hostile(200) if "\ud800" not in w]
    trace = trace_of(words)
    assert Trace.from_json(trace.to_json()) == trace
    tags = {tag for tag, _ in elements(trace._repr_html_())}
    assert tags <= set("div p bdi small ul li ol b code details summary table thead tbody tr th td span".split())
    assert {name for _, attributes in elements(trace._repr_html_()) for name, _ in attributes} <= {"class", "style"}
