"""Requests to a SPARQL 1.1 endpoint: the protocol over HTTP, tried again where that may help."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pyoxigraph as ox

from kgmm.errors import StoreError
from kgmm.store.rdf.terms import PREFIXES
from kgmm.store.sparql.query import BadQuery, QueryFailed

#: tries of a request that fails to connect or finds the server busy
TRIES = 3
_ACCEPT = "application/sparql-results+json, application/n-triples;q=0.9, text/turtle;q=0.8, */*;q=0.1"
_PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())


class Connection:
    """An endpoint's addresses, and how to ask it; the prefixes of :data:`kgmm.store.rdf.terms.PREFIXES` are declared."""

    def __init__(self, url: str, update_url: str | None, timeout: float) -> None:
        self.url: str = url
        self.timeout: float = timeout
        self.update_url: str = update_url or (url.removesuffix("query") + "update" if url.endswith("/query") else url)

    def select(self, query: str) -> ox.QuerySolutions:
        """Return the rows of a query."""
        kind, data = self.query(query)
        found = parsed(data) if "json" in kind else ox.parse_query_results(data, ox.QueryResultsFormat.XML)
        assert isinstance(found, ox.QuerySolutions)
        return found

    def ask(self, query: str) -> bool:
        """Return the answer of an ASK query.

        Raises:
            StoreError: if it is answered otherwise.
        """
        said = truth(parsed(self.query(query)[1]))
        if said is None:
            raise StoreError(f"{self.url} does not answer as a SPARQL endpoint does")
        return said

    def query(self, text: str, timeout: float | None = None) -> tuple[str, bytes]:
        """Send a query; return the answer's media type and content.

        Raises:
            BadQuery: if the endpoint finds it malformed.
            QueryFailed: if it answers with another error.
            StoreError: if it cannot be reached.
        """
        return self._post(self.url, "query", text, TRIES, timeout or self.timeout)

    def update(self, text: str) -> None:
        """Send an update, once: whether one that failed took effect is not known."""
        self._post(self.update_url, "update", text, 1, self.timeout)

    def _post(self, url: str, kind: str, text: str, tries: int, timeout: float) -> tuple[str, bytes]:
        data = urllib.parse.urlencode({kind: _PREFIXES + text}).encode()
        request = urllib.request.Request(url, data, {"Accept": _ACCEPT, "User-Agent": "kgmm"})
        for attempt in range(1, tries + 1):
            try:
                with urllib.request.urlopen(request, timeout=timeout) as answer:
                    return answer.headers.get_content_type(), answer.read()
            except urllib.error.HTTPError as error:
                reason = error.read(500).decode("utf-8", "replace").strip()
                if error.code == 400:
                    raise BadQuery(url, reason.replace("\n", " ")) from error
                if error.code not in (502, 503, 504) or attempt == tries:
                    raise QueryFailed(f"{url}: HTTP {error.code} {error.reason}: {reason[:200]}") from error
            except (urllib.error.URLError, OSError) as error:
                if attempt == tries:
                    raise StoreError(f"{url} cannot be reached: {error}") from error
            time.sleep(0.2 * attempt)
        raise AssertionError("unreachable")


def parsed(data: bytes) -> ox.QuerySolutions | ox.QueryBoolean:
    """Return an answer in SPARQL's JSON results format.

    Raises:
        StoreError: if it is not one.
    """
    try:
        # Virtuoso still writes the type that the first draft of the JSON results had
        found = ox.parse_query_results(
            data.replace(b'"type": "typed-literal"', b'"type": "literal"'), ox.QueryResultsFormat.JSON
        )
    except (SyntaxError, ValueError, json.JSONDecodeError) as error:
        raise StoreError(f"the endpoint's answer is no SPARQL result: {data[:80]!r}") from error
    assert isinstance(found, ox.QuerySolutions | ox.QueryBoolean)
    return found


def truth(found: ox.QuerySolutions | ox.QueryBoolean) -> bool | None:
    """Return the answer of an ASK query, None if it was no such query; Virtuoso answers with a row."""
    if isinstance(found, ox.QueryBoolean):
        return bool(found)
    if [v.value for v in found.variables] != ["__ASK_RETVAL"]:
        return None
    return [str(solution[0].value) for solution in found] == ["1"]
