"""Equivalent patterns that take less: filters where their variables are bound, what is required before what is optional."""

from __future__ import annotations

from typing import Any

from kgmm.store.sparql.engine.algebra import (
    Bgp,
    Distinct,
    Extend,
    Filter,
    GraphOf,
    Group,
    Join,
    LeftJoin,
    Minus,
    Node,
    OrderBy,
    Project,
    Slice,
    Triple,
    Union,
    Values,
    Var,
    bound,
    mentioned,
    variables,
    visible,
)


def optimized(node: Node) -> Node:
    """Return a pattern with the same solutions."""
    match node:
        case Bgp():
            return Bgp(tuple(t for triple in node.triples for t in _plain(triple)))
        case Join():
            return _join(optimized(node.left), optimized(node.right))
        case LeftJoin():
            left, right = optimized(node.left), optimized(node.right)
            if node.expr is not None and _free(node.expr) and mentioned(node.expr) <= bound(right):
                return LeftJoin(left, _filter(node.expr, right))
            return LeftJoin(left, right, node.expr)
        case Union():
            return Union(optimized(node.left), optimized(node.right))
        case Minus():
            return Minus(optimized(node.left), optimized(node.right))
        case Filter():
            of = optimized(node.of)
            for part in _conjuncts(node.expr):
                of = _filter(part, of)
            return of
        case Extend():
            return Extend(optimized(node.of), node.name, node.expr)
        case GraphOf():
            return GraphOf(node.name, optimized(node.of))
        case Group():
            return Group(optimized(node.of), node.keys, node.aggregates)
        case OrderBy():
            return OrderBy(optimized(node.of), node.keys)
        case Project():
            return Project(optimized(node.of), node.names)
        case Distinct():
            return Distinct(optimized(node.of))
        case Slice():
            return Slice(optimized(node.of), node.offset, node.limit)
    return node


def _plain(triple: Triple) -> list[Triple]:
    """Return a triple pattern without sequences and inversions of paths."""
    path = triple.p
    if type(path) is tuple and path[0] == "^":
        return _plain(Triple(triple.o, path[1], triple.s))
    if type(path) is tuple and path[0] == "/":
        middle = Var(f".path{id(path)}")
        return [*_plain(Triple(triple.s, path[1], middle)), *_plain(Triple(middle, path[2], triple.o))]
    return [triple]


def _join(left: Node, right: Node) -> Node:
    if isinstance(left, Bgp) and isinstance(right, Bgp):
        return Bgp(left.triples + right.triples)
    if isinstance(left, LeftJoin) and isinstance(right, Bgp | Values):
        optional = variables(left.right) | mentioned(left.expr)
        if optional & visible(right) <= bound(left.left):  # the required part first
            return LeftJoin(_join(left.left, right), left.right, left.expr)
    if isinstance(left, Filter) and isinstance(right, Bgp) and mentioned(left.expr) <= bound(left.of):
        return Filter(left.expr, _join(left.of, right))
    return Join(left, right)


def _filter(expr: Any, of: Node) -> Node:
    """Put a condition as deep as the variables it reads are bound."""
    names = mentioned(expr)
    if _free(expr):
        match of:
            case Join() if names <= bound(of.left):
                return Join(_filter(expr, of.left), of.right)
            case Join() if names <= bound(of.right):
                return Join(of.left, _filter(expr, of.right))
            case LeftJoin() if names <= bound(of.left):
                return LeftJoin(_filter(expr, of.left), of.right, of.expr)
            case Minus() if names <= bound(of.left):
                return Minus(_filter(expr, of.left), of.right)
            case Extend() if of.name not in names and names <= bound(of.of):
                return Extend(_filter(expr, of.of), of.name, of.expr)
            case Union() if names <= bound(of):
                return Union(_filter(expr, of.left), _filter(expr, of.right))
            case Filter() if not isinstance(of.of, Bgp) and names <= bound(of.of):
                return Filter(of.expr, _filter(expr, of.of))
    return Filter(expr, of)


def _conjuncts(expr: Any) -> list[Any]:
    if type(expr) is tuple and expr[0] == "and":
        return [*_conjuncts(expr[1]), *_conjuncts(expr[2])]
    return [expr]


def _free(expr: Any) -> bool:
    """Tell whether an expression holds no pattern and no function that gives another value each time."""
    if type(expr) is not tuple:
        return True
    return expr[0] not in ("exists", "RAND", "UUID", "STRUUID", "BNODE") and all(map(_free, expr[1:]))
