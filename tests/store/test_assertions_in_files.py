"""What is said of facts is written to files and read back: the same assertions, whatever the format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.store import Assertion, Fact, LocalStore
from kgmm.store.assertions.looking import everything
from kgmm.store.table import said

TEXTS = st.one_of(
    st.sampled_from(
        ["", "ann", "http://example.org/a?b=c#d", 'said "so"', "a\tb\nc\\d", "RA" + "x" * 43, "urn:kgmm:method/x"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=6),
)
TIMES = st.sampled_from(
    [
        "1949",
        "1949-05",
        "1949-05-23",
        "1949-05-23T10",
        "1949-05-23T10:30Z",
        "1949-05-23T10:30:05Z",
        "-0043",
        "0000",
        "+12019-02",
    ]
)
SPANS = st.one_of(
    st.none(),
    TIMES.map(lambda t: (t, None)),
    TIMES.map(lambda t: (None, t)),
    TIMES.map(lambda t: (t, t)),
    st.just(("-0043", "1949")),
)
NODES = st.sampled_from(
    [
        "/c/en/dog",
        "/c/en/a|b",
        "/c/de/käse",
        "http://example.org/x",
        "http://www.wikidata.org/entity/Q42",
        "/s/desk/1",
        "scene/1",
    ]
)
OBJECTS = st.one_of(
    NODES,
    st.sampled_from(
        [
            '"Hund"@de',
            '"a|b \\"c\\" \'d\'"@en',
            '"plain"',
            '"7"^^<http://www.w3.org/2001/XMLSchema#integer>',
            '"1949"^^<http://www.w3.org/2001/XMLSchema#gYear>',
            '"x"^^<http://example.org/t>',
            '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>',
            '"line\\nend\\\\"',
        ]
    ),
)
RELATIONS = st.sampled_from(["IsA", "CapitalOf", "http://www.wikidata.org/prop/direct/P36", "http://example.org/p#q"])
FACTS = st.builds(
    Fact,
    NODES,
    RELATIONS,
    OBJECTS,
    st.sampled_from([1.0, 0.5, 2.25]),
    st.sampled_from(["facts", "scene/1", "http://e.org/g"]),
    TEXTS,
)
RESTS = st.sampled_from(
    [
        (),
        (("/c/en/a", "IsA", '"b|c"', "facts"),),
        (("/c/en/a", "IsA", "/c/en/b", "g"), ("/c/en/c", "r", "/c/en/d", "g")),
    ]
)
ASSERTIONS = st.one_of(
    st.builds(Assertion, FACTS),
    st.builds(Assertion, FACTS, text=TEXTS),
    st.builds(
        Assertion,
        FACTS,
        TEXTS,
        st.sampled_from([1, 1, -1]),
        st.one_of(st.none(), st.floats(0, 1)),
        SPANS,
        st.one_of(st.sampled_from(["told", "mined", "loaded"]), TEXTS),
        TEXTS,
        TEXTS,
        RESTS,
    ),
)
WAYS = [
    *((ending, {}) for ending in ("nq", "nt", "ttl", "trig", "jsonld", "rdf", "jsonl", "kgtk", "parquet")),
    *((ending, {"rdf12": True}) for ending in ("nq", "nt", "ttl", "trig")),
    ("trig", {"format": "nanopub"}),
]
FLAT = ("nt", "ttl", "rdf")


def held(kb: LocalStore) -> set[tuple[object, ...]]:
    """What a store holds, row by row: what is said, and which row stands for its fact."""
    rows = everything(kb)
    rows = rows.filter(rows["role"].fill_null("") != said.WITHDRAWN)
    return set(rows.select(*said.CONTENT, "role").unique().iter_rows())


@pytest.mark.parametrize(("ending", "how"), WAYS)
@settings(max_examples=10, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(told=st.lists(ASSERTIONS, min_size=1, max_size=6))
def test_every_assertion_comes_back(ending: str, how: dict[str, object], told: list[Assertion]) -> None:
    if ending in FLAT:
        told = [replace(one, fact=replace(one.fact, graph="facts")) for one in told]
    with TemporaryDirectory() as folder, LocalStore(f"{folder}/kb") as kb, LocalStore(f"{folder}/again") as again:
        for one in told:
            kb.add(one)
        kb.export(f"{folder}/out.{ending}", **how)  # type: ignore[arg-type]
        report = again.load(f"{folder}/out.{ending}", graph="facts" if ending in FLAT else None)
        assert report.rejected == 0
        assert held(again) == held(kb)
        assert set(again.find()) == set(kb.find())
        assert kb.load(f"{folder}/out.{ending}", graph="facts" if ending in FLAT else None).added == 0
        assert again.check() == []


def test_what_was_withdrawn_is_not_written_and_a_moment_is(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    kb.add(("bonn", "CapitalOf", "germany"), contributor="ann", valid=("1949", "1990"))
    kb.add(("bonn", "CapitalOf", "germany"), contributor="eve", valid=("2020", None))
    kb.add(("berlin", "CapitalOf", "germany"), contributor="bob", valid=("1990", None))
    kb.withdraw(contributor="bob")
    kb.export(tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["contributor"] for line in lines] == ["ann", "eve"]
    kb.as_of("1960").export(tmp_path / "then.jsonl")
    (line,) = (tmp_path / "then.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "subject": "/c/en/bonn",
        "predicate": "CapitalOf",
        "object": "/c/en/germany",
        "contributor": "ann",
        "from": "1949",
        "to": "1990",
        "method": "told",
    }


def test_lines_that_are_no_facts_are_rejected_alone(tmp_path: Path) -> None:
    good = {"head": "dog", "relation": "IsA", "tail": "pet", "weight": "2", "contributor": "ann", "from": 2001}
    bad = [
        {**good, "from": "soon"},
        {**good, "polarity": "maybe"},
        {**good, "confidence": 7},
        {**good, "tail": ["a"]},
        {**good, "rests_on": "x"},
        {"head": "dog"},
        [1],
    ]
    text = "\n".join([json.dumps(good), *map(json.dumps, bad), "{", json.dumps({**good, "head": "cat"})])
    (tmp_path / "a.jsonl").write_text(text)
    kb = LocalStore(tmp_path / "kb")
    report = kb.load(tmp_path / "a.jsonl")
    assert (report.format, report.added, report.rejected) == ("jsonl", 2, 8)
    (one,) = kb.assertions(("dog", "IsA", "pet"))
    assert (one.contributor, one.valid, one.fact.weight) == ("ann", ("2001", None), 2.0)


@pytest.mark.parametrize("format", ["turtle", "nanopub", "kgtk"])
def test_what_a_format_cannot_say_is_one_clear_error(format: str, tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    if format == "turtle":
        with pytest.raises(BadInput, match="no annotations of RDF"):
            kb.export(tmp_path / "out.jsonld", rdf12=True)
        return
    kb.add(Fact("_:b0", "IsA", "dog") if format == "nanopub" else Fact("dog", "IsA", "/c/en/a\tb"))
    with pytest.raises(BadInput, match=f"cannot be said in {format}"):
        kb.export(tmp_path / "out", format)
    assert not (tmp_path / "out").exists()
