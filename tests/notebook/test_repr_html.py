"""What notebooks show of each type: HTML without script, whatever the names hold."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from kgmm.graph import GraphView
from kgmm.knowledge import KnowledgeStore
from kgmm.retrieve import Memory
from kgmm.scene import SceneGraph, SceneObject, SceneRelation
from kgmm.store import Fact
from kgmm.stories import Logo, Shot, StoryGraph, summarize
from kgmm.trace import Answer, Citation, MemoryFact, Trace

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"
ROOT = Path(__file__).parents[2]
SAFE = set(
    "div p bdi small ul li ol b code details summary table thead tbody tr th td span img svg line title circle text "
    "figure figcaption rect g h1 h2 caption time mark style main".split()
)


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    found: list[tuple[str, dict[str, str | None]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    Parser().feed(html)
    return found


def evil_trace() -> Trace:
    fact, scene = Fact(EVIL, EVIL, EVIL), evil_scene()
    return Trace(
        EVIL, scene, memory=[MemoryFact(fact, 1.0, {EVIL: 1.0})], citations=[Citation(fact)], answer=EVIL, score=1.0
    )


def evil_scene() -> SceneGraph:
    objects = (SceneObject("a", EVIL, (1, 1, 5, 5), 0.5, (EVIL,)), SceneObject(EVIL, "b"))
    return SceneGraph(EVIL, objects, (SceneRelation("a", EVIL, EVIL),), 10, 10)


def evil_facts(tmp_path: Path) -> Any:
    store = KnowledgeStore(tmp_path / "kb")
    store.add(Fact(EVIL, "UsedFor", EVIL))
    return store.find()


def evil_summary(_: Path) -> Any:
    shots = (Shot("a", 0, 4, (EVIL,), ("x",), text=EVIL), Shot("b", 5, 9, (EVIL, "flood"), ("x",), text=EVIL))
    return summarize(StoryGraph("s", shots, (Logo("x", EVIL),)), "x")


MAKERS: dict[str, Callable[[Path], Any]] = {
    "Trace": lambda _: evil_trace(),
    "Answer": lambda _: Answer(EVIL, 1.0, [(EVIL, 0.5)], evil_trace()),
    "SceneGraph": lambda _: evil_scene(),
    "Facts": evil_facts,
    "GraphView": lambda _: GraphView.from_edges([EVIL], ["b"], relations=[EVIL]),
    "Memory": lambda p: Memory([MemoryFact(Fact(EVIL, EVIL, EVIL), 1.0)], []),
    "SPARQL": lambda p: (evil_facts(p), KnowledgeStore(p / "kb").sparql("SELECT * WHERE { GRAPH ?g { ?s ?p ?o } }"))[1],
    "Summary": evil_summary,
    "Scores": lambda _: GraphView.from_edges([EVIL], ["b"]).walk("b"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_hostile_names_are_shown_not_run(name: str, tmp_path: Path) -> None:
    html = MAKERS[name](tmp_path)._repr_html_()
    found = elements(html)
    assert {tag for tag, _ in found} <= SAFE
    assert not [a for _, attributes in found for a in attributes if a.startswith("on")]
    assert "alert(1)" in html  # shown as the text it is


def test_a_photographed_scene_shows_its_picture_and_every_box() -> None:
    scene = SceneGraph.from_json(ROOT / "graphs/scenes/coffee.json")
    found = elements(scene._repr_html_())
    [image] = [attributes for tag, attributes in found if tag == "img"]
    assert (image["src"] or "").startswith("data:image/jpeg;base64,")
    assert sum("position:absolute" in (a.get("style") or "") for _, a in found) == sum(
        o.box is not None for o in scene.objects
    )


def test_a_scene_without_picture_shows_its_names() -> None:
    html = SceneGraph("x", (SceneObject("o1", "knife"),))._repr_html_()
    assert "knife" in html and "<img" not in html


def test_an_answer_shows_what_carries_it(bundled_kb: KnowledgeStore) -> None:
    answer = bundled_kb.ask(ROOT / "graphs/scenes/coffee.json", "Which object is used for stirring?")
    html = answer._repr_html_()
    assert "spoon is used for stirring" in html and len(html) < 300_000
