"""A large store's views are kept as files: mapped by the next opening, made anew when broken, gone with their version."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from kgmm import graph
from kgmm.graph import GraphView, bands, build, stored
from kgmm.graph.walk.local import push, push_near, values_of
from kgmm.store import Fact, LocalStore, kept
from kgmm.store import senses as sensing
from kgmm.store.index import terms as dictionary

if TYPE_CHECKING:
    from collections.abc import Iterator


def facts(count: int = 400, nodes: int = 120) -> Iterator[Fact]:
    draw = np.random.default_rng(1)
    kinds = ["", "", "/n", "/v/wn/act"]
    for s, o, r, w in zip(*draw.integers(0, nodes, (2, count)), *draw.integers(0, 4, (2, count)), strict=True):
        ends = (f"/c/en/word{x}{kinds[(x + r) % 4]}" for x in (int(s), int(o)))
        yield Fact(next(ends), ("IsA", "UsedFor", "RelatedTo", "ExternalURL")[r], next(ends), 0.5 + w)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for room, name in ((stored, "WORTH_IT"), (kept, "WORTH_IT"), (build, "RENUMBER_FROM"), (dictionary, "MANY")):
        monkeypatch.setattr(room, name, 10)
    monkeypatch.setattr(sensing, "MANY", 10)
    for name, value in (("FROM", 10), ("FEWEST", 5), ("MOST", 20)):
        monkeypatch.setattr(bands, name, value)
    LocalStore(tmp_path / "kb").add(facts())
    return tmp_path / "kb"


def files(place: Path) -> list[Path]:
    return sorted(place.glob("cache/made/*/view-*/arrays"))


def alike(one: GraphView, two: GraphView) -> bool:
    # the first walk's sums do not depend on how the arrays came to be
    assert one.concepts == two.concepts and list(one.edges()) == list(two.edges())
    assert [one.ends(row) for row in range(9)] == [two.ends(row) for row in range(9)]
    for restart in (0.15, 0.5):
        assert np.array_equal(one.walk("word7", restart).array, two.walk("word7", restart).array)
    for rows, others in ((one.adjacency, two.adjacency), (one.reversed_adjacency, two.reversed_adjacency)):
        assert all(np.array_equal(a, b) for a, b in zip(rows.arrays, others.arrays, strict=True))
        assert np.array_equal(rows.strengths, others.strengths) and rows.unit == others.unit
    assert one.top("word7").items == two.top("word7").items
    assert list(one.neighborhood("word7").edges()) == list(two.neighborhood("word7").edges())
    return one.position("word3/n") == two.position("word3/n")


@pytest.mark.parametrize(
    "chosen",
    [{}, {"directed": True}, {"split_senses": True}, {"weighted": False}, {"relations": ["IsA"]},
     {"relation_weights": {"IsA": 3.0, "UsedFor": 0}}, {"directed": True, "weighted": False, "relations": "UsedFor"}],
)  # fmt: skip
def test_the_view_that_is_mapped_is_the_one_that_was_made(place, chosen, monkeypatch):
    made = graph.view(LocalStore(place), **chosen)
    assert len(files(place)) == 1 and (made.directed or len(made.layers.bands.marks) > 4)
    monkeypatch.setattr(stored, "_made", None)  # nothing is made a second time
    assert alike(graph.view(LocalStore(place), **chosen), made)


def test_each_choice_has_a_view_of_its_own(place):
    store = LocalStore(place)
    counts = {graph.view(store, relations=[name]).edge_count for name in ("IsA", "UsedFor", "RelatedTo")}
    assert len(counts) == 3 == len(files(place))
    assert counts == {graph.view(LocalStore(place), relations=[n]).edge_count for n in ("IsA", "UsedFor", "RelatedTo")}
    for name in ("Desires", "Causes", "PartOf", "HasA", "MadeOf"):
        graph.view(store, relation_weights={name: 2.0})
    assert len(files(place)) == kept.MOST


def test_a_change_takes_what_was_kept_of_the_version_before(place):
    store = LocalStore(place)
    graph.view(store)
    (before,) = files(place)
    other = LocalStore(place)
    other.add(Fact("word7", "IsA", "newcomer"))
    assert not before.exists() and "newcomer" in graph.view(other) and "newcomer" not in graph.view(store)
    (after,) = files(place)  # a store that shows an older version keeps nothing of it
    assert "newcomer" in graph.view(LocalStore(place))
    other.compact()
    assert not after.exists()
    past = graph.view(LocalStore(place, version=1))
    assert "newcomer" not in past and not files(place)


@pytest.mark.parametrize("harm", ["cut", "flip", "first line", "empty", "foreign", "gone", "longer"])
def test_a_broken_file_is_made_anew(place, harm):
    made = graph.view(LocalStore(place))
    (path,) = files(place)
    whole = path.read_bytes()
    at = whole.index(made.adjacency.indices.tobytes())
    broken = {
        "cut": whole[: len(whole) // 2],
        "flip": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "first line": whole[:30] + b"x" + whole[31:],
        "empty": b"",
        "foreign": np.arange(50).tobytes(),
        "longer": whole + b"0",
    }
    path.unlink()
    if harm != "gone":
        path.write_bytes(broken[harm])
    assert alike(graph.view(LocalStore(place)), made)
    assert files(place)[0].read_bytes() == whole


def test_another_views_file_in_its_place_is_not_believed(place):
    made = graph.view(LocalStore(place))
    (path,) = files(place)
    graph.view(LocalStore(place), relations=["IsA"])
    (other,) = set(files(place)) - {path}
    path.write_bytes(other.read_bytes())
    assert alike(graph.view(LocalStore(place)), made)


def test_where_nothing_can_be_written_views_are_made_in_memory(place):
    (place / "cache").write_text("in the way")
    view = graph.view(LocalStore(place))
    assert view.walk("word7")["word7"] > 0 and (place / "cache").read_text() == "in the way"


def test_a_view_can_be_changed_and_the_file_stays(place):
    graph.view(LocalStore(place))
    view = graph.view(LocalStore(place))
    view.adjacency.indices[:] = 0
    assert graph.view(LocalStore(place)).adjacency.indices.any()


def test_several_processes_at_once_make_the_same_view(place):
    code = (
        "import sys; from kgmm import graph; from kgmm.store import LocalStore, kept; from kgmm.graph import build, stored\n"
        "stored.WORTH_IT = build.RENUMBER_FROM = 10\n"
        "print([n for n, _ in graph.view(LocalStore(sys.argv[1])).walk('word7').top(9)])"
    )
    jobs = [
        subprocess.Popen([sys.executable, "-c", code, str(place)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = {job.communicate(timeout=120)[0] for job in jobs}
    assert len(said) == 1 and "word7" in said.pop() and len(files(place)) == 1
    assert not list(place.glob("cache/made/**/.*"))


def test_senses_are_found_alike_by_either_way_and_when_mapped(place, monkeypatch):
    compiled, mapped = sensing.senses(LocalStore(place)), sensing.senses(LocalStore(place))
    monkeypatch.setattr(sensing, "MANY", 10**9)
    monkeypatch.setattr(kept, "WORTH_IT", 10**9)
    spelled = sensing.senses(LocalStore(place))
    names = spelled.terms.names(np.arange(len(spelled.terms)))
    names += [name.removesuffix("/n").removesuffix("/v/wn/act") for name in names] + ["/c/en/word", "x"]
    for other in (compiled, mapped):
        assert np.array_equal(other.lemma, spelled.lemma)
        assert [other.node(name) for name in names] == [spelled.node(name) for name in names]
        terms = range(len(spelled.terms))
        assert [other.kin(term) for term in terms] == [spelled.kin(term) for term in terms]
    assert any(spelled.node(name) not in (None, spelled.terms.id(name)) for name in names)


def test_a_push_in_a_hash_table_is_the_push_in_arrays(place):
    view = graph.view(LocalStore(place))
    starts, masses = np.array([3, 50]), np.array([0.25, 0.75])
    for size, threshold in ((1, 1e-3), (1, 1e-7), (9, 1e-6)):
        rows, strengths = view.adjacency.arrays, view.adjacency.unit_strengths * size
        estimate, residual = np.zeros(len(view)), np.zeros(len(view))
        residual[starts] = masses
        push(rows, strengths, estimate, residual, starts, 0.15, threshold, 10**6)
        found = push_near(rows, strengths, starts, masses, 0.15, threshold, 10**6)
        assert np.array_equal(values_of(*found, np.arange(len(view))), estimate) and estimate.any()


def test_a_push_in_a_hash_table_grows_with_what_it_reaches():
    draw = np.random.default_rng(5)
    view = GraphView.from_edges(*draw.integers(0, 9000, (2, 30_000)), weights=draw.random(30_000) + 0.1)
    rows, strengths = view.adjacency.arrays, view.adjacency.unit_strengths
    estimate, residual, starts = np.zeros(len(view)), np.zeros(len(view)), np.arange(0, 9000, 3)
    residual[starts] = 1 / len(starts)
    push(rows, strengths, estimate, residual, starts, 0.15, 1e-7, 10**7)
    found = push_near(rows, strengths, starts, np.full(len(starts), 1 / len(starts)), 0.15, 1e-7, 10**7)
    assert np.array_equal(values_of(*found, np.arange(len(view))), estimate) and np.count_nonzero(estimate) > 8000
