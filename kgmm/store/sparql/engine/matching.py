"""Basic graph patterns: in which order their triples are matched, and the look-ups."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import Quoted, Triple, Var, mentioned, names_of
from kgmm.store.sparql.engine.context import Context, Scope
from kgmm.store.sparql.engine.paths import along
from kgmm.store.sparql.engine.source import FIRST, Found
from kgmm.store.sparql.engine.table import Table, by_boundness, most

SAMPLE = 64  #: rows by which the growth of a join is told
Test = Callable[[Any, Table], NDArray[np.bool_]]
Step = tuple[Triple, dict[str, Any]]  #: a triple pattern, and what is told of it
Condition = tuple[Any, set[str]]  #: an expression, and the variables it reads


def matched(
    context: Context, triples: Sequence[Triple], seed: Table, scope: Scope, filters: Sequence[Any], test: Test
) -> Iterator[Table]:
    """Yield the solutions of triple patterns and conditions that extend given solutions."""
    names = dict.fromkeys(n for t in triples for n in names_of(t))
    if scope.graph is not None and triples:
        names[scope.graph] = None
    if not triples:
        yield from _filtered(seed, filters, test)
        return
    for which, rows in by_boundness(seed, list(names)):
        part = seed if len(rows) == seed.size else seed.take(rows)
        part = part.only(n for n in part.columns if n not in names or n in which)
        steps = _planned(context, triples, part, scope)
        yield from _steps(context, steps, part, scope, [(expr, mentioned(expr)) for expr in filters], test)


def _steps(
    context: Context, steps: list[Step], table: Table, scope: Scope, filters: list[Condition], test: Test
) -> Iterator[Table]:
    table, filters = _ready(table, filters, test)
    if not table.size:
        return
    triple, told = steps[0]
    # a stack, not a recursion: a pattern may have thousands of triples
    begun = [(_extended(context, triple, table, scope), filters, told)]
    while begun:
        parts, waiting, told = begun[-1]
        since = time.perf_counter()
        found = next(parts, None)
        told["seconds"] += time.perf_counter() - since
        if found is None:
            begun.pop()
            continue
        context.check(found.size * 8 * (len(found.columns) + 1))
        told["rows"] += found.size
        table, left = _ready(found, waiting, test)
        if not table.size:
            continue
        if len(begun) < len(steps):
            triple, told = steps[len(begun)]
            begun.append((_extended(context, triple, table, scope), left, told))
        else:
            yield from _filtered(table, [expr for expr, _ in left], test)


def _ready(table: Table, filters: list[Condition], test: Test) -> tuple[Table, list[Condition]]:
    """Return the solutions that fulfil the conditions whose variables are all bound, and the other conditions."""
    left = []
    for expr, names in filters:
        if names <= table.columns.keys():
            table = table.take(test(expr, table))
        else:
            left.append((expr, names))
    return table, left


def _filtered(table: Table, filters: Sequence[Any], test: Test) -> Iterator[Table]:
    for expr in filters:
        table = table.take(test(expr, table))
    if table.size:
        yield table


def _planned(context: Context, triples: Sequence[Triple], table: Table, scope: Scope) -> list[Step]:
    """Order triple patterns: always the one next that a sample of the solutions so far grows least by."""
    order: list[Step] = []
    expected = float(table.size)
    sample = _sampled(table)
    about: dict[str, list[int]] = {}
    for at, triple in enumerate(triples):
        context.check()
        for name in set(names_of(triple)):
            about.setdefault(name, []).append(at)
    uses = {name: len(places) for name, places in about.items()}
    growths = np.full(len(triples), np.inf)
    left, stale = set(range(len(triples))), set(range(len(triples)))
    while left:
        context.check()
        for at in stale & left:
            context.check()
            growths[at] = growth(context, triples[at], sample, scope)
        best = int(np.argmin(growths))
        triple = triples[best]
        expected = min(expected * float(growths[best]), 1e300)
        growths[best] = np.inf
        left.discard(best)
        for name in set(names_of(triple)):
            uses[name] -= 1
        told: dict[str, Any] = {"step": shown(triple), "estimate": round(expected, 1), "rows": 0, "seconds": 0.0}
        context.steps.append(told)
        order.append((triple, told))
        if left:
            grown = next(iter(_extended(context, triple, sample, scope, 4 * SAMPLE)), None) if _simple(triple) else None
            if grown is None or not grown.size:
                grown = _unknown(sample, triple)
            # only what is bound now makes others grow otherwise
            stale = {at for name in grown.columns.keys() - sample.columns.keys() for at in about.get(name, ())}
            sample = _sampled(grown.only(name for name in grown.columns if uses.get(name) or name == scope.graph))
    return order


def _sampled(table: Table) -> Table:
    return table if table.size <= SAMPLE else table.take(np.linspace(0, table.size - 1, SAMPLE).astype(np.intp))


def _unknown(sample: Table, triple: Triple) -> Table:
    """Return a sample in which a pattern's variables count as bound, to a term that is nowhere."""
    columns = dict(sample.columns)
    for name in names_of(triple):
        columns.setdefault(name, np.full(sample.size, -2, np.int64))
    return Table(sample.size, columns)


def _simple(triple: Triple) -> bool:
    return type(triple.p) is not tuple


def growth(context: Context, triple: Triple, sample: Table, scope: Scope) -> float:
    """Return by how much a pattern multiplies solutions, told by a sample of them."""
    if not sample.size:
        return 1.0
    if isinstance(triple.o, Quoted):
        given = _of_quoted(context, triple, sample)
        return (
            1.0
            if given[0] is not None
            else float(scope.source.counts(given[2], given[3], given[4], sample.size).sum()) / sample.size
        )
    if not _simple(triple):
        ends = [not isinstance(t, Var) or t.name in sample.columns for t in (triple.s, triple.o)]
        rows = len(context.opened.snapshot) + 1
        return 0.9 if all(ends) else min(200.0, rows) if any(ends) else 4.0 * rows
    s, p, o = _given(context, triple, sample)
    return float(scope.source.counts(s, p, o, sample.size).sum()) / sample.size


def _of_quoted(context: Context, triple: Triple, table: Table) -> list[Any]:
    """Return what is bound of a reifier, its property, and the parts of the triple it stands for."""
    found: list[Any] = []
    for part in (triple.s, triple.p, *triple.o):
        known = isinstance(part, Quoted) or (isinstance(part, Var) and part.name not in table.columns)
        if known:
            found.append(None)
        else:
            number = None if isinstance(part, Var) else context.words.id(part)
            found.append(table.columns[part.name] if number is None else np.full(table.size, number, np.int64))
    if found[3] is not None:
        found[3] = context.words.predicates(found[3])
    return found


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
    if isinstance(triple.o, Quoted):
        from kgmm.store.sparql.engine.annotations import reified

        yield from reified(context, triple, table, scope, _of_quoted(context, triple, table), first)
        return
    if not _simple(triple):
        yield from along(context, triple, table, scope)
        return
    s, p, o = _given(context, triple, table)
    room = most(len(table.columns) + 3)
    for found in scope.source.match(s, p, o, table.size, first or min(FIRST, room), room):
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
    if isinstance(part, Quoted):
        return f"<<( {' '.join(_part(p) for p in part)} )>>"
    if type(part) is tuple:
        inner = " ".join(_part(p) for p in part[1:])
        return f"({part[0]} {inner})"
    if isinstance(part, frozenset):
        return "|".join(sorted(_part(p) for p in part))
    return f"<{part.text}>" if not hasattr(part, "datatype") else repr(part.text)
