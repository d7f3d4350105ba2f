"""What a store does for one who uses it: facts, loads, rejects, search, neighbourhoods."""

from __future__ import annotations

import gzip
import json
from dataclasses import astuple
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from kgmm.cli import cli
from kgmm.errors import BadInput, StoreError
from kgmm.store import Fact, LocalStore
from kgmm.store.formats import ReadOptions, Rejects, conceptnet
from kgmm.store.formats import _conceptnet_dump as dump
from kgmm.store.index import encoding, found
from kgmm.store.index.spans import Spans


def line(relation: str, start: str, end: str, about: str) -> str:
    return f"/a/[/r/{relation}/,{start}/,{end}/]\t/r/{relation}\t{start}\t{end}\t{about}\n"


def about(weight: float = 1.0, surface: str | None = None, source: str = "/d/wiktionary/en") -> str:
    more = {"dataset": source, "license": "cc:by-sa/4.0", "sources": [{"contributor": "/s/x"}], "weight": weight}
    return json.dumps(more | ({"surfaceText": surface} if surface else {}))


DUMP = [
    line("IsA", "/c/en/dog", "/c/en/animal", about(2.5, "[[a dog]] is an [[animal]]")),
    line("IsA", "/c/de/hund", "/c/de/tier", about(1.0)),
    line("Synonym", "/c/en/dog", "/c/de/hund", about(0.1, 'a "quoted" text')),
    line("RelatedTo", "/c/en/ünï", "/c/en/dog", about(1e-05)),
    "one\ttwo\tthree\n",
    "\n",
    line("IsA", "dog", "/c/en/animal", about()),
    line("IsA", "/c/en/dog", "/c/en/pet", "not json"),
    "/a/x\tIsA\t/c/en/dog\t/c/en/pet\t{}\n",
    line("IsA", "/c/en/dog", "/c/en/mammal", "{}"),
]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "kb")


@pytest.fixture
def dumped(tmp_path: Path) -> Path:
    path = tmp_path / "dump.csv"
    path.write_text("".join(DUMP), "utf-8")
    return path


@pytest.mark.parametrize("lang", [None, "en"])
def test_compiled_parser_gives_what_the_reader_gives(dumped: Path, lang: str | None) -> None:
    def rows(parts: list[object]) -> tuple[set[tuple[object, ...]], list[int]]:
        names = ["subject", "predicate", "object", "weight", "source", "surface"]
        found, lines = set(), []
        for part in parts:
            if isinstance(part, Rejects):
                lines += part.lines
            else:
                batch = part.to_batch() if isinstance(part, Spans) else part
                found |= set(zip(*(batch[n].to_pylist() for n in names), strict=True))
        return found, sorted(lines)

    compiled = rows(list(dump.read(dumped, lang, lambda *a: None)))
    assert compiled == rows(list(conceptnet.by_columns(dumped, ReadOptions(lang))))
    assert compiled[1] == [5, 7, 8, 9]


@pytest.mark.parametrize("packed", [False, True])
def test_dump_is_loaded_with_weight_source_and_rejects(
    kb: LocalStore, dumped: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BULK", 3)
    monkeypatch.setattr(conceptnet, "COMPILED", 0)
    if packed:
        dumped = Path(f"{dumped}.gz")
        dumped.write_bytes(gzip.compress("".join(DUMP).encode()))
    report = kb.load(dumped)
    assert (report.read, report.added, report.rejected, report.version) == (9, 5, 4, 1)
    assert report.rejects is not None
    assert Path(report.rejects).read_text("utf-8").splitlines()[1].startswith("5\texpected 5 columns")
    assert list(kb.find("dog", "IsA", "animal")) == [Fact("dog", "IsA", "animal", 2.5, source="/d/wiktionary/en")]
    assert kb.find("/c/en/ünï")[0].weight == 1e-05
    table = pl.read_delta(str(kb.places.table))
    assert table.filter(pl.col("object") == "/c/de/hund")["surface"].to_list() == ['a "quoted" text']
    again = kb.load(dumped)
    assert (again.added, again.duplicates, again.version) == (0, 5, 1)
    assert kb.check() == []


def test_bulk_load_into_a_store_with_facts_keeps_their_ids(
    kb: LocalStore, dumped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb.add([Fact("zebra", "IsA", "animal"), Fact("dog", "IsA", "animal", 9, source="me")])
    ids = {name: kb.terms.id(name) for name in ("/c/en/zebra", "/c/en/dog", "IsA")}
    monkeypatch.setattr(encoding, "BULK", 1)
    assert kb.load(dumped).added == 4
    assert {name: kb.terms.id(name) for name in ids} == ids
    assert kb.find("dog", "IsA", "animal")[0].source == "me", "the fact that was there first stays"
    assert kb.check() == []


def test_strict_load_leaves_nothing(kb: LocalStore, dumped: Path) -> None:
    with pytest.raises(BadInput, match="4 lines cannot be used, nothing was loaded"):
        kb.load(dumped, strict=True)
    assert (len(kb), kb.version) == (0, 0)


def test_remove_needs_a_pattern(kb: LocalStore) -> None:
    with pytest.raises(StoreError, match="needs a subject"):
        kb.remove()


@pytest.mark.parametrize(
    "fact",
    [
        ("", "IsA", "b"),
        ("a", "", "b"),
        ("a", "IsA", "b", float("nan")),
        ("a\ud800", "IsA", "b"),
        ('"a"', "IsA", "b"),
        ("a", "IsA"),
        "abc",
        (1, 2, 3),
    ],
)
def test_what_is_no_fact_is_told_and_nothing_added(kb: LocalStore, fact: object) -> None:
    with pytest.raises(BadInput):
        kb.add([("cat", "IsA", "animal"), fact])
    assert (len(kb), kb.version) == (0, 0)


def test_what_is_no_spelling_of_a_term_is_told(kb: LocalStore) -> None:
    for wrong in (" ", 5, ["dog"]):
        with pytest.raises(BadInput, match="pattern"):
            kb.find(wrong)  # type: ignore[arg-type]


def test_unknown_terms_find_nothing(kb: LocalStore) -> None:
    kb.add([Fact("dog", "IsA", "animal")])
    assert len(kb.find("cat")) == kb.count(graph="elsewhere") == 0
    assert kb.concept("IsA") is None


def test_search_and_near_follow_additions(kb: LocalStore) -> None:
    kb.add([Fact("giraffe", "IsA", "animal"), Fact("ice cream", "IsA", "food"), Fact("ice cream", "UsedFor", "eat")])
    assert kb.search("ice") == ["/c/en/ice_cream"]
    kb.add([Fact("ice cube", "IsA", "ice")])
    assert kb.search("ice")[0] == "/c/en/ice_cream", "it has most facts"
    assert sorted(kb.search("ice")) == ["/c/en/ice", "/c/en/ice_cream", "/c/en/ice_cube"]
    assert kb.near("girafe") == ["/c/en/giraffe"]
    assert kb.near("igraffe") == ["/c/en/giraffe"]
    assert kb.near("zzzzzz") == []


def test_neighborhood_takes_nearer_and_stronger_edges_first(kb: LocalStore) -> None:
    kb.add([Fact("a", "IsA", f"b{i}", weight=i + 1) for i in range(5)])
    kb.compact()
    kb.add([Fact("b4", "IsA", "c", weight=99), Fact("d", "IsA", "a", weight=9), Fact("x", "IsA", "y", weight=50)])
    kb.remove("a", "IsA", "b3")
    seed = kb.terms.ids(["/c/en/a"])
    found = kb.neighborhood_ids(seed, hops=2, limit=100)
    ends = list(zip(kb.terms.names(found.subject), kb.terms.names(found.object), strict=True))
    assert ends == [
        ("/c/en/d", "/c/en/a"),
        ("/c/en/a", "/c/en/b4"),
        ("/c/en/a", "/c/en/b2"),
        ("/c/en/a", "/c/en/b1"),
        ("/c/en/a", "/c/en/b0"),
        ("/c/en/b4", "/c/en/c"),
    ]
    assert kb.neighborhood_ids(seed, 2, 2).weight.tolist() == [9.0, 5.0]
    assert len(kb.neighborhood_ids(np.array([-1]), 2, 5).subject) == 0


def test_commands_speak_json(tmp_path: Path) -> None:
    (tmp_path / "facts.tsv").write_text("dog\tIsA\tanimal\nbroken\n", "utf-8")
    place = str(tmp_path / "kb")

    def run(*arguments: str) -> dict[str, object]:
        done = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0
        return dict(json.loads(done.stdout))

    loaded = run("load", place, str(tmp_path / "facts.tsv"), "--format", "tabular")
    assert (loaded["facts"], loaded["version"]) == (1, 1)
    assert run("add", place, "cat", "IsA", "animal")["added"] == 1
    assert run("find", place, "-", "IsA", "animal", "--limit", "1")["count"] == 2
    assert run("remove", place, "cat")["removed"] == 1
    assert run("check", place)["repaired"] == []
    run("compact", place)
    versions = run("info", place)["versions"]
    assert [entry["operation"] for entry in versions][:4] == ["create", "load", "add", "remove"]  # type: ignore[index, attr-defined]


def test_frames_and_slices_hold_what_iteration_gives(kb: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    kb.add([Fact(f"a{i}", "IsA", f"ünï {i % 7}", i / 4, f"g{i % 3}", f"source {i}") for i in range(300)])
    kb.compact()
    kb.add([Fact("a1", "IsA", '"text"@en', 2, "late", "me"), Fact("z", "UsedFor", "a1")])
    kb.add([Fact("b", "IsA", f"c{i}") for i in range(4)])
    kb.remove("a2")
    facts = kb.find(predicate="IsA")
    rows = [astuple(fact) for fact in facts]
    assert len(rows) == len(facts) == 304
    assert [astuple(facts[i]) for i in range(len(facts))] == rows
    assert [astuple(fact) for fact in facts[7:290:9]] == rows[7:290:9]
    for most in (found.MANY, 1):
        monkeypatch.setattr(found, "MANY", most)
        assert facts.to_polars().rows() == rows
    nothing = kb.find("nothing").to_polars()
    assert (nothing.height, nothing.schema) == (0, facts.to_polars().schema)


def test_a_pandas_frame_holds_what_iteration_gives(kb: LocalStore) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    kb.add([Fact(f"a{i}", "IsA", "b", i / 4, "g", "me") for i in range(5)])
    frame = kb.find().to_pandas()
    assert list(frame.itertuples(index=False, name=None)) == [astuple(fact) for fact in kb.find()]
    assert list(kb.find("nothing").to_pandas().columns) == list(frame.columns)
