"""Groups and aggregates (SPARQL 1.1 Query, section 11)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from kgmm.store.sparql.engine.algebra import Group, Lit
from kgmm.store.sparql.engine.context import Context
from kgmm.store.sparql.engine.table import Table, distinct, numbered
from kgmm.store.sparql.engine.values import EXACT, Wrong, calculate, kind, literal, number, sort_key
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids


def grouped(context: Context, node: Group, table: Table, values: Callable[[Any, Table], Ids]) -> Table:
    """Return a solution a group: its keys and aggregates."""
    context.check(rows=2 * table.size)
    keys = {name: values(expr, table) for name, expr in node.keys}
    if keys:
        codes, first = numbered(list(keys.values()))
        if not table.size:
            codes, first = np.empty(0, np.int64), np.empty(0, np.intp)
        size = len(first)
        columns = {name: column[first] for name, column in keys.items()}
    else:
        codes, size, columns = np.zeros(table.size, np.int64), 1, {}
    for name, (how, once, expr, separator) in node.aggregates.items():
        if expr is None:
            counted = codes
            if once:
                rows = distinct(table.with_column(".group", codes))
                counted = codes[rows]
            columns[name] = _numbers(context, np.bincount(counted, minlength=size))
            continue
        of, given = codes, values(expr, table)
        columns[name] = _aggregate(context, how, once, separator, of, given, size)
    return Table(size, columns)


def _numbers(context: Context, counts: Any) -> Ids:
    values, places = np.unique(counts, return_inverse=True)
    ids = np.array([context.words.id(literal(int(v), 0)) for v in values.tolist()], np.int64)
    return np.asarray(ids[places.reshape(-1)])


def _aggregate(context: Context, how: str, once: bool, separator: str, of: Ids, given: Ids, size: int) -> Ids:
    there = given != UNBOUND
    failed = np.zeros(size, bool)
    failed[of[~there]] = True
    of, given = of[there], given[there]
    if once and len(of):
        rows = np.sort(numbered([of, given])[1])
        of, given = of[rows], given[rows]
    if how == "COUNT":
        return _numbers(context, np.bincount(of, minlength=size))
    found = np.full(size, UNBOUND, np.int64)
    if how == "SAMPLE":
        found[of[::-1]] = given[::-1]
    elif how in ("MIN", "MAX"):
        ids = _ascending(context, np.unique(given))
        rank = np.empty(len(ids), np.int64)
        by_id = np.argsort(ids)
        rank[:] = by_id
        places = rank[np.searchsorted(ids[by_id], given)]
        best = np.full(size, len(ids) if how == "MIN" else -1, np.int64)
        (np.minimum if how == "MIN" else np.maximum).at(best, of, places)
        some = (best >= 0) & (best < len(ids))
        found[some] = ids[best[some]]
    elif how in ("SUM", "AVG"):
        found = _sums(context, how, of, given, size)
        found[failed] = UNBOUND
    else:
        parts: list[list[str]] = [[] for _ in range(size)]
        length = 0
        for group, value in zip(of.tolist(), given.tolist(), strict=True):
            term = context.words.term(value)
            if isinstance(term, Lit):
                parts[group].append(term.text)
                length += len(term.text) + len(separator)
            else:
                failed[group] = True
            context.check(4 * length)
        found[:] = [context.words.id(Lit(separator.join(texts))) for texts in parts]
        found[failed] = UNBOUND
    return found


def _ascending(context: Context, ids: Ids) -> Ids:
    def key(number: int) -> tuple[Any, ...]:
        context.check()
        return sort_key(context.words.term(number))

    keyed = sorted(ids.tolist(), key=key)
    return np.array(keyed, np.int64)


def _sums(context: Context, how: str, of: Ids, given: Ids, size: int) -> Ids:
    """Return sums or means; equal values of a group are multiplied, not added one by one."""
    totals: list[Any] = [0] * size
    wides, counts, wrong = [0] * size, np.bincount(of, minlength=size), np.zeros(size, bool)
    if len(of):
        codes, first = numbered([of, given])
        times = np.bincount(codes)
        rows = zip(of[first].tolist(), given[first].tolist(), times.tolist(), strict=True)
        for at, (group, value, often) in enumerate(rows):
            if not at & 1023:
                context.check()
            term: Any = context.words.term(value)
            try:
                one, wide = number(term), kind(term)
            except Wrong:
                wrong[group] = True
                continue
            wides[group] = max(wides[group], wide)
            totals[group] = _plus(totals[group], one, often)
    found = np.full(size, UNBOUND, np.int64)
    for group in np.flatnonzero(~wrong).tolist():
        try:
            sum_of = literal(totals[group], wides[group])
            if how == "AVG" and counts[group]:
                sum_of = calculate("/", sum_of, literal(int(counts[group]), 0))
            found[group] = context.words.id(sum_of)
        except Wrong:
            continue
    return found


def _plus(total: Any, one: Any, often: int) -> Any:
    if isinstance(total, float) or isinstance(one, float):
        return float(total) + float(one) * often
    if isinstance(total, Decimal) or isinstance(one, Decimal):
        return EXACT.add(Decimal(total), EXACT.multiply(Decimal(one), Decimal(often)))
    return total + one * often
