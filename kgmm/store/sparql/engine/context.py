"""What one query needs throughout: its terms, its sources, and what it may take of time and memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from kgmm.store.index.state import Opened
from kgmm.store.sparql.engine.algebra import Blank
from kgmm.store.sparql.engine.limits import Limits
from kgmm.store.sparql.engine.source import Source
from kgmm.store.sparql.engine.table import Table
from kgmm.store.sparql.engine.vocabulary import Vocabulary

if TYPE_CHECKING:
    from kgmm.store.sparql.engine.told import Told


class Scope(NamedTuple):
    """Where a pattern is matched: the statements, the variable of GRAPH around it, whether EXISTS binds it from outside."""

    source: Source
    graph: str | None = None
    substituted: bool = False


class Context:
    """A running query."""

    def __init__(self, opened: Opened, base: str, limits: Limits, told: Told | None = None) -> None:
        self.opened, self.base = opened, base
        self.told = told  #: what is said of facts, if the query may look at it
        self.words = Vocabulary(opened, told)
        self.started = time.time()
        self.check, self.memory = limits.check, limits.memory
        #: patterns that do not depend on what is around them, by where they are matched
        self.kept: dict[tuple[int, int, str | None], Table] = {}
        self._blanks: dict[Any, Blank] = {}
        self._sources: dict[tuple[tuple[int, ...] | None, bool], Source] = {}
        self.default: tuple[int, ...] | None = None  #: graphs of the default graph; None: all
        self.named: tuple[int, ...] | None = None  #: graphs that GRAPH may name; None: all
        self.steps: list[dict[str, Any]] = []  #: what was done, for an explanation

    def blank(self, solution: Any, text: str) -> Blank:
        """Return the blank node of a text in a solution."""
        key = solution, text
        if key not in self._blanks:
            self._blanks[key] = self.words.blank()
        return self._blanks[key]

    def source(self, graphs: tuple[int, ...] | None, named: bool) -> Source:
        """Return the statements of some graphs, None for all; with *named* once for each graph that states them."""
        key = graphs, named
        if key not in self._sources:
            kept = self.opened.derived.setdefault("sparql sources", {})
            if graphs is None and key not in kept:
                kept[key] = Source(self.opened.snapshot, graphs, named)
            found = kept[key] if graphs is None else Source(self.opened.snapshot, graphs, named)
            if self.told is not None:
                from kgmm.store.sparql.engine.annotations import Annotated

                each = found if named else Source(self.opened.snapshot, graphs, True)
                found = Annotated(found, each, self.told, self.words)
            self._sources[key] = found
        return self._sources[key]

    def graphs(self) -> tuple[int, ...]:
        """Return the graphs that GRAPH may name."""
        there = self.opened.snapshot.counts("graph")
        return tuple(sorted(there)) if self.named is None else tuple(g for g in self.named if g in there)
