"""SPARQL over a store: queries run in a process of their own, with a time limit that holds."""

import json
import os
import re
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from kgmm.errors import BadInput, StoreError
from kgmm.store.assertions.seeing import as_of
from kgmm.store.handle import Handle
from kgmm.store.sparql.results import Result, Solutions, Triples, stored, stored_relation
from kgmm.store.times import Moment

TIMEOUT = 60.0  #: Seconds a query may take unless told otherwise.
ENGINE = "oxigraph"  #: what answers queries unless told otherwise
LOOK = 0.05  #: seconds between two looks at a query's memory
ANSWER = 10  #: an answer may have this part of a query's memory: it is read, decoded and written anew
#: what may hide a keyword: IRIs, strings, comments
_OPAQUE = re.compile(
    r'<[^<>"{}|^`\\\s]*>|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\n\r]|\\.)*"|\'(?:[^\'\\\n\r]|\\.)*\'|#[^\n\r]*',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_SERVICE = re.compile(r"(?<![?$:@\w.-])SERVICE(?![\w:.-])", re.IGNORECASE)
_FROM = re.compile(r"(?<![?$:@\w.-])FROM(?![\w:.-])", re.IGNORECASE)
_ANNOTATED = re.compile(
    r"\{\||<<|~|:(?:weight|source|reifies)\b|kgmm:(?:contributor|polarity|confidence|valid(?:From|To)|begins|ends|method|licence|text|restsOn)\b|\b(?:TRIPLE|isTRIPLE)\s*\("
)
_ANNOTATION_IRI = re.compile(
    r"urn:kgmm:(?:weight|source|contributor|polarity|confidence|validFrom|validTo|begins|ends|method|licence|text|restsOn"
    r"|fact/|assertion/)|#reifies>"
)


class BadQuery(BadInput):
    """A query that cannot be parsed, or asks for what a store refuses."""


class QueryTimeout(StoreError):
    """A query took longer than it may."""


class QueryFailed(StoreError):
    """A query could not be evaluated."""


class QueryTooLarge(StoreError):
    """A query took more memory than it may."""


def check(query: str) -> str:
    """Return a query with its code points unescaped; BadQuery if it holds SERVICE, which a store may not run."""
    text = _ESCAPE.sub(_code_point, query)
    found = _SERVICE.search(bare(text))
    if found:
        raise BadQuery("query", "SERVICE is refused: a store asks no other server; load its data instead")
    return text


def _code_point(match: re.Match[str]) -> str:
    value = int(match[1] or match[2], 16)
    if value > 0x10FFFF or 0xD800 <= value < 0xE000:
        raise BadQuery("query", f"{match[0]} is no character")
    # a quote or backslash written so must not end a string it stands in
    return match[0] if chr(value) in "\"'\\" else chr(value)


def bare(query: str) -> str:
    """Return a query without what may hide a keyword: IRIs, strings, comments."""
    return _OPAQUE.sub(lambda m: " <> " if m[0][0] == "<" else " ", query)


def needs_annotations(query: str) -> bool:
    """Tell whether a query looks at weights, sources or other annotations."""
    return bool(_ANNOTATED.search(bare(query)) or _ANNOTATION_IRI.search(query))


class Engine:
    """Runs a store's queries; its worker process starts with the first and is replaced when it is killed."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._read = 0

    def run(self, request: dict[str, Any], timeout: float, raw: bool = False) -> Result:
        """Send a request and return its answer, its terms as in N-Triples if *raw*.

        Raises:
            BadQuery: if the query cannot be parsed.
            QueryTimeout: if the answer is not complete after *timeout* seconds.
            QueryTooLarge: if it needs more memory than ``request["memory"]`` bytes.
            QueryFailed: if evaluation fails or the worker dies.
        """
        deadline = time.monotonic() + timeout
        try:
            self._send(request)
            self._read, memory = 0, request.get("memory")
            answer = self._answer(deadline, timeout, raw, memory)
            if memory and self._worker is not None and _own_memory(self._worker.pid) > memory // 4:
                self.close()  # what it was given it would keep
            return answer
        except BaseException as error:
            if not isinstance(error, BadQuery):
                self.close()  # whatever it still writes belongs to this query
            raise

    def _send(self, request: dict[str, Any]) -> None:
        if self._worker is None or self._worker.poll() is not None:
            self._start()
        assert self._worker is not None and self._worker.stdin is not None
        try:
            self._worker.stdin.write(json.dumps(request).encode() + b"\n")
            self._worker.stdin.flush()
        except OSError as error:
            raise QueryFailed(f"the query process has ended: {error}") from error

    def _start(self) -> None:
        self._buffer = b""
        command = [sys.executable, "-m", "kgmm.store.sparql.worker"]
        place = str(Path(__file__).parents[3])
        path = os.pathsep.join(p for p in (place, os.environ.get("PYTHONPATH", "")) if p)
        how: Any = {"env": {**os.environ, "PYTHONPATH": path}, "start_new_session": True}
        self._worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
        weakref.finalize(self, _end, self._worker)

    def _line(self, deadline: float, timeout: float, memory: int | None) -> dict[str, Any]:
        assert self._worker is not None and self._worker.stdout is not None
        handle = self._worker.stdout.fileno()
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            left = deadline - time.monotonic()
            if left <= 0:
                raise QueryTimeout(f"the query took longer than {timeout:g} s; narrow it, or raise timeout=")
            if memory and (taken := _own_memory(self._worker.pid)) > memory:
                raise QueryTooLarge(f"the query took {taken:,} bytes of memory, at most {memory:,}; narrow it")
            if not select.select([handle], [], [], min(left, LOOK) if memory else left)[0]:
                continue
            data = os.read(handle, 1 << 20)
            if not data:
                raise QueryFailed("the query process ended before its answer (out of memory, or nested too deeply)")
            parts.append(data)
            self._read += len(data)
            if memory and self._read > memory // ANSWER:
                raise QueryTooLarge(f"the answer has more than {memory // ANSWER:,} bytes; narrow the query")
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return dict(json.loads(line))

    def _answer(self, deadline: float, timeout: float, raw: bool, memory: int | None) -> Result:
        head = self._line(deadline, timeout, memory)
        if head.get("error") == "syntax":
            raise BadQuery("query", head["reason"], head["line"])
        if "error" in head:
            raise QueryFailed(f"the query could not be evaluated: {head['reason']}")
        if head["kind"] == "ask":
            return bool(head["value"])
        rows: list[tuple[Any, ...]] = []
        while True:
            part = self._line(deadline, timeout, memory)
            if "error" in part:
                raise QueryFailed(f"the query could not be evaluated: {part['reason']}")
            if "end" in part:
                break
            if raw:
                rows += map(tuple, part["rows"])
            elif head["kind"] == "select":
                rows += [tuple(map(stored, row)) for row in part["rows"]]
            else:
                rows += [(stored(s), stored_relation(p), stored(o)) for s, p, o in part["rows"]]
        if head["kind"] == "select":
            return Solutions(tuple(head["variables"]), tuple(rows), part["truncated"])
        return Triples(tuple(rows), part["truncated"])

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            _end(self._worker)
        self._worker = None


def _own_memory(process: int) -> int:
    """Return the bytes a process holds for itself, files it has mapped left out; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")


def _end(worker: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError), worker:  # closes its pipes and waits for its end
        worker.kill()


#: engines that wait for the next query, so that threads need not wait for each other
_IDLE: weakref.WeakKeyDictionary[Handle, list[Engine]] = weakref.WeakKeyDictionary()


def query(
    store: Handle,
    query: str,
    *,
    timeout: float = TIMEOUT,
    limit: int | None = None,
    memory: int | None = None,
    annotations: bool | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
    at: Moment = None,
    engine: str | None = None,
) -> Result:
    """Run a SPARQL query on a store's current version, or on what held at a time.

    Every graph of the store is a named graph, the default graph is the union of all. The prefixes ``c:``
    (English concepts), ``cn:`` (all concepts), ``r:`` (relations), ``kgmm:`` (graphs and our vocabulary), ``s:``,
    ``scene:``, ``rdf:``, ``rdfs:``, ``xsd:``, ``owl:``, ``skos:`` are declared already.

    Args:
        store: the store to ask.
        query: SELECT, ASK, CONSTRUCT or DESCRIBE.
        timeout: seconds after which the query is killed.
        limit: most rows to return; the result's ``truncated`` says whether there were more.
        memory: bytes the query may take in its process, where the system tells (Linux); then it is killed.
        annotations: whether statements about facts (weight, source, contributor, valid time …) are visible; by default,
            if the query mentions them.
        default_graphs: IRIs of the graphs that make up the default graph, instead of the union.
        named_graphs: IRIs of the graphs that GRAPH may name, instead of all.
        raw: return terms in N-Triples form instead of stored terms.
        at: only what held at some moment of this time; an index of its own is built for it when it is first asked for.
        engine: ``own`` evaluates the query in this process on the store's own index, without a copy of it, and leaves to
            Oxigraph what it does not know (annotations among it); ``oxigraph`` asks Oxigraph always; None is
            :data:`ENGINE`.

    Returns:
        Rows for SELECT, statements for CONSTRUCT and DESCRIBE, a bool for ASK.

    Raises:
        BadQuery: if the query cannot be parsed or holds SERVICE.
        QueryTimeout: if it takes too long.

    Example:
        >>> query(kb, "SELECT ?s { ?s r:UsedFor c:cutting }")[0]                       # doctest: +SKIP
        {'s': '/c/en/knife'}
    """
    from kgmm.store.rdf.terms import PREFIXES
    from kgmm.store.sparql.oxigraph import index, merged

    checked = check(query)
    if at is not None:
        store = as_of(store, at)
    with_annotations = needs_annotations(checked) if annotations is None else annotations
    chosen = engine or ENGINE
    if chosen not in ("own", "oxigraph"):
        raise BadInput("engine", f"no engine {chosen!r}; there are own and oxigraph")
    if chosen == "own" and not with_annotations:
        how: dict[str, Any] = {"timeout": timeout, "limit": limit, "memory": memory, "raw": raw}
        found = _own(store, checked, default_graphs=default_graphs, named_graphs=named_graphs, **how)
        if found is not None:
            return found
    if (idle := _IDLE.get(store)) is None:
        idle = _IDLE[store] = []
        store.at_close(partial(_end_all, idle))
    process = idle.pop() if idle else Engine()
    union = not (merged(store) or default_graphs or named_graphs or _FROM.search(bare(checked)))
    graphs = {"default_graphs": list(default_graphs), "named_graphs": list(named_graphs)}
    request = {"query": checked, "prefixes": PREFIXES, "limit": limit, "memory": memory, "union": union, **graphs}
    try:
        while True:
            folder = index(store, with_annotations)
            try:
                return process.run({"index": str(folder), **request}, timeout, raw)
            except QueryFailed:
                if folder.is_dir():
                    raise
                # a process with a newer version deleted it while the worker opened it
    finally:
        idle.append(process)


def _own(store: Handle, text: str, *, timeout: float, **how: Any) -> Result | None:
    """Answer a query in this process, or return None if it is misspelled or holds what only Oxigraph knows."""
    from kgmm.store.rdf.terms import PREFIXES
    from kgmm.store.sparql.engine.algebra import Unsupported
    from kgmm.store.sparql.engine.context import OutOfMemory, OutOfTime
    from kgmm.store.sparql.engine.running import run

    try:
        return run(store.opened, text, PREFIXES, timeout=timeout, **how)[0]
    except (Unsupported, RecursionError):  # one nested deeper than Python goes, too
        return None
    except OutOfTime:
        raise QueryTimeout(f"the query took longer than {timeout:g} s; narrow it, or raise timeout=") from None
    except (OutOfMemory, MemoryError):
        raise QueryTooLarge("the query would take more memory than it may; narrow it") from None


def _end_all(idle: list[Engine]) -> None:
    while idle:
        idle.pop().close()
