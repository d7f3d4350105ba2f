"""What a query is made of: terms, graph patterns as SPARQL's algebra (SPARQL 1.1 Query, section 18), expressions.

Expressions are tuples: an operator's name, then its arguments, which are expressions, terms or patterns. Nothing changes a
pattern once it is made; that its class does not forbid it spares a process's first query the making of forty functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
STRING, LANG_STRING = f"{XSD}string", f"{RDF}langString"
Expression: TypeAlias = tuple[Any, ...]


class Unsupported(Exception):
    """A query that is misspelled, or holds what this engine does not know; ``line`` says where, if that is known."""

    line: int | None = None


class Iri(NamedTuple):
    """An IRI."""

    text: str


class Blank(NamedTuple):
    """A blank node of the data or one made by BNODE."""

    text: str


class Lit(NamedTuple):
    """A literal; its datatype is ``rdf:langString`` where it has a language."""

    text: str
    datatype: str = STRING
    lang: str = ""


class Var(NamedTuple):
    """A variable; a blank node of a pattern is one whose name begins with a dot."""

    name: str


class Quoted(NamedTuple):
    """A triple term; in a pattern its parts may be variables."""

    s: Any
    p: Any
    o: Any


Term: TypeAlias = Iri | Blank | Lit | Quoted


class Triple(NamedTuple):
    """A triple pattern; its predicate may be a property path, a tuple of an operator and paths."""

    s: Any
    p: Any
    o: Any


@dataclass(eq=False, repr=False)
class Node:
    """A graph pattern."""


@dataclass(eq=False, repr=False)
class Bgp(Node):
    """Triple patterns that hold together."""

    triples: tuple[Triple, ...] = ()


@dataclass(eq=False, repr=False)
class Join(Node):
    """The compatible pairs of two patterns' solutions."""

    left: Node
    right: Node


@dataclass(eq=False, repr=False)
class LeftJoin(Node):
    """Solutions extended where OPTIONAL's pattern allows."""

    left: Node
    right: Node
    expr: Expression | None = None


@dataclass(eq=False, repr=False)
class Union(Node):
    """The solutions of either pattern."""

    left: Node
    right: Node


@dataclass(eq=False, repr=False)
class Minus(Node):
    """Solutions that none of another pattern's is compatible with."""

    left: Node
    right: Node


@dataclass(eq=False, repr=False)
class Filter(Node):
    """Solutions an expression is true of."""

    expr: Expression
    of: Node


@dataclass(eq=False, repr=False)
class Extend(Node):
    """Solutions with a variable bound to an expression's value."""

    of: Node
    name: str
    expr: Expression


@dataclass(eq=False, repr=False)
class GraphOf(Node):
    """A pattern matched in a named graph, or in each."""

    name: Any
    of: Node


@dataclass(eq=False, repr=False)
class Values(Node):
    """Solutions that the query states."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(eq=False, repr=False)
class Group(Node):
    """A solution a group of solutions."""

    of: Node
    keys: tuple[tuple[str, Expression], ...]
    #: by variable: the aggregate's name, whether distinct, its expression (None for ``*``), GROUP_CONCAT's separator
    aggregates: dict[str, tuple[str, bool, Expression | None, str]]


@dataclass(eq=False, repr=False)
class OrderBy(Node):
    """Solutions in an order."""

    of: Node
    keys: tuple[tuple[Expression, bool], ...]


@dataclass(eq=False, repr=False)
class Project(Node):
    """Solutions with some of their variables."""

    of: Node
    names: tuple[str, ...]


@dataclass(eq=False, repr=False)
class Distinct(Node):
    """Solutions once each."""

    of: Node


@dataclass(eq=False, repr=False)
class Slice(Node):
    """A range of solutions."""

    of: Node
    offset: int
    limit: int | None


@dataclass(eq=False, repr=False)
class Query:
    """A parsed query: its form (``select``, ``ask``, ``construct``, ``describe``), pattern and dataset."""

    form: str
    pattern: Node
    names: tuple[str, ...] = ()
    template: tuple[Triple, ...] = ()
    described: tuple[Any, ...] = ()
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    base: str = ""
    prefixes: dict[str, str] = field(default_factory=dict)


def balanced(join: Callable[[Any, Any], Any], parts: Sequence[Any]) -> Any:
    """Return parts joined two by two by an associative operation, so that thousands of them nest no deeper than a dozen."""
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else []
        parts = [join(a, b) for a, b in zip(parts[::2], parts[1::2], strict=False)] + list(odd)
    return parts[0]


def mentioned(expr: Any) -> set[str]:
    """Return the variables an expression reads, those of its EXISTS patterns included."""
    if isinstance(expr, Var):
        return {expr.name}
    if isinstance(expr, Node):
        return variables(expr)
    if isinstance(expr, Iri | Blank | Lit) or not isinstance(expr, tuple | list):
        return set()
    return set().union(*map(mentioned, expr))


def variables(node: Node) -> set[str]:
    """Return the variables a pattern mentions anywhere that whoever is outside of it sees, those of filters included."""
    match node:
        case Bgp():
            return {v for t in node.triples for v in names_of(t)}
        case Join() | Union():
            return variables(node.left) | variables(node.right)
        case LeftJoin():
            return variables(node.left) | variables(node.right) | mentioned(node.expr)
        case Minus():
            return variables(node.left) | variables(node.right)
        case Filter():
            return variables(node.of) | mentioned(node.expr)
        case Extend():
            return variables(node.of) | {node.name} | mentioned(node.expr)
        case GraphOf():
            return variables(node.of) | mentioned(node.name)
        case Values() | Project():
            return set(node.names)
        case Group():
            return {name for name, _ in node.keys} | set(node.aggregates)
        case OrderBy() | Distinct() | Slice():
            return variables(node.of)
    return set()


def bound(node: Node) -> set[str]:
    """Return the variables that every solution of a pattern binds."""
    match node:
        case Bgp():
            return variables(node)
        case Join():
            return bound(node.left) | bound(node.right)
        case Union():
            return bound(node.left) & bound(node.right)
        case LeftJoin() | Minus():
            return bound(node.left)
        case Filter() | Extend() | OrderBy() | Distinct() | Slice():
            return bound(node.of)
        case GraphOf():
            return bound(node.of) | mentioned(node.name)
        case Values():
            return {n for i, n in enumerate(node.names) if all(row[i] is not None for row in node.rows)}
        case Project():
            return bound(node.of) & set(node.names)
    return set()


def visible(node: Node) -> set[str]:
    """Return the variables a pattern may bind."""
    match node:
        case Filter():
            return visible(node.of)
        case Extend():
            return visible(node.of) | {node.name}
        case Join() | Union() | LeftJoin():
            return visible(node.left) | visible(node.right)
        case Minus():
            return visible(node.left)
        case GraphOf():
            return visible(node.of) | mentioned(node.name)
        case OrderBy() | Distinct() | Slice():
            return visible(node.of)
    return variables(node)


def names_of(triple: Triple) -> list[str]:
    """Return the variables of a triple pattern, those that stand twice twice."""
    if not isinstance(triple.o, Quoted):
        return [part.name for part in triple if isinstance(part, Var)]
    return [part.name for part in (*triple[:2], *_spread(triple.o)) if isinstance(part, Var)]


def _spread(term: Quoted) -> list[Any]:
    return [p for part in term for p in (_spread(part) if isinstance(part, Quoted) else [part])]
