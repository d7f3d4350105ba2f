"""Wikidata's statements in RDF as assertions: value, rank, qualifiers of time and references of a statement node in one.

https://www.mediawiki.org/wiki/Wikibase/Indexing/RDF_Dump_Format. What is said of statements comes in any order, and references
and dates with their precision after them; all is held back, as much as :data:`MOST` statements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import pyoxigraph as ox

from kgmm.errors import BadInput
from kgmm.store.formats.kgtk import bounds
from kgmm.store.rdf.saying import Line
from kgmm.store.times import span

HOST = "http://www.wikidata.org/"
PROPERTY = f"{HOST}prop/"
MOST = 100_000  #: statements, and values without one, that are held back at most
_STATEMENT, _REFERENCE, _VALUE = f"{HOST}entity/statement/", f"{HOST}reference/", f"{HOST}value/"
_WIKIBASE = "http://wikiba.se/ontology#"
_OF = re.compile(rf"{re.escape(PROPERTY)}(?:(?P<kind>[a-z-]+(?:/[a-z-]+)?)/)?(?P<property>P[1-9]\d*)")
_DERIVED = "http://www.w3.org/ns/prov#wasDerivedFrom"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
#: qualifiers of time, and which ends they tell
_TIMES = {"P580": ("valid_from",), "P582": ("valid_to",), "P585": ("valid_from", "valid_to")}
#: what of a reference is the source: its address, what it is stated in, where it was imported from
_SOURCES = ("P854", "P248", "P4656", "P143")
Direct = tuple[str, str, str, str]  #: subject, property, value and graph of a fact


class Taker(Protocol):
    """What takes the facts: see :class:`kgmm.store.formats._rdf.Statements`."""

    def plain(self, quad: ox.Quad) -> None:
        """Take an ordinary quad."""

    def state(self, subject: object, predicate: str, obj: object, graph: object, line: Line) -> None:
        """Add an assertion of a statement."""

    def reject(self, line: int, reason: str, raw: str) -> None:
        """Note what was left out."""


@dataclass
class _Statement:
    link: ox.Quad | None = None
    property: str = ""
    value: Any = None
    rank: str = ""
    #: ends by property: as written, and the node that tells the precision
    times: dict[str, str] = field(default_factory=dict)
    exact: dict[str, str] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    others: list[ox.Quad] = field(default_factory=list)


class Wikidata:
    """Statement nodes, references and dates of a file, until they can be put together."""

    def __init__(self) -> None:
        self._statements: dict[str, _Statement] = {}
        self._direct: dict[Direct, ox.Quad] = {}
        self._references: dict[str, dict[str, str]] = {}
        self._dates: dict[str, dict[str, str]] = {}

    @property
    def full(self) -> bool:
        """Tell whether it is time to hand on what has come."""
        return max(len(self._statements), len(self._direct)) > MOST

    def took(self, quad: ox.Quad) -> bool:
        """Take a quad that tells of a statement, or tell that it is an ordinary one."""
        subject = quad.subject.value if isinstance(quad.subject, ox.NamedNode) else ""
        predicate = quad.predicate.value
        if subject.startswith(_STATEMENT):
            return self._of_statement(self._statements.setdefault(subject, _Statement()), quad, predicate)
        if subject.startswith((_REFERENCE, _VALUE)):
            return self._of_node(subject, quad, predicate)
        if not (predicate.startswith(PROPERTY) and (found := _OF.fullmatch(predicate))):
            return False
        target = getattr(quad.object, "value", "")
        if found["kind"] is None and target.startswith(_STATEMENT):
            self._statements.setdefault(target, _Statement()).link = quad
            return True
        if found["kind"] == "direct":
            self._direct[subject, found["property"], str(quad.object), str(quad.graph_name)] = quad
            return True
        return False

    def _of_statement(self, said: _Statement, quad: ox.Quad, predicate: str) -> bool:
        target = getattr(quad.object, "value", "")
        found = _OF.fullmatch(predicate)
        kind, prop = (found["kind"], found["property"]) if found else (None, "")
        if kind == "statement":
            said.property, said.value = prop, quad.object
        elif predicate == f"{_WIKIBASE}rank":
            said.rank = target
        elif predicate == _DERIVED:
            said.references.append(target)
        elif kind == "qualifier" and prop in _TIMES and isinstance(quad.object, ox.Literal):
            said.times[prop] = target
        elif kind == "qualifier/value" and prop in _TIMES:
            said.exact[prop] = target
        elif not (kind and "value" in kind) and not (predicate == _TYPE and target.startswith((_WIKIBASE, PROPERTY))):
            said.others.append(quad)
        return True

    def _of_node(self, subject: str, quad: ox.Quad, predicate: str) -> bool:
        target = getattr(quad.object, "value", "")
        if subject.startswith(_VALUE):
            if predicate.startswith(f"{_WIKIBASE}time"):
                self._dates.setdefault(subject, {})[predicate.removeprefix(_WIKIBASE)] = target
            return True
        found = _OF.fullmatch(predicate)
        if found and found["kind"] == "reference":
            self._references.setdefault(subject, {}).setdefault(found["property"], target)
        return True

    def hand_on(self, taker: Taker, last: bool) -> None:
        """Hand the older half of what is held back on as facts and assertions; all of it at the end."""
        ready = list(islice(self._statements, len(self._statements) if last else len(self._statements) // 2))
        for name in ready:
            self._put(taker, name, self._statements.pop(name))
        for key in list(islice(self._direct, len(self._direct) if last else max(len(self._direct) - MOST // 2, 0))):
            taker.plain(self._direct.pop(key))
        for known in (self._references, self._dates):
            for node in list(islice(known, max(len(known) - MOST, 0))):
                del known[node]

    def _put(self, taker: Taker, name: str, said: _Statement) -> None:
        if said.link is None or said.value is None:
            if said.link is not None and not said.others:
                return  # no value, or one that nobody knows: it states nothing
            for quad in [*([said.link] if said.link else ()), *said.others]:
                taker.plain(quad)
            return
        link = said.link
        self._direct.pop(
            (getattr(link.subject, "value", ""), said.property, str(said.value), str(link.graph_name)), None
        )  # what it says for all times
        about: dict[str, Any] = self._held(said)
        try:
            span((about.get("valid_from"), about.get("valid_to")))
        except BadInput as error:
            taker.reject(0, error.reason, name)
            return
        if said.rank.endswith("DeprecatedRank"):
            about["polarity"] = -1
        sources = [self._source(node) for node in said.references] or [""]
        if about or said.references:
            about["method"] = "loaded"
        for source in dict.fromkeys(sources):
            line = Line(None, source, None, about)
            try:
                taker.state(link.subject, f"{PROPERTY}direct/{said.property}", said.value, link.graph_name, line)
            except ValueError as error:
                taker.reject(0, str(error), name)
        for quad in [link, *said.others] if said.others else ():
            taker.plain(quad)

    def _held(self, said: _Statement) -> dict[str, Any]:
        """Return when a statement held, by its qualifiers and how exact they are."""
        found: dict[str, Any] = {}
        for prop in sorted(said.times.keys() | said.exact.keys()):
            date = self._dates.get(said.exact.get(prop, ""), {})
            text = date.get("timeValue") or said.times.get(prop, "")
            usual = "11" if text.endswith("T00:00:00Z") else "14"
            ends = bounds(f"^{text}/{date.get('timePrecision', usual)}")
            if ends is not None:
                found |= {end: ends[end == "valid_to"] for end in _TIMES[prop]}
        return found

    def _source(self, node: str) -> str:
        """Return what a reference refers to, or else the reference."""
        known = self._references.get(node, {})
        return next((known[prop] for prop in _SOURCES if prop in known), node)
