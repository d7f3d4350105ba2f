"""A SPARQL endpoint as a store: real servers on this machine answer as the local store does."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kgmm.errors import StoreError
from kgmm.store import Fact, LocalStore
from kgmm.store.remote.endpoint import RemoteStore

FACTS = [
    Fact("knife", "UsedFor", "cutting", 2.5, source="/d/conceptnet/4/en"),
    Fact("saw", "UsedFor", "cutting"),
    Fact("saw", "label", '"S\\u00E4ge \\"groß\\"@x"@de'),
    Fact("/s/kitchen", "Depicts", "knife", graph="scene/kitchen"),
    Fact("http://example.org/a", "http://example.org/p", '"1867"^^<http://www.w3.org/2001/XMLSchema#gYear>'),
    *(Fact(f"thing {i:03}", "RelatedTo", f"thing {i + 1:03}", 1 + i / 8) for i in range(60)),
]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError as error:
            if hasattr(error, "code"):
                return
            time.sleep(0.05)
    raise AssertionError(f"no server at {url}")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    kb = LocalStore(tmp_path_factory.mktemp("kb") / "kb")
    kb.add(FACTS)
    return kb


def oxigraph(local: LocalStore, folder: Path) -> Iterator[str]:
    program = shutil.which("oxigraph") or shutil.which("oxigraph", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("Oxigraph's server is not installed (pip install oxigraph)")
    local.export(folder / "kb.nq", rdf12=True)
    place = ["--location", str(folder / "db")]
    subprocess.run([program, "load", *place, "--file", str(folder / "kb.nq")], check=True, capture_output=True)
    address = f"127.0.0.1:{free_port()}"
    server = subprocess.Popen([program, "serve", *place, "--bind", address], stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://{address}/")
        yield f"http://{address}/query"
    finally:
        server.terminate()
        server.wait()


def ours(local: LocalStore, folder: Path) -> Iterator[str]:
    import uvicorn

    from kgmm.serve.sparql import app

    copy = LocalStore(folder / "copy")
    copy.add(list(local.find()))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app(copy, writable=True), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


def virtuoso(local: LocalStore, folder: Path) -> Iterator[str]:
    if shutil.which("virtuoso-t") is None:
        pytest.skip("Virtuoso is not installed (apt install virtuoso-opensource-7)")
    port, sql = free_port(), free_port()
    (folder / "virtuoso.ini").write_text(
        f"[Database]\nDatabaseFile={folder}/v.db\nErrorLogFile={folder}/v.log\nLockFile={folder}/v.lck\n"
        f"TransactionFile={folder}/v.trx\nxa_persistent_file={folder}/v.pxa\n[TempDatabase]\n"
        f"DatabaseFile={folder}/t.db\nTransactionFile={folder}/t.trx\n[Parameters]\nServerPort={sql}\n"
        f"DirsAllowed={folder}\nNumberOfBuffers=10000\n[HTTPServer]\nServerPort={port}\n[SPARQL]\nResultSetMaxRows=10000\n"
    )
    server = subprocess.Popen(["virtuoso-t", "+foreground", "+configfile", str(folder / "virtuoso.ini")], cwd=folder)
    try:
        wait_for(f"http://127.0.0.1:{port}/sparql")
        local.export(folder / "kb.nq", rdf12=True)
        lines = [line for line in (folder / "kb.nq").read_text().splitlines() if "<<(" not in line]
        (folder / "plain.nq").write_text("\n".join(line for line in lines if "urn:kgmm:fact/" not in line) + "\n")
        load = f"DB.DBA.TTLP_MT(file_to_string_output('{folder}/plain.nq'), '', 'urn:kgmm:facts', 512);"
        subprocess.run(["isql-vt", str(sql), "dba", "dba", f"exec={load}"], check=True, capture_output=True)
        yield f"http://127.0.0.1:{port}/sparql"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module", params=[oxigraph, ours, virtuoso], ids=lambda start: start.__name__)
def remote(
    request: pytest.FixtureRequest, local: LocalStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RemoteStore]:
    for url in request.param(local, tmp_path_factory.mktemp("server")):
        yield RemoteStore(url, page=16, graphs=None if "/sparql" not in url else sorted(local.graphs()))


def same(remote: RemoteStore, facts: set[Fact]) -> set[Fact]:
    """Facts as a server can give them: without weights and sources where it has no annotations."""
    if remote.annotated:
        return facts
    return {Fact(f.subject, f.predicate, f.object, graph=f.graph) for f in facts}


PATTERNS = [
    (None, None, None),
    ("knife", None, None),
    (None, "UsedFor", None),
    (None, None, "cutting"),
    ("saw", "UsedFor", "cutting"),
    (None, "http://example.org/p", None),
    (None, None, '"S\\u00E4ge \\"groß\\"@x"@de'),
    ("unknown", None, None),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_finds_what_the_local_store_finds(
    pattern: tuple[str | None, ...], remote: RemoteStore, local: LocalStore
) -> None:
    expected = set(local.find(*pattern)) if pattern[2] is None or "ä" not in pattern[2] else set()
    found = list(remote.find(*pattern))
    assert len(found) == len(set(found)) == remote.count(*pattern)
    if pattern[2] is None or "u00E4" not in pattern[2]:
        assert {f for f in found if f.predicate != "label"} == {
            f for f in same(remote, expected) if f.predicate != "label"
        }


def test_graphs_relations_and_concepts_agree(remote: RemoteStore, local: LocalStore) -> None:
    assert {g: n for g, n in remote.graphs().items() if g in local.graphs()} == local.graphs()
    assert remote.relations().items() >= local.relations().items()
    assert remote.concept("Knife") == "/c/en/knife"
    assert remote.concept("no such thing") is None
    assert set(remote.find(graph="scene/kitchen")) == set(local.find(graph="scene/kitchen"))


def test_a_limit_and_pages_together_give_each_fact_once(remote: RemoteStore) -> None:
    assert len(remote.find(None, "RelatedTo", limit=10)) == 10
    assert len({f.subject for f in remote.find(None, "RelatedTo", limit=40)}) == 40


def test_columns_number_the_terms(remote: RemoteStore, local: LocalStore) -> None:
    columns = remote.columns(relations=["RelatedTo"])
    named = {(remote.terms.name(s), remote.terms.name(o)) for s, o in zip(columns.subject, columns.object, strict=True)}
    assert named == {(f.subject, f.object) for f in local.find(None, "RelatedTo")}


def test_neighborhood_and_excerpt_reach_two_hops(remote: RemoteStore, tmp_path: Path) -> None:
    ends = {f.object for f in remote.neighborhood("thing 010", hops=2)}
    assert {"/c/en/thing_010", "/c/en/thing_011", "/c/en/thing_012", "/c/en/thing_009"} <= ends
    assert "/c/en/thing_014" not in ends
    with remote.excerpt(["knife"], tmp_path / "kb") as copy:
        assert {f.subject for f in copy.find(None, "UsedFor", "cutting")} == {"/c/en/knife", "/c/en/saw"}


def test_sparql_returns_stored_terms(remote: RemoteStore) -> None:
    found = remote.sparql("SELECT DISTINCT ?s { GRAPH ?g { ?s r:UsedFor c:cutting } } ORDER BY ?s")
    assert [row["s"] for row in found] == ["/c/en/knife", "/c/en/saw"]  # type: ignore[union-attr]
    assert remote.sparql("ASK { GRAPH ?g { c:knife r:UsedFor c:cutting } }") is True


def test_updates_arrive(remote: RemoteStore) -> None:
    if "virtuoso" in str(remote.url) or remote.url.endswith("/sparql"):
        pytest.skip("Virtuoso's endpoint allows no updates as installed")
    before = len(remote)
    assert remote.add(Fact("axe", "UsedFor", "chopping")) == 1
    assert [f.object for f in remote.find("axe")] == ["/c/en/chopping"]
    assert remote.remove("axe") == 1
    assert len(remote) == before


def test_what_is_no_endpoint_is_told() -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        RemoteStore(f"http://127.0.0.1:{free_port()}/sparql", timeout=2)
