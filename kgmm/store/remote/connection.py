"""Requests to a SPARQL 1.1 endpoint that is not trusted: bounded in time and size, to that host only."""

import contextlib
import http.client
import io
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from itertools import islice
from queue import Empty, SimpleQueue
from typing import IO, Any, TypeVar

import pyoxigraph as ox

from kgmm.errors import StoreError
from kgmm.store.rdf.depth import Nesting, results_too_deep
from kgmm.store.rdf.foreign import Bounds, parse
from kgmm.store.rdf.terms import PREFIXES
from kgmm.store.sparql.text import BadQuery, QueryFailed, QueryTimeout

T = TypeVar("T")
#: tries of a request that fails to connect or finds the server busy; together they take no longer than one may
TRIES = 3
MAX_BYTES, MAX_ROWS = 64 << 20, 1_000_000  #: most bytes of one answer, and most rows of one look-up or query
_BLOCK = 1 << 16
_ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9, text/turtle;q=0.8, */*;q=0.1"
_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


class Connection:
    """An endpoint's addresses, and how to ask it; the prefixes of :data:`kgmm.store.rdf.terms.PREFIXES` are declared."""

    def __init__(
        self, url: str, update_url: str | None, timeout: float, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS
    ) -> None:
        self.url: str = url
        self.timeout: float = timeout
        self.max_bytes: int = max_bytes
        self.max_rows: int = max_rows
        self.update_url: str = update_url or (url.removesuffix("query") + "update" if url.endswith("/query") else url)

    def select(self, query: str) -> list[ox.QuerySolution]:
        """Return the rows of a query; StoreError if it is answered otherwise, or with too many."""
        found = self.results(*self.query(query))
        if isinstance(found, ox.QueryBoolean):
            raise self.error("answers a SELECT query with yes or no")
        return self.taken(found)

    def ask(self, query: str) -> bool:
        """Return the answer of an ASK query; StoreError if it is answered otherwise."""
        said = self.truth(self.results(*self.query(query)))
        if said is None:
            raise self.error("does not answer as a SPARQL endpoint does")
        return said

    def query(self, text: str, timeout: float | None = None) -> tuple[str, bytes]:
        """Send a query; return the answer's media type and content.

        Raises:
            BadQuery: if the endpoint finds it malformed.
            QueryTimeout: if all of it is not answered in time.
            QueryFailed: if it answers with another error.
            StoreError: if it cannot be reached, or answers with too much or from elsewhere.
        """
        return self._post(self.url, "query", text, TRIES, timeout or self.timeout)

    def update(self, text: str) -> None:
        """Send an update, once: whether one that failed took effect is not known."""
        self._post(self.update_url, "update", text, 1, self.timeout)

    def results(self, kind: str, data: bytes) -> ox.QuerySolutions | ox.QueryBoolean:
        """Return an answer in SPARQL's JSON or XML results format; StoreError if it is none."""
        if "html" in kind:
            raise self.error(f"answers with a page ({kind}), not with a SPARQL result; is this its address?")
        form = ox.QueryResultsFormat.XML if kind.endswith("xml") else ox.QueryResultsFormat.JSON
        # Virtuoso still writes the type that the first draft of the JSON results had
        text = data.replace(b'"type": "typed-literal"', b'"type": "literal"') if form.file_extension == "srj" else data
        with self._understood(data):
            if results_too_deep(text, form == ox.QueryResultsFormat.XML):
                raise ValueError("its values lie too deep in each other")
            found = ox.parse_query_results(text, form)
            assert isinstance(found, ox.QuerySolutions | ox.QueryBoolean)
            return found

    def triples(self, kind: str, data: bytes, limit: int | None) -> list[ox.Quad]:
        """Return the statements of an answer, one more than *limit* if there are more; StoreError if it is no RDF."""
        with self._understood(data):
            if Nesting().too_deep(data):
                raise ValueError("its triple terms lie too deep in each other")
            syntax = ox.RdfFormat.from_media_type(kind) or ox.RdfFormat.TURTLE
            return self.taken(parse(io.BytesIO(data), syntax, "", Bounds(self.timeout)), limit)

    def taken(self, rows: Iterator[T], limit: int | None = None) -> list[T]:
        """Return all rows, or one more than *limit*; StoreError if they are none, or above :attr:`max_rows`."""
        with self._understood(b""):
            found = list(islice(rows, (self.max_rows if limit is None else limit) + 1))
        if limit is None and len(found) > self.max_rows:
            raise self._too_much(f"{self.max_rows:,} rows")
        return found

    def truth(self, found: ox.QuerySolutions | ox.QueryBoolean) -> bool | None:
        """Return the answer of an ASK query, None if it was no such query; Virtuoso answers with a row."""
        if isinstance(found, ox.QueryBoolean):
            return bool(found)
        if [v.value for v in found.variables] != ["__ASK_RETVAL"]:
            return None
        return [str(getattr(row[0], "value", "")) for row in self.taken(found)] == ["1"]

    def number(self, row: ox.QuerySolution, name: str) -> int:
        """Return a count in a row; StoreError if it is none."""
        said = str(getattr(row[name], "value", ""))
        if not (said.isascii() and said.isdecimal() and len(said) < 19):
            raise self.error(f"counts {_shown(said)!r} facts")
        return int(said)

    def error(self, reason: str) -> StoreError:
        """Return an error that names the endpoint."""
        return StoreError(f"{self.url} {reason}")

    def _too_much(self, most: str) -> StoreError:
        return self.error(f"answers with more than {most}; ask for less, or set a LIMIT")

    @contextlib.contextmanager
    def _understood(self, data: bytes) -> Iterator[None]:
        try:
            yield
        except (SyntaxError, ValueError, OSError, RecursionError) as error:
            start = f", which begins with {_shown(data[:60].decode('utf-8', 'replace'))!r}" if data else ""
            raise self.error(f"answers with no SPARQL result{start}: {_shown(str(error))}") from error

    def _post(self, url: str, kind: str, text: str, tries: int, seconds: float) -> tuple[str, bytes]:
        data = urllib.parse.urlencode({kind: _PREFIXES + text}).encode()
        request = urllib.request.Request(url, data, {"Accept": _ACCEPT, "User-Agent": "kgmm"})
        until = time.monotonic() + seconds
        for attempt in range(1, tries + 1):
            try:
                return _within(until, lambda: self._answer(request, until))
            except TimeoutError as error:
                raise QueryTimeout(f"{url} does not answer within {seconds:g} s") from error
            except urllib.error.HTTPError as error:
                reason = _shown(str(error.reason))
                if error.code == 400:
                    raise BadQuery(url, reason) from error
                last: Exception = QueryFailed(f"{url}: HTTP {error.code} {reason}")
                if error.code not in (502, 503, 504):
                    raise last from error
            except (OSError, http.client.HTTPException, ValueError) as error:
                last = StoreError(f"{url} cannot be reached: {_shown(str(getattr(error, 'reason', error)))}")
                last.__cause__ = error
            pause = 0.2 * attempt
            if attempt == tries or time.monotonic() + pause >= until:
                raise last
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _answer(self, request: urllib.request.Request, until: float) -> tuple[str, bytes]:
        """Return what a request is answered with; what is wrong with it is an HTTPError whose reason is the answer's text."""
        opener = urllib.request.build_opener(_SameHost)
        try:
            with opener.open(request, timeout=max(until - time.monotonic(), 0.001)) as answer:
                parts, size = [], 0
                while part := answer.read1(_BLOCK):
                    parts.append(part)
                    size += len(part)
                    if size > self.max_bytes:
                        raise self._too_much(f"{self.max_bytes:,} bytes")
                    if time.monotonic() > until:
                        raise TimeoutError
                if answer.length:  # what is still to come of the length it announced
                    raise http.client.IncompleteRead(b"", answer.length)
                return answer.headers.get_content_type(), b"".join(parts)
        except urllib.error.HTTPError as error:
            error.msg = f"{error.msg}: {error.read(500).decode('utf-8', 'replace')}"
            raise


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows an endpoint that moved on its own host, with the same request; whoever else it names is not asked."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request:
        """Return the request to send next, or raise StoreError if it would go to another host, or from https to http."""
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        secured = (old.scheme, new.scheme) == ("http", "https") and old.port is None and new.port is None
        if old.hostname != new.hostname or ((old.scheme, old.port) != (new.scheme, new.port) and not secured):
            raise StoreError(f"{req.full_url} sends on to another server, {_shown(newurl)}, which is not asked")
        return urllib.request.Request(newurl, req.data, dict(req.header_items()))


def _within(until: float, act: Callable[[], T]) -> T:
    """Return what *act* returns, on a thread of its own: a server that sends a byte now and then stops no clock."""
    ended: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            ended.put((act(), None))
        except BaseException as error:
            ended.put((None, error))

    threading.Thread(target=run, name="kgmm-endpoint", daemon=True).start()
    try:
        found, error = ended.get(timeout=max(until - time.monotonic(), 0.001))
    except Empty:
        raise TimeoutError from None
    if error is not None:
        reason = getattr(error, "reason", None)
        raise reason if isinstance(reason, TimeoutError) else error
    return found  # type: ignore[return-value]


def _shown(text: str) -> str:
    """Return a server's words as a part of one line, without what a terminal would obey."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:200]
