"""Withdrawing and merging: exactly what rested on someone goes, and stores merge in any order to the same."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgmm.cli import cli
from kgmm.errors import BadInput, StoreError
from kgmm.store import Assertion, Fact, LocalStore
from kgmm.store.assertions.looking import everything
from kgmm.store.table import said

FACTS = [Fact(f"thing {n % 2}", "IsA", f"kind {n}") for n in range(4)]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "kb")


def state(kb: LocalStore) -> tuple[Any, ...]:
    """Return all that a store says: its facts with weights and sources, its assertions, live and withdrawn."""
    rows = everything(kb).with_columns(said.content())
    told = {(content, role == said.WITHDRAWN) for content, role in rows.select("content", "role").rows()}
    assert len(told) == len(rows), "an assertion is there twice"
    return set(kb.find()), told


def test_withdrawing_removes_exactly_what_rested_on_it(kb: LocalStore) -> None:
    kb.add([Fact("a", "p", "b", source="doc 1"), Fact("b", "p", "c", source="doc 2")])
    kb.add(("a", "p", "b"), contributor="ann", source="doc 3")
    kb.add(("a", "q", "c"), method="completed", rests_on=[("a", "p", "b"), ("b", "p", "c")])
    kb.add(("a", "r", "c"), method="mined", rests_on=[("a", "q", "c")])
    kb.add(("c", "p", "d"), contributor="ann", source="doc 1")
    before = state(kb)
    assert kb.withdraw(source="doc 1", contributor="ann") == 1 and kb.count("c") == 0
    assert kb.withdraw(source="doc 3") == 1, "doc 1 still says that a p b, so what rests on it stays"
    assert kb.count("a") == 3
    assert kb.withdraw(source="doc 1") == 3, "the fact, what rests on it, and what rests on that"
    assert [fact.subject for fact in kb.find()] == ["/c/en/b"]
    assert [one.withdrawn for one in kb.assertions(("a", "p", "b"), withdrawn=True)] == [True, True]
    assert kb.assertions(("a", "p", "b")) == [] and kb.check() == []
    last = kb.version
    assert set(kb.find(version=last - 3)) == before[0], "an earlier version shows it"
    assert kb.undo(last) == 3 and kb.undo(last - 1) == 1 and kb.undo(last - 2) == 1 and kb.undo(last - 2) == 0
    assert set(kb.find()) == before[0] and kb.check() == []
    assert {a.contributor for a in kb.assertions(("a", "p", "b"))} == {"", "ann"}


def test_what_stands_for_a_fact_is_replaced_when_it_is_withdrawn(kb: LocalStore) -> None:
    kb.add(Fact("a", "p", "b", 5.0, source="bad"), contributor="ann")
    kb.add(Fact("a", "p", "b", 1.0, source="good"), contributor="bob")
    assert kb.withdraw(contributor=["ann", "cem"]) == 1
    assert list(kb.find()) == [Fact("a", "p", "b", 1.0, source="good")] and kb.check() == []
    assert kb.withdraw(contributor="ann") == 0, "once is enough"
    assert kb.add(Fact("a", "p", "b", 5.0, source="bad"), contributor="ann") == 1, "they may say it anew"
    assert sorted(a.again for a in kb.assertions(("a", "p", "b"), withdrawn=True)) == [0, 0, 1]


def test_nobody_cannot_be_withdrawn(kb: LocalStore) -> None:
    for wrong in [{}, {"contributor": ""}, {"source": []}, {"contributor": 3}, {"source": ["x", ""]}]:
        with pytest.raises(BadInput):
            kb.withdraw(**wrong)
    kb.add(FACTS[0])
    with pytest.raises(StoreError, match="withdrew nothing"):
        kb.undo(1)


said_of = st.builds(
    Assertion,
    st.builds(
        lambda fact, weight, source: Fact(fact.subject, fact.predicate, fact.object, weight, source=source),
        st.sampled_from(FACTS),
        st.sampled_from([1.0, 2.0]),
        st.sampled_from(["", "doc"]),
    ),
    st.sampled_from(["", "ann", "bob"]),
    st.sampled_from([1, 1, -1]),
    valid=st.sampled_from([None, ("2019", None), ("2020", "2021")]),
    rests_on=st.sampled_from([(), (), (FACTS[0],)]),
)
acts = st.one_of(
    st.tuples(st.just("add"), st.lists(said_of, min_size=1, max_size=4)),
    st.tuples(st.just("withdraw"), st.sampled_from(["ann", "bob"])),
    st.tuples(st.just("remove"), st.sampled_from(FACTS)),
)
lives = st.lists(acts, max_size=4)


def lived(folder: Path, life: list[tuple[str, Any]]) -> LocalStore:
    kb = LocalStore(folder)
    for act, what in life:
        if act == "add":
            kb.add(what)
        elif act == "withdraw":
            kb.withdraw(contributor=what)
        else:
            kb.remove(what.subject, what.predicate, what.object)
    return kb


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(lives, lives, lives))
def test_merging_is_commutative_associative_and_idempotent(three: tuple[Any, Any, Any]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        stores = [lived(folder / f"kb {n}", life) for n, life in enumerate(three)]
        whole = [
            _merged(folder / f"all {n}", [stores[at] for at in order]) for n, order in enumerate([(0, 1, 2), (2, 1, 0)])
        ]
        later = _merged(folder / "later", [stores[1], stores[2]])
        nested = _merged(folder / "nested", [stores[0], later])
        assert state(whole[0]) == state(whole[1]) == state(nested)
        version = whole[0].version
        for kb in (*stores, nested, whole[0]):
            whole[0].merge(kb)
        assert state(whole[0]) == state(nested) and whole[0].version == version, "again changes nothing"
        for kb in whole:
            assert kb.check() == []
    finally:
        shutil.rmtree(folder)


def _merged(folder: Path, stores: list[Any]) -> LocalStore:
    first, *others = stores
    shutil.copytree(first.path, folder)
    kb = LocalStore(folder)
    for other in others:
        kb.merge(other.path)
    return kb


def test_merging_bare_stores_keeps_both_sources(tmp_path: Path) -> None:
    a, b = LocalStore(tmp_path / "a"), LocalStore(tmp_path / "b")
    a.add([Fact("dog", "IsA", "animal", 1.0, source="one"), ("cat", "IsA", "animal")])
    b.add([Fact("dog", "IsA", "animal", 2.0, source="two"), ("cow", "IsA", "animal")])
    done = a.merge(b)
    assert (done.added, done.withdrawn, done.facts, len(a)) == (2, 0, 2, 3)
    assert a.find("dog")[0] == Fact("dog", "IsA", "animal", 2.0, source="two"), "the weightier stands for it"
    assert [one.source for one in a.assertions(("dog", "IsA", "animal"))] == ["two", "one"] and a.check() == []
    assert not a.merge(b).added and not a.merge(a).added


def test_conflicts_of_merged_stores_are_listed(tmp_path: Path) -> None:
    a, b = LocalStore(tmp_path / "a"), LocalStore(tmp_path / "b")
    for kb, town in ((a, "bonn"), (b, "berlin")):
        kb.functional("CapitalOf")
        kb.add(("germany", "CapitalOf", town), valid=("1990", None), contributor=town)
    b.add(("germany", "CapitalOf", "bonn"), polarity=-1, contributor="berlin")
    assert a.conflicts() == [] and a.merge(b).added == 2
    assert sorted(conflict.kind for conflict in a.conflicts()) == ["functional", "polarity"]


def test_what_cannot_be_merged_is_one_clear_error(kb: LocalStore, tmp_path: Path) -> None:
    for wrong in [3, "http://example.org/sparql"]:
        with pytest.raises(BadInput):
            kb.merge(wrong)  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        kb.merge(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_random_merges_of_many_facts_agree(tmp_path: Path) -> None:
    """Enough facts that look-ups take the way for many."""
    from kgmm.store.index import held

    chance, stores = random.Random(5), [LocalStore(tmp_path / name) for name in "ab"]
    few, held.MANY = held.MANY, 10
    try:
        for kb in stores:
            rows = [
                Assertion(
                    Fact(f"s {chance.randrange(40)}", "p", f"o {chance.randrange(3)}"), f"c {chance.randrange(3)}"
                )
                for _ in range(150)
            ]
            kb.add(rows[:100])
            kb.compact()
            kb.add(rows[100:])
            kb.withdraw(contributor="c 1")
        ours = _merged(tmp_path / "one", stores)
        theirs = _merged(tmp_path / "other", stores[::-1])
        assert state(ours) == state(theirs) and ours.check() == theirs.check() == []
    finally:
        held.MANY = few


def test_commands(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    run("add", a, "dog", "IsA", "animal", "--contributor", "ann")
    run("add", b, "dog", "IsA", "plant", "--contributor", "bob")
    assert "1 assertions added" in run("merge", a, b)
    assert "1 assertions withdrawn" in run("withdraw", a, "--contributor", "bob")
    assert LocalStore(a).count() == 1
    assert "1 facts" in run("undo", a, "3") and LocalStore(a).count() == 2
