"""RDF in every syntax: statements, graphs, literals, weights and sources come back."""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput
from kgmm.store import LocalStore
from kgmm.store.formats import ReadOptions, Rejects, detect, formats
from kgmm.store.rdf.terms import Statement, quads

from .writers import write

WORD = st.text("abcdefghijklmnopqrstuvwxyz éßж猫", min_size=1, max_size=8).map(lambda w: "_".join(w.split()) or "x")
NODES = st.one_of(
    WORD.map(lambda w: f"/c/en/{w}"),
    WORD.map(lambda w: f"http://example.org/{w}"),
    WORD.map(lambda w: f"/s/desk/{w}"),
    st.just("mailto:someone@example.org"),
)
RELATIONS = st.one_of(st.sampled_from(["IsA", "UsedFor", "left_of"]), WORD.map(lambda w: f"http://example.org/p/{w}"))
LITERALS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0"), max_size=9).map(
        lambda t: str(ox.Literal(t))
    ),
    WORD.map(lambda w: str(ox.Literal(w, language="de"))),
    st.integers().map(lambda i: f'"{i}"^^<http://www.w3.org/2001/XMLSchema#integer>'),
)
GRAPHS = st.sampled_from(["facts", "scene/coffee", "http://example.org/g"])
WEIGHTS = st.one_of(st.just(1.0), st.floats(0.01, 100))
SOURCES = st.sampled_from(["", "/d/conceptnet/4/en", 'a "quoted" source'])
FACTS = st.lists(
    st.tuples(GRAPHS, NODES, RELATIONS, st.one_of(NODES, LITERALS), WEIGHTS, SOURCES),
    min_size=1,
    max_size=6,
    unique_by=lambda f: f[:4],
)
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SYNTAX = {
    "nquads": (ox.RdfFormat.N_QUADS, ".nq"),
    "trig": (ox.RdfFormat.TRIG, ".trig"),
    "json-ld": (ox.RdfFormat.JSON_LD, ".jsonld"),
    "ntriples": (ox.RdfFormat.N_TRIPLES, ".nt"),
    "turtle": (ox.RdfFormat.TURTLE, ".ttl"),
    "rdf-xml": (ox.RdfFormat.RDF_XML, ".rdf"),
}
#: syntaxes without graphs, and without triple terms (so without weights)
FLAT, PLAIN = {"ntriples", "turtle", "rdf-xml"}, {"json-ld", "rdf-xml"}


def serialized(facts: list[Statement], name: str) -> bytes:
    stated = [q for fact in facts for q in quads(fact, name not in PLAIN)]
    if name in FLAT:
        stated = [ox.Triple(q.subject, q.predicate, q.object) for q in stated]
    data = ox.serialize(stated, format=SYNTAX[name][0])
    assert data is not None
    # without prefixes Turtle may be N-Triples too
    return (b"@prefix c: <http://conceptnet.io/c/en/> .\n" if name == "turtle" else b"") + data


def read(path: Path, name: str) -> tuple[list[dict[str, object]], list[str]]:
    found = detect(path)
    assert name == found.NAME
    rows: list[dict[str, object]] = []
    reasons: list[str] = []
    for part in found.read(path, ReadOptions()):
        if isinstance(part, Rejects):
            reasons += part.reasons
        else:
            rows += part.to_pylist()
    return rows, reasons


def expressible(facts: list[Statement], name: str) -> set[tuple[object, ...]]:
    return {
        (None if name in FLAT else g, s, p, o, *((1.0, "") if name in PLAIN else (w, source)))
        for g, s, p, o, w, source in facts
    }


@pytest.mark.parametrize("name", SYNTAX)
@settings(max_examples=40, deadline=None)
@given(facts=FACTS)
def test_facts_come_back_from_each_syntax(name: str, facts: list[Statement]) -> None:
    if name in FLAT:  # one statement may not carry two weights there
        facts = list({f[1:4]: f for f in facts}.values())
    if name == "rdf-xml":  # XML has no control characters, and predicates must be XML names
        facts = [f for f in facts if not any(ord(c) < 32 or ord(c) in (0xFFFE, 0xFFFF) for c in f[3])]
        facts = [("g", f[1], "IsA", f[3], 1.0, "") for f in facts] or [("g", "/c/en/x", "IsA", "/c/en/y", 1.0, "")]
    with TemporaryDirectory() as folder:
        rows, reasons = read(write(Path(folder), f"a{SYNTAX[name][1]}", serialized(facts, name)), name)
    assert not reasons
    keys = ("graph", "subject", "predicate", "object", "weight", "source")
    assert {tuple(r[k] for k in keys) for r in rows} == expressible(facts, name)


def test_names_do_not_decide_what_a_file_is(tmp_path: Path) -> None:
    fact: Statement = ("facts", "/c/en/dog", "IsA", "/c/en/pet", 1.0, "")
    for name in SYNTAX:
        assert name == detect(write(tmp_path, "unnamed", serialized([fact], name))).NAME


def test_malformed_lines_are_rejected_one_by_one(tmp_path: Path) -> None:
    good = "<http://e.org/s> <http://e.org/p> <http://e.org/o{}> .\n"
    bad = [
        '<http://e.org/s> <http://e.org/p> "open\n',
        "nonsense\n",
        "<s> <p> <o> .\n",
        '<http://e.org/s> "p" <http://e.org/o> .\n',
    ]
    text = "".join(good.format(i) + line for i, line in enumerate(bad)) + good.format(9)
    path = write(tmp_path, "a.nt", text)
    parts = list(detect(path).read(path, ReadOptions()))
    (rejects,) = [p for p in parts if isinstance(p, Rejects)]
    assert sum(p.num_rows for p in parts if not isinstance(p, Rejects)) == 5
    assert rejects.lines == [2, 4, 6, 8]
    assert rejects.raw[1] == "nonsense"


def test_a_syntax_error_in_turtle_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "a.ttl", "@prefix e: <http://e.org/> .\ne:a e:b e:c .\ne:a e:b .\n")
    with pytest.raises(BadInput, match=r"a\.ttl:3: "):
        list(detect(path).read(path, ReadOptions()))


def test_annotations_may_come_before_or_after_their_statement(tmp_path: Path) -> None:
    lines = list(quads(("facts", "/c/en/dog", "IsA", "/c/en/pet", 2.5, "me")))
    for order in (lines, lines[::-1], lines[1:] + lines[:1]):
        text = "".join(f"{q} .\n" for q in order)
        (row,) = read(write(tmp_path, "a.nq", text), "nquads")[0]
        assert (row["weight"], row["source"]) == (2.5, "me")


def test_what_is_only_quoted_is_not_asserted(tmp_path: Path) -> None:
    text = "PREFIX e: <http://e.org/>\n<< e:a e:b e:c >> <urn:kgmm:weight> 2.0 .\ne:x e:y e:z .\n"
    rows, reasons = read(write(tmp_path, "a.ttl", text), "turtle")
    assert [r["subject"] for r in rows] == ["http://e.org/x"]
    assert "not asserted" in reasons[0]


def test_blank_nodes_of_two_files_stay_apart_and_of_one_file_together(tmp_path: Path) -> None:
    one = write(tmp_path, "1.nt", "_:a <http://e.org/p> _:b .\n")
    two = write(tmp_path, "2.nt", "_:a <http://e.org/p> _:c .\n")
    subjects = [read(path, "ntriples")[0][0]["subject"] for path in (one, two, one)]
    assert subjects[0] == subjects[2] != subjects[1]


def test_a_relation_as_a_node_keeps_its_iri(tmp_path: Path) -> None:
    text = '<http://conceptnet.io/r/IsA> <http://www.w3.org/2000/01/rdf-schema#label> "is a" .\n'
    (row,) = read(write(tmp_path, "a.nt", text), "ntriples")[0]
    assert row["subject"] == "http://conceptnet.io/r/IsA"


def bomb(depth: int) -> str:
    declared = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, depth))
    head = f'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY a0 "aaaaaaaaaa">\n{declared}]>\n'
    return f'{head}<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description rdf:about="&a{depth - 1};"/></rdf:RDF>'


def test_xml_that_would_fill_the_memory_or_take_hours_is_refused(tmp_path: Path) -> None:
    for text in (bomb(10), bomb(1).replace("aaaaaaaaaa", "a" * 1000)):
        path = write(tmp_path, "a.rdf", text)
        with pytest.raises(BadInput, match=r"a\.rdf:[23]: entity"):
            list(detect(path).read(path, ReadOptions()))
    deep = f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:e="http://e.org/">\n' + "<rdf:Description><e:p>" * 100_000
    path = write(tmp_path, "deep.rdf", deep)
    with pytest.raises(BadInput, match=r"deep\.rdf:2: elements lie more than 1000 deep"):
        list(detect(path).read(path, ReadOptions()))
    plain = f'<!DOCTYPE rdf:RDF [<!ENTITY e "http://e.org/">]>\n<rdf:RDF xmlns:rdf="{RDF}" xmlns:e="http://e.org/">'
    plain += '<rdf:Description rdf:about="&e;a"><e:p>x</e:p></rdf:Description></rdf:RDF>'
    (row,) = read(write(tmp_path, "b.rdf", plain), "rdf-xml")[0]
    assert row["subject"] == "http://e.org/a"


HOSTILE = {
    "spaces": "@prefix e: <http://e.org/> .\ne:a e:b e:c {|" + " " * 65536 + "e:w 1 |} .",
    "lines": "@prefix e: <http://e.org/> .\ne:a e:b e:c {|" + "\n " * 32768 + "e:w 1 |} .",
    "a long name": "_:" + "a" * 65536,
    "iris without spaces": "_:" + "<a>" * 22000,
    "an open string": 'e:a e:b "' + '\\"' * 32768,
    "an open key": '{"' + '\\"' * 32768,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_telling_a_format_takes_time_in_step_with_the_file(case: str) -> None:
    head = HOSTILE[case].encode()
    began = time.process_time()
    for module in formats().values():
        assert 0.0 <= module.sniff(Path(case), head) <= 1.0
    assert time.process_time() - began < 2  # quadratic patterns took half a minute and more


def test_what_json_ld_drops_is_rejected_and_counted(tmp_path: Path) -> None:
    context = {"e": "http://e.org/", "name": "e:name", "near": {"@id": "e:near", "@type": "@id"}}
    context["label"] = {"@id": "e:label", "@container": "@language"}
    nodes = [
        {"@id": "e:lamp", "e:near": {"@id": "a thing with blanks"}},
        {"@id": "e:b", "near": "a b", "colour": "red", "name": "x", "label": {"en": "lamp", "de": "Lampe"}},
    ]
    text = json.dumps({"@context": context, "@graph": nodes})
    rows, reasons = read(write(tmp_path, "a.jsonld", text), "json-ld")
    assert {row["object"] for row in rows} == {'"x"', '"lamp"@en', '"Lampe"@de'}
    assert reasons == ["'a thing with blanks' is no IRI", "'a b' is no IRI", "property 'colour' is in no context"]


def test_a_file_of_no_statements_is_no_success(tmp_path: Path) -> None:
    for name, text in (("a.ttl", "@prefix e: <http://e.org/> .\n"), ("a.jsonld", '{"@id": "http://e.org/a"}')):
        with pytest.raises(BadInput, match="no statement is in it"):
            LocalStore(tmp_path / "kb").load(write(tmp_path, name, text))


HEAD = "@prefix e: <http://e.org/> .\n"
XML = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "%s">]><rdf:RDF xmlns:e="http://e.org/" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="http://e.org/s">'
    "<e:p>%s</e:p></rdf:Description></rdf:RDF>"
)
#: small files that fill the memory or end the process where a parser has no bound of its own
ATTACKS = {
    "nested.ttl": HEAD + "e:a e:b " + "<<( e:a e:b " * 50_000 + "e:c" + ")>>" * 50_000 + " .\n",
    "nested.trig": HEAD + "e:g { e:a e:b " + "<<( <http://e.org/'> e:b # '\n" * 50_000 + "e:c" + ")>>" * 50_000 + " }\n",
    "long-text.ttl": f'{HEAD}e:a e:b "{"x" * (17 << 20)}" .\n',
    "vocabulary.ttl": f"@prefix e: <http://e.org/{'y' * 50_000}> .\n" + "".join(f"e:a{i} e:b e:c .\n" for i in range(9999)),
    "entities.rdf": XML % ("x" * 250, "&a;" * 99_999),
    "nested.jsonld": '{"@id": "http://e.org/a", "http://e.org/p": ' + '{"http://e.org/p": ' * 9999 + "1" + "}" * 10_000,
    "vocabulary.jsonld": json.dumps({"@context": {"@vocab": "http://e.org/" + "y" * 50_000}, **{f"p{i}": i for i in range(9999)}}),
    "name.jsonld": json.dumps({"@id": "http://e.org/" + "y" * 50_000, **{f"http://e.org/p{i}": i for i in range(9999)}}),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_documents_that_nest_or_expand_without_bound_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, ATTACKS[name])
    kb, began = LocalStore(tmp_path / "kb"), time.monotonic()
    with pytest.raises(BadInput, match=r"deep|times as many|buffer maximal|more than \d+ characters") as error:
        kb.load(path)
    assert time.monotonic() - began < 10 and "\n" not in str(error.value) and len(kb) == 0


def test_nested_triple_terms_spoil_their_line_alone(tmp_path: Path) -> None:
    deep = "<http://e.org/a> <http://e.org/b> " + "<<( <a:a> <b:b> " * 20_000 + "<c:c>" + " )>>" * 20_000 + " .\n"
    kb = LocalStore(tmp_path / "kb")
    report = kb.load(write(tmp_path, "a.nt", '<http://e.org/a> <http://e.org/b> "<<( <<( <<(" .\n' + deep))
    assert (report.added, report.rejected) == (1, 1)


def test_what_looks_nested_or_long_and_is_not_is_read(tmp_path: Path) -> None:
    shifts = "".join(f'e:a e:b "{" << ".join("abcdefgh" * 20)} \'{i}" .\n' for i in range(300))
    rows = ", ".join(str(i) for i in range(20_000))
    kb = LocalStore(tmp_path / "kb")
    assert (
        kb.load(write(tmp_path, "a.ttl", f"{HEAD}{shifts}<http://e.org/{'long' * 100}> e:b {rows} .\n")).added == 20_300
    )
