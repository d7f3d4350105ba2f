"""Tables of facts: ConceptNet's dump, plain columns, relation first, KGTK."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.language.names import is_literal
from kgmm.store import LocalStore
from kgmm.store.formats import ReadOptions, Rejects, detect
from kgmm.store.formats import kgtk as kgtk_format

from .writers import write

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzéßøж猫", min_size=1, max_size=8)
CONCEPTS = st.builds(
    lambda lang, words: f"/c/{lang}/{'_'.join(words)}",
    st.sampled_from(["en", "de"]),
    st.lists(LETTERS, min_size=1, max_size=3),
)
RELATIONS = st.sampled_from(["IsA", "UsedFor", "AtLocation", "NotCapableOf"])
WEIGHTS = st.floats(0.01, 1000).map(lambda w: round(w, 3))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


def read(path: Path, name: str, **options: str) -> tuple[list[dict[str, object]], list[int]]:
    found = detect(path)
    assert name == found.NAME
    rows: list[dict[str, object]] = []
    bad: list[int] = []
    for part in found.read(path, ReadOptions(**options)):  # type: ignore[arg-type]
        if isinstance(part, Rejects):
            bad += part.lines
        else:
            rows += part.to_pylist()
    return rows, bad


def quadruple(row: dict[str, object]) -> tuple[object, ...]:
    return row["subject"], row["predicate"], row["object"], row["weight"]


FACTS = st.lists(st.tuples(CONCEPTS, RELATIONS, CONCEPTS, WEIGHTS), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(facts=FACTS, surface=TEXTS, packed=st.booleans())
def test_conceptnet_dump_comes_back_with_weight_source_and_surface(
    facts: list[tuple[str, str, str, float]], surface: str, packed: bool
) -> None:
    about = {"dataset": "/d/conceptnet/4/en", "license": "cc", "surfaceText": surface}
    lines = [f"/a/[/r/{p}/,{s}/,{o}/]\t/r/{p}\t{s}\t{o}\t" + json.dumps({**about, "weight": w}) for s, p, o, w in facts]
    text = ("\n".join(lines) + "\n").encode()
    with TemporaryDirectory() as folder:
        path = write(Path(folder), "dump.csv", gzip.compress(text) if packed else text)
        rows, bad = read(path, "conceptnet")
    assert not bad
    assert [quadruple(row) for row in rows] == facts
    assert {row["source"] for row in rows} == {"/d/conceptnet/4/en"}
    assert {row["surface"] or "" for row in rows} == {surface}


def test_conceptnet_keeps_one_language_and_web_addresses(tmp_path: Path) -> None:
    ends = [("/c/en/dog", "/c/en/pet"), ("/c/en/dog", "/c/de/hund"), ("/c/en/dog", "http://dbpedia.org/resource/Dog")]
    text = "".join(f"/a/x\t/r/RelatedTo\t{s}\t{o}\t{{}}\n" for s, o in ends)
    rows, _ = read(write(tmp_path, "a.csv", text), "conceptnet", lang="en")
    assert [row["object"] for row in rows] == ["/c/en/pet", "http://dbpedia.org/resource/Dog"]
    assert {row["weight"] for row in rows} == {1.0}


def test_malformed_dump_lines_are_rejected_with_their_numbers(tmp_path: Path) -> None:
    good = b'/a/x\t/r/IsA\t/c/en/dog\t/c/en/pet\t{"weight": 2.0}\n'
    bad = [
        b"/a/x\t/r/IsA\t/c/en/dog\n",
        b"/a/x\tIsA\t/c/en/dog\t/c/en/pet\t{}\n",
        b'/a/x\t/r/IsA\t/c/en/dog\t/c/en/pet\t{"weight": "many"}\n',
        b"/a/x\t/r/IsA\t/c/en/d\xffg\t/c/en/pet\t{}\n",
        b"/a/x\t/r/IsA\t/c/en/d\0g\t/c/en/pet\t{}\n",
    ]
    rows, rejected = read(write(tmp_path, "a.csv", good + good.join(bad) + good), "conceptnet")
    assert len(rows) == 6
    assert sorted(rejected) == [2, 4, 6, 8, 10]


@settings(max_examples=60, deadline=None)
@given(facts=FACTS, layout=st.sampled_from(["plain", "relation first", "comma", "header"]))
def test_plain_tables_come_back_whichever_column_holds_the_relation(
    facts: list[tuple[str, str, str, float]], layout: str
) -> None:
    mark = "," if layout == "comma" else "\t"
    rows = [(p, s, o, w) if layout == "relation first" else (s, p, o, w) for s, p, o, w in facts]
    head = "subject\trelation\tobject\tweight\n" if layout == "header" else ""
    text = head + "".join(mark.join(map(str, row)) + "\n" for row in rows)
    name = "conceptnet100k" if layout == "relation first" else "tabular"
    with TemporaryDirectory() as folder:
        found, bad = read(write(Path(folder), "facts.txt", text), name)
    assert not bad
    assert [quadruple(row) for row in found] == facts


def test_words_become_concepts(tmp_path: Path) -> None:
    rows, bad = read(
        write(tmp_path, "a.tsv", "Ice cream\t/r/IsA\tdessert\nknife\tUsedFor\tcutting bread\t2\n"), "tabular"
    )
    assert not bad
    assert [quadruple(r) for r in rows] == [
        ("/c/en/ice_cream", "IsA", "/c/en/dessert", 1.0),
        ("/c/en/knife", "UsedFor", "/c/en/cutting_bread", 2.0),
    ]


def test_comments_and_blank_lines_are_no_rejects(tmp_path: Path) -> None:
    text = "# facts\ndog\tIsA\tpet\n\n# cat\tIsA\tpet\nfish\tIsA\n"
    rows, bad = read(write(tmp_path, "a.tsv", text), "tabular")
    assert [r["subject"] for r in rows] == ["/c/en/dog"]
    assert bad == [5]


def test_conceptnet100k_is_read_whole(shared_data: Path) -> None:
    rows, bad = read(shared_data / "conceptnet100k" / "dev1.txt", "conceptnet100k")
    assert (len(rows), bad) == (1200, [])
    assert quadruple(rows[0]) == ("/c/en/tool", "IsA", "/c/en/object", 1.0)


ITEMS = st.integers(1, 10**6).map(lambda n: f"Q{n}")


@settings(max_examples=60, deadline=None)
@given(edges=st.lists(st.tuples(ITEMS, st.integers(1, 9999), TEXTS), min_size=1, max_size=6))
def test_kgtk_edges_come_back(edges: list[tuple[str, int, str]]) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("|", "\\|")

    text = "id\tnode1\tlabel\tnode2\n" + "".join(f'e\t{s}\tP{p}\t"{escaped(o)}"\n' for s, p, o in edges)
    with TemporaryDirectory() as folder:
        rows, bad = read(write(Path(folder), "edges.tsv", text), "kgtk")
    assert not bad
    assert [(r["subject"], r["predicate"], r["object"]) for r in rows] == [
        (f"http://www.wikidata.org/entity/{s}", f"http://www.wikidata.org/prop/direct/P{p}", kgtk_format.quoted(o))
        for s, p, o in edges
    ]


@pytest.mark.parametrize(
    ("value", "term"),
    [
        ("/c/en/dog", "/c/en/dog"),
        ("wn:dog.n.01", "urn:kgtk:wn:dog.n.01"),
        ("'Hund'@de", '"Hund"@de'),
        ("42", '"42"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("^1867-03-02T00:00:00Z/11", '"1867-03-02"^^<http://www.w3.org/2001/XMLSchema#date>'),
        ("@48.2/16.3", '"Point(16.3 48.2)"^^<http://www.opengis.net/ont/geosparql#wktLiteral>'),
        ("10m", '"10m"^^<urn:kgtk:quantity>'),
        ("True", '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
    ],
)
def test_kgtk_values_become_terms(value: str, term: str) -> None:
    assert kgtk_format.node(value) == term
    assert is_literal(term) == term.startswith('"')


def test_a_line_longer_than_memory_allows_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(b"dog\tIsA\tpet\n" + b"x" * (3 << 20) + b"\ncat\tIsA\tpet\n")
    rows, bad = read(path, "tabular")
    assert len(rows) == 2
    assert bad == [2]


def test_damaged_compression_is_told(tmp_path: Path) -> None:
    data = gzip.compress(b"dog\tIsA\tpet\n" * 100_000)
    path = write(tmp_path, "a.tsv.gz", data[: len(data) // 2])
    with pytest.raises(BadInput, match="damaged or cut"):
        list(detect(path).read(path, ReadOptions()))


def test_utf16_is_told_with_the_way_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "dog\tIsA\tpet\n".encode("utf-16"))
    with pytest.raises(BadInput, match=r"UTF-16.*iconv"):
        list(detect(path, "tabular").read(path, ReadOptions()))


def test_progress_counts_the_bytes_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv.gz", gzip.compress(b"dog\tIsA\tpet\n" * 1000))
    seen: list[tuple[int, int, str]] = []
    list(detect(path).read(path, ReadOptions(progress=lambda *now: seen.append(now))))
    assert seen[-1][:2] == (path.stat().st_size,) * 2


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x89PNG\r\n\x1a\n\0\0", b"just some words\nand more\n"])
def test_what_is_no_knowledge_is_not_recognized(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"empty|not recognized"):
        detect(write(tmp_path, "a.bin", content))


@pytest.mark.parametrize(
    "heading",
    [
        "source,relation,target",
        "Source,Type,Target",
        "from\tpred\tto",
        "start\trelationship\tend",
        "# made\nhead,property,tail",
        "subj\tpred\tobj",
        "h,r,t",
        "entity1\trelation\tentity2",
        "Head Entity,Relation,Tail Entity",
        ":START_ID,:TYPE,:END_ID",
        '"subject"\t"predicate"\t"object"',
        "x\trelation\ty",
    ],
)
def test_a_heading_is_no_fact(heading: str, tmp_path: Path) -> None:
    mark = "\t" if "\t" in heading else ","
    rows, bad = read(write(tmp_path, "a.csv", f"{heading}\n{mark.join(('harbour', 'PartOf', 'town'))}\n"), "tabular")
    assert [quadruple(r) for r in rows] == [("/c/en/harbour", "PartOf", "/c/en/town", 1.0)]
    assert not bad


def test_a_heading_that_comes_again_is_no_fact(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path, "a.tsv", "head\trelation\ttail\nquay\tPartOf\ttown\n" * 2), "tabular")
    assert ([r["subject"] for r in rows], bad) == (["/c/en/quay"] * 2, [])
    rows, bad = read(write(tmp_path, "k.tsv", "node1\tlabel\tnode2\n/c/en/quay\tPartOf\tQ1\n" * 2), "kgtk")
    assert ([r["subject"] for r in rows], bad) == (["/c/en/quay"] * 2, [])


def test_a_dump_with_a_heading_keeps_its_weights(tmp_path: Path) -> None:
    text = 'uri\trelation\tstart\tend\tinfo\n/a/x\t/r/IsA\t/c/en/dog\t/c/en/animal\t{"weight": 2.5}\n'
    rows, bad = read(write(tmp_path, "a.csv", text), "conceptnet")
    assert ([quadruple(r) for r in rows], bad) == ([("/c/en/dog", "IsA", "/c/en/animal", 2.5)], [1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/r/IsA", "/r/"),
        ("/c/en/dog", "http://a b"),
        ("/c/en/animal", "http://a/<b>"),
        ("/c/en/animal", '"x'),
        ("/c/en/animal", "animal"),
        ("/c/en/dog", "/x/dog"),
        ("/c/en/animal", "http://a{b}"),
        ("2.5", '"2.5"'),
        ("2.5", "true"),
    ],
)
def test_a_line_of_a_dump_that_no_store_can_hold_is_rejected(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = '/a/x\t/r/IsA\t/c/en/dog\t/c/en/animal\t{"weight": 2.5}\n'
    path = write(tmp_path, "a.csv", line * 2 + line.replace(old, new))
    rows, bad = read(path, "conceptnet")
    assert (len(rows), bad) == (2, [3])
    monkeypatch.setattr("kgmm.store.formats.conceptnet.COMPILED", 0)  # as dumps of many megabytes are read
    with LocalStore(tmp_path / "kb") as kb:
        report = kb.load(path)
        assert (report.added, report.rejected) == (1, 1)


def test_gephi_puts_the_target_second_and_the_label_before_the_type(tmp_path: Path) -> None:
    text = "Source,Target,Type,Id,Label,Weight\nharbour,town,Directed,0,PartOf,2\n"
    rows, _ = read(write(tmp_path, "a.csv", text), "tabular")
    assert [quadruple(r) for r in rows] == [("/c/en/harbour", "PartOf", "/c/en/town", 2.0)]


def test_a_heading_is_no_fact_where_the_format_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tsv", "relation\thead\ttail\nPartOf\tharbour\ttown\n")
    (batch,) = detect(path, "conceptnet100k").read(path, ReadOptions())
    assert batch.to_pydict()["subject"] == ["/c/en/harbour"]


def test_a_line_end_inside_quotes_belongs_to_the_term(tmp_path: Path) -> None:
    text = 'subject,predicate,object\n"harbour\nold",PartOf,"a ""big""\ntown"\nquay,PartOf,town\n5" disk,IsA,disk\n'
    rows, bad = read(write(tmp_path, "a.csv", text), "tabular")
    assert [r["subject"] for r in rows] == ["/c/en/harbour_old", "/c/en/quay", '/c/en/5"_disk']
    assert not bad


def test_a_quote_that_is_not_closed_spoils_its_line_alone(tmp_path: Path) -> None:
    text = 'subject,predicate,object\n"harbour,PartOf,town\n' + "quay,PartOf,town\n" * 3
    rows, bad = read(write(tmp_path, "a.csv", text), "tabular")
    assert ([r["subject"] for r in rows], bad) == (["/c/en/quay"] * 3, [2])


def test_a_row_of_tabs_cut_inside_quotes_is_rejected_whole(tmp_path: Path) -> None:
    text = 'quay\tPartOf\ttown\n"harbour\nold"\tPartOf\ttown\n'
    rows, bad = read(write(tmp_path, "a.tsv", text), "tabular")
    assert ([r["subject"] for r in rows], bad) == (["/c/en/quay"], [2, 3])


def test_a_kgtk_string_that_does_not_end_is_rejected(tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path, "a.tsv", "node1\tlabel\tnode2\nQ14\tP1476\t'unterminated\n"), "kgtk")
    assert (rows, bad) == ([], [2])


@pytest.mark.parametrize("name", ['"P1"', "http://a b", '"x"@de'])
def test_a_relation_that_rdf_cannot_write_is_rejected(name: str, tmp_path: Path) -> None:
    rows, bad = read(write(tmp_path, "k.tsv", f"node1\tlabel\tnode2\nQ1\t{name}\tQ2\n"), "kgtk")
    assert (rows, bad) == ([], [2])
    rows, bad = read(write(tmp_path, "a.tsv", f"quay\tPartOf\ttown\nquay\t{name}\ttown\n"), "tabular")
    assert (len(rows), bad) == (1, [2])
