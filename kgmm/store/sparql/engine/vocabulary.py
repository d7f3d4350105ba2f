"""Terms by number for one query: those of the store under their own ids, those it makes under ids after them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.store.index.state import Opened
from kgmm.store.rdf.terms import NotRdf, full_iri, node_term
from kgmm.store.sparql.engine.algebra import LANG_STRING, STRING, Blank, Iri, Lit, Quoted, Term

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.told import Told

Ids = NDArray[np.int64]
UNBOUND = -1  #: stands where a variable has no value
NOWHERE = -2  #: stands for a term that no fact holds
#: so many numbers after the store's terms begin those of relations that no fact stands in, and those of reifiers
PREDICATES, REIFIERS = 1 << 30, 1 << 31
NAMES = "fact/", "assertion/"  #: how the terms begin that stand for facts and for what is said of them
WIDTH = 1 << 34  #: more than all numbers of a query beside those of the store
_QUOTED = re.compile(r"<<\( (<[^>]*>|_:\S+) <([^>]*)> (.*) \)>>", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


class Vocabulary:
    """A query's terms; one number a term, so that the same number is the same term."""

    def __init__(self, opened: Opened, told: Told | None = None) -> None:
        self._terms, self.size = opened.terms, len(opened.terms)
        self._texts: list[str] = []
        self._made: dict[str, int] = {}
        self._known: dict[int, Term] = {}
        self._column: Any = None
        self.made = 0  #: characters of the terms made so far
        self._blanks = 0
        self._told = told
        found = opened.derived.get("sparql predicates")
        if found is None:
            found = opened.derived["sparql predicates"] = _predicates(opened)
        if told is not None:
            more = ((n, *_as_node(opened, text)) for n, text in told.predicates.items())
            found = sorted([*found, *more], key=lambda one: one[0])
        nodes = [self.size + self._make(text) if node < 0 else node for _, node, text in found]
        self._predicates: Ids = np.array([number for number, _, _ in found], np.int64)
        self._nodes: Ids = np.array(nodes, np.int64)
        self._by_node = np.argsort(self._nodes, kind="stable")

    def _make(self, text: str) -> int:
        at = self._made.get(text)
        if at is None:
            at = self._made[text] = len(self._texts)
            self._texts.append(text)
            self.made += len(text)
        return at

    def id(self, term: Term) -> int:
        """Return a term's number."""
        return self.number(spelled(term))

    def number(self, text: str) -> int:
        """Return the number of a term that is spelled as a store spells nodes."""
        found = self._terms.id(text)
        if found is not None:
            return found
        if self._told is not None and not self._told.named and text.startswith(NAMES):
            reifier = self._told.reifier(text)
            if reifier is not None:
                return self.size + REIFIERS + reifier
        return self.size + self._make(text)

    def blank(self) -> Blank:
        """Return a blank node that nothing else is."""
        self._blanks += 1
        return Blank(f"made{self._blanks}by{id(self):x}")

    def text(self, number: int) -> str:
        """Return a number's term as a store spells nodes."""
        if number < self.size:
            return self._terms.name(number)
        if number >= self.size + REIFIERS and self._told is not None:
            return self._told.name(number - self.size - REIFIERS)
        return self._texts[number - self.size]

    def term(self, number: int) -> Term:
        """Return the term of a number."""
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = read(self.text(number))
        return found

    def column(self) -> Any:
        """Return all terms of the store by number, as bytes."""
        if self._column is None:
            blob, offsets = self._terms.arrays
            buffers = [None, pa.py_buffer(offsets.view(np.int64)), pa.py_buffer(blob)]
            self._column = pa.Array.from_buffers(pa.large_binary(), self.size, buffers)
        return self._column

    def literals(self, numbers: Ids) -> NDArray[np.bool_]:
        """Tell which terms are literals."""
        stored = (numbers >= 0) & (numbers < self.size)
        found = np.zeros(len(numbers), bool)
        found[stored] = self._terms.is_literal(numbers[stored])
        made = np.flatnonzero(numbers >= self.size)
        found[made] = [self.text(i).startswith('"') for i in numbers[made].tolist()]
        return found

    def nodes(self, predicates: Any) -> Ids:
        """Return the numbers of predicates as nodes: a store spells some relations otherwise there."""
        given = np.asarray(predicates, np.int64)
        if not len(given):
            return given
        return np.asarray(self._nodes[np.searchsorted(self._predicates, given)])

    def predicates(self, nodes: Ids) -> Ids:
        """Return the numbers that nodes have as predicates; :data:`NOWHERE` for those that are none."""
        if not len(self._nodes):
            return np.full(len(nodes), NOWHERE, np.int64)
        ascending = self._nodes[self._by_node]
        at = np.minimum(np.searchsorted(ascending, nodes), len(ascending) - 1)
        return np.where(ascending[at] == nodes, self._predicates[self._by_node[at]], NOWHERE)


def _predicates(opened: Opened) -> list[tuple[int, int, str]]:
    """Return each predicate's number in ascending order, its number as a node (-1: it is none), its text as a node."""
    found = []
    for number in sorted(opened.snapshot.counts("predicate")):
        found.append((number, *_as_node(opened, opened.terms.name(number))))
    return found


def _as_node(opened: Opened, relation: str) -> tuple[int, str]:
    text = spelled(Iri(full_iri(relation, True)))
    node = opened.terms.id(text)
    return -1 if node is None else node, text


def spelled(term: Term) -> str:
    """Return a term as a store spells it as a node."""
    if isinstance(term, Iri):
        try:
            return node_term(term.text)
        except NotRdf:
            return f"urn:kgmm:iri:{term.text}"
    if isinstance(term, Blank):
        return f"_:{term.text}"
    if isinstance(term, Quoted):
        parts = (read(spelled(part)) for part in term)
        return f"<<( {' '.join(f'<{p.text}>' if isinstance(p, Iri) else spelled(p) for p in parts)} )>>"
    text = names.quoted(term.text)
    if term.lang:
        return names.literal(f"{text}@{term.lang}")
    return names.literal(text if term.datatype == STRING else f"{text}^^<{term.datatype}>")


def read(text: str) -> Term:
    """Return the term of a stored node."""
    if text.startswith('"'):
        end = text.rfind('"')
        if end == 0 or not names.is_literal(text):
            return Lit(text)
        value, rest = text[1:end], text[end + 1 :]
        if "\\" in value:
            value = _ESCAPE.sub(_character, value)
        if rest.startswith("@"):
            return Lit(value, LANG_STRING, rest[1:])
        return Lit(value, rest[3:-1]) if rest else Lit(value)
    if text.startswith("<<(") and (match := _QUOTED.fullmatch(text)):
        return Quoted(
            *(Iri(t[1:-1]) if t[:1] == "<" != t[1:2] else read(t) for t in (match[1], f"<{match[2]}>", match[3]))
        )
    return Blank(text[2:]) if text.startswith("_:") else Iri(full_iri(text))


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])
