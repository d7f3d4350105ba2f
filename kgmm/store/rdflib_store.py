"""A store as an rdflib store: ``rdflib.Graph(store="kgmm")`` reads and writes it in place.

Additions are collected and reach the disk in one commit, on ``commit()``, on ``close()``, and when many wait;
``rollback()`` forgets those still waiting. Removals are committed at once. A graph without a name of its own (rdflib
gives it a blank node) shows the facts of all graphs and adds to the graph ``facts``.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import rdflib
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID
from rdflib.query import Result
from rdflib.store import VALID_STORE, Store
from rdflib.term import BNode, IdentifiedNode, Literal, Node, URIRef, Variable

from kgmm.store import changes
from kgmm.store.facts import DEFAULT_GRAPH, Columns, stored_fact
from kgmm.store.handle import Handle
from kgmm.store.rdf.terms import PREFIXES, NotRdf, full_iri, node_term, predicate_term
from kgmm.store.rdf.text import quoted
from kgmm.store.sparql.results import Solutions, Triples

_WAIT, _MOST = 256, 50_000  #: waiting additions that are written before a look-up, and at any rate
_LITERAL = re.compile(r'"(.*)"(?:@([\w-]+)|\^\^<([^>]*)>)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
Key = tuple[str, str, str, str]  #: graph, subject, predicate, object
Triple = tuple[Node, Node, Node]
Pattern = tuple[Any, Any, Any]


def term_of(node: Node, predicate: bool = False) -> str:
    """Return the stored term of an rdflib node; NotRdf if it is neither IRI, blank node nor literal."""
    if isinstance(node, URIRef):
        return predicate_term(str(node)) if predicate else node_term(str(node))
    if isinstance(node, BNode):
        return f"_:{node}"
    if isinstance(node, Literal):
        text = quoted(str(node))
        if node.language:
            return f"{text}@{node.language.lower()}"
        return f"{text}^^<{node.datatype}>" if node.datatype else text
    raise NotRdf(f"a store cannot hold {node!r}")


@lru_cache(maxsize=1 << 16)
def node_of(term: str, predicate: bool = False) -> Node:
    """Return the rdflib node of a stored term."""
    if term.startswith("_:"):
        return BNode(term[2:])
    if term.startswith('"') and not predicate and (match := _LITERAL.fullmatch(term)):
        text = _ESCAPE.sub(_unescape, match[1]) if "\\" in match[1] else match[1]
        datatype = URIRef(match[3]) if match[3] else None
        return Literal(text, lang=match[2], datatype=datatype, normalize=False)
    return URIRef(full_iri(term, predicate))


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])


class KgmmStore(Store):
    """The rdflib store plug-in; its configuration is the store's folder.

    >>> graph = rdflib.Graph(store="kgmm")                                         # doctest: +SKIP
    >>> graph.open("knowledge-store", create=True)                                 # doctest: +SKIP
    """

    context_aware = True
    graph_aware = True
    formula_aware = False
    transaction_aware = False

    def __init__(self, configuration: str | None = None, identifier: Any = None) -> None:
        self._kb: Handle | None = None
        self._default_is_facts = False  #: whether rdflib's own default graph is our graph "facts"
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._waiting: dict[Key, None] = {}
        self._empty: set[str] = set()
        self._prefixes: dict[str, URIRef] = {}
        self._spaces: dict[URIRef, str] = {}
        super().__init__(configuration, identifier)

    @classmethod
    def of(cls, store: Handle) -> KgmmStore:
        """Return the plug-in over a store that is open already."""
        made = cls()
        made._kb, made._default_is_facts = store, True
        return made

    @property
    def kb(self) -> Handle:
        """The store below; without a configuration, one in a temporary folder."""
        if self._kb is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="kgmm-")
            self.open(str(Path(self._temporary.name) / "kb"), create=True)
        assert self._kb is not None
        return self._kb

    def open(self, configuration: str | tuple[str, str], create: bool = True) -> int:
        """Open the store's folder."""
        self._kb = Handle(str(configuration), create=create)
        return VALID_STORE

    def close(self, commit_pending_transaction: bool = True) -> None:
        """Write what waits and close the store."""
        if self._kb is None:
            return
        self.commit()
        self._kb.close()
        self._kb = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def destroy(self, configuration: str) -> None:
        """Delete the store's folder."""
        self._waiting.clear()
        shutil.rmtree(configuration, ignore_errors=True)

    def commit(self) -> None:
        """Write the additions that wait, in one commit."""
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            changes.add(self.kb, [stored_fact(s, p, o, 1.0, graph, "") for graph, s, p, o in waiting])

    def rollback(self) -> None:
        """Forget the additions that wait."""
        self._waiting.clear()

    def add(self, triple: Triple, context: Any, quoted: bool = False) -> None:
        """Add one statement to a graph."""
        super().add(triple, context, quoted)
        self.addN([(*triple, context)])

    def addN(self, quads: Iterable[tuple[Node, Node, Node, Any]]) -> None:
        """Add statements to their graphs."""
        for s, p, o, context in quads:
            graph = self._graph(context) or DEFAULT_GRAPH
            self._waiting[graph, term_of(s), term_of(p, True), term_of(o)] = None
            if len(self._waiting) >= _MOST:
                self.commit()

    def remove(self, triple: Pattern, context: Any = None) -> None:
        """Remove the statements that fit a pattern, in one graph or all."""
        super().remove(triple, context)
        graph = self._graph(context)
        s, p, o = self._pattern(triple)
        for key in [k for k in self._waiting if _fits(k, (graph, s, p, o))]:
            del self._waiting[key]
        if s is p is o is graph is None:
            for name in self._named():
                changes.remove(self.kb, graph=name)
            self._empty.clear()
        elif len(self._found(s, p, o, graph)):
            changes.remove(self.kb, s, p, o, graph=graph)

    def triples(self, triple_pattern: Pattern, context: Any = None) -> Iterator[tuple[Triple, Iterator[Any]]]:
        """Yield the statements that fit a pattern, each with the graphs it is in."""
        graph = self._graph(context)
        pattern = self._pattern(triple_pattern)
        if len(self._waiting) > _WAIT:
            self.commit()
        stated: dict[tuple[str, str, str], list[str]] = {}
        name = lru_cache(1 << 14)(self.kb.terms.name)
        columns = self._found(*pattern, graph)
        ids = (columns.subject, columns.predicate, columns.object, columns.graph)
        for s, p, o, g in zip(*(c.tolist() for c in ids), strict=True):
            stated.setdefault((name(s), name(p), name(o)), []).append(name(g))
        for key in self._waiting:
            if _fits(key, (graph, *pattern)):
                graphs = stated.setdefault(key[1:], [])
                if key[0] not in graphs:
                    graphs.append(key[0])
        for (s, p, o), graphs in stated.items():
            nodes = node_of(s), node_of(p, True), node_of(o)
            yield nodes, (self._context(g) for g in graphs)

    def _found(self, s: str | None, p: str | None, o: str | None, graph: str | None) -> Columns:
        wanted = [None if t is None else self.kb.terms.id(t) for t in (s, p, o, graph)]
        unknown = any(t is not None and i is None for t, i in zip((s, p, o, graph), wanted, strict=True))
        found = self.kb.opened.find_ids(*wanted)
        return Columns._make(column[:0] for column in found) if unknown else found

    def query(self, query: Any, initNs: Any, initBindings: Any, queryGraph: Any, **given: Any) -> Result:
        """Answer a query as ``kb.sparql`` does; what it does not take is left to rdflib's evaluator.

        That is a prepared query, one with bindings, with FROM, whose graphs rdflib would fetch, or one that rdflib alone knows.
        """
        from kgmm.store.sparql.query import query as ask
        from kgmm.store.sparql.text import BadQuery, bare, chooses_graphs

        if not isinstance(query, str) or initBindings or given or chooses_graphs(bare(query)):
            raise NotImplementedError
        self.commit()
        alone: list[str] = []
        named: list[str] = []
        if queryGraph != "__UNION__" and (name := self._graph(queryGraph)) is not None:
            alone = [full_iri(name)]
            everywhere = queryGraph == DATASET_DEFAULT_GRAPH_ID
            named = [full_iri(graph) for graph in self._named() if everywhere and graph != name]
        prefixes = "".join(f"PREFIX {prefix}: <{space}> " for prefix, space in (initNs or {}).items())
        try:
            return _result(
                ask(self.kb, prefixes + query, annotations=False, raw=True, default_graphs=alone, named_graphs=named)
            )
        except BadQuery:
            raise NotImplementedError from None

    def __len__(self, context: Any = None) -> int:
        """Return how many statements a graph has, or all graphs together, counting each once."""
        if self._graph(context) is None and len(self._named()) + len(self._waiting) > 1:
            return sum(1 for _ in self.triples((None, None, None), context))
        self.commit()
        graph = self._graph(context)
        return len(self.kb.opened.snapshot) if graph is None else self._named().get(graph, 0)

    def contexts(self, triple: Pattern | None = None) -> Generator[Any, None, None]:
        """Yield the graphs there are, or those that hold a statement."""
        if triple is None or triple == (None, None, None):
            self.commit()
            yield from (self._context(g) for g in {**self._named(), **dict.fromkeys(self._empty)})
        else:
            for _, graphs in self.triples(triple):
                yield from graphs

    def add_graph(self, graph: Any) -> None:
        """Remember a graph that has no statements yet, until the store is closed."""
        name = self._graph(graph)
        if name is not None:
            self._empty.add(name)

    def remove_graph(self, graph: Any) -> None:
        """Remove a graph and its statements."""
        name = self._graph(graph)
        self._empty.discard(name or "")
        self.remove((None, None, None), graph)

    def _pattern(self, triple: Pattern) -> tuple[str | None, str | None, str | None]:
        s, p, o = (None if part is None else term_of(part, at == 1) for at, part in enumerate(triple))
        return s, p, o

    def _graph(self, context: Any) -> str | None:
        """Return the name of a graph, or None for all: rdflib's unnamed graphs."""
        identifier = context.identifier if isinstance(context, rdflib.Graph) else context
        if identifier is None or (isinstance(identifier, BNode) and f"_:{identifier}" not in self._named()):
            return None
        if self._default_is_facts and identifier == DATASET_DEFAULT_GRAPH_ID:
            return DEFAULT_GRAPH
        return term_of(identifier)

    def _named(self) -> dict[str, int]:
        """Return the store's graphs and how many facts each has."""
        return self.kb.opened.counted("graph") if self._kb is not None else {}

    def _context(self, graph: str) -> rdflib.Graph:
        identifier = node_of(graph)
        assert isinstance(identifier, IdentifiedNode)
        return rdflib.Graph(store=self, identifier=identifier)

    def bind(self, prefix: str, namespace: URIRef, override: bool = True) -> None:
        """Bind a prefix, until the store is closed."""
        if not override and (prefix in self._prefixes or namespace in self._spaces):
            return
        self._spaces.pop(self._prefixes.pop(prefix, URIRef("")), None)
        self._prefixes.pop(self._spaces.pop(namespace, ""), None)
        self._prefixes[prefix], self._spaces[namespace] = namespace, prefix

    def prefix(self, namespace: URIRef) -> str | None:
        """Return the prefix of a namespace."""
        return self._spaces.get(namespace)

    def namespace(self, prefix: str) -> URIRef | None:
        """Return the namespace of a prefix."""
        return self._prefixes.get(prefix)

    def namespaces(self) -> Iterator[tuple[str, URIRef]]:
        """Yield prefixes and namespaces."""
        yield from self._prefixes.items()


def _fits(key: Key, pattern: tuple[str | None, ...]) -> bool:
    return all(wanted is None or wanted == part for wanted, part in zip(pattern, key, strict=True))


def _result(found: Solutions | Triples | bool) -> Result:
    """Return an answer in N-Triples terms as rdflib's."""
    if isinstance(found, bool):
        result = Result("ASK")
        result.askAnswer = found
    elif isinstance(found, Triples):
        result = Result("CONSTRUCT")
        result.graph = rdflib.Graph()
        for s, p, o in found.rows:
            result.graph.add((_read(s), _read(p), _read(o)))
    else:
        result = Result("SELECT")
        result.vars = [Variable(name) for name in found.variables]
        rows = (zip(result.vars, row, strict=True) for row in found.rows)
        result.bindings = [{v: _read(term) for v, term in row if term is not None} for row in rows]
    return result


def _read(term: str) -> Any:
    return URIRef(term[1:-1]) if term.startswith("<") else node_of(term)


class KgmmDataset(rdflib.Dataset):
    """A dataset whose SPARQL updates may name no graph: rdflib 7.6's own fails to add bare triples in place."""

    def __iadd__(self, other: Iterable[Any]) -> KgmmDataset:  # type: ignore[misc]
        """Add statements, those without a graph to the default graph."""
        self.addN((*item, self.default_graph) if len(item) == 3 else item for item in other)
        return self


def dataset(store: Handle, union: bool = True) -> rdflib.Dataset:
    """Return a store as an rdflib dataset that reads and writes it in place.

    Its default graph is the union of all graphs, or else the graph ``facts`` alone.

    What is added to the default graph goes to the graph ``facts``. Weights and sources are not part of it: ask for
    those with :func:`kgmm.store.sparql.query.query`.
    """
    found = KgmmDataset(store=KgmmStore.of(store), default_union=union)
    for prefix, namespace in PREFIXES.items():
        found.bind(prefix, namespace)
    return found
