"""An endpoint that is not trusted: what it sends, where to and how long is bounded, and told in one line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from kgmm.errors import KgmmError, StoreError
from kgmm.store.remote.connection import Connection
from kgmm.store.remote.endpoint import RemoteStore
from kgmm.store.sparql.text import BadQuery, QueryTimeout

JSON = "application/sparql-results+json"
TRUE = json.dumps({"head": {}, "boolean": True}).encode()
#: what an endpoint does with a query: it writes to the socket itself, or returns status, type, body
Answer = Callable[["Handler", str], tuple[int, str, bytes] | None]


class Handler(BaseHTTPRequestHandler):
    """Answers ASK as an endpoint does, and anything else as the test says."""

    answer: Answer
    asked = 0

    def do_POST(self) -> None:
        query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["query"][0]
        type(self).asked += 1
        said = (200, JSON, TRUE) if "ASK" in query and self.path == "/ok" else type(self).answer(self, query)
        if said is not None:
            status, kind, body = said
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients hang up here on purpose."""


@pytest.fixture
def serving() -> Iterator[Callable[[Answer], str]]:
    started: list[Server] = []

    def start(answer: Answer) -> str:
        server = Server(("127.0.0.1", 0), type("Own", (Handler,), {"answer": staticmethod(answer), "asked": 0}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}/ok"

    start.started = started  # type: ignore[attr-defined]
    yield start
    for server in started:
        server.shutdown()


def rows(*found: dict[str, str]) -> bytes:
    names = sorted({name for row in found for name in row})
    kinds = {True: "uri", False: "literal"}
    told = [{n: {"type": kinds[v.startswith("http")], "value": v} for n, v in row.items()} for row in found]
    return json.dumps({"head": {"vars": names}, "results": {"bindings": told}}).encode()


FACT = {"g": "http://e.org/g", "s": "http://e.org/s", "p": "http://e.org/p", "o": "http://e.org/o"}


def endless(handler: Handler, query: str) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", JSON)
    handler.end_headers()
    handler.wfile.write(rows(FACT)[:-3])
    while True:
        handler.wfile.write(b", " + b" " * 65536)


def dripping(handler: Handler, query: str) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def silent(handler: Handler, query: str) -> None:
    time.sleep(30)


def cut(handler: Handler, query: str) -> None:
    handler.wfile.write(
        b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n" + rows(FACT)
    )


def elsewhere(handler: Handler, query: str) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://localhost:1/secret")
    handler.end_headers()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (endless, "more than 1,000,000 bytes"),
        (dripping, "does not answer within 1 s"),
        (silent, "does not answer within 1 s"),
        (cut, "cannot be reached: IncompleteRead"),
        (elsewhere, "sends on to another server, http://localhost:1/secret"),
        (lambda *_: (200, "text/html; charset=utf-8", b"<html>\nWelcome</html>"), "answers with a page"),
        (lambda *_: (200, "text/plain", b"hello\nworld"), "no SPARQL result, which begins with 'hello world'"),
        (lambda *_: (200, JSON, b'{"head": {"vars": ["s"]}, "results": {"bindings": [{"s": 7}]}}'), "no SPARQL result"),
        (lambda *_: (200, JSON, rows(FACT)[:-9]), "no SPARQL result"),
        (lambda *_: (200, "application/sparql-results+xml", b"<sparql"), "no SPARQL result"),
        (lambda *_: (200, JSON, b"\x1f\x8b\x08\0\xff"), "no SPARQL result"),
        (lambda *_: (200, JSON, TRUE), "with yes or no"),
        (lambda *_: (200, JSON, rows({**FACT, "w": "heavy"})), "no fact.*weight 'heavy' is not a number"),
        (lambda *_: (200, JSON, rows({"s": "http://e.org/s"})), "no fact"),
        (lambda *_: (200, JSON, rows(*[FACT] * 20)), "20 rows where it was asked for 10"),
        (lambda *_: (500, "text/html", b"<b>\x1b[31mred\nalert</b>" * 99), r"HTTP 500 Internal Server Error: <b>\[31mred a"),
        (lambda *_: (404, "text/html", b"none"), "HTTP 404 Not Found: none"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_one_line_that_names_the_endpoint(
    answer: Answer, said: str, serving: Callable[[Answer], str]
) -> None:
    url = serving(answer)
    remote = RemoteStore(url, timeout=1, page=10, max_bytes=1_000_000)
    began = time.monotonic()
    with pytest.raises(KgmmError, match=said) as error:
        remote.find("dog")
    assert time.monotonic() - began < 2.5
    assert url in str(error.value) and "\n" not in str(error.value) and str(error.value).isprintable()
    with pytest.raises(KgmmError):
        remote.sparql("SELECT * { ?s ?p ?o }", limit=5) if answer in (endless, dripping, silent) else remote.count()


@pytest.mark.parametrize("count", ["many", "-1", "1e9", "9" * 40, "", "²"])
def test_a_bad_count_is_told(count: str, serving: Callable[[Answer], str]) -> None:
    remote = RemoteStore(
        serving(lambda *_: (200, JSON, rows({"n": count, "g": "http://e.org/g", "p": "http://e.org/p"})))
    )
    for ask in (remote.count, remote.graphs, remote.relations):
        with pytest.raises(StoreError, match="counts"):
            ask()


def test_rows_without_end_are_cut_off(serving: Callable[[Answer], str]) -> None:
    """An endpoint that gives a full page whatever OFFSET it is asked for."""
    remote = RemoteStore(serving(lambda *_: (200, JSON, rows(*[FACT] * 10))), page=10, max_rows=40)
    with pytest.raises(StoreError, match="more than 40 such facts; give a limit"):
        remote.find()
    assert len(remote.find(limit=30)) == 30
    many = RemoteStore(serving(lambda *_: (200, JSON, rows(*[FACT] * 50))), max_rows=40)
    with pytest.raises(StoreError, match="more than 40 rows"):
        many.sparql("SELECT * { ?s ?p ?o }")
    found = many.sparql("SELECT * { ?s ?p ?o }", limit=5)
    assert len(found) == 5 and found.truncated  # type: ignore[arg-type, union-attr]


def test_all_tries_together_take_no_longer_than_one_may(serving: Callable[[Answer], str]) -> None:
    began = time.monotonic()
    with pytest.raises(QueryTimeout, match="within 1 s"):
        RemoteStore(serving(silent).replace("/ok", "/"), timeout=1)
    with pytest.raises(StoreError, match="503"):
        RemoteStore(serving(lambda *_: (503, "text/plain", b"busy")).replace("/ok", "/"), timeout=0.5)
    assert time.monotonic() - began < 3
    started: list[Server] = serving.started  # type: ignore[attr-defined]
    assert [server.RequestHandlerClass.asked for server in started] == [1, 2]  # type: ignore[attr-defined]


def test_an_endpoint_that_moved_on_its_host_is_followed_with_the_query(serving: Callable[[Answer], str]) -> None:
    def moved(handler: Handler, query: str) -> tuple[int, str, bytes] | None:
        if handler.path == "/new":
            return 200, JSON, TRUE
        handler.send_response(301)
        handler.send_header("Location", "/new")
        handler.end_headers()
        return None

    assert Connection(serving(moved).replace("/ok", "/old"), None, 5).ask("ASK {}") is True


def test_a_malformed_query_is_told_in_the_servers_words(serving: Callable[[Answer], str]) -> None:
    remote = RemoteStore(serving(lambda *_: (400, "text/plain", b"line 1:\n  expected {")))
    with pytest.raises(BadQuery, match=r"line 1: expected \{"):
        remote.sparql("SELECT")


URI = '{"type": "uri", "value": "http://e.org/a"}'
NESTED = f'{{"type": "triple", "value": {{"subject": {URI}, "predicate": {URI}, "object": '


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (JSON, '{"head": {"vars": ["s"]}, "results": {"bindings": [{"s": ' + NESTED * 30_000 + URI + "}}" * 30_000 + "}]}}"),
        (
            "application/sparql-results+xml",
            '<sparql xmlns="http://www.w3.org/2005/sparql-results#"><head><variable name="s"/></head><results><result>'
            + '<binding name="s">' + "<triple><subject><uri>a:a</uri></subject><predicate><uri>a:a</uri></predicate><object>" * 30_000,
        ),
        ("text/turtle", "<a:a> <a:a> " + "<<( <a:a> <a:a> " * 30_000 + "<a:a>" + " )>>" * 30_000 + " ."),
    ],
)  # fmt: skip
def test_an_answer_cannot_end_the_process(kind: str, data: str, serving: Callable[[Answer], str]) -> None:
    remote = RemoteStore(serving(lambda *_: (200, kind, data.encode())))
    with pytest.raises(StoreError, match="lie too deep"):
        remote.sparql("SELECT * { ?s ?p ?o }")


def test_entities_of_entities_in_an_answer_end_another_process(serving: Callable[[Answer], str]) -> None:
    declared = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    data = (
        f'<!DOCTYPE r [<!ENTITY a0 "{"ha" * 500}">{declared}]><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:e="http://e.org/"><r:Description r:about="http://e.org/s"><e:p>&a8;</e:p></r:Description></r:RDF>'
    )
    remote = RemoteStore(serving(lambda *_: (200, "application/rdf+xml", data.encode())))
    with pytest.raises(StoreError, match=r"parsing it takes more than 1,024 MB of memory"):
        remote.sparql("CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }")


def test_many_triple_terms_that_lie_in_nothing_are_read(serving: Callable[[Answer], str]) -> None:
    row = f'{{"s": {NESTED} {{"type": "literal", "value": "\\"{{{{[[\\\\"}} }}}} }}'
    text = '{"head": {"vars": ["s"]}, "results": {"bindings": [' + ", ".join([row] * 3000) + "]}}"
    found = RemoteStore(serving(lambda *_: (200, JSON, text.encode()))).sparql("SELECT * { ?s ?p ?o }")
    assert len(found) == 3000  # type: ignore[arg-type]
