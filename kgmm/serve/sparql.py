"""The SPARQL 1.1 protocol for a store: queries always, updates only where they are allowed."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any
from urllib.parse import parse_qs

import pyoxigraph as ox
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kgmm.errors import BadInput, KgmmError
from kgmm.serve.limits import Limits, TooSlow, Turns, client, unknown
from kgmm.store import LocalStore
from kgmm.store.sparql.query import query
from kgmm.store.sparql.results import Result, Solutions, Triples
from kgmm.store.sparql.text import ANSWER, BadQuery, QueryFailed, QueryTimeout, QueryTooLarge, bare, check, long_answer

#: seconds a query may take, rows it may return, queries at the same time, bytes of a request and of a query's memory
TIMEOUT, LIMIT, CONCURRENT, BODY, MEMORY = 30.0, 100_000, 2, 1 << 20, 1_000_000_000
METHODS = ["GET", "POST"]
_ROWS = {
    "application/sparql-results+json": ox.QueryResultsFormat.JSON,
    "application/json": ox.QueryResultsFormat.JSON,
    "application/sparql-results+xml": ox.QueryResultsFormat.XML,
    "application/xml": ox.QueryResultsFormat.XML,
    "text/csv": ox.QueryResultsFormat.CSV,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}
_GRAPHS = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}
_DESCRIPTION = """@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
[] a sd:Service ; sd:supportedLanguage sd:SPARQL11Query{update} ; sd:feature sd:UnionDefaultGraph .
"""
#: parameters of the protocol, and those SPARQLWrapper adds
_PARAMETERS = ["query", "update", "default-graph-uri", "named-graph-uri", "format", "output", "results"]
#: HTTP statuses of errors; any other of ours is 500
_STATUS = {BadInput: 400, QueryFailed: 400, QueryTimeout: 408, TooSlow: 408, QueryTooLarge: 413}


def app(store: LocalStore, **how: Any) -> Starlette:
    """Return an application that answers SPARQL 1.1 protocol requests at its root; its options are :func:`endpoint`'s.

    Example:
        >>> import uvicorn                                                             # doctest: +SKIP
        >>> uvicorn.run(app(kgmm.open("knowledge-store")), port=7878)                  # doctest: +SKIP
    """
    return Starlette(routes=[Route("/", endpoint(store, **how), methods=METHODS)])


def endpoint(
    store: LocalStore,
    *,
    writable: bool = False,
    timeout: float = TIMEOUT,
    limit: int = LIMIT,
    concurrent: int = CONCURRENT,
    memory: int = MEMORY,
) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers SPARQL 1.1 protocol requests.

    Args:
        store: the store to ask; each request sees its newest version.
        writable: whether updates are carried out; they are refused with status 403 otherwise.
        timeout: seconds a query may take; then it is killed and answered with 408.
        limit: most rows of an answer; a cut one carries the header ``Kgmm-Truncated: true``.
        concurrent: queries that run at the same time; more wait, and clients take turns.
        memory: bytes a query may take, or its answer while it is written; beyond, it is stopped and answered with 413.
    """
    turns = Turns(256, concurrent)

    async def answer(request: Request) -> Response:
        try:
            asked = await _asked(request)
            if "update" in asked:
                if not writable:
                    raise HTTPException(403, "this endpoint is read-only")
                async with turns.turn(client(request)):
                    await asyncio.to_thread(_update, store, asked["update"], timeout)
                return Response(status_code=204)
            if "query" not in asked:
                if request.method == "GET":
                    update = ", sd:SPARQL11Update" if writable else ""
                    return Response(_DESCRIPTION.format(update=update), media_type="text/turtle")
                raise HTTPException(400, "a query= or update= is expected")
            async with turns.turn(client(request)):
                found = await _while_there(request, _query, store, asked, timeout=timeout, limit=limit, memory=memory)
            return _response(found, request.headers.get("accept", "*/*"))
        except KgmmError as error:
            status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
            return PlainTextResponse(f"{error}\n", status)
        except HTTPException as error:
            return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)

    return answer


async def _while_there(request: Request, ask: Callable[..., Result], *given: Any, **most: Any) -> Result:
    """Run a query in a thread; it is told to end when its client is gone."""
    gone = Event()
    work = asyncio.ensure_future(asyncio.to_thread(ask, *given, cancel=gone, **most))
    try:
        while not (await asyncio.wait({work}, timeout=0.5))[0]:
            if await request.is_disconnected():
                gone.set()
        return await work
    finally:
        gone.set()


async def _asked(request: Request) -> dict[str, Any]:
    """Return the request's query or update and its choice of graphs."""
    asked: dict[str, Any] = dict(request.query_params)
    said = request.query_params.multi_items()
    lists = {k: request.query_params.getlist(k) for k in ("default-graph-uri", "named-graph-uri")}
    if request.method == "POST":
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BODY:
                raise HTTPException(413, f"requests may have {BODY} bytes")
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind in ("application/sparql-query", "application/sparql-update"):
            asked[kind.rpartition("-")[2]] = _text(body)
        elif kind == "application/x-www-form-urlencoded":
            form = parse_qs(_text(body), keep_blank_values=True)
            asked.update({k: v[0] for k, v in form.items()})
            said += [(name, text) for name, texts in form.items() for text in texts]
            lists = {k: [*lists[k], *form.get(k, [])] for k in lists}
        else:
            raise HTTPException(415, f"content type {kind or 'none'!r} is not understood")
    elif "update" in asked:
        raise HTTPException(405, "updates must be POSTed")
    if sum(name in ("query", "update") for name, _ in said) > 1:
        raise HTTPException(400, "one query= or update= is expected, not several")
    unknown({**asked, **lists}, _PARAMETERS, lambda said: HTTPException(400, said))
    return {**asked, **lists}


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise HTTPException(400, "the request is not UTF-8") from None


def _query(store: LocalStore, asked: dict[str, Any], *, memory: int, **most: Any) -> Result:
    store.refresh()
    graphs = {"default_graphs": asked["default-graph-uri"], "named_graphs": asked["named-graph-uri"]}
    found: Result = query(store, asked["query"], raw=True, memory=memory, **graphs, **most)
    length = 0
    # one long text in ten thousand rows is one text in memory, and ten thousand in an answer
    for row in () if isinstance(found, bool) else found.rows:
        length += sum(len(term) for term in row if term)
        if length > memory // ANSWER:
            raise long_answer(memory)
    return found


def _update(store: LocalStore, text: str, seconds: float) -> None:
    """Carry an update out through rdflib, on our own table; nothing is written if it takes too long."""
    import rdflib.plugins.sparql

    from kgmm.store.rdflib_store import dataset

    checked = check(text)
    if re.search(r"(?<![?$:@\w.-])LOAD(?![\w:.-])", bare(checked), re.IGNORECASE):
        raise HTTPException(403, "LOAD is refused: an endpoint fetches nothing")
    rdflib.plugins.sparql.SPARQL_LOAD_GRAPHS = False  # USING names a graph of the store, and no file to read
    store.refresh()
    target = dataset(store, union=False)
    try:
        Limits(seconds=seconds).within(lambda: target.update(checked))
    except KgmmError:
        raise
    except Exception as error:  # rdflib raises whatever its parser does
        raise BadQuery("update", " ".join(str(error).split())) from error
    target.commit()


def _response(found: Result, accept: str) -> Response:
    if isinstance(found, Triples):
        kind = _chosen(accept, list(_GRAPHS))
        text = "".join(f"{s} {p} {o} .\n" for s, p, o in found.rows).encode()
        quads = ox.parse(text, ox.RdfFormat.N_TRIPLES)
        data = ox.serialize((q.triple for q in quads), format=_GRAPHS[kind])
    else:
        kind = _chosen(accept, list(_ROWS))
        data = _rows(found, _ROWS[kind])
    cut = {} if isinstance(found, bool) or not found.truncated else {"Kgmm-Truncated": "true"}
    return Response(data, media_type=kind, headers=cut)


def _rows(found: Solutions | bool, form: ox.QueryResultsFormat) -> bytes:
    if isinstance(found, bool):
        said = str(found).lower()
        if form == ox.QueryResultsFormat.XML:
            space = "http://www.w3.org/2005/sparql-results#"
            return f'<?xml version="1.0"?><sparql xmlns="{space}"><head/><boolean>{said}</boolean></sparql>'.encode()
        if form == ox.QueryResultsFormat.JSON:
            return f'{{"head":{{}},"boolean":{said}}}'.encode()
        return said.encode()
    head = "\t".join(f"?{name}" for name in found.variables)
    table = "".join("\t".join((term or "").replace("\t", "\\t") for term in row) + "\n" for row in found.rows)
    parsed = ox.parse_query_results(f"{head}\n{table}".encode(), ox.QueryResultsFormat.TSV)
    assert isinstance(parsed, ox.QuerySolutions)
    data = parsed.serialize(format=form)
    assert data is not None
    return data


def _chosen(accept: str, offered: list[str]) -> str:
    """Return the offered media type that a request prefers."""
    wishes: list[tuple[float, str]] = []
    for part in accept.split(","):
        kind, *parameters = (p.strip().lower() for p in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes.append((float(quality) if quality.replace(".", "", 1).isdigit() else 0.0, kind))
    for weight, wanted in sorted(wishes, key=lambda wish: -wish[0]):
        for offer in offered:
            if weight > 0 and (wanted in ("*/*", "", offer) or wanted == offer.partition("/")[0] + "/*"):
                return offer
    raise HTTPException(406, f"answers come as {', '.join(offered)}")
