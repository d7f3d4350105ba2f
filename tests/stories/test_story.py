"""Story graphs: what may be in one, and that files and stores give back what they were given."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kgmm
from kgmm import stories
from kgmm.errors import BadInput, KgmmError, UnknownConcept
from kgmm.stories import Broadcast, Logo, Shot, StoryGraph
from kgmm.stories.summaries.summary import FLOOR

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


def small() -> StoryGraph:
    shots = (
        Shot("b1-1", 0, 4, ("river", "flood", "prime minister"), ("flood",), "b1", "The river is up.", story="f"),
        Shot("b1-2", 4, 9.25, ("flood", "dam"), (), "b1", 'He said "run".\n', story="f"),
        Shot("b2-1", 0, 5, ("goal", "match"), ("cup",), "b2", story="c"),
        Shot("b2-2", 5, 9, ("dam", "engineer"), ("flood",), "b2", story="f"),
    )
    logos = (Logo("flood", "Flood"), Logo("cup", "The Cup", hash="0f" * 32))
    broadcasts = (Broadcast("b1", "Evening", "2026-03-01", "a.mp4"), Broadcast("b2", "Evening", "2026-03-02"))
    return StoryGraph("week", shots, logos, broadcasts, "by hand", {"f": ("flood", "dam")})


def test_a_story_can_be_summarized_from_its_file(tmp_path: Path) -> None:
    stories.to_json(small(), tmp_path / "story.json")
    assert kgmm.summarize(tmp_path / "story.json", "flood") == kgmm.summarize(small(), "flood")
    assert kgmm.summarize(small(), "flood").frames[0].shot.id in ("b1-1", "b2-2")


def test_json_gives_back_the_same_story(tmp_path: Path) -> None:
    file = tmp_path / "story.json"
    stories.to_json(small(), file)
    assert stories.read(file) == small()
    assert stories.read(tmp_path) == small()


def test_a_store_gives_back_the_same_story(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        kb.add([("dam", "IsA", "barrier")])
        assert stories.save(small(), kb) == len(stories.facts(small()))
        assert "story/week" in kb.graphs()
        again = stories.from_store(kb, "week")
        assert [(s.id, set(s.terms), s.logos, s.text) for s in again.shots] == [
            (s.id, set(s.terms), s.logos, s.text) for s in small().shots
        ]
        assert again.logos == small().logos and again.broadcasts == small().broadcasts
        assert again.annotations == small().annotations
        stories.save(small(), kb)
        assert kb.graphs()["story/week"] == len(stories.facts(small())), "saving twice replaces"
        linked = kb.summarize("week", "flood")
        assert {t.term: t.facts for t in linked.terms}["dam"] == ("dam is a kind of barrier",)
        with pytest.raises(UnknownConcept, match="week"):
            stories.from_store(kb, "month")


def test_the_store_s_own_view_ranks_the_same(tmp_path: Path) -> None:
    with kgmm.open(tmp_path / "kb") as kb:
        stories.save(small(), kb)
        view = kb.view("story/week", ["SameLogo", "Mentions"])
        scores = view.walk("/t/week/logo/flood", restart=0.65)
        for frame in kgmm.summarize(small(), "flood", frames=9).frames:
            assert scores[f"/t/week/{frame.shot.id}"] == pytest.approx(frame.score, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS, st.floats(0, 1e6), st.lists(TEXTS, max_size=4))
def test_any_text_and_time_survives_a_file(text: str, name: str, start: float, terms: list[str]) -> None:
    from kgmm.stories.files import from_dict

    story = StoryGraph("s", (Shot("a", start, start, tuple(terms), ("x",), text=text),), (Logo("x", name),))
    assert from_dict(json.loads(stories.to_json(story))) == story


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shots": [{"id": "a", "logos": ["none"]}]}, "names logo 'none'"),
        ({"shots": [{"id": "a"}, {"id": "a"}]}, "used twice"),
        ({"shots": [{"id": "a b"}]}, "one word"),
        ({"shots": [{"id": "a", "start": 5, "end": 3}]}, "lasts from"),
        ({"shots": [{"id": "a", "start": "nan", "end": 3}]}, "lasts from"),
        ({"shots": [{"id": "a", "terms": "flood"}]}, "must be a list"),
        ({"shots": [{"id": "a", "broadcast": "b"}]}, "no broadcast"),
        ({"shots": None}, "not a story graph: one of its parts"),
        ({"shots": [], "logos": [{"id": "x", "hash": "12"}]}, "64 hex"),
        ({"shots": [], "logos": [{"id": "x", "hash": "no"}]}, "not a story graph"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps({"id": "s", **change}))
    with pytest.raises(BadInput, match=said) as raised:
        stories.read(file)
    assert "s.json" in str(raised.value)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such story"):
        stories.read(tmp_path / "none.json")
    (tmp_path / "x.json").write_bytes(b'{"id": \xff')
    with pytest.raises(BadInput, match="not a JSON"):
        stories.read(tmp_path / "x.json")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.15, 0.65, 0.9]))
def test_mmss_is_networkx_pagerank_from_the_logo(seed: int, restart: float) -> None:
    random = np.random.default_rng(seed)
    shots = tuple(
        Shot(
            f"f{i}",
            terms=tuple(f"t{t}" for t in random.integers(0, 8, random.integers(0, 5))),
            logos=tuple({f"l{random.integers(0, 3)}"} if random.random() < 0.5 else ()),
        )
        for i in range(random.integers(1, 12))
    )
    story = StoryGraph("s", shots, tuple(Logo(f"l{i}") for i in range(3)))
    found = kgmm.summarize(story, "l1", frames=99, terms=99, restart=restart)
    graph = nx.Graph()
    graph.add_nodes_from(story.view().concepts)
    graph.add_edges_from((e.subject, e.object) for e in story.view().edges())
    truth = nx.pagerank(graph, alpha=1 - restart, personalization={"/t/s/logo/l1": 1}, tol=1e-12, max_iter=999)
    scored = {f"/t/s/{f.shot.id}": f.score for f in found.frames}
    scored |= {f"/c/en/{t.term}": t.score for t in found.terms}
    best = {
        kind: max((s for n, s in truth.items() if n.startswith(kind) and "/logo/" not in n), default=0.0)
        for kind in ("/t/", "/c/")
    }
    for node, score in truth.items():
        if "/logo/" not in node and score > 1.0001 * FLOOR * best[node[:3]]:
            assert scored.get(node, 0.0) == pytest.approx(score, abs=1e-7)
    assert all(score == pytest.approx(truth[node], abs=1e-7) for node, score in scored.items())


def test_a_shared_word_falls_behind_a_story_s_own_with_lift() -> None:
    shots = tuple(
        Shot(f"{s}{i}", terms=("people", "people", f"own{s}", f"detail{s}{i}"), logos=(s,) if i < 2 else ())
        for s in "abcdef"
        for i in range(4)
    )
    story = StoryGraph("s", shots, tuple(Logo(s) for s in "abcdef"))
    plain = [t.term for t in kgmm.summarize(story, "a").terms]
    lifted = [t.term for t in kgmm.summarize(story, "a", lift=True).terms]
    assert lifted.index("owna") < lifted.index("people")
    assert plain.index("people") < lifted.index("people")


def test_queries_by_name_term_and_picture() -> None:
    story = small()
    assert kgmm.summarize(story, "The Cup").frames[0].shot.id == "b2-1"
    assert kgmm.summarize(story, "dams").query == "dams"
    assert {f.shot.id for f in kgmm.summarize(story, "dam", frames=2).frames} == {"b1-2", "b2-2"}
    assert kgmm.summarize(story, ["goal", "match"], frames=1).frames[0].shot.id == "b2-1"
    for unknown in ("Flod", "", "  "):
        with pytest.raises(UnknownConcept, match="lood"):
            kgmm.summarize(story, unknown)
    with pytest.raises(KgmmError, match="mmss"):
        kgmm.summarize(story, "flood", method="magic")
    for option in ({"lift": True}, {"restart": 0.5}):
        with pytest.raises(KgmmError, match=f"tfidf has no option {next(iter(option))}"):
            kgmm.summarize(story, "flood", method="tfidf", **option)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        kgmm.summarize(story, 7)


def test_a_logo_never_seen_and_a_story_without_shots() -> None:
    assert not kgmm.summarize(StoryGraph("s", (Shot("a", terms=("x",)),), (Logo("l"),)), "l").frames
    assert not kgmm.summarize(StoryGraph("s", (), (Logo("l"),)), "l").terms


def test_frames_come_back_in_time_order() -> None:
    ordered = kgmm.summarize(small(), "flood", frames=4).in_time_order()
    assert [f.shot.id for f in ordered] == ["b1-1", "b1-2", "b2-1", "b2-2"][: len(ordered)] or [
        f.shot.id for f in ordered
    ] == ["b1-1", "b1-2", "b2-2"]
