"""Conditions, orders and groups by columns say what they say term by term."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from kgmm.store import Fact, LocalStore
from kgmm.store.sparql.engine import conditions, evaluating, grouping, running
from kgmm.store.sparql.query import query

NAMES = [
    "hund",
    "Katze",
    "été",
    "a#b",
    "50%",
    "x y",
    "日本",
    "c(d)",
    "it's",
    "q?r",
    "z^",
    "İstanbul",
    "straße",
    "tab-2.0",
]
TEXTS = [
    '"plain"',
    '"Hund"@de',
    '"a \\"quoted\\" one"',
    '"line\\nbreak"',
    '"12"^^<http://www.w3.org/2001/XMLSchema#integer>',
]
TEXTS += ['"ÉTÉ"@fr', '"x"^^<http://e.org/t>', '"007"^^<http://www.w3.org/2001/XMLSchema#decimal>', '""', '"z"@en-gb']
THINGS = [
    *NAMES,
    "http://e.org/a%20b",
    "http://e.org/ü?q=1#f",
    "_:b1",
    "/s/kitchen",
    "scene/x",
    "urn:kgmm:r/odd",
    *TEXTS,
]
ASKED = [
    *(
        f'{f}({t}, "{p}")'
        for f in ("CONTAINS", "STRSTARTS", "STRENDS")
        for t in ("STR(?o)", "?o")
        for p in ("h", "%", "")
    ),
    'CONTAINS(LCASE(STR(?o)), "été")',
    'STRENDS(UCASE(?o), "SE")',
    'REGEX(STR(?o), "^http.*[^a-z]$")',
    'REGEX(?o, "^h", "i")',
    'REGEX(STR(?o), "(")',
    '!CONTAINS(?o, "a")',
    'CONTAINS(?o, "a") || ?o = c:hund',
    'CONTAINS(?o, "a") && !BOUND(?none)',
    "?s = ?o",
    "?s != ?o",
    "?o = c:hund || ?none = c:hund",
    "!(?o != c:hund && BOUND(?o))",
]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    store = LocalStore(tmp_path_factory.mktemp("columns") / "kb")
    store.add([Fact("hund", "RelatedTo", thing) for thing in THINGS])
    store.add([Fact(thing, "RelatedTo", thing) for thing in THINGS if not thing.startswith('"')])
    store.add([Fact(f"n{i}", "IsA", f"k{i * i % 7}") for i in range(400)])
    return store


def rows(kb: LocalStore, text: str) -> list[tuple[str | None, ...]]:
    found = query(kb, text, engine="own")
    assert not isinstance(found, bool)
    return list(found.rows)  # type: ignore[arg-type,unused-ignore]


@pytest.mark.parametrize("condition", ASKED)
def test_a_condition_holds_by_columns_where_it_holds_term_by_term(
    kb: LocalStore, condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"SELECT ?s ?o {{ ?s r:RelatedTo ?o OPTIONAL {{ ?s r:Nothing ?none }} FILTER({condition}) }}"
    found = Counter(rows(kb, text))
    monkeypatch.setattr(conditions, "truths", conditions._by_value)
    assert Counter(rows(kb, text)) == found


def test_names_read_at_once_stand_in_the_same_order(kb: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "SELECT DISTINCT ?o { ?s ?p ?o } ORDER BY DESC(?o)"
    one_by_one = rows(kb, text)
    monkeypatch.setattr(evaluating, "MANY", 0)
    assert rows(kb, text) == one_by_one
    assert len(one_by_one) > len(THINGS)


@pytest.mark.parametrize("keys", ["?o ?s", "DESC(?o) ?s", "?o DESC(?s)", "STRLEN(STR(?s)) ?o DESC(?s)"])
def test_the_first_of_an_order_are_the_first_of_all(kb: LocalStore, keys: str) -> None:
    text = f"SELECT ?s ?o {{ ?s r:IsA ?o }} ORDER BY {keys}"
    everything = rows(kb, text)
    for limit, offset in ((1, 0), (7, 3), (150, 60), (999, 0)):
        assert rows(kb, f"{text} LIMIT {limit} OFFSET {offset}") == everything[offset : offset + limit]


@pytest.mark.parametrize(
    "shown",
    [
        "(COUNT(*) AS ?n)",
        "(COUNT(DISTINCT *) AS ?n)",
        "(COUNT(?s) AS ?n) (COUNT(DISTINCT ?s) AS ?m)",
        "(MIN(?s) AS ?n)",
        "(SUM(STRLEN(STR(?s))) AS ?n) (AVG(STRLEN(STR(?s))) AS ?m)",
        "(STRLEN(GROUP_CONCAT(STR(?o))) AS ?n)",
    ],
)
def test_groups_of_counted_solutions_are_those_of_all(
    kb: LocalStore, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"SELECT ?o {shown} {{ ?s r:IsA ?o . ?x r:IsA ?o }} GROUP BY ?o"
    found = rows(kb, text)
    monkeypatch.setattr(grouping, "HELD", 50)
    assert Counter(rows(kb, text)) == Counter(found)
    assert len(found) == 4


def test_many_rows_are_spelled_as_they_are_looked_at(kb: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "SELECT ?a ?b { ?a r:IsA ?x . ?b r:IsA ?y } LIMIT 10000"
    found = query(kb, text, engine="own", limit=9999)
    assert not isinstance(found, bool)
    assert len(found) == 9999
    assert found.truncated  # type: ignore[union-attr]
    spelled: list[tuple[int, int]] = []
    block = running._Spelling.block
    monkeypatch.setattr(running._Spelling, "block", lambda self, a, b: spelled.append((a, b)) or block(self, a, b))
    found = query(kb, text, engine="own")
    rows = found.rows  # type: ignore[union-attr]
    assert spelled == []
    listed = list(rows)
    assert len(set(listed)) == len(listed) == 10000
    assert rows[-1] == listed[-1]
    assert rows[4094:4099] == tuple(listed[4094:4099])
    assert rows[9000::-3000] == tuple(listed[9000::-3000])
    assert rows[5:2] == ()
    assert rows == tuple(listed)
    with pytest.raises(IndexError):
        rows[10000]


def test_a_text_names_one_blank_node_in_a_solution_and_another_in_the_next(tmp_path: Path) -> None:
    with LocalStore(tmp_path / "kb") as kb:
        kb.add([Fact("a", "label", '"x"'), Fact("b", "label", '"x"'), Fact("b", "label", '"y"')])
        bound = 'BIND(BNODE(?l) AS ?n) BIND(BNODE("x") AS ?m) BIND(BNODE() AS ?k)'
        found = rows(kb, f"SELECT ?n ?m ?k {{ ?s r:label ?l {bound} }} ORDER BY ?l")
        assert [n == m for n, m, _ in found] == [True, True, False]
        assert len({term for row in found for term in row}) == 7
