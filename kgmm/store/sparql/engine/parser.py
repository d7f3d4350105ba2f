"""SPARQL 1.1 queries as algebra (SPARQL 1.1 Query, sections 18.2 and 19.8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kgmm.store.sparql.engine.algebra import (
    RDF,
    Bgp,
    Distinct,
    Extend,
    Filter,
    GraphOf,
    Group,
    Iri,
    Join,
    LeftJoin,
    Lit,
    Minus,
    Node,
    OrderBy,
    Project,
    Query,
    Quoted,
    Slice,
    Triple,
    Union,
    Unsupported,
    Values,
    Var,
    balanced,
    mentioned,
    variables,
    visible,
)
from kgmm.store.sparql.engine.reading import Reader
from kgmm.store.sparql.engine.tokens import line_of

_REIFIES = Iri(f"{RDF}reifies")
_FIRST, _REST, _NIL = Iri(f"{RDF}first"), Iri(f"{RDF}rest"), Iri(f"{RDF}nil")
_PARTS = ("OPTIONAL", "MINUS", "GRAPH", "BIND", "VALUES", "SERVICE")
_MODIFIERS = ("GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "VALUES")


def parse(text: str, prefixes: dict[str, str], check: Callable[[], None] = lambda: None) -> Query:
    """Return a query's algebra; Unsupported if it is misspelled or holds more than SPARQL 1.1, TooDeep if it is nested so.

    *check* is called now and then; what it raises ends the reading.
    """
    parser = _Parser(text, prefixes, check)
    try:
        return parser.query()
    except Unsupported as error:
        error.line = line_of(text, parser.word.at)
        raise


class _Parser(Reader):
    def __init__(self, text: str, prefixes: dict[str, str], check: Callable[[], None]) -> None:
        super().__init__(text, prefixes, check)
        self.blanks: dict[str, Var] = {}
        self.of_blanks: dict[str, int] = {}
        self.scope = 0
        self.conditions = 0  #: how many filters the group that was read last has of its own

    def query(self) -> Query:
        """Return the query."""
        while name := self.take("BASE", "PREFIX"):
            if name == "BASE":
                self.base = self.iri().text
            else:
                word = self.step()
                if word.kind != "pname" or not word.text.endswith(":"):
                    self.fail("a prefix")
                self.prefixes[word.text[:-1]] = self.iri().text
        form = self.need("SELECT", "ASK", "CONSTRUCT", "DESCRIBE").lower()
        found: Any = {"form": form}
        if form == "select":
            pattern, names = self._select(found)
            found["names"] = names
        else:
            pattern = {"ask": self._ask, "construct": self._construct, "describe": self._describe}[form](found)
        if self.word.kind != "end":
            self.fail("the query's end")
        return Query(pattern=pattern, base=self.base, **found)

    def _dataset(self, found: dict[str, Any]) -> None:
        while self.take("FROM"):
            kind = "named" if self.take("NAMED") else "default"
            found[kind] = (*found.get(kind, ()), self.iri().text)

    def _ask(self, found: dict[str, Any]) -> Node:
        self._dataset(found)
        self.take("WHERE")
        self.aggregates = {}
        return self._modified(self.group(), [], None)

    def _construct(self, found: dict[str, Any]) -> Node:
        if self.word.text == "{":
            self.need("{")
            found["template"] = self._template()
            self._dataset(found)
            self.take("WHERE")
            pattern = self.group()
        else:
            self._dataset(found)
            self.need("WHERE")
            self.need("{")
            found["template"] = self._template()
            pattern = Bgp(found["template"])
        self.aggregates = {}
        return self._modified(pattern, [], None)

    def _template(self) -> tuple[Triple, ...]:
        found: list[Triple] = []
        while not self.take("}"):
            found += self._same_subject()
            if self.word.text != "}":
                self.need(".")
        if any(not isinstance(t.p, Iri | Var) for t in found):
            raise Unsupported("a property path in a template")
        return tuple(found)

    def _describe(self, found: dict[str, Any]) -> Node:
        described: list[Any] = []
        if not self.take("*"):
            while self.word.kind in ("var", "iri", "pname"):
                described.append(self._var_or_iri())
            if not described:
                self.fail("what to describe")
        self._dataset(found)
        pattern: Node = Bgp()
        if self.word.text == "{" or self.keyword() == "WHERE":
            self.take("WHERE")
            pattern = self.group()
            described = described or [Var(n) for n in sorted(visible(pattern)) if n[0] != "."]
        self.aggregates = {}
        found["described"] = tuple(described)
        return self._modified(pattern, [], None)

    def _select(self, found: dict[str, Any] | None) -> tuple[Node, tuple[str, ...]]:
        """Return the pattern of a SELECT, of which the first word is read, and its variables."""
        outer, self.aggregates = self.aggregates, {}
        distinct = self.take("DISTINCT", "REDUCED")
        chosen: list[tuple[str, Any]] = []
        everything = bool(self.take("*"))
        if not everything:
            while self.word.kind == "var" or self.word.text == "(":
                if self.take("("):
                    expr = self.expression()
                    self.need("AS")
                    chosen.append((self.variable().name, expr))
                    self.need(")")
                else:
                    chosen.append((self.variable().name, None))
            if not chosen:
                self.fail("a variable")
        if found is not None:
            self._dataset(found)
        self.take("WHERE")
        kept, self.aggregates = self.aggregates, None
        pattern = self.group()
        self.aggregates = kept
        inner = visible(pattern)
        pattern = self._modified(pattern, None if everything else chosen, distinct)
        names = tuple(sorted(n for n in inner if n[0] != ".")) if everything else tuple(n for n, _ in chosen)
        self.aggregates = outer
        return pattern, names

    def _modified(self, pattern: Node, chosen: list[tuple[str, Any]] | None, distinct: str | None) -> Node:
        """Return a pattern with what follows it: groups, order, projection, slice."""
        assert self.aggregates is not None
        inner, before = visible(pattern), set(visible(pattern))
        keys: list[tuple[str, Any]] = []
        grouped = bool(self.take("GROUP")) and bool(self.need("BY"))
        while grouped and not (self.keyword() in _MODIFIERS or self.word.text in ("}", "") or self.word.kind == "end"):
            keys.append(self._group_key())
        having = []
        if self.take("HAVING"):
            while self.word.text == "(" or not (
                self.keyword() in _MODIFIERS or self.word.text == "}" or self.word.kind == "end"
            ):
                having.append(self._condition())
        order = []
        if self.take("ORDER"):
            self.need("BY")
            while not (self.keyword() in _MODIFIERS or self.word.text == "}" or self.word.kind == "end"):
                down = self.take("ASC", "DESC") == "DESC"
                order.append((self._condition(), down))
        limit, offset = None, 0
        while name := self.take("LIMIT", "OFFSET"):
            word = self.step()
            if word.kind != "integer":
                self.fail("a number")
            limit, offset = (int(word.text), offset) if name == "LIMIT" else (limit, int(word.text))
        values = self._values() if self.take("VALUES") else None
        if grouped or self.aggregates:
            if chosen is None:
                raise Unsupported("SELECT * with groups")
            names, known = {n for n, _ in keys}, set(self.aggregates)
            for name, expr in chosen:
                if (mentioned(expr) if expr is not None else {name}) - names - known:
                    raise Unsupported(f"?{name} is not grouped")
                known.add(name)
            pattern = Group(pattern, tuple(keys), dict(self.aggregates))
            inner = visible(pattern)
        for condition in having:
            pattern = Filter(condition, pattern)
        if values is not None:
            pattern = Join(pattern, values)
        for name, expr in chosen or ():
            if expr is not None:
                if name in inner | before:
                    raise Unsupported(f"?{name} is bound already")
                inner.add(name)
                pattern = Extend(pattern, name, expr)
        if order:
            pattern = OrderBy(pattern, tuple(order))
        if chosen or chosen is None:
            shown = [n for n, _ in chosen] if chosen else sorted(n for n in inner if n[0] != ".")
            if chosen and len(set(shown)) < len(shown) and any(e is not None for _, e in chosen):
                raise Unsupported("a variable is chosen twice")
            pattern = Project(pattern, tuple(dict.fromkeys(shown)))
        if distinct:
            pattern = Distinct(pattern)
        return Slice(pattern, offset, limit) if offset or limit is not None else pattern

    def _group_key(self) -> tuple[str, Any]:
        if self.word.kind == "var":
            variable = self.variable()
            return variable.name, variable
        if self.take("("):
            expr = self.expression()
            name = self.variable().name if self.take("AS") else self.new("key")
            self.need(")")
            return name, expr
        return self.new("key"), self._condition()

    def _condition(self) -> Any:
        """Return a constraint: an expression in brackets, a call, or a variable."""
        if self.word.kind == "var" or self.word.text == "(" or self.word.kind in ("word", "iri", "pname"):
            return self._primary()
        return self.fail("a condition")

    # patterns

    def group(self) -> Node:
        """Return the graph pattern in braces here."""
        self.deeper()
        self.need("{")
        if self.take("SELECT"):
            kept, self.blanks = self.blanks, {}
            found, _ = self._select(None)
            self.blanks = kept
            self.conditions = 0
            self.need("}")
            self.depth -= 1
            return found
        found = Bgp()
        filters: list[Any] = []
        self._new_scope()
        while not self.take("}"):
            name = self.keyword()
            if name == "FILTER":
                self.at += 1
                outer, self.aggregates = self.aggregates, None
                filters.append(self._condition())
                self.aggregates = outer
            elif name in _PARTS or self.word.text == "{":
                found = self._part(name, found)
                self._new_scope()
            else:
                triples: list[Triple] = []
                self._triples_into(triples)
                found = _joined(found, Bgp(tuple(triples)))
                continue
            self.take(".")
        for condition in filters:
            found = Filter(condition, found)
        self.conditions = len(filters)
        self.depth -= 1
        return found

    def _new_scope(self) -> None:
        """Begin another basic graph pattern, in which no blank node of an earlier one may stand."""
        self.scope += 1
        self.blanks = {}

    def _part(self, name: str, found: Node) -> Node:
        if name == "":
            parts = [self.group()]
            while self.take("UNION"):
                parts.append(self.group())
            return _joined(found, balanced(Union, parts))
        self.at += 1
        if name == "OPTIONAL":
            right: Node = self.group()
            conditions = []
            for _ in range(self.conditions):  # of this group, not of one within it
                assert isinstance(right, Filter)
                conditions.append(right.expr)
                right = right.of
            expr = conditions[0] if conditions else None
            for other in conditions[1:]:
                expr = ("and", expr, other)
            return LeftJoin(found, right, expr)
        if name == "MINUS":
            return Minus(found, self.group())
        if name == "GRAPH":
            graph = self._var_or_iri()
            return _joined(found, GraphOf(graph, self.group()))
        if name == "VALUES":
            return _joined(found, self._values())
        if name == "BIND":
            self.need("(")
            expr = self.expression()
            self.need("AS")
            variable = self.variable().name
            self.need(")")
            if variable in variables(found):
                raise Unsupported(f"?{variable} is bound already")
            return Extend(found, variable, expr)
        raise Unsupported(f"{name} in a pattern")

    def _values(self) -> Values:
        single = self.word.kind == "var"
        names = [self.variable().name] if single else []
        if not single:
            self.need("(")
            while not self.take(")"):
                names.append(self.variable().name)
        rows = []
        self.need("{")
        while not self.take("}"):
            if single:
                rows.append((self._value(),))
                continue
            self.need("(")
            row = []
            while not self.take(")"):
                row.append(self._value())
            if len(row) != len(names):
                raise Unsupported("VALUES of another number")
            rows.append(tuple(row))
        return Values(tuple(names), tuple(rows))

    def _value(self) -> Any:
        if self.take("UNDEF"):
            return None
        if self.take("<<("):
            quoted = Quoted(self._value(), self.verb(), self._value())
            self.need(")>>")
            return quoted
        literal = self.literal()
        return self.iri() if literal is None else literal

    def _var_or_iri(self) -> Any:
        return self.variable() if self.word.kind == "var" else self.iri()

    # triples

    def _triples_into(self, found: list[Triple]) -> None:
        while True:
            found += self._same_subject()
            if not self.take("."):
                return
            if self.word.text in ("}", "{") or self.keyword() in (*_PARTS, "FILTER"):
                return

    def _same_subject(self) -> list[Triple]:
        found: list[Triple] = []
        nested = self.word.text in ("[", "(", "<<")
        subject = self._node(found)
        if isinstance(subject, Quoted):
            self.fail("a subject that is no triple term")
        if nested and self.word.text in (".", "}") and found:
            return found
        self._properties(subject, found)
        return found

    def _properties(self, subject: Any, found: list[Triple]) -> None:
        while True:
            verb = self.variable() if self.word.kind == "var" else self.path()
            while True:
                inner: list[Triple] = []
                value = self._node(inner)
                if isinstance(value, Quoted) and type(verb) is tuple:
                    self.fail("no triple term at the end of a path")
                found.append(Triple(subject, verb, value))
                found += inner
                self._annotations(found, Triple(subject, verb, value))
                if not self.take(","):
                    break
            if not self.take(";"):
                return
            while self.take(";"):
                pass
            if self.word.text in (".", "}", "]", "|}") or self.word.kind == "end":
                return

    def _annotations(self, found: list[Triple], triple: Triple) -> None:
        """Move what annotates a triple to *found*: reifiers of it, and what is said of them."""
        reifier: Any = None
        while mark := self.take("~", "{|"):
            if type(triple.p) is tuple or isinstance(triple.o, Quoted):
                self.fail("no annotation of this")
            if mark == "~" or reifier is None:
                reifier = self._reifier(found, triple)
            if mark == "{|":
                self.deeper()
                self._properties(reifier, found)
                self.need("|}")
                self.depth -= 1
                reifier = None

    def _reifier(self, found: list[Triple], triple: Triple) -> Any:
        """Return the reifier that is named here, else a new one, that stands for a triple."""
        named = self.words[self.at - 1].text == "~" and (self.word.kind in ("var", "blank", "iri", "pname"))
        reifier = self._node(found) if named else Var(self.new("b"))
        found.append(Triple(reifier, _REIFIES, Quoted(*triple)))
        return reifier

    def _quoted(self, found: list[Triple]) -> Quoted:
        """Return the triple in double brackets here."""
        self.deeper()
        subject = self._node(found)
        verb = self.variable() if self.word.kind == "var" else self.verb()
        quoted = Quoted(subject, verb, self._node(found))
        self.depth -= 1
        if isinstance(subject, Quoted | Lit):
            self.fail("a triple whose subject is a name")
        return quoted

    def _node(self, found: list[Triple]) -> Any:
        """Return the term here; what brackets say of it goes to *found*."""
        word = self.word
        if word.kind == "var":
            return self.variable()
        if word.kind == "blank":
            self.at += 1
            if self.of_blanks.setdefault(word.text, self.scope) != self.scope:
                raise Unsupported(f"{word.text} stands in two basic graph patterns")
            if word.text not in self.blanks:
                self.blanks[word.text] = Var(self.new("b"))
            return self.blanks[word.text]
        if self.take("["):
            node = Var(self.new("b"))
            if not self.take("]"):
                self.deeper()
                self._properties(node, found)
                self.need("]")
                self.depth -= 1
            return node
        if self.take("("):
            return self._collection(found)
        if self.take("<<("):
            quoted = self._quoted(found)
            self.need(")>>")
            return quoted
        if self.take("<<"):
            quoted = self._quoted(found)
            self.take("~")
            reifier = self._reifier(found, Triple(*quoted))
            self.need(">>")
            return reifier
        literal = self.literal()
        return self.iri() if literal is None else literal

    def _collection(self, found: list[Triple]) -> Any:
        self.deeper()
        head: Any = _NIL
        last: Any = None
        while not self.take(")"):
            cell = Var(self.new("b"))
            inner: list[Triple] = []
            found.append(Triple(cell, _FIRST, self._node(inner)))
            found += inner
            if last is None:
                head = cell
            else:
                found.append(Triple(last, _REST, cell))
            last = cell
        if last is not None:
            found.append(Triple(last, _REST, _NIL))
        self.depth -= 1
        return head


def _joined(left: Node, right: Node) -> Node:
    """Return the join of two patterns; two basic graph patterns become one."""
    if isinstance(left, Bgp):
        if not left.triples:
            return right
        if isinstance(right, Bgp):
            return Bgp(left.triples + right.triples)
    return Join(left, right)
