"""A SPARQL 1.1 endpoint as a store: the same look-ups, asked over HTTP in batches and pages."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

import pyoxigraph as ox

from kgmm.errors import StoreError
from kgmm.language import names
from kgmm.store import Columns, Fact, Facts, LocalStore, is_general
from kgmm.store.facts import ANY, DEFAULT_GRAPH, Number, Term, node, only_named, seed_nodes, stored_fact
from kgmm.store.formats._rows import weight_of
from kgmm.store.rdf.terms import NotRdf, full_iri, node_term, predicate_term, quads, term_of, value
from kgmm.store.remote.connection import MAX_BYTES, MAX_ROWS, Connection
from kgmm.store.remote.fetched import Fetched, RemoteTerms
from kgmm.store.sparql.results import Result, Solutions, Triples, ntriples_of, stored, stored_relation
from kgmm.store.sparql.text import BadQuery, QueryTimeout, check
from kgmm.store.times import Moment

T = TypeVar("T")
TIMELESS = "an endpoint's facts have neither versions nor times; copy them with excerpt()"
PAGE, BATCH, UPDATE = 5000, 200, 500  #: rows asked for at once, nodes named in one query, statements in one update
_PATTERN = "?s ?p ?o"


class RemoteStore:
    """A knowledge store behind a SPARQL 1.1 endpoint.

    Named graphs are the store's graphs; an endpoint without any is read as one graph ``facts``. Weights and sources are
    read where the endpoint speaks RDF 1.2 annotations and are 1 and empty elsewhere. Blank nodes cannot be asked for.

    Example:
        >>> kb = RemoteStore("https://example.org/sparql")                             # doctest: +SKIP
        >>> kb.find("knife", "UsedFor", limit=10)                                      # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        *,
        update_url: str | None = None,
        timeout: float = 60.0,
        page: int = PAGE,
        graphs: Sequence[str] | None = None,
        max_bytes: int = MAX_BYTES,
        max_rows: int = MAX_ROWS,
    ) -> None:
        """Connect to an endpoint.

        Args:
            url: where queries go.
            update_url: where updates go, if there; by default *url*, ``…/query`` becoming ``…/update``.
            timeout: seconds one request may take, with the tries of one that finds the server busy.
            page: rows asked for at once; lower it for endpoints that cut answers earlier.
            graphs: look at these graphs only; some servers keep graphs of their own beside yours.
            max_bytes: most bytes of one answer.
            max_rows: most rows of one query, or facts of one look-up without a limit.

        Raises:
            StoreError: if it does not answer as a SPARQL endpoint does.
        """
        self.url: str = url
        self._page = page
        self._only = graphs
        self._at = Connection(url, update_url, timeout, max_bytes, max_rows)
        self.terms: RemoteTerms = RemoteTerms()
        self.named: bool = self._at.ask("ASK { GRAPH ?g { ?s ?p ?o } }")
        self.annotated: bool = self._speaks_annotations()

    def find(
        self,
        subject: Term = None,
        predicate: Term = None,
        object: Term = None,
        *,
        graph: Term = None,
        limit: Number = None,
        at: Moment = None,
        version: Number = None,
    ) -> Facts:
        """Return the facts that fit a pattern; None, ``?`` and ``-`` fit anything.

        Raises:
            StoreError: if *at* or *version* is given, which an endpoint has not.
        """
        if at is not None or version is not None:
            raise StoreError(TIMELESS)
        return self._facts(self._paged(self._where(subject, predicate, object, graph), limit))

    def count(self, subject: Term = None, predicate: Term = None, object: Term = None, *, graph: Term = None) -> int:
        """Return how many facts fit a pattern; the endpoint counts."""
        where = self._where(subject, predicate, object, graph, annotated=False)
        rows = self._at.select(f"SELECT (COUNT(*) AS ?n) WHERE {{ {where} }}")
        if len(rows) != 1:
            raise self._at.error(f"answers a count with {len(rows)} rows")
        return self._at.number(rows[0], "n")

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> bool:
        return True

    def concept(self, text: str, lang: str = "en") -> str | None:
        """Return the concept node of a word, path or IRI if some fact mentions it, else None."""
        try:
            term = names.concept(text, lang)
        except ValueError:
            return None
        sides = [self._where(term, None, None, None, False), self._where(None, None, term, None, False)]
        return term if self._at.ask(f"ASK {{ {{ {sides[0]} }} UNION {{ {sides[1]} }} }}") else None

    def derived(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return what is made of the statements seen so far; they grow, so that nothing is kept."""
        return make()

    def graphs(self) -> dict[str, int]:
        """Return the named graphs and how many facts each has, largest first."""
        if not self.named:
            return {DEFAULT_GRAPH: len(self)}
        return self._counted("?g", node_term)

    def knowledge_graphs(self) -> list[str]:
        """Return the graphs that hold general knowledge, largest first: all but scenes, stories and candidates."""
        return [graph for graph in self.graphs() if is_general(graph)]

    def relations(self) -> dict[str, int]:
        """Return the relations and how many facts each has, most frequent first."""
        return self._counted("?p", predicate_term)

    def _counted(self, variable: str, term: Callable[[str], str]) -> dict[str, int]:
        where = self._where(None, None, None, None, annotated=False)
        rows = self._at.select(f"SELECT {variable} (COUNT(*) AS ?n) WHERE {{ {where} }} GROUP BY {variable}")
        try:
            found = [(term(row[variable[1:]].value), self._at.number(row, "n")) for row in rows]
        except (AttributeError, NotRdf) as error:
            raise self._at.error(f"names none of what it counts: {error}") from error
        return dict(sorted(found, key=lambda item: (-item[1], item[0])))

    def neighborhood(self, seeds: str | Iterable[str], hops: int = 2, limit: int = 500) -> Facts:
        """Return the facts within some hops of concepts, nearer and weightier ones first.

        Each hop costs two requests for every 200 nodes it starts from; of what lies around those, a page or four times
        the limit is looked at, in the endpoint's own order.

        Raises:
            BadInput: if *hops* or *limit* is negative, or a seed is nothing.
        """
        frontier = seed_nodes(seeds, hops, limit)
        seen, found = set(frontier), dict[tuple[str, str, str, str], Fact]()
        for _ in range(hops):
            near: list[Fact] = []
            for some in _batches(frontier, BATCH):
                near += self._touching(some, max(4 * limit, self._page))
            near.sort(key=lambda f: (-f.weight, f.subject, f.predicate, f.object))
            frontier = []
            for fact in near:
                if len(found) >= limit:
                    return self._facts(iter(found.values()))
                found.setdefault((fact.graph, fact.subject, fact.predicate, fact.object), fact)
                for end in (fact.subject, fact.object):
                    if end not in seen:
                        seen.add(end)
                        frontier.append(end)
        return self._facts(iter(found.values()))

    def _touching(self, nodes: Sequence[str], limit: int) -> Iterator[Fact]:
        named = [f"<{full_iri(n)}>" for n in nodes if not n.startswith(("_:", '"'))]
        said = [ntriples_of(value(n)) or "" for n in nodes if n.startswith('"')]
        for end, terms in (("?s", named), ("?o", [*named, *said])):
            if terms:
                where = f"VALUES {end} {{ {' '.join(terms)} }} {self._where(None, None, None, None)}"
                yield from self._paged(where, limit)

    def columns(self, graphs: Sequence[str] | None = None, relations: Sequence[str] | None = None) -> Columns:
        """Return the facts of some graphs and relations as arrays of numbers in :attr:`terms` and weights.

        Without a choice this fetches the whole endpoint: name graphs or relations where it is large.
        """
        where = self._where(None, None, None, None)
        for variable, wanted, predicate in (("?g", graphs, False), ("?p", relations, True)):
            if wanted is not None and (self.named or predicate):
                iris = (names.relation(w) if predicate else w for w in wanted)
                where = f"VALUES {variable} {{ {' '.join(f'<{full_iri(i, predicate)}>' for i in iris)} }} {where}"
        return self._facts(self._paged(where, None)).ids

    def excerpt(self, seeds: str | Iterable[str], path: str | Path, hops: int = 2, limit: int = 5000) -> LocalStore:
        """Copy the neighborhood of concepts into a local store, to walk, retrieve and ask there."""
        found = self.neighborhood(seeds, hops, limit)
        local = LocalStore(path)
        local.add(found)
        return local

    def sparql(self, query: str, *, timeout: float | None = None, limit: int | None = None) -> Result:
        """Run a query as :func:`kgmm.store.sparql.query.query` does; what annotations it sees is up to the endpoint."""
        kind, data = self._at.query(check(query), timeout)
        if "sparql-results" in kind or kind.startswith("application/json") or "html" in kind:
            found = self._at.results(kind, data)
            said = self._at.truth(found)
            if said is not None or isinstance(found, ox.QueryBoolean):
                return bool(said)
            rows = [tuple(stored(ntriples_of(t)) for t in row) for row in self._at.taken(found, limit)]
            cut = limit is not None and len(rows) > limit
            return Solutions(tuple(v.value for v in found.variables), tuple(rows[:limit]), cut)
        quads = self._at.triples(kind, data, limit)
        triples = [tuple(map(ntriples_of, (q.subject, q.predicate, q.object))) for q in quads]
        kept = tuple((stored(s) or "", stored_relation(p or "") or "", stored(o) or "") for s, p, o in triples[:limit])
        return Triples(kept, len(kept) < len(triples))

    def add(self, facts: Iterable[Fact] | Fact, *, graph: str | None = None) -> int:
        """Add facts; return how many were sent: an endpoint does not say which were new.

        Raises:
            StoreError: if the endpoint allows no updates.
        """
        sent = 0
        for some in _batches([facts] if isinstance(facts, Fact) else facts, UPDATE):
            lines = []
            for f in some:
                row = (graph or f.graph, f.subject, f.predicate, f.object, f.weight, f.source)
                for q in quads(row, self.annotated):
                    statement = f"{q.subject} {q.predicate} {ntriples_of(q.object)} ."
                    lines.append(f"GRAPH {q.graph_name} {{ {statement} }}" if self.named or graph else statement)
            self._at.update(f"INSERT DATA {{ {' '.join(lines)} }}")
            sent += len(some)
        return sent

    def remove(self, subject: Term = None, predicate: Term = None, object: Term = None, *, graph: Term = None) -> int:
        """Remove the facts that fit a pattern; return how many there were. Only None fits anything.

        Raises:
            StoreError: if the pattern is empty or the endpoint allows no updates.
        """
        only_named(subject, predicate, object, graph)
        if all(t is None for t in (subject, predicate, object, graph)):
            raise StoreError("remove needs a subject, predicate, object or graph")
        count = self.count(subject, predicate, object, graph=graph)
        where = self._where(subject, predicate, object, graph, annotated=False)
        stated = f"GRAPH ?g {{ {_PATTERN} }}" if self.named else _PATTERN
        self._at.update(f"DELETE {{ {stated} }} WHERE {{ {where} }}")
        return count

    def _where(self, s: Term, p: Term, o: Term, g: Term, annotated: bool = True) -> str:
        """Return the group pattern of ?g ?s ?p ?o (and ?w ?src) for a pattern of terms."""
        bound = ""
        for variable, term, predicate in (("?s", s, False), ("?p", p, True), ("?o", o, False), ("?g", g, False)):
            if term in ANY or (variable == "?g" and not self.named):
                continue
            assert term is not None
            stored = names.relation(term) if predicate else term if variable == "?g" else node(term)
            value = stored if names.is_literal(stored) else f"<{full_iri(stored, predicate)}>"
            bound += f"VALUES {variable} {{ {value} }} "
        if self._only is not None and self.named and g in ANY:
            bound += f"VALUES ?g {{ {' '.join(f'<{full_iri(name)}>' for name in self._only)} }} "
        inner = _PATTERN
        if self.annotated and annotated:
            about = "OPTIONAL { ?f kgmm:weight ?w } OPTIONAL { ?f kgmm:source ?src }"
            inner += f" OPTIONAL {{ ?f rdf:reifies <<( ?s ?p ?o )>> {about} }}"
        if self.annotated:
            inner += " FILTER(?p NOT IN (rdf:reifies, kgmm:weight, kgmm:source))"
        return bound + (f"GRAPH ?g {{ {inner} }}" if self.named else inner)

    def _paged(self, where: str, limit: int | None) -> Iterator[Fact]:
        """Yield facts page by page, ordered only where one page does not do."""
        variables = ("?g " if self.named else "") + _PATTERN + (" ?w ?src" if self.annotated else "")
        select = f"SELECT {variables} WHERE {{ {where} }}"
        first = self._page if limit is None else min(self._page, limit)
        rows = self._rows(select, first)
        if len(rows) < first or (limit is not None and limit <= self._page):
            yield from self._decoded(rows)
            return
        # an endpoint may order otherwise unordered rows differently each time: begin again, ordered
        offset, ordered = 0, f"{select} ORDER BY {variables}"
        while limit is None or offset < limit:
            size = self._page if limit is None else min(self._page, limit - offset)
            rows = self._rows(f"SELECT * WHERE {{ {{ {ordered} }} }}", size, offset)
            yield from self._decoded(rows)
            offset += len(rows)
            if len(rows) < size:
                return
            if limit is None and offset >= self._at.max_rows:
                raise self._at.error(f"has more than {self._at.max_rows:,} such facts; give a limit, or ask for less")

    def _rows(self, select: str, size: int, offset: int = 0) -> list[ox.QuerySolution]:
        rows = self._at.select(f"{select} LIMIT {size}" + (f" OFFSET {offset}" if offset else ""))
        if len(rows) > size:
            raise self._at.error(f"answers with {len(rows):,} rows where it was asked for {size:,}")
        return rows

    def _decoded(self, rows: Iterable[ox.QuerySolution]) -> Iterator[Fact]:
        for row in rows:
            try:
                if row["s"] is None or row["o"] is None:
                    raise KeyError("an end is missing")
                graph = node_term(row["g"].value) if self.named else DEFAULT_GRAPH
                subject, predicate = term_of(row["s"]), predicate_term(row["p"].value)
                obj = term_of(row["o"])
                weight = weight_of(row["w"].value) if self.annotated and row["w"] is not None else 1.0
                source = str(row["src"].value) if self.annotated and row["src"] is not None else ""
            except NotRdf:
                continue  # a triple term: no fact of ours
            except (AttributeError, KeyError, ValueError) as error:
                raise self._at.error(f"answers with a row that is no fact: {str(row)[:200]} ({error})") from error
            yield stored_fact(subject, predicate, obj, weight, graph, source)

    def _facts(self, found: Iterable[Fact]) -> Facts:
        return Fetched(list(found), self.terms)

    def _speaks_annotations(self) -> bool:
        try:
            self._at.ask("ASK { ?f rdf:reifies <<( ?s ?p ?o )>> }")
        except QueryTimeout:
            raise
        except (StoreError, BadQuery):
            return False
        return True

    def close(self) -> None:
        """Do nothing: requests leave no connection open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteStore {self.url}>"


def _batches(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while batch := tuple(islice(rest, size)):
        yield batch
