"""Expressions over relations: each distinct combination of the terms they read is evaluated once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import Blank, Iri, Lit, Node, Term, Unsupported, Var, mentioned
from kgmm.store.sparql.engine.functions import IRI_OF, TABLE, cast, text_of
from kgmm.store.sparql.engine.table import Table, numbered
from kgmm.store.sparql.engine.values import DATETIME, FALSE, TRUE, Wrong, compare, effective, equal, truth
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.context import Context

Env = dict[str, Any]  #: a term or None by variable
Compiled = Callable[[Env], Term]
ROW = ".row"  #: what an expression knows its solution by
_ANEW = frozenset(("RAND", "UUID", "STRUUID", "BNODE"))  #: functions whose value is another one in each row
#: given a pattern and solutions, which of these the pattern has a solution for
Exists = Callable[[Node, Table], NDArray[np.bool_]]


def values(context: Context, expr: Any, table: Table, exists: Exists, as_test: bool = False) -> Ids:
    """Return an expression's value in each row as a term's number, unbound where it has none."""
    if isinstance(expr, Var) and not as_test:
        return table.column(expr.name)
    expr, table = _without_patterns(context, expr, table, exists)
    names = sorted(n for n in mentioned(expr) if n in table.columns)
    if table.size == 0:
        return np.empty(0, np.int64)
    if anew(expr):
        codes, first = np.arange(table.size), np.arange(table.size)
    elif names:
        codes, first = numbered([table.columns[n] for n in names])
    else:
        codes, first = np.zeros(table.size, np.int64), np.zeros(1, np.intp)
    context.check(len(first) * 64)
    combinations = [table.columns[n][first].tolist() for n in names]
    compiled = compiled_of(context, expr)
    term, number = context.words.term, context.words.id
    labelled = _solutions(context, table) if _labels(expr) else None
    found = np.full(len(first), UNBOUND, np.int64)
    known: dict[Term, int] = {}
    for at in range(len(first)):
        context.check(4 * context.words.made)
        env: Env = {
            n: None if column[at] < 0 else term(column[at]) for n, column in zip(names, combinations, strict=True)
        }
        if labelled is not None:
            env[ROW] = labelled[at]
        try:
            value = compiled(env)
            if as_test:
                value = truth(effective(value))
        except Wrong:
            continue
        if value not in known:
            known[value] = number(value)
        found[at] = known[value]
    return found[codes]


def anew(expr: Any) -> bool:
    """Tell whether an expression has another value each time."""
    return type(expr) is tuple and (expr[0] in _ANEW or any(map(anew, expr[1:])))


def _labels(expr: Any) -> bool:
    """Tell whether an expression holds BNODE of a text, which is the same node for the same text in one solution."""
    return type(expr) is tuple and ((expr[0] == "BNODE" and len(expr) > 1) or any(map(_labels, expr[1:])))


def _solutions(context: Context, table: Table) -> list[Any]:
    """Return what tells solutions apart, made blank nodes aside: their values, and the how-manieth with these each is."""
    words = context.words
    columns = [table.columns[n].tolist() for n in sorted(table.columns)]
    plain = [c for c in columns if not any(i >= words.size and isinstance(words.term(i), Blank) for i in c)]
    rows = zip(*plain, strict=True) if plain else [()] * table.size
    seen: Counter[Any] = Counter()
    found = []
    for row in rows:
        seen[row] += 1
        found.append((row, seen[row]))
    return found


def _without_patterns(context: Context, expr: Any, table: Table, exists: Exists) -> tuple[Any, Table]:
    """Return an expression whose EXISTS are variables, and the solutions with these bound to their truth."""
    if type(expr) is not tuple:
        return expr, table
    if expr[0] == "exists":
        name = f".exists{id(expr[1])}"
        holds = exists(expr[1], table)
        return Var(name), table.with_column(name, np.where(holds, context.words.id(TRUE), context.words.id(FALSE)))
    parts = [expr[0]]
    for part in expr[1:]:
        part, table = _without_patterns(context, part, table, exists)
        parts.append(part)
    return tuple(parts), table


def compiled_of(context: Context, expr: Any) -> Compiled:
    """Return an expression as a function of what its variables are bound to."""
    if isinstance(expr, Var):
        return _variable(expr.name)
    if isinstance(expr, Iri | Lit | Blank):
        return lambda env: expr
    name, *given = expr
    if name == "cast":
        target, *given = given
        if len(given) != 1:
            raise Unsupported("a cast of several terms")
        of = compiled_of(context, given[0])
        if not target.text.startswith("http://www.w3.org/2001/XMLSchema#"):
            raise Unsupported(f"the function <{target.text}>")
        return lambda env: cast(target.text, of(env))
    if name == "BOUND":
        if len(given) != 1 or not isinstance(given[0], Var):
            raise Unsupported("BOUND of what is no variable")
        wanted = given[0].name
        return lambda env: truth(env.get(wanted) is not None)
    parts = [compiled_of(context, part) for part in given]
    return _special(context, name, parts) or _call(name, parts)


def _variable(name: str) -> Compiled:
    def variable(env: Env) -> Term:
        found: Term | None = env.get(name)
        if found is None:
            raise Wrong
        return found

    return variable


def _call(name: str, parts: list[Compiled]) -> Compiled:
    function = TABLE[name]
    code = function.__code__
    least = code.co_argcount - len(function.__defaults__ or ())
    if not code.co_flags & 4 and name not in "+-*/" and not least <= len(parts) <= code.co_argcount:
        raise Unsupported(f"{name} with {len(parts)} arguments")
    return lambda env: function(*[part(env) for part in parts])


def _special(context: Context, name: str, parts: list[Compiled]) -> Compiled | None:
    match name:
        case "and" | "or":
            return lambda env: _either(parts, env, name == "or")
        case "not":
            return lambda env: truth(not effective(parts[0](env)))
        case "<" | ">" | "<=" | ">=":
            wanted = {"<": (-1,), ">": (1,), "<=": (-1, 0), ">=": (0, 1)}[name]
            return lambda env: truth(compare(parts[0](env), parts[1](env)) in wanted)
        case "in":
            return lambda env: _among(parts[0](env), parts[1:], env)
        case "IF" if len(parts) == 3:
            return lambda env: parts[1](env) if effective(parts[0](env)) else parts[2](env)
        case "COALESCE":
            return lambda env: _coalesce(parts, env)
        case "IRI" | "URI" if len(parts) == 1:
            return lambda env: IRI_OF(parts[0](env), context.base)
        case "NOW":
            now = Lit(datetime.fromtimestamp(context.started, UTC).isoformat().replace("+00:00", "Z"), DATETIME)
            return lambda env: now
        case "BNODE" if len(parts) == 1:
            return lambda env: context.blank(env[ROW], text_of(parts[0](env)).text)
        case "BNODE" if not parts:
            return lambda env: context.words.blank()
    if name not in TABLE:
        raise Unsupported(f"the function {name}")
    return None


def _either(parts: list[Compiled], env: Env, wanted: bool) -> Lit:
    wrong = False
    for part in parts:
        try:
            if effective(part(env)) == wanted:
                return truth(wanted)
        except Wrong:
            wrong = True
    if wrong:
        raise Wrong
    return truth(not wanted)


def _among(value: Term, parts: list[Compiled], env: Env) -> Lit:
    wrong = False
    for part in parts:
        try:
            if equal(value, part(env)):
                return TRUE
        except Wrong:
            wrong = True
    if wrong:
        raise Wrong
    return FALSE


def _coalesce(parts: list[Compiled], env: Env) -> Term:
    for found in _those_with_value(parts, env):
        return found
    raise Wrong


def _those_with_value(parts: list[Compiled], env: Env) -> Iterator[Term]:
    for part in parts:
        try:
            yield part(env)
        except Wrong:
            continue
