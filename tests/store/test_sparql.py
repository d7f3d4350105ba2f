"""SPARQL over a store: it agrees with find, stays in step, stops in time and asks nobody else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgmm.store import Fact, LocalStore
from kgmm.store.rdf.text import document, plain
from kgmm.store.sparql import process as oxigraph
from kgmm.store.sparql.query import query
from kgmm.store.sparql.results import Solutions, Triples
from kgmm.store.sparql.text import BadQuery, QueryTimeout, needs_annotations

FACTS = [
    Fact("knife", "UsedFor", "cutting", 2.5, source="/d/conceptnet/4/en"),
    Fact("saw", "UsedFor", "cutting"),
    Fact("knife", "IsA", "tool"),
    Fact("tool", "IsA", "artifact"),
    Fact("knife", "label", '"Messer"@de'),
    Fact("/s/kitchen", "Depicts", "knife", graph="scene/kitchen"),
    Fact("/s/garage", "Depicts", "saw", graph="scene/garage"),
    Fact("saw", "UsedFor", "cutting", 0.5, graph="mine"),
]


@pytest.fixture
def kb(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kb")
    store.add(FACTS)
    return store


def select(kb: LocalStore, text: str, **more: object) -> Solutions:
    found = query(kb, text, **more)  # type: ignore[arg-type]
    assert isinstance(found, Solutions)
    return found


def test_rows_hold_stored_terms(kb: LocalStore) -> None:
    found = select(kb, "SELECT ?s ?p { ?s ?p c:cutting } ORDER BY ?s")
    assert list(found) == [{"s": "/c/en/knife", "p": "UsedFor"}, {"s": "/c/en/saw", "p": "UsedFor"}]
    assert found[0]["s"] == "/c/en/knife"
    assert found.column("?p") == ["UsedFor"] * 2


def test_unbound_is_none_and_literals_keep_their_form(kb: LocalStore) -> None:
    found = select(kb, "SELECT ?s ?l { ?s r:UsedFor c:cutting OPTIONAL { ?s r:label ?l } } ORDER BY ?s")
    assert [row["l"] for row in found] == ['"Messer"@de', None]


def test_ask_construct_and_describe(kb: LocalStore) -> None:
    assert query(kb, "ASK { c:knife r:IsA c:tool }") is True
    assert query(kb, "ASK { c:tool r:IsA c:knife }") is False
    built = query(kb, "CONSTRUCT { ?b r:HasInstance ?a } WHERE { ?a r:IsA ?b }")
    assert isinstance(built, Triples)
    assert set(built) == {("/c/en/tool", "HasInstance", "/c/en/knife"), ("/c/en/artifact", "HasInstance", "/c/en/tool")}
    assert len(built.to_rdflib()) == 2
    described = query(kb, "DESCRIBE c:tool")
    assert ("/c/en/tool", "IsA", "/c/en/artifact") in set(described)  # type: ignore[arg-type]


def test_property_paths_cross_graphs_in_the_union(kb: LocalStore) -> None:
    assert select(kb, "SELECT ?k { c:knife r:IsA+ ?k }").column("k") == ["/c/en/tool", "/c/en/artifact"]
    found = select(kb, "SELECT ?scene { ?scene r:Depicts/r:UsedFor c:cutting } ORDER BY ?scene")
    assert found.column("scene") == ["/s/garage", "/s/kitchen"]


def test_each_graph_is_a_named_graph(kb: LocalStore) -> None:
    found = select(kb, "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g")
    counts = dict(zip(*found.to_polars().to_dict(as_series=False).values(), strict=True))
    assert counts == kb.graphs()
    assert select(kb, "SELECT ?s FROM <urn:kgmm:scene/garage> { ?s ?p ?o }").column("s") == ["/s/garage"]


def test_plain_queries_see_facts_and_nothing_else(kb: LocalStore) -> None:
    whole = select(kb, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }").to_polars()["n"][0]
    assert whole == len(kb) == 8
    union = select(kb, "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").to_polars()["n"][0]
    assert union == 7  # one fact is in two graphs


def test_weight_and_source_are_annotations(kb: LocalStore) -> None:
    found = select(kb, "SELECT ?s ?w ?src { ?s r:UsedFor c:cutting {| kgmm:weight ?w ; kgmm:source ?src |} }")
    assert found.to_polars().rows() == [("/c/en/knife", 2.5, '"/d/conceptnet/4/en"')]
    weak = select(kb, "SELECT ?g { GRAPH ?g { << ?s ?p ?o >> kgmm:weight ?w } FILTER(?w < 1) }")
    assert weak.column("g") == ["mine"]


def test_a_constructed_annotation_goes_back_with_its_weight(kb: LocalStore, tmp_path: Path) -> None:
    built = query(kb, "CONSTRUCT { ?s ?p ?o {| kgmm:weight ?w |} } WHERE { ?s ?p ?o {| kgmm:weight ?w |} }")
    assert isinstance(built, Triples)
    path = tmp_path / "weighted.nt"
    path.write_text(built.to_ntriples())
    again = LocalStore(tmp_path / "again")
    again.load(path)
    assert {(f.subject, f.weight) for f in again.find()} >= {("/c/en/knife", 2.5)}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("SELECT * { ?s ?p ?o }", False),
        ('SELECT * { ?s ?p "kgmm:weight {|" } # <<', False),
        ("SELECT * { ?s ?p ?o {| kgmm:weight ?w |} }", True),
        ("SELECT * { ?f <urn:kgmm:weight> ?w }", True),
    ],
)
def test_annotations_are_loaded_when_a_query_looks_at_them(text: str, needed: bool) -> None:
    assert needs_annotations(text) == needed


@pytest.mark.parametrize(
    "clause",
    [
        "SERVICE <{}> {{ ?s ?p ?o }}",
        "service silent <{}> {{?s ?p ?o}}",
        "\\u0053ERVICE <{}> {{ ?s ?p ?o }}",
        "OPTIONAL {{ SERVICE ?where {{ ?s ?p ?o }} VALUES ?where {{ <{}> }} }}",
        "# x\n SERVICE<{}>{{?s ?p ?o}}",
    ],
)
def test_no_other_server_is_asked(clause: str, kb: LocalStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        where = f"http://127.0.0.1:{server.getsockname()[1]}/sparql"
        with pytest.raises(BadQuery, match="SERVICE is refused"):
            query(kb, f"SELECT * {{ {clause.format(where)} }}")
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_word_service_is_free_elsewhere(kb: LocalStore) -> None:
    kb.add(Fact("service", "IsA", "activity"))
    found = select(kb, 'SELECT ?service { c:service r:IsA ?service FILTER(?service != "SERVICE <x>") } # SERVICE')
    assert found.column("service") == ["/c/en/activity"]


def test_an_endless_query_is_killed_in_time_and_the_next_one_runs(kb: LocalStore) -> None:
    kb.add([Fact(f"a{i}", "RelatedTo", f"b{i}") for i in range(300)])
    began = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"longer than 0\.5 s"):
        query(kb, "SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f . ?g ?h ?i }", timeout=0.5)
    assert time.monotonic() - began < 5
    assert len(select(kb, "SELECT ?s { ?s r:UsedFor c:cutting }")) == 2


def test_a_row_limit_says_that_it_cut(kb: LocalStore) -> None:
    cut = select(kb, "SELECT * { ?s ?p ?o }", limit=3)
    assert (len(cut), cut.truncated) == (3, True)
    whole = select(kb, "SELECT * { ?s ?p ?o }", limit=7)
    assert (len(whole), whole.truncated) == (7, False)


@pytest.mark.parametrize("text", ["SELECT {", "INSERT DATA { c:a r:b c:c }", "", "SELECT ?x { ?x nope:y ?z }"])
def test_a_query_that_cannot_be_parsed_is_told_in_one_line(text: str, kb: LocalStore) -> None:
    with pytest.raises(BadQuery):
        query(kb, text)


def test_an_earlier_version_answers_as_it_did(kb: LocalStore) -> None:
    kb.remove("saw", "UsedFor")
    assert select(kb, "SELECT ?s { ?s r:UsedFor c:cutting }").column("s") == ["/c/en/knife"]
    past = LocalStore(kb.path, version=1)
    assert set(select(past, "SELECT ?s { ?s r:UsedFor c:cutting }").column("s")) == {"/c/en/knife", "/c/en/saw"}


WORDS = st.sampled_from(["dog", "cat", "ice cream", "a<b>", 'say "so"'])
ADDED = st.builds(
    Fact,
    WORDS,
    st.sampled_from(["IsA", "on"]),
    WORDS,
    st.sampled_from([1.0, 2.5]),
    st.sampled_from(["facts", "g"]),
    st.sampled_from(["", "me"]),
)
STEPS = st.lists(st.one_of(st.lists(ADDED, min_size=1, max_size=4), WORDS), min_size=1, max_size=5)


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_index_follows_every_change(steps: list[object], tmp_path_factory: pytest.TempPathFactory) -> None:
    kb = LocalStore(tmp_path_factory.mktemp("kb") / "kb")
    kb.add(FACTS)
    for step in steps:
        if isinstance(step, str):
            kb.remove(step)
        else:
            kb.add(step)  # type: ignore[arg-type]
        found = select(kb, "SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } }")
        assert set(found.rows) == {(f.graph, f.subject, f.predicate, f.object) for f in kb.find()}
        weights = "SELECT ?g ?s ?p ?o ?w { GRAPH ?g { ?s ?p ?o {| kgmm:weight ?w |} } }"
        stated = {(*row[:4], float(str(row[4]).split('"')[1])) for row in select(kb, weights).rows}
        assert stated == {(f.graph, f.subject, f.predicate, f.object, f.weight) for f in kb.find() if f.weight != 1}


def test_the_command_prints_rows_and_one_json_document(kb: LocalStore) -> None:
    text = "SELECT ?s { ?s r:UsedFor c:cutting } ORDER BY ?s"
    code = "import sys; from kgmm.cli import main; main(sys.argv[1:])"
    run = [sys.executable, "-c", code, "sparql", str(kb.path), text]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "?s\n/c/en/knife\n/c/en/saw\n"
    found = json.loads(subprocess.run([*run, "--json"], capture_output=True, text=True, check=True).stdout)
    assert found["rows"] == [{"s": "/c/en/knife"}, {"s": "/c/en/saw"}]
    bad = subprocess.run([*run[:-1], "SELECT {"], capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout, bad.stderr.count("\n")) == (1, "", 1)


ODD = [
    "/c/en/a%20b",
    "/c/zh/狗",
    "/c/en/a<b>",
    "/c/en/\ue000",
    "_:b1",
    "http://e.org/ü",
    "scene/x",
    "urn:x:y",
    "/c/en/[x]",
    "/c/en/c#",
    "/c/en/a#b#c",
]


def test_facts_written_by_columns_are_those_written_one_by_one(tmp_path: Path) -> None:
    kb = LocalStore(tmp_path / "kb")
    for graph in ("facts", "scene/ü"):
        kb.add([Fact(a, "IsA", b, graph=graph) for a in ODD for b in ('"x y"@en', *ODD)])
        kb.add([Fact("a", p, "b", graph=graph) for p in ("http://e.org/p", "made of", "é")])
    for merged in (False, True):
        columns = b"".join(plain(kb.opened, merged)).splitlines()
        assert sorted(columns) == sorted(b"".join(document(kb.find(), False, merged)).splitlines())
        assert len(columns) == len(kb) * (2 if merged else 1)
    quads = list(ox.parse(b"".join(plain(kb.opened)), ox.RdfFormat.N_QUADS))
    assert len(quads) == len(kb)


def test_a_database_deleted_while_the_worker_opens_it_is_made_again(kb: LocalStore) -> None:
    assert kb.sparql("ASK { ?s ?p ?o }", engine="oxigraph")
    kb.add([("new", "IsA", "fact")])
    (engine,) = oxigraph._IDLE[kb]
    assert engine._worker is not None
    os.kill(engine._worker.pid, signal.SIGSTOP)
    root, answers = kb.cache_dir("sparql"), list[object]()
    asking = threading.Thread(target=lambda: answers.append(kb.sparql("ASK { c:new r:IsA c:fact }", engine="oxigraph")))
    asking.start()
    while not (made := list(root.glob(f"plain*-{kb.version}.*"))):
        time.sleep(0.01)
    time.sleep(0.2)
    shutil.rmtree(made[0])
    os.kill(engine._worker.pid, signal.SIGCONT)
    asking.join(60)
    assert answers == [True]


def test_a_worker_whose_asker_was_killed_ends_without_a_word() -> None:
    command = [sys.executable, "-m", "kgmm.store.sparql.worker"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as worker:  # type: ignore[call-overload]
        worker.stdout.close()
        worker.stdin.write(b'{"index": "/nowhere"}\n')
        worker.stdin.flush()
        assert (worker.wait(60), worker.stderr.read()) == (0, b"")
