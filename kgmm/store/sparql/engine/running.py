"""Running a query on an open version: from its text to what it is answered with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from kgmm.language.names import from_iri
from kgmm.store.index.state import Opened
from kgmm.store.sparql.engine.algebra import Bgp, Blank, Iri, Query, Quoted, Triple, Var, names_of
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.evaluating import Evaluation, sliced
from kgmm.store.sparql.engine.limits import Limits, TooDeep
from kgmm.store.sparql.engine.optimizing import optimized
from kgmm.store.sparql.engine.parser import parse
from kgmm.store.sparql.engine.table import UNIT, Table, concatenated, distinct
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Vocabulary, read, spelled
from kgmm.store.sparql.results import BLOCK, Late, Result, Solutions, Triples, stored, stored_relation

if TYPE_CHECKING:
    from kgmm.store.assertions.telling import Telling
    from kgmm.store.sparql.engine.explaining import Plan
    from kgmm.store.sparql.engine.told import Told


LONG = 4096  #: characters of a query from which on it is read anew each time
_parsed = lru_cache(256)(lambda text, prefixes: parse(text, dict(prefixes)))


def _read(text: str, prefixes: dict[str, str], limits: Limits) -> Query:
    if len(text) > LONG:
        return parse(text, prefixes, limits.check)
    query: Query = _parsed(text, tuple(sorted(prefixes.items())))
    return query


def run(
    opened: Opened,
    text: str,
    prefixes: dict[str, str],
    limits: Limits,
    *,
    limit: int | None = None,
    default_graphs: Sequence[str] = (),
    named_graphs: Sequence[str] = (),
    raw: bool = False,
    said: Callable[[], Telling | None] | None = None,
    explain: bool = False,
) -> Result | Plan:
    """Answer a query; with *explain* return its plan, which holds the answer. *said* tells what annotations are to be seen.

    Raises:
        Unsupported: if the query is misspelled or holds what this engine leaves to Oxigraph.
        TooDeep: if it is nested more deeply than it may be.
        OutOfTime: if it takes longer than it may.
        OutOfMemory: if it would take more memory than it may.
        Cancelled: if whoever asked has said so.
    """
    begun = time.perf_counter()
    try:
        query = _read(text, prefixes, limits)
        context = Context(opened, query.base, limits, None if said is None else _told(opened, said))
        graphs = default_graphs or query.default, named_graphs or query.named
        if not explain:
            return _answered(Evaluation(context), query, limit, graphs, raw)
        reading = time.perf_counter() - begun
        from kgmm.store.sparql.engine.explaining import Explained, Plan

        evaluation = Explained(context)
        answer = _answered(evaluation, query, limit, graphs, raw)
        return Plan(evaluation.plan(), reading, time.perf_counter() - begun, answer)
    except RecursionError:
        raise TooDeep from None


def _told(opened: Opened, said: Callable[[], Telling | None]) -> Told:
    from kgmm.store.sparql.engine.told import told  # seldom needed, and a first query would wait for it

    return told(opened, said)


def _answered(
    evaluation: Evaluation, query: Query, limit: int | None, graphs: tuple[Sequence[str], Sequence[str]], raw: bool
) -> Result:
    context, (default, named) = evaluation.context, graphs
    if default or named:
        number = context.words.id
        context.default = tuple(sorted({number(Iri(g)) for g in default}))
        context.named = tuple(sorted({number(Iri(g)) for g in named}))
    scope = Scope(context.source(context.default, False))
    found = evaluation.solutions(optimized(query.pattern), UNIT, scope)
    answer: Result
    if query.form == "ask":
        answer = any(table.size for table in found)
    elif query.form == "select":
        answer = _select(context, query, found, limit, raw)
    else:
        rows = (
            _constructed(context, query, found)
            if query.form == "construct"
            else _described(context, query, found, scope)
        )
        answer = _triples(rows, limit, raw)
    return answer


def _select(context: Context, query: Query, found: Iterator[Table], limit: int | None, raw: bool) -> Solutions:
    tables: list[Table] = []
    size, more = 0, None if limit is None else limit + 1
    for table in sliced(found, 0, more):
        tables.append(table.only(query.names))
        size += table.size
        context.check(size * 16 * (len(query.names) + 1))
    truncated = limit is not None and size > limit
    kept = size if limit is None or not truncated else limit
    held = concatenated(tables) if tables else Table(0, {})
    rows = _Spelling(context.words, raw, held, query.names)
    if kept <= BLOCK:
        return Solutions(query.names, tuple(rows.block(0, kept)), truncated)
    return Solutions(query.names, Late(kept, rows.block), truncated)


class _Spelling:
    """Solutions' terms as a result holds them, each of a block spelled once."""

    def __init__(self, words: Vocabulary, raw: bool, table: Table, names: tuple[str, ...]) -> None:
        self._words, self._raw, self._table, self._names = words, raw, table, names

    def block(self, start: int, stop: int) -> list[tuple[str | None, ...]]:
        """Return the rows from one place to another."""
        part = self._table.part(start, stop)
        if not self._names:
            return [()] * part.size
        known: dict[int, str | None] = {UNBOUND: None}
        return list(zip(*(self._column(part.column(name), known) for name in self._names), strict=True))

    def _column(self, ids: Any, known: dict[int, str | None]) -> list[str | None]:
        for number in set(ids.tolist()):  # np.unique imports numpy.ma, which a first query would wait for
            if number not in known:
                known[number] = self._spelled(number)
        return [known[number] for number in ids.tolist()]

    def _spelled(self, number: int) -> str | None:
        if not self._raw:
            text = self._words.text(number)
            if text.startswith("/c/") and "%" not in text:
                return text
        term = self._words.term(number) if number >= self._words.size else read(self._words.text(number))
        if isinstance(term, Iri):
            return f"<{term.text}>" if self._raw else from_iri(term.text)
        return spelled(term)


def _rdf(term: Any) -> str:
    return f"<{term.text}>" if isinstance(term, Iri) else spelled(term)


def _triples(found: Iterator[tuple[Any, Any, Any]], limit: int | None, raw: bool) -> Triples:
    rows: dict[tuple[Any, ...], None] = {}
    for triple in found:
        if triple not in rows and limit is not None and len(rows) == limit:
            return Triples(_shown(rows, raw), True)
        rows[triple] = None
    return Triples(_shown(rows, raw), False)


def _shown(rows: dict[tuple[Any, ...], None], raw: bool) -> tuple[Any, ...]:
    texts = (tuple(map(_rdf, row)) for row in rows)
    return tuple(texts) if raw else tuple((stored(s), stored_relation(p), stored(o)) for s, p, o in texts)


def _constructed(context: Context, query: Query, found: Iterator[Table]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield the statements a template makes of each solution; those that RDF does not allow are left out."""
    names = sorted({name for t in query.template for name in names_of(t)})
    for table in found:
        columns = [table.column(n).tolist() for n in names]
        for row in zip(*columns, strict=True) if columns else [()] * table.size:
            context.check()
            values: dict[str, Any] = {
                n: None if i < 0 else context.words.term(i) for n, i in zip(names, row, strict=True)
            }
            # a template's own blank nodes are new ones for each solution
            values |= {n: context.words.blank() for n in names if n.startswith(".b") and values[n] is None}
            for triple in query.template:
                s, p, o = (_filled(part, values) for part in triple)
                if isinstance(s, Iri | Blank) and isinstance(p, Iri) and o is not None:
                    yield s, p, o


def _filled(part: Any, values: dict[str, Any]) -> Any:
    """Return a part of a template with values for its variables; None where one has none."""
    if isinstance(part, Quoted):
        s, p, o = (_filled(one, values) for one in part)
        return Quoted(s, p, o) if isinstance(s, Iri | Blank) and isinstance(p, Iri) and o is not None else None
    return values[part.name] if isinstance(part, Var) else part


def _described(context: Context, query: Query, found: Iterator[Table], scope: Scope) -> Iterator[tuple[Any, Any, Any]]:
    """Yield what is said of each node, and of the blank nodes that are said of it."""
    waiting: list[int] = [context.words.id(part) for part in query.described if isinstance(part, Iri)]
    names = [part.name for part in query.described if isinstance(part, Var)]
    for table in found:
        for name in names:
            waiting += [i for i in np.unique(table.column(name)).tolist() if i >= 0]
    seen: set[int] = set()
    evaluation = Evaluation(context)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        subject = Table(1, {"s": np.array([node], np.int64)})
        for table in evaluation.solutions(Bgp((Triple(Var("s"), Var("p"), Var("o")),)), subject, scope):
            rows = table.take(distinct(table))
            for p, o in zip(rows.columns["p"].tolist(), rows.columns["o"].tolist(), strict=True):
                value = context.words.term(o)
                yield context.words.term(node), context.words.term(p), value
                if isinstance(value, Blank):
                    waiting.append(o)
