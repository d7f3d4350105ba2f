"""Statements of which RDF 1.2 says more: facts with their weights, sources and assertions, none of which is written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kgmm.store.sparql.engine.algebra import XSD, Lit, Quoted, Var
from kgmm.store.sparql.engine.source import FIRST, MOST, Found, Source
from kgmm.store.sparql.engine.table import Rows, Table, expanded
from kgmm.store.sparql.engine.told import PROPERTIES, REIFIES, SOURCE, WEIGHT, Told
from kgmm.store.sparql.engine.vocabulary import NAMES, REIFIERS, UNBOUND, Ids, Vocabulary

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.context import Context, Scope


class Annotated(Source):
    """Statements of some graphs with what is said of them, of which :class:`Told` knows."""

    def __init__(self, of: Source, named: Source, told: Told, words: Vocabulary) -> None:
        self.__dict__.update(of.__dict__)
        self._of, self._named, self._told, self._words = of, named, told, words
        numbers = words.predicates(np.array([words.id(iri) for iri in PROPERTIES], np.int64))
        self._properties: dict[int, int] = {int(n): at for at, n in enumerate(numbers.tolist())}
        self._numbers = numbers
        self._values = np.full(len(told.texts), UNBOUND, np.int64)
        graphs = self.graphs
        self._chosen = None if graphs is None else np.asarray(graphs, np.int64)

    # numbers

    def reifiers(self, rows: Any) -> Ids:
        """Return the numbers of reifiers as terms."""
        told, words = self._told, self._words
        if told.named:
            few, place = np.unique(rows, return_inverse=True)
            ids = np.array([words.number(told.name(r)) for r in few.tolist()], np.int64)
            return ids[place.reshape(-1)] if len(few) else np.zeros(0, np.int64)
        return np.asarray(rows, np.int64) + words.size + REIFIERS

    def rows_of(self, ids: Ids) -> Ids:
        """Return which reifiers terms are, -1 for those that are none."""
        told, words = self._told, self._words
        if told.named:
            few, place = np.unique(ids, return_inverse=True)
            found = np.full(len(few), -1, np.int64)
            for at, number in enumerate(few.tolist()):
                text = words.text(number) if number >= 0 else ""
                if text.startswith(NAMES):
                    row = told.reifier(text)
                    found[at] = -1 if row is None else row
            return found[place.reshape(-1)]
        rows = ids - (words.size + REIFIERS)
        return np.where((rows >= 0) & (rows < told.rows + len(told.names)), rows, -1)

    def value(self, places: Ids) -> Ids:
        """Return the terms of texts that assertions hold."""
        new = np.unique(places[self._values[places] == UNBOUND])
        for at in new.tolist():
            self._values[at] = self._words.number(self._told.texts[at])
        return self._values[places]

    def term(self, ids: Ids) -> Ids:
        """Return terms of facts that assertions speak of, which may be in no fact."""
        out = ids < -2
        if not out.any():
            return ids
        found = ids.copy()
        found[out] = self.value(-3 - ids[out])
        return found

    # the source

    def counts(self, s: Any, p: Any, o: Any, size: int) -> NDArray[np.int64]:
        """Return about how many statements match each binding."""
        found = self._of.counts(s, p, o, size)
        if p is None or np.isin(p, self._numbers).any():
            more = 3 if s is not None or o is not None else 3 * self._told.rows + len(self._told.more.of)
            found = found + (more if p is None else np.where(np.isin(p, self._numbers), more, 0))
        return found

    def match(self, s: Any, p: Any, o: Any, size: int, first: int = MOST, most: int = MOST) -> Iterator[Found]:
        """Yield the statements that match bindings, facts first."""
        yield from self._of.match(s, p, o, size, first, most)
        for number, prop in self._properties.items():
            of = np.arange(size) if p is None else np.flatnonzero(p == number)
            if not len(of):
                continue
            subjects, objects = (None if part is None else part[of] for part in (s, o))
            for found in self._said(prop, subjects, objects, len(of), first):
                yield found._replace(of=of[found.of], p=np.full(len(found.of), number, np.int64))

    def nodes(self) -> Ids:
        """Return every subject and object."""
        parts = [self._of.nodes()]
        for found in self.match(None, self._numbers, None, len(self._numbers)):
            parts.append(np.unique(np.concatenate([found.s, found.o])))
        return np.unique(np.concatenate(parts))

    def _said(self, prop: int, s: Any, o: Any, size: int, first: int) -> Iterator[Found]:
        """Yield the statements of a property of reifiers."""
        for part in self._pairs(prop, s, o, size, first):
            keep = np.ones(len(part.of), bool)
            if s is not None:
                keep &= part.s == s[part.of]
            if o is not None:
                keep &= part.o == o[part.of]
            if keep.any():
                yield Found._make([*(column[keep] for column in part[:5]), None])

    def _pairs(self, prop: int, s: Any, o: Any, size: int, first: int) -> Iterator[Found]:
        """Yield candidates, all that match a property's bindings among them."""
        told = self._told
        if PROPERTIES[prop] == REIFIES:
            quoted = None if o is None else [self._words.term(i) if i >= 0 else None for i in o.tolist()]
            parts: Any = (None, None, None)
            if quoted is not None:
                number = self._words.id
                known = [q if isinstance(q, Quoted) else Quoted(None, None, None) for q in quoted]
                parts = [
                    np.array([UNBOUND if q[i] is None else number(q[i]) for q in known], np.int64) for i in range(3)
                ]
                parts[1] = self._words.predicates(parts[1])
            for of, rows, (ts, tp, to, g) in self.quoted(s, parts, size, first):
                keys = np.stack([ts, self._words.nodes(tp), to]) if len(of) else np.zeros((3, 0), np.int64)
                few, place = np.unique(keys, axis=1, return_inverse=True)
                term = self._words.term
                terms = [self._words.id(Quoted(term(a), term(b), term(c))) for a, b, c in few.T.tolist()]
                yield Found(of, self.reifiers(rows), tp, np.array(terms, np.int64)[place.reshape(-1)], g, None)
            return
        if PROPERTIES[prop] in (WEIGHT, SOURCE):
            yield from self._of_rows(prop, s, o, size, first)
        more = told.more
        mine = more.property == prop
        if not mine.any():
            return
        if self._chosen is not None:
            mine &= np.isin(self.term(more.graph), self._chosen)
        at = np.flatnonzero(mine)
        subjects, values = self.reifiers(more.of[at]), self.value(more.value[at])
        g = self.term(more.graph[at])
        for of, place in _matching(s, o, subjects, values, size):
            yield Found(of, subjects[place], subjects[place], values[place], g[place], None)

    def _of_rows(self, prop: int, s: Any, o: Any, size: int, first: int) -> Iterator[Found]:
        """Yield weights or sources that are read where the facts are."""
        told = self._told
        if s is not None:
            rows = self.rows_of(s)
            of = np.flatnonzero((rows >= 0) & (rows < told.rows))
            yield from self._read(prop, of, rows[of])
            return
        for start in range(0, told.rows, MOST):
            rows = np.arange(start, min(start + MOST, told.rows))
            for found in self._read(prop, rows - start, rows):
                for of, place in _matching(None, o, found.s, found.o, size):
                    yield Found._make([of, *(c[place] for c in found[1:5]), None])

    def _read(self, prop: int, of: Rows, rows: Rows) -> Iterator[Found]:
        told, words = self._told, self._words
        keep = told.plain(rows) & self.stands(rows)
        values = told.weights(rows) if PROPERTIES[prop] == WEIGHT else told.sources(rows)
        keep &= values != (1.0 if PROPERTIES[prop] == WEIGHT else told.unnamed)
        of, rows, values = of[keep], rows[keep], values[keep]
        if not len(of):
            return
        few, place = np.unique(values, return_inverse=True)
        if PROPERTIES[prop] == WEIGHT:
            terms = [words.id(Lit(repr(float(v)), f"{XSD}double")) for v in few.tolist()]
        else:
            names = told.opened.sources.names(few.astype(np.uint32))
            terms = [words.id(Lit(name.encode(errors="replace").decode())) for name in names]
        found = np.array(terms, np.int64)[place.reshape(-1)]
        yield Found(of, self.reifiers(rows), found, found, told.statements(rows)[3], None)

    def stands(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell which rows are among these graphs' statements."""
        snapshot = self._told.opened.snapshot
        found = np.ones(len(rows), bool)
        inside = rows < snapshot.base.rows
        if self._named.keep is not None:
            found[inside] = self._named.keep[rows[inside]]
        if self._chosen is not None and not inside.all():
            found[~inside] = np.isin(snapshot.added.graph[rows[~inside] - snapshot.base.rows], self._chosen)
        return found

    def quoted(self, r: Any, parts: Sequence[Any], size: int, first: int) -> Iterator[tuple[Rows, Rows, Any]]:
        """Yield which bindings' statements are reified: the binding, the reifier, and the statement with its graph."""
        told, (s, p, o) = self._told, parts
        if r is not None:
            rows = self.rows_of(r)
            of = np.flatnonzero((rows >= 0) & (rows < told.rows))
            of = of[told.plain(rows[of]) & self.stands(rows[of])]
            if len(of):
                yield _fitting(of, rows[of], told.statements(rows[of]), (s, p, o))
        else:
            for found in self._named.match(s, p, o, size, first):
                keep = told.plain(found.row)
                if keep.any():
                    statement = tuple(column[keep] for column in (found.s, found.p, found.o, found.g))
                    yield found.of[keep], found.row[keep], statement
        more = told.more
        if not len(more.s):
            return
        at = np.arange(len(more.s))
        if self._chosen is not None:
            at = np.flatnonzero(np.isin(self.term(more.g), self._chosen))
        columns = [self.term(c[at]) for c in (more.s, more.o)]
        predicates = more.p[at]
        names = self.reifiers(more.reifier[at])
        if r is not None:
            pairs = _matching(r, None, names, names, size)
        else:
            pairs = _matching(s, o, columns[0], columns[1], size)
        for of, place in pairs:
            statement = (columns[0][place], predicates[place], columns[1][place], self.term(more.g[at][place]))
            yield _fitting(of, more.reifier[at][place], statement, (s, p, o))


def _fitting(of: Rows, rows: Rows, statement: Any, wanted: Any) -> tuple[Rows, Rows, Any]:
    keep = np.ones(len(of), bool)
    for column, part in zip(statement, wanted, strict=False):
        if part is not None:
            keep &= column == part[of]
    return of[keep], rows[keep], tuple(column[keep] for column in statement)


def _matching(s: Any, o: Any, subjects: Ids, objects: Ids, size: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield which bindings and which statements have a subject, else an object, in common; each with each, if neither is bound."""
    wanted, offered = (s, subjects) if s is not None else (o, objects)
    if wanted is None:
        for binding in range(size):
            yield np.full(len(subjects), binding), np.arange(len(subjects))
        return
    order = np.argsort(offered, kind="stable")
    ascending = offered[order]
    low = np.searchsorted(ascending, wanted)
    of, place = expanded(np.searchsorted(ascending, wanted, "right") - low)
    yield of, order[low[of] + place]


def reified(context: Context, triple: Any, table: Table, scope: Scope, given: Any, first: int = 0) -> Iterator[Table]:
    """Yield the solutions of a pattern of a reifier and the triple it stands for that extend given solutions.

    Args:
        context: the query.
        triple: the pattern, its object a triple term.
        table: the solutions.
        scope: where it is matched.
        given: what is bound of the reifier, the property, and the three parts of the triple: a column each, or None.
        first: how many rows the first part may have.
    """
    source = scope.source
    if not isinstance(source, Annotated) or any(isinstance(part, Quoted) for part in triple.o):
        return
    reifier, prop, *parts = given
    reifies = context.words.id(REIFIES)
    rows = np.arange(table.size) if prop is None else np.flatnonzero(prop == reifies)
    if not len(rows):
        return
    table = table.take(rows)
    reifier, *parts = (None if part is None else part[rows] for part in (reifier, *parts))
    first = first or (FIRST if table.size < FIRST else MOST)
    for of, numbers, (s, p, o, g) in source.quoted(reifier, parts, table.size, first):
        made = [(triple.s, source.reifiers(numbers)), (triple.p, np.full(len(of), reifies, np.int64))]
        made += zip(triple.o, (s, context.words.nodes(p), o), strict=True)
        if scope.graph is not None:
            made.append((Var(scope.graph), g))
        yield _extended(table.take(of), made)


def _extended(table: Table, made: list[tuple[Any, Ids]]) -> Table:
    columns, keep = table.columns, np.ones(table.size, bool)
    for part, values in made:
        if isinstance(part, Var):
            known = columns.get(part.name)
            if known is None:
                columns = {**columns, part.name: values}
            else:
                keep &= known == values
    return Table(table.size, columns).take(keep)
