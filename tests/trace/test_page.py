"""A trace's page as a file: self-contained, small, and made of whatever a trace holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from kgmm.scene import SceneGraph, SceneObject
from kgmm.store import Fact
from kgmm.trace import Answer, Citation, MemoryFact, Step, Trace
from kgmm.trace.page.contents import episodes, learned, program, shown
from kgmm.trace.page.drawing import layout
from kgmm.trace.page.render import fragment, page

SCENE = SceneGraph("x", (SceneObject("o1", "knife", (1, 1, 5, 5)),), (), 100, 50)


@pytest.mark.parametrize("name", ["seen", "inherited", "unknown", "episodes", "counted"])
def test_a_page_names_no_host_and_stays_small(answers: dict[str, Answer], name: str) -> None:
    html = page(answers[name].trace)
    picture = re.search(r"data:image/[a-z]+;base64,[^\"]*", html)
    assert len(html.encode()) - (len(picture[0]) if picture else 0) < 1_500_000
    outside = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href|action)\s*=\s*[\"'](?!data:)", outside)
    assert "url(" not in outside and "@import" not in outside
    assert "default-src 'none'" in unescape(html[:1000])


def test_a_page_is_written_whole_or_not_at_all(answers: dict[str, Answer], tmp_path: Path) -> None:
    answers["seen"].trace.to_html(tmp_path / "t.html")
    assert (tmp_path / "t.html").read_text().rstrip().endswith("</html>")
    assert list(tmp_path.iterdir()) == [tmp_path / "t.html"]


def test_an_empty_trace_has_a_page() -> None:
    assert "I don&#39;t know" in page(Trace("Why?"))
    assert "Why?" in fragment(Trace("Why?"))


def test_a_trace_whose_picture_is_gone_is_shown_with_its_boxes() -> None:
    scene = SceneGraph("x", SCENE.objects, (), 100, 50, image="gone.jpg")
    html = page(Trace("What?", scene))
    assert "<img" not in html and 'class="box"' in html


@pytest.mark.parametrize(
    "data",
    [
        {"attention": "x"},
        {"attention": [["a"]]},
        {"attention": [["a", "b"]]},
        {"attention": [[["a"], float("nan")]]},
        {"value": None, "boxes": None},
        {"value": [1, "x"], "boxes": [[1, 2]]},
        {"value": [[1]], "boxes": [["a", 1, 2, 3]]},
        {"neighbours": [[9, -1]], "weights": [[1, 2]], "boxes": [[0, 0, 1, 1]]},
        {"neighbours": 3, "weights": [], "boxes": {}},
        {"neighbours": [["x"]], "weights": [[1]], "boxes": [[0, 0, 1, 1]]},
        {"value": [float("inf")], "boxes": [[0, 0, 1, float("inf")]]},
    ],
)
def test_odd_step_data_breaks_no_page(data: dict[str, object]) -> None:
    assert page(Trace("?", SCENE, steps=[Step("odd", "odd", data)], score=float("nan"))).endswith("</html>")


def test_steps_of_networks_are_read() -> None:
    boxes = [[0.0, 0.0, 10.0, 10.0], [50.0, 0.0, 10.0, 10.0]]
    steps = [
        Step("episode 1", "looks", {"attention": [["a IsA b", 0.4], ["c IsA d", 0.2]]}),
        Step("find", "find red", {"value": [0.9, 0.1], "boxes": boxes}),
        Step("neighbours", "", {"neighbours": [[1, 0], [0, 1]], "boxes": boxes}),
        Step("weights", "", {"weights": [[0.7, 0.3], [0.6, 0.4]]}),
    ]
    trace = Trace("?", SCENE, steps=steps)
    assert [b[2] for b in episodes(trace)[0]["bars"]] == [100.0, 50.0]
    assert [x["weight"] for x in program(trace)[0]["looked"]] == [0.9, 0.1]
    assert learned(trace)[0] == {
        "number": 1,
        "said": "object 2 (0.70)",
        "lines": [{"from": (5.0, 10.0), "to": (55.0, 10.0), "weight": 0.7}],
    }


def test_a_fact_reached_from_two_concepts_is_one_row() -> None:
    fact = Fact("knife", "UsedFor", "cutting")
    trace = Trace(
        "?",
        memory=[MemoryFact(fact, 2.0, concept="/c/en/knife"), MemoryFact(fact, 1.0, concept="/c/en/cutting")],
        citations=[Citation(fact)],
    )
    html = page(trace)
    assert html.count('<tr data-fact="0"') == 1 and "<bdi>knife</bdi>, <bdi>cutting</bdi>" in html


def test_nodes_of_a_drawing_have_places_of_their_own() -> None:
    edges = [("hub", f"leaf {i}") for i in range(30)] + [("a", "b"), ("c", "c")]
    places = layout(edges)
    assert layout(edges) == places and len(places) == 34
    points = list(places.values())
    nearest = min((x1 - x2) ** 2 + (y1 - y2) ** 2 for i, (x1, y1) in enumerate(points) for x2, y2 in points[:i])
    assert nearest > 15**2


def test_text_that_no_document_may_hold_is_replaced() -> None:
    assert shown("a\x00\ud800b\u202e") == "a\ufffd\ufffdb\u202e"


def test_relations_between_objects_are_shown(answers: dict[str, Answer]) -> None:
    scene = answers["seen"].trace.scene
    assert scene is not None and scene.relations
    r = scene.relations[0]
    said = f"{scene[r.subject].name} {r.predicate.replace('_', ' ')} {scene[r.object].name}"
    assert f"<li><bdi>{said}</bdi></li>" in page(answers["seen"].trace)


def test_places_are_the_same_in_every_process() -> None:
    edges = [(f"hub {i % 2}", f"leaf {i}") for i in range(60)] + [(f"left {i}", f"right {i}") for i in range(20)]
    program = f"from kgmm.trace.page.drawing import layout; print(layout({edges!r}))"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
