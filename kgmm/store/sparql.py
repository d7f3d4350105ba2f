"""SPARQL over a store: queries run in a process of their own, with a time limit that holds."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from kgmm.errors import BadInput, StoreError
from kgmm.names import LOCAL, from_iri, iri, is_literal

if TYPE_CHECKING:
    import polars
    import rdflib

    from kgmm.store.local import LocalStore

#: Seconds a query may take unless told otherwise.
TIMEOUT = 60.0
Row = dict[str, str | None]
#: what may hide a keyword: IRIs, strings, comments
_OPAQUE = re.compile(
    r'<[^<>"{}|^`\\\s]*>|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\''
    r'|"(?:[^"\\\n\r]|\\.)*"|\'(?:[^\'\\\n\r]|\\.)*\'|#[^\n\r]*',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")
_SERVICE = re.compile(r"(?<![?$:@\w.-])SERVICE(?![\w:.-])", re.IGNORECASE)
_FROM = re.compile(r"(?<![?$:@\w.-])FROM(?![\w:.-])", re.IGNORECASE)
_ANNOTATED = re.compile(r"\{\||<<|~|:(?:weight|source|reifies)\b|\b(?:TRIPLE|isTRIPLE)\s*\(")
_ANNOTATION_IRI = re.compile(r"urn:kgmm:(?:weight|source|fact/)|#reifies>")


class BadQuery(BadInput):
    """A query that cannot be parsed, or asks for what a store refuses."""


class QueryTimeout(StoreError):
    """A query took longer than it may."""


class QueryFailed(StoreError):
    """A query could not be evaluated."""


@dataclass(frozen=True)
class Solutions(Sequence[Row]):
    """The rows of a SELECT query: dictionaries from variable to stored term, None where it is unbound.

    ``truncated`` tells that the row limit cut the result.
    """

    variables: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (dict(zip(self.variables, row, strict=True)) for row in self.rows)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [dict(zip(self.variables, row, strict=True)) for row in self.rows[at]]
        return dict(zip(self.variables, self.rows[at], strict=True))

    def column(self, variable: str) -> list[str | None]:
        """Return the terms of one variable.

        Raises:
            KeyError: if the query has no such variable.
        """
        if variable.lstrip("?") not in self.variables:
            raise KeyError(variable)
        at = self.variables.index(variable.lstrip("?"))
        return [row[at] for row in self.rows]

    def to_polars(self) -> polars.DataFrame:
        """Return a data frame; columns that hold numbers only become numeric."""
        import polars

        columns = {name: python_values(self.column(name)) for name in self.variables}
        return polars.DataFrame(columns, strict=False)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.variables)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(t or '')}</td>" for t in row) + "</tr>" for row in self.rows[:50]
        )
        return f"<table><tr>{head}</tr>{body}</table><p>{len(self)} rows</p>"


@dataclass(frozen=True)
class Triples(Sequence[tuple[str, str, str]]):
    """The statements of a CONSTRUCT or DESCRIBE query, as stored terms."""

    rows: tuple[tuple[str, str, str], ...]
    truncated: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        return iter(self.rows)

    @overload
    def __getitem__(self, at: int) -> tuple[str, str, str]: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[tuple[str, str, str], ...]: ...
    def __getitem__(self, at: Any) -> Any:
        return self.rows[at]

    def to_polars(self) -> polars.DataFrame:
        """Return a data frame with a row a statement."""
        import polars

        names = ("subject", "predicate", "object")
        return polars.DataFrame(list(self.rows), schema=dict.fromkeys(names, polars.String), orient="row")

    def to_ntriples(self) -> str:
        """Return the statements as N-Triples."""
        parts = (f"{ntriples(s)} {ntriples(p, True)} {ntriples(o)} .\n" for s, p, o in self.rows)
        return "".join(parts)

    def to_rdflib(self) -> rdflib.Graph:
        """Return the statements as an rdflib graph."""
        import rdflib

        return rdflib.Graph().parse(data=self.to_ntriples(), format="nt")


def ntriples(term: str, predicate: bool = False) -> str:
    """Return a stored term in N-Triples form."""
    if is_literal(term) or term.startswith(("_:", "<<(")):
        return term
    return f"<{iri(term, predicate=predicate)}>"


def ntriples_of(term: object) -> str | None:
    """Return an RDF term in N-Triples form; a triple term in its double brackets."""
    if term is None:
        return None
    return f"<<( {term} )>>" if type(term).__name__ == "Triple" else str(term)


def stored(term: str | None) -> str | None:
    """Return the stored term of an RDF term in N-Triples form.

    Example:
        >>> stored("<http://conceptnet.io/r/UsedFor>"), stored('"Hund"@de')
        ('UsedFor', '"Hund"@de')
    """
    if term is None or term[0] != "<" or term[1:2] == "<":
        return term
    return from_iri(term[1:-1])


def _relation(term: str) -> str | None:
    """Return a predicate's stored form: those of our own vocabulary keep their IRI, as in a store."""
    return term[1:-1] if term.startswith(f"<{LOCAL}") else stored(term)


_NUMBER = re.compile(
    r'"([^"]*)"\^\^<http://www\.w3\.org/2001/XMLSchema#(integer|int|long|decimal|double|float)>'
)


def python_values(terms: Sequence[str | None]) -> list[Any]:
    """Return a column's terms, as numbers if all of them are, as texts if all are plain strings."""
    known = [t for t in terms if t is not None]
    matches = [_NUMBER.fullmatch(t) for t in known]
    if known and all(matches):
        whole = all(m is not None and m[2] in ("integer", "int", "long") for m in matches)
        kind = int if whole else float
        return [None if t is None else kind(_NUMBER.fullmatch(t)[1]) for t in terms]  # type: ignore[index]
    return list(terms)


def check(query: str) -> str:
    """Return a query with its code points unescaped, if a store may run it.

    Raises:
        BadQuery: if it holds a SERVICE clause.
    """
    text = _ESCAPE.sub(_code_point, query)
    found = _SERVICE.search(_bare(text))
    if found:
        raise BadQuery("query", "SERVICE is refused: a store asks no other server; load its data instead")
    return text


def _code_point(match: re.Match[str]) -> str:
    value = int(match[1] or match[2], 16)
    if value > 0x10FFFF or 0xD800 <= value < 0xE000:
        raise BadQuery("query", f"{match[0]} is no character")
    # a quote or backslash written so must not end a string it stands in
    return match[0] if chr(value) in "\"'\\" else chr(value)


def _bare(query: str) -> str:
    return _OPAQUE.sub(lambda m: " <> " if m[0][0] == "<" else " ", query)


def needs_annotations(query: str) -> bool:
    """Tell whether a query looks at weights, sources or other annotations."""
    return bool(_ANNOTATED.search(_bare(query)) or _ANNOTATION_IRI.search(query))


class Engine:
    """Runs a store's queries; its worker process starts with the first and is replaced when it is killed."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def run(self, request: dict[str, Any], timeout: float, raw: bool = False) -> Solutions | Triples | bool:
        """Send a request and return its answer, its terms as in N-Triples if *raw*.

        Raises:
            BadQuery: if the query cannot be parsed.
            QueryTimeout: if the answer is not complete after *timeout* seconds.
            QueryFailed: if evaluation fails or the worker dies.
        """
        deadline = time.monotonic() + timeout
        try:
            self._send(request)
            return self._answer(deadline, timeout, raw)
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
        command = [sys.executable, "-m", "kgmm.store.sparqlworker"]
        place = str(Path(__file__).parents[2])
        path = os.pathsep.join(p for p in (place, os.environ.get("PYTHONPATH", "")) if p)
        self._worker = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        weakref.finalize(self, _end, self._worker)

    def _line(self, deadline: float, timeout: float) -> dict[str, Any]:
        assert self._worker is not None and self._worker.stdout is not None
        handle = self._worker.stdout.fileno()
        parts = [self._buffer]
        while b"\n" not in parts[-1]:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise QueryTimeout(f"the query took longer than {timeout:g} s; narrow it, or raise timeout=")
            data = os.read(handle, 1 << 20)
            if not data:
                raise QueryFailed("the query process ended before its answer (out of memory?)")
            parts.append(data)
        line, _, self._buffer = b"".join(parts).partition(b"\n")
        return dict(json.loads(line))

    def _answer(self, deadline: float, timeout: float, raw: bool) -> Solutions | Triples | bool:
        head = self._line(deadline, timeout)
        if head.get("error") == "syntax":
            raise BadQuery("query", head["reason"], head["line"])
        if "error" in head:
            raise QueryFailed(f"the query could not be evaluated: {head['reason']}")
        if head["kind"] == "ask":
            return bool(head["value"])
        rows: list[tuple[Any, ...]] = []
        while True:
            part = self._line(deadline, timeout)
            if "error" in part:
                raise QueryFailed(f"the query could not be evaluated: {part['reason']}")
            if "end" in part:
                break
            if raw:
                rows += map(tuple, part["rows"])
            elif head["kind"] == "select":
                rows += [tuple(map(stored, row)) for row in part["rows"]]
            else:
                rows += [(stored(s), _relation(p), stored(o)) for s, p, o in part["rows"]]
        if head["kind"] == "select":
            return Solutions(tuple(head["variables"]), tuple(rows), part["truncated"])
        return Triples(tuple(rows), part["truncated"])

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            _end(self._worker)
        self._worker = None


def _end(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue


#: engines that wait for the next query, so that threads need not wait for each other
_IDLE: weakref.WeakKeyDictionary[LocalStore, list[Engine]] = weakref.WeakKeyDictionary()


def query(
    store: LocalStore,
    text: str,
    *,
    timeout: float = TIMEOUT,
    limit: int | None = None,
    annotations: bool | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
) -> Solutions | Triples | bool:
    """Run a SPARQL query on a store's current version.

    Every graph of the store is a named graph, the default graph is the union of all. The prefixes ``c:``
    (English concepts), ``cn:`` (all concepts), ``r:`` (relations), ``kgmm:`` (graphs and our vocabulary), ``s:``,
    ``scene:``, ``rdf:``, ``rdfs:``, ``xsd:``, ``owl:``, ``skos:`` are declared already.

    Args:
        store: the store to ask.
        text: SELECT, ASK, CONSTRUCT or DESCRIBE.
        timeout: seconds after which the query is killed.
        limit: most rows to return; the result's ``truncated`` says whether there were more.
        annotations: whether statements about facts (weight, source) are visible; by default, if the
            query mentions them.
        default_graphs: IRIs of the graphs that make up the default graph, instead of the union.
        named_graphs: IRIs of the graphs that GRAPH may name, instead of all.
        raw: return terms in N-Triples form instead of stored terms.

    Returns:
        Rows for SELECT, statements for CONSTRUCT and DESCRIBE, a bool for ASK.

    Raises:
        BadQuery: if the query cannot be parsed or holds SERVICE.
        QueryTimeout: if it takes too long.

    Example:
        >>> query(kb, "SELECT ?s { ?s r:UsedFor c:cutting }")[0]                       # doctest: +SKIP
        {'s': '/c/en/knife'}
    """
    from kgmm.store.sparqlindex import index, merged

    checked = check(text)
    with_annotations = needs_annotations(checked) if annotations is None else annotations
    idle = _IDLE.setdefault(store, [])
    engine = idle.pop() if idle else Engine()
    request = {
        "index": str(index(store, with_annotations)),
        "query": checked,
        "prefixes": prefixes(),
        "limit": limit,
        "union": not (merged(store) or default_graphs or named_graphs or _FROM.search(_bare(checked))),
        "default_graphs": list(default_graphs),
        "named_graphs": list(named_graphs),
    }
    try:
        return engine.run(request, timeout, raw)
    finally:
        idle.append(engine)


def prefixes() -> dict[str, str]:
    """Return the prefixes that need no declaration."""
    from kgmm.store.rdfterms import PREFIXES

    return dict(PREFIXES)


def close(store: LocalStore) -> None:
    """End a store's query processes, if it has any."""
    for engine in _IDLE.pop(store, []):
        engine.close()
