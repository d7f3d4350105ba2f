"""What one call of an export's writer gets: facts, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from kgmm.progress import Progress
from kgmm.store.assertion import Assertion, key_of
from kgmm.store.facts import Fact, Facts
from kgmm.store.rdf.text import PART

if TYPE_CHECKING:
    from kgmm.store.assertions.telling import Telling

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """Facts to write, all of an export or those of one of its graphs, and how."""

    facts: Facts
    said: Telling | None  #: what is said of them
    reified: bool  #: whether RDF's annotations are those of RDF 1.1
    progress: Progress
    graph: str | None = None  #: the only graph of the export
    last: bool = True  #: whether no other part follows
    base: str = ""  #: what the IRIs of nanopublications begin with
    made: str = ""  #: when the version was made (ISO 8601)

    def facts_told(self) -> Iterator[list[Fact]]:
        """Yield the facts, some at a time, telling how many are done."""
        total = len(self.facts)
        return told((self.facts[start : start + PART] for start in range(0, total, PART)), total, self.progress)

    def denied(self) -> Iterator[list[Assertion]]:
        """Yield what is said of facts nobody speaks for, once an export."""
        if self.said is not None and self.last:
            yield from self.said.denied(self.graph)

    def assertions(self) -> Iterator[list[Assertion]]:
        """Yield what is said of the facts, some at a time: of each fact what stands for it first, a bare one if nothing is."""
        for facts in self.facts_told():
            more = self.said.of(facts) if self.said is not None else {}
            yield [said for fact in facts for said in more.get(key_of(fact)) or (Assertion(fact),)]
        waiting: list[Assertion] = []
        for denied in self.denied():
            waiting += denied
            if len(waiting) >= PART:
                yield waiting
                waiting = []
        if waiting:
            yield waiting


def told(parts: Iterable[T], total: int, progress: Progress) -> Iterator[T]:
    """Hand parts on, telling how many facts are done when the next is asked for."""
    for number, part in enumerate(parts, 1):
        yield part
        progress(min(number * PART, total), total, "facts")
