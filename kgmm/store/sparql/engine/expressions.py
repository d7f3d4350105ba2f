"""Expressions over relations: each distinct combination of the terms they read is evaluated once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import Blank, Iri, Lit, Node, Term, Unsupported, Var, mentioned
from kgmm.store.sparql.engine.functions import IRI_OF, TABLE, cast, matches, text_of
from kgmm.store.sparql.engine.table import Table, numbered
from kgmm.store.sparql.engine.values import DATETIME, FALSE, TRUE, Wrong, compare, effective, equal, truth
from kgmm.store.sparql.engine.vocabulary import UNBOUND, Ids

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.context import Context

Env = dict[str, Term | None]
Compiled = Callable[[Env], Term]
_ANEW = frozenset(("RAND", "UUID", "STRUUID", "BNODE"))  #: functions whose value is another one in each row
#: given a pattern and solutions, which of these the pattern has a solution for
Exists = Callable[[Node, Table], NDArray[np.bool_]]


def test(context: Context, expr: Any, table: Table, exists: Exists) -> NDArray[np.bool_]:
    """Tell in which rows an expression is true; neither where it is false nor where it has no value."""
    if isinstance(expr, tuple) and expr[0] == "and" and type(expr) is tuple:
        left = test(context, expr[1], table, exists)
        rows = np.flatnonzero(left)
        left[rows] = test(context, expr[2], table.take(rows), exists)
        return left
    if type(expr) is tuple and expr[0] == "exists":
        return exists(expr[1], table)
    if type(expr) is tuple and expr[0] == "not" and type(expr[1]) is tuple and expr[1][0] == "exists":
        return ~exists(expr[1][1], table)
    true = context.words.id(TRUE)
    return np.asarray(values(context, expr, table, exists, as_test=True) == true)


def values(context: Context, expr: Any, table: Table, exists: Exists, as_test: bool = False) -> Ids:
    """Return an expression's value in each row as a term's number, unbound where it has none."""
    if isinstance(expr, Var) and not as_test:
        return table.column(expr.name)
    expr, table = _without_patterns(context, expr, table, exists)
    names = sorted(n for n in mentioned(expr) if n in table.columns)
    if table.size == 0:
        return np.empty(0, np.int64)
    if _anew(expr):
        codes, first = np.arange(table.size), np.arange(table.size)
    elif names:
        codes, first = numbered([table.columns[n] for n in names])
    else:
        codes, first = np.zeros(table.size, np.int64), np.zeros(1, np.intp)
    context.check(len(first) * 64)
    combinations = [table.columns[n][first].tolist() for n in names]
    if as_test and (quick := _quick(context, expr, names, combinations)) is not None:
        return quick[codes]
    compiled = compiled_of(context, expr)
    term, number = context.words.term, context.words.id
    found = np.full(len(first), UNBOUND, np.int64)
    known: dict[Term, int] = {}
    for at in range(len(first)):
        context.check(4 * context.words.made)
        env: Env = {
            n: None if column[at] < 0 else term(column[at]) for n, column in zip(names, combinations, strict=True)
        }
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


def _quick(context: Context, expr: Any, names: list[str], combinations: list[list[int]]) -> Ids | None:
    """Return a regular expression's answers for all distinct terms at once, if that is what is asked."""
    if type(expr) is not tuple or expr[0] != "REGEX" or len(names) != 1 or len(combinations[0]) < 16:
        return None
    of, rest = expr[1], expr[2:]
    if not all(type(part) is Lit for part in rest) or not (type(of) is Var or (of[0] == "STR" and type(of[1]) is Var)):
        return None
    texts: list[str] = []
    places = []
    for at, number in enumerate(combinations[0]):
        try:
            term: Any = context.words.term(number) if number >= 0 else None
            if type(of) is not Var:
                term = TABLE["STR"](term)
            texts.append(text_of(term).text)
            places.append(at)
        except Wrong:
            continue
    found = np.full(len(combinations[0]), UNBOUND, np.int64)
    yes, no = context.words.id(TRUE), context.words.id(FALSE)
    try:
        answers = matches(texts, *(text_of(part).text for part in rest), *([""] if len(rest) == 1 else []))
        found[places] = np.where(answers, yes, no)
    except Wrong:
        pass
    return found


def _anew(expr: Any) -> bool:
    return type(expr) is tuple and (expr[0] in _ANEW or any(map(_anew, expr[1:])))


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
        found = env.get(name)
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
        case "BNODE":
            if parts:
                raise Unsupported("BNODE of a text")
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
