"""Basic graph patterns: in which order their triples are matched, and the look-ups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import Triple, Var, mentioned, names_of
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.paths import along
from kgmm.store.sparql.engine.source import FIRST, MOST, Found
from kgmm.store.sparql.engine.table import Table, by_boundness

SAMPLE = 64  #: rows by which the growth of a join is told
Test = Callable[[Any, Table], NDArray[np.bool_]]


def matched(
    context: Context, triples: Sequence[Triple], seed: Table, scope: Scope, filters: Sequence[Any], test: Test
) -> Iterator[Table]:
    """Yield the solutions of triple patterns and conditions that extend given solutions."""
    names = list(dict.fromkeys(n for t in triples for n in names_of(t)))
    if scope.graph is not None and triples:
        names.append(scope.graph)
    if not triples:
        yield from _filtered(seed, filters, test)
        return
    for which, rows in by_boundness(seed, names):
        part = seed if len(rows) == seed.size else seed.take(rows)
        part = part.only(n for n in part.columns if n not in names or n in which)
        steps = _planned(context, triples, part, scope)
        yield from _steps(context, steps, 0, part, scope, list(filters), test)


def _steps(
    context: Context,
    steps: list[tuple[Triple, dict[str, Any]]],
    at: int,
    table: Table,
    scope: Scope,
    filters: list[Any],
    test: Test,
) -> Iterator[Table]:
    ready = [f for f in filters if mentioned(f) <= table.columns.keys()]
    if ready:
        filters = [f for f in filters if not any(f is r for r in ready)]
        for expr in ready:
            table = table.take(test(expr, table))
    if not table.size:
        return
    if at == len(steps):
        yield from _filtered(table, filters, test)
        return
    triple, told = steps[at]
    begun = time.perf_counter()
    for found in _extended(context, triple, table, scope):
        context.check(found.size * 8 * (len(found.columns) + 1))
        told["rows"] += found.size
        told["seconds"] += time.perf_counter() - begun
        yield from _steps(context, steps, at + 1, found, scope, filters, test)
        begun = time.perf_counter()
    told["seconds"] += time.perf_counter() - begun


def _filtered(table: Table, filters: Sequence[Any], test: Test) -> Iterator[Table]:
    for expr in filters:
        table = table.take(test(expr, table))
    if table.size:
        yield table


def _planned(
    context: Context, triples: Sequence[Triple], table: Table, scope: Scope
) -> list[tuple[Triple, dict[str, Any]]]:
    """Order triple patterns: always the one next that a sample of the solutions so far grows least by."""
    left, order, expected = list(triples), [], float(table.size)
    sample = table if table.size <= SAMPLE else table.take(np.linspace(0, table.size - 1, SAMPLE).astype(np.intp))
    while left:
        growth = [_growth(context, t, sample, scope) for t in left]
        best = int(np.argmin(growth))
        triple = left.pop(best)
        expected *= growth[best]
        told: dict[str, Any] = {"step": shown(triple), "estimate": round(expected, 1), "rows": 0, "seconds": 0.0}
        context.steps.append(told)
        order.append((triple, told))
        if left:
            grown = next(iter(_extended(context, triple, sample, scope, 4 * SAMPLE)), None) if _simple(triple) else None
            if grown is None or not grown.size:
                grown = _unknown(sample, triple)
            sample = (
                grown if grown.size <= SAMPLE else grown.take(np.linspace(0, grown.size - 1, SAMPLE).astype(np.intp))
            )
    return order


def _unknown(sample: Table, triple: Triple) -> Table:
    """Return a sample in which a pattern's variables count as bound, to a term that is nowhere."""
    columns = dict(sample.columns)
    for name in names_of(triple):
        columns.setdefault(name, np.full(sample.size, -2, np.int64))
    return Table(sample.size, columns)


def _simple(triple: Triple) -> bool:
    return type(triple.p) is not tuple


def _growth(context: Context, triple: Triple, sample: Table, scope: Scope) -> float:
    """Return by how much a pattern multiplies solutions, told by a sample of them."""
    if not sample.size:
        return 1.0
    if not _simple(triple):
        ends = [not isinstance(t, Var) or t.name in sample.columns for t in (triple.s, triple.o)]
        rows = len(context.opened.snapshot) + 1
        return 0.9 if all(ends) else min(200.0, rows) if any(ends) else 4.0 * rows
    s, p, o = _given(context, triple, sample)
    return float(scope.source.counts(s, p, o, sample.size).sum()) / sample.size


def _given(context: Context, triple: Triple, table: Table) -> tuple[Any, Any, Any]:
    found: list[Any] = []
    for place, part in enumerate(triple):
        if isinstance(part, Var):
            column = table.columns.get(part.name)
        else:
            column = np.full(table.size, context.words.id(part), np.int64)
        found.append(context.words.predicates(column) if place == 1 and column is not None else column)
    return found[0], found[1], found[2]


def _extended(context: Context, triple: Triple, table: Table, scope: Scope, first: int = 0) -> Iterator[Table]:
    if not _simple(triple):
        yield from along(context, triple, table, scope)
        return
    s, p, o = _given(context, triple, table)
    for found in scope.source.match(s, p, o, table.size, first or (FIRST if table.size < FIRST else MOST)):
        yield _with(context, triple, table, found, scope.graph)


def _with(context: Context, triple: Triple, table: Table, found: Found, graph: str | None) -> Table:
    columns = table.take(found.of).columns
    keep: Any = None
    new: dict[str, Any] = {}
    places = [(triple.s, found.s), (triple.p, found.p), (triple.o, found.o)]
    for place, (part, values) in enumerate(places):
        if not isinstance(part, Var) or part.name in table.columns:
            continue
        if place == 1:
            values = context.words.nodes(values)
        if part.name in new:
            same = new[part.name] == values
            keep = same if keep is None else keep & same
        new.setdefault(part.name, values)
    if graph is not None:
        known = columns.get(graph, new.get(graph))
        if known is not None:
            same = known == found.g
            keep = same if keep is None else keep & same
        else:
            new[graph] = found.g
    made = Table(len(found.of), {**columns, **new})
    return made if keep is None else made.take(keep)


def shown(triple: Triple) -> str:
    """Return a triple pattern as a person reads it."""
    return " ".join(_part(part) for part in triple)


def _part(part: Any) -> str:
    if isinstance(part, Var):
        return f"?{part.name}"
    if type(part) is tuple:
        inner = " ".join(_part(p) for p in part[1:])
        return f"({part[0]} {inner})"
    if isinstance(part, frozenset):
        return "|".join(sorted(_part(p) for p in part))
    return f"<{part.text}>" if not hasattr(part, "datatype") else repr(part.text)
