"""Every kind of store knows what lies around concepts, by one interface: here, or behind an endpoint."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgmm.errors import BadInput
from kgmm.knowledge import KnowledgeStore
from kgmm.remote_knowledge import RemoteKnowledge
from kgmm.store import Fact, LocalStore
from kgmm.store.remote.endpoint import RemoteStore

from .test_remote import ours

KINDS = (LocalStore, KnowledgeStore, RemoteStore, RemoteKnowledge)
FACTS = [
    *(Fact(f"step {i}", "RelatedTo", f"step {i + 1}", 1 + i / 8, source=f"s{i}") for i in range(12)),
    *(Fact("hub", "Has", f"part {i}", 0.5 + i, "parts") for i in range(40)),
    Fact("step 3", "IsA", "hub", 0.25),
    Fact("step 3", "born", '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
    Fact("someone else", "born", '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
    Fact("step 3", "label", '"Schritt \\"3\\""@de'),
    Fact("http://example.org/a", "http://example.org/p", "step 3"),
    Fact("far", "RelatedTo", "away"),
]
Store = LocalStore | RemoteStore


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("kb")
    kb = request.param(folder / "kb") if issubclass(request.param, LocalStore) else LocalStore(folder / "kb")
    kb.add(FACTS)
    if issubclass(request.param, LocalStore):
        yield kb
    else:
        for url in ours(kb, folder):
            yield request.param(url)


def within(seeds: set[str], hops: int) -> set[Fact]:
    """The facts within some hops, by the book."""
    reached, found = set(seeds), set[Fact]()
    for _ in range(hops):
        found |= {f for f in FACTS if reached & {f.subject, f.object}}
        reached |= {end for f in found for end in (f.subject, f.object)}
    return found


def test_the_interface_is_one() -> None:
    for name in ("neighborhood", "excerpt"):
        told = {
            tuple((p.name, p.default) for p in inspect.signature(getattr(kind, name)).parameters.values())[1:]
            for kind in KINDS
        }
        assert len(told) == 1, name


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "seeds", ["step 3", ["step 5", "part 7"], '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>', "nothing"]
)
def test_it_is_what_can_be_reached_in_so_many_hops(seeds: str | list[str], hops: int, store: Store) -> None:
    nodes = {
        f"/c/en/{s.replace(' ', '_')}" if s[0] != '"' else s for s in ([seeds] if isinstance(seeds, str) else seeds)
    }
    found = list(store.neighborhood(seeds, hops=hops, limit=500))
    assert len(found) == len(set(found)) and set(found) == within(nodes, hops)


def test_nearer_and_weightier_facts_come_first_and_a_limit_keeps_those(store: Store) -> None:
    found = list(store.neighborhood("step 3", hops=2))
    near = within({"/c/en/step_3"}, 1)
    assert set(found[: len(near)]) == near
    for part in (found[: len(near)], found[len(near) :]):
        assert [f.weight for f in part] == sorted((f.weight for f in part), reverse=True)
    strongest = [f.object for f in store.neighborhood("hub", hops=1, limit=3)]
    assert strongest == ["/c/en/part_39", "/c/en/part_38", "/c/en/part_37"]
    assert not len(store.neighborhood("hub", limit=0))


def test_it_is_a_result_like_any_other(store: Store) -> None:
    found = store.neighborhood("step 3", hops=1)
    assert found.to_polars().height == len(found) == len(list(found))
    assert found[0] in FACTS and found.ids.weight.tolist() == [f.weight for f in found]


def test_an_excerpt_is_a_local_store_of_it(store: Store, tmp_path: Path) -> None:
    with store.excerpt("step 3", tmp_path / "copy", hops=2) as copy:
        assert isinstance(copy, LocalStore) and set(copy.find()) == set(store.neighborhood("step 3", hops=2))


@pytest.mark.parametrize("wrong", [{"hops": -1}, {"limit": -1}, {"seeds": ["dog", " "]}, {"seeds": ""}])
def test_what_is_no_neighborhood_is_told(wrong: dict[str, object], store: Store, tmp_path: Path) -> None:
    given = {"seeds": "step 3", **wrong}
    with pytest.raises(BadInput, match="neighborhood"):
        store.neighborhood(**given)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="neighborhood"):
        store.excerpt(path=tmp_path / "kb", **given)  # type: ignore[arg-type]
    assert not (tmp_path / "kb").exists()
