"""The store against a plain dictionary of sets, under random changes, reopenings and compactions."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kgmm.store import Fact, LocalStore, replay

words = st.sampled_from(["dog", "cat", "ice cream", "/c/de/hund", "http://example.org/x", "ünïcode", "a", "b"])
objects = words | st.sampled_from(['"42"^^<http://www.w3.org/2001/XMLSchema#integer>', '"Hund"@de', '"a b"'])
relations = st.sampled_from(["IsA", "UsedFor", "http://example.org/p"])
graphs = st.sampled_from(["facts", "scene/1"])
facts = st.builds(
    Fact, words, relations, objects, st.sampled_from([1.0, 0.1, 2.5]), graphs, st.sampled_from(["", "me", "you"])
)
Key = tuple[str, str, str, str]


def key(fact: Fact) -> Key:
    return fact.subject, fact.predicate, fact.object, fact.graph


class StoreAgainstOracle(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.kb = LocalStore(self.folder / "kb")
        self.oracle: dict[Key, Fact] = {}
        self.past: dict[int, set[Fact]] = {0: set()}
        self.ids: dict[str, int] = {}

    @rule(new=st.lists(facts, max_size=8))
    def add(self, new: list[Fact]) -> None:
        before = len(self.oracle)
        for fact in new:
            self.oracle.setdefault(key(fact), fact)
        assert self.kb.add(new) == len(self.oracle) - before

    @rule(s=st.none() | words, p=st.none() | relations, o=st.none() | objects, g=graphs)
    def remove(self, s: str | None, p: str | None, o: str | None, g: str) -> None:
        gone = [k for k in self.oracle if self.fits(k, s, p, o, g)]
        assert self.kb.remove(s, p, o, graph=g) == len(gone)
        for k in gone:
            del self.oracle[k]

    @rule(rows=st.lists(st.tuples(words, relations, words), min_size=1, max_size=5, unique=True))
    def load(self, rows: list[tuple[str, str, str]]) -> None:
        path = self.folder / "facts.tsv"
        path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
        report = self.kb.load(path, graph="facts", format="tabular")
        before = len(self.oracle)
        for row in rows:
            self.oracle.setdefault(key(Fact(*row)), Fact(*row))
        assert report.added == len(self.oracle) - before

    @rule()
    def reopen(self) -> None:
        self.kb.close()
        self.kb = LocalStore(self.folder / "kb")

    @rule()
    def lose_the_index(self) -> None:
        shutil.rmtree(self.folder / "kb" / "index")
        self.kb = LocalStore(self.folder / "kb")

    @rule()
    def compact(self) -> None:
        self.kb.compact()

    @rule(s=st.none() | words, p=st.none() | relations, o=st.none() | objects, g=st.none() | graphs)
    def find(self, s: str | None, p: str | None, o: str | None, g: str | None) -> None:
        wanted = {fact for k, fact in self.oracle.items() if self.fits(k, s, p, o, g)}
        found = self.kb.find(s, p, o, graph=g)
        assert set(found) == wanted
        assert len(found) == len(wanted) == self.kb.count(s, p, o, graph=g)
        assert list(found)[1:] == found[1:]

    @rule(data=st.data())
    def open_the_past(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from(sorted(self.past)))
        with LocalStore(self.folder / "kb", version=version) as then:
            assert set(then.find()) == self.past[version]

    @rule()
    def check(self) -> None:
        assert self.kb.check() == []

    @invariant()
    def holds_the_same(self) -> None:
        kb = self.kb
        assert len(kb) == len(self.oracle)
        for column, place in ((kb.relations(), 1), (kb.graphs(), 3)):
            values = [k[place] for k in self.oracle]
            assert column == {value: values.count(value) for value in values}
        columns = kb.columns()
        assert len(columns.subject) == len(self.oracle)
        for name, i in self.ids.items():
            assert kb.terms.id(name) == i, "an id changed"
        self.ids |= {name: i for i, name in enumerate(kb.terms.names(np.arange(len(kb.terms))))}
        self.past[kb.version] = set(self.oracle.values())

    @staticmethod
    def fits(k: Key, s: str | None, p: str | None, o: str | None, g: str | None) -> bool:
        asked = Fact(s or "x", p or "x", o or "x")
        return (
            (s is None or k[0] == asked.subject)
            and (p is None or k[1] == asked.predicate)
            and (o is None or k[2] == asked.object)
            and (g is None or k[3] == g)
        )

    def teardown(self) -> None:
        self.kb.close()
        shutil.rmtree(self.folder)


class StoreWithoutOverlay(StoreAgainstOracle):
    """Every change goes through a new base."""

    def __init__(self) -> None:
        self.kept, replay.OVERLAY_ROWS = replay.OVERLAY_ROWS, 0
        super().__init__()

    def teardown(self) -> None:
        replay.OVERLAY_ROWS = self.kept
        super().teardown()


_settings = settings(max_examples=5, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
TestStoreAgainstOracle = StoreAgainstOracle.TestCase
TestStoreAgainstOracle.settings = _settings
TestStoreWithoutOverlay = StoreWithoutOverlay.TestCase
TestStoreWithoutOverlay.settings = settings(_settings, max_examples=2)
