"""Conditions over relations: true, false or without a value in each row, by columns where that can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine import expressions, texts
from kgmm.store.sparql.engine.algebra import Iri, Var, mentioned
from kgmm.store.sparql.engine.expressions import Exists
from kgmm.store.sparql.engine.table import Table, numbered
from kgmm.store.sparql.engine.values import FALSE, TRUE, Wrong
from kgmm.store.sparql.engine.vocabulary import UNBOUND

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.context import Context

Truths = NDArray[np.int8]  #: 1, 0, or -1 where there is no value
FEW = 16  #: terms that are looked at one by one


def test(context: Context, expr: Any, table: Table, exists: Exists) -> NDArray[np.bool_]:
    """Tell in which rows an expression is true; neither where it is false nor where it has no value."""
    return np.asarray(truths(context, expr, table, exists) == 1)


def truths(context: Context, expr: Any, table: Table, exists: Exists) -> Truths:
    """Return an expression's effective boolean value in each row."""
    if type(expr) is tuple and table.size:
        match expr:
            case ("and", first, second):
                return _both(context, first, second, table, exists, 0)
            case ("or", first, second):
                return _both(context, first, second, table, exists, 1)
            case ("not", of):
                found = truths(context, of, table, exists)
                return np.where(found < 0, found, 1 - found).astype(np.int8)
            case ("exists", node):
                return exists(node, table).astype(np.int8)
            case ("BOUND", Var() as var):
                return np.asarray(table.column(var.name) != UNBOUND).astype(np.int8)
            case ("=" | "!=" as sign, a, b) if type(a) in (Var, Iri) and type(b) in (Var, Iri):
                return _equal(context, sign, a, b, table, exists)
        if (known := _by_text(context, expr, table)) is not None:
            return known
    return _by_value(context, expr, table, exists)


def _by_value(context: Context, expr: Any, table: Table, exists: Exists) -> Truths:
    ids = expressions.values(context, expr, table, exists, as_test=True)
    true, false = context.words.id(TRUE), context.words.id(FALSE)
    return np.where(ids == true, 1, np.where(ids == false, 0, -1)).astype(np.int8)


def _both(context: Context, first: Any, second: Any, table: Table, exists: Exists, ends: int) -> Truths:
    """Return what *and* says of two conditions (*ends* is 0) or *or* (1): the second is asked where the first leaves it open."""
    found = truths(context, first, table, exists)
    rows = np.flatnonzero(found != ends)
    if len(rows):
        other = truths(context, second, table.take(rows), exists)
        found[rows] = np.where(other == ends, ends, np.where(other < 0, other, found[rows]))
    return found


def _equal(context: Context, sign: str, a: Any, b: Any, table: Table, exists: Exists) -> Truths:
    """Return whether two terms are equal: by number, but for two literals, whose values may be."""
    words = context.words
    left, right = (table.column(t.name) if type(t) is Var else np.full(table.size, words.id(t)) for t in (a, b))
    same = left == right
    found = np.asarray(same if sign == "=" else ~same).astype(np.int8)
    found[(left == UNBOUND) | (right == UNBOUND)] = -1
    if type(a) is Var and type(b) is Var:
        rows = np.flatnonzero(words.literals(left) & words.literals(right))
        if len(rows):
            found[rows] = _by_value(context, (sign, a, b), table.take(rows), exists)
    return found


def _by_text(context: Context, expr: Any, table: Table) -> Truths | None:
    names = [n for n in mentioned(expr) if n in table.columns]
    if len(names) != 1 or table.size < FEW:
        return None
    codes, first = numbered([table.columns[names[0]]])
    if len(first) < FEW:
        return None
    try:
        found = texts.found(context, expr, table.columns[names[0]][first])
    except Wrong:  # a constant that is no regular expression
        return np.full(table.size, -1, np.int8)
    return None if found is None else found[codes]
