"""What is said of a version's facts: numbers for reifiers, and what assertions say beyond weight and source, as columns.

A fact's reifier is the number of the row it stands in. Its weight and source are read where the fact is; only what assertions
say beyond that is kept, once a version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from kgmm.store.index.base import Coded
from kgmm.store.index.state import Opened
from kgmm.store.index.terms import Terms
from kgmm.store.rdf import saying
from kgmm.store.rdf import terms as rdf
from kgmm.store.sparql.engine.algebra import LANG_STRING, Iri, Lit
from kgmm.store.sparql.engine.source import Source
from kgmm.store.sparql.engine.table import Rows
from kgmm.store.sparql.engine.vocabulary import NAMES, PREDICATES, Ids, spelled

if TYPE_CHECKING:
    from kgmm.store.assertions.telling import Telling

Column = TypeVar("Column", np.float64, np.int64)
REIFIES, WEIGHT, SOURCE = (Iri(node.value) for node in (rdf.REIFIES, rdf.WEIGHT, rdf.SOURCE))
#: the properties of a reifier, by number
PROPERTIES = (
    REIFIES,
    *(Iri(node.value) for node in saying.OWN.values()),
    Iri(saying.BEGINS.value),
    Iri(saying.ENDS.value),
)
_NUMBER = {iri.text: at for at, iri in enumerate(PROPERTIES)}
_FACT, _ASSERTION = NAMES
_NAME = re.compile(re.escape(_FACT.encode()) + rb"[0-9a-f]{16}")
_PART = 1 << 16


class _More(NamedTuple):
    """What assertions say: statements that reifiers stand for, and their properties, as numbers."""

    reifier: Ids  #: a row of a fact, or a number from the number of rows on
    s: Ids
    p: Ids
    o: Ids
    g: Ids
    of: Ids  #: for each property the reifier it is of,
    property: Ids  #: its number in PROPERTIES,
    value: Ids  #: its value's place in the texts,
    graph: Ids


class Told:
    """What is said of a version's facts."""

    def __init__(self, opened: Opened, telling: Telling | None) -> None:
        self.opened = opened
        snapshot = opened.snapshot
        base, added = snapshot.base, snapshot.added
        self.rows = base.rows + len(added.subject)
        self._base = base
        unnamed = opened.sources.id("")
        self.unnamed = -1 if unnamed is None else unnamed
        self.names: list[str] = []  #: of reifiers beside those that facts have
        self.texts: list[str] = []  #: values of properties, as a store spells them
        self._places: dict[str, int] = {}
        #: relations that no fact stands in: the text of each by its number
        self.predicates: dict[int, str] = {}
        self._predicates: dict[str, int] = {}
        self.apart = np.zeros(0, np.int64)  #: rows of facts of which assertions say more, ascending
        self.more = self._read(telling)
        self._by: dict[str, tuple[Rows, Ids]] = {}
        self._hashes: tuple[Any, Rows] | None = None
        #: whether facts speak of reifiers by name, so that these names have numbers of their own
        self.named = _named(opened.terms) or any(opened.terms.id(name) is not None for name in self.names)
        for iri in PROPERTIES:
            self._predicate(rdf.predicate_term(iri.text))

    # of rows

    def statements(self, rows: Rows) -> tuple[Ids, Ids, Ids, Ids]:
        """Return subject, predicate, object and graph in some rows."""
        base, added = self._base, self.opened.snapshot.added
        inside = rows < base.rows
        found = []
        first, rest = rows[inside], rows[~inside] - base.rows
        columns = (
            (base.subject[first], added.subject),
            (base.predicate.at(first), added.predicate),
            (base.object[first], added.object),
            (base.graph.at(first), added.graph),
        )
        for mapped, more in columns:
            column = np.empty(len(rows), np.int64)
            column[inside] = mapped
            column[~inside] = more[rest]
            found.append(column)
        return found[0], found[1], found[2], found[3]

    def weights(self, rows: Rows) -> NDArray[np.float64]:
        """Return the weights in some rows."""
        found = np.empty(len(rows), np.float64)
        return self._mixed(rows, self._base.weight, self.opened.snapshot.added.weight, found)

    def sources(self, rows: Rows) -> Ids:
        """Return the numbers of the sources in some rows."""
        found = np.empty(len(rows), np.int64)
        return self._mixed(rows, self._base.source, self.opened.snapshot.added.source, found)

    def _mixed(self, rows: Rows, coded: Coded, added: Any, found: NDArray[Column]) -> NDArray[Column]:
        """Fill a column with what is said in some rows of the mapped or the added facts."""
        inside = rows < self._base.rows
        found[inside] = coded.at(rows[inside])
        found[~inside] = added[rows[~inside] - self._base.rows]
        return found

    def plain(self, rows: Rows) -> NDArray[np.bool_]:
        """Tell which rows' facts have a reifier of which weight and source are all there is to say."""
        found: NDArray[np.bool_] = (self.weights(rows) != 1.0) | (self.sources(rows) != self.unnamed)
        if len(self.apart):
            at = np.minimum(np.searchsorted(self.apart, rows.astype(np.int64)), len(self.apart) - 1)
            found &= self.apart[at] != rows
        return found

    def name(self, reifier: int) -> str:
        """Return a reifier as a store spells it as a node."""
        if reifier >= self.rows:
            return self.names[reifier - self.rows]
        name = self.opened.terms.name
        s, p, o, g = (int(part[0]) for part in self.statements(np.array([reifier])))
        return rdf.node_term(rdf.reifier_iri(name(g), name(s), name(p), name(o)))

    def reifier(self, text: str) -> int | None:
        """Return which reifier a term names, or None."""
        if text.startswith(_ASSERTION):
            return self.rows + self.names.index(text) if text in self.names else None
        try:
            wanted = np.uint64(int(text.removeprefix(_FACT), 16))
        except (ValueError, OverflowError):
            return None
        if self._hashes is None:
            made = np.fromiter(self._hashed(), np.uint64, self.rows)
            order = np.argsort(made, kind="stable")
            self._hashes = made[order], order
        hashes, order = self._hashes
        at = int(np.searchsorted(hashes, wanted))
        if at == len(hashes) or hashes[at] != wanted or self.name(int(order[at])) != text:
            return None
        return int(order[at])

    def _hashed(self) -> Iterator[int]:
        prefix = len(rdf.FACT)
        for start in range(0, self.rows, _PART):
            parts = self.statements(np.arange(start, min(start + _PART, self.rows)))
            names = [self.opened.terms.names(part.astype(np.uint32)) for part in parts]
            for s, p, o, g in zip(*names, strict=True):
                yield int(rdf.reifier_iri(g, s, p, o)[prefix:], 16)

    # of assertions

    def _read(self, telling: Telling | None) -> _More:
        stated: list[tuple[int, int, int, int, int]] = []
        properties: list[tuple[int, int, int, int]] = []
        apart: list[int] = []
        for fact, assertions, row in () if telling is None else self._told(telling):
            ids = [self._id(part) for part in (fact.subject, fact.object, fact.graph)]
            ids.insert(1, self._predicate(fact.predicate))
            if row is not None:
                apart.append(row)
            for name, parts in saying.reifiers(fact, assertions, True):
                if row is not None and name.startswith(rdf.FACT):
                    number = row
                else:
                    number = self.rows + len(self.names)
                    self.names.append(rdf.node_term(name))
                stated.append((number, ids[0], ids[1], ids[2], ids[3]))
                for prop, value in parts:
                    text = spelled(_literal(value))
                    at = self._places.setdefault(text, len(self.texts))
                    if at == len(self.texts):
                        self.texts.append(text)
                    properties.append((number, _NUMBER[prop.value], at, ids[3]))
        self.apart = np.array(sorted(apart), np.int64)
        columns = [np.array(c, np.int64) for c in zip(*stated, strict=True)] or [np.zeros(0, np.int64)] * 5
        more = [np.array(c, np.int64) for c in zip(*properties, strict=True)] or [np.zeros(0, np.int64)] * 4
        return _More(*columns, *more)

    def _id(self, text: str) -> int:
        found = self.opened.terms.id(text)
        if found is not None:
            return found
        # of what is only spoken against, a term may be in no fact
        at = self._places.setdefault(text, len(self.texts))
        if at == len(self.texts):
            self.texts.append(text)
        return -3 - at

    def _predicate(self, text: str) -> int:
        """Return a relation's number: its own as a term, else one that no term has."""
        found = self._predicates.get(text)
        if found is None:
            own = self.opened.terms.id(text)
            found = len(self.opened.terms) + PREDICATES + len(self._predicates) if own is None else own
            self._predicates[text] = found
            if own is None or own not in self.opened.snapshot.counts("predicate"):
                self.predicates[found] = text
        return found

    def _told(self, telling: Telling) -> Iterator[tuple[Any, Any, int | None]]:
        """Yield the facts of which assertions say more, with these and the row they stand in."""
        where = {}
        for assertions in telling.spoken():
            fact = assertions[0].fact
            key = tuple(self.opened.terms.id(part) for part in (fact.subject, fact.predicate, fact.object, fact.graph))
            where[key] = assertions
        for row, key in self._rows_of(where):
            yield where[key][0].fact, where.pop(key), row
        for assertions in telling.denied():
            yield assertions[0].fact, assertions, None

    def _rows_of(self, wanted: dict[Any, Any]) -> list[tuple[int, Any]]:
        subjects = np.array(sorted({key[0] for key in wanted if None not in key}), np.int64)
        found: list[tuple[int, Any]] = []
        if not len(subjects):
            return found
        source = Source(self.opened.snapshot, None, True)
        for part in source.match(subjects, None, None, len(subjects)):
            columns = (part.row, part.s, part.p, part.o, part.g)
            for row, *key in zip(*(c.tolist() for c in columns), strict=True):
                if tuple(key) in wanted:
                    found.append((row, tuple(key)))
        return found

    def sorted(self, column: str) -> tuple[Rows, Ids]:
        """Return the order of a column of the assertions, and it in this order."""
        if column not in self._by:
            values = getattr(self.more, column)
            order = np.argsort(values, kind="stable")
            self._by[column] = order, values[order]
        return self._by[column]


def _named(terms: Terms) -> bool:
    """Tell whether a term is the name of a fact."""
    blob, offsets = terms.arrays
    part = 1 << 24
    for at in range(0, len(blob), part):
        for match in _NAME.finditer(blob[at : at + part + 64].tobytes()):
            begin = np.uint64(at + match.start())
            if offsets[min(int(np.searchsorted(offsets, begin)), len(offsets) - 1)] == begin:
                return True
    return False


def _literal(value: Any) -> Lit:
    if value.language:
        return Lit(value.value, LANG_STRING, value.language)
    return Lit(value.value, value.datatype.value)


def told(opened: Opened, telling: Callable[[], Telling | None]) -> Told:
    """Return what is said of a version's facts, read once."""
    found = opened.derived.get("sparql told")
    if found is None:
        found = opened.derived["sparql told"] = Told(opened, telling())
    assert isinstance(found, Told)
    return found
