"""What documents say of names that always mean one thing: ``owl:sameAs`` with the place of the sentence, a document each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from xxhash import xxh3_64_hexdigest

from kgmm.documents import spans
from kgmm.documents.entities.linking import Node, concept
from kgmm.documents.entities.things import Change
from kgmm.store.assertion import Assertion
from kgmm.store.facts import Fact
from kgmm.store.sameness import SAME

RESOLVER = "resolver:documents"  #: who says that two names are of one
METHOD = "resolved"
CITED = 20  #: documents that stand for one link, the first by their ids


def called(nodes: list[Node]) -> str:
    """Return the name of a thing: the title of the document about it, else the name that most documents have, the longest of these."""
    titles = sorted({node.profile.title for node in nodes if node.unit.subject and node.profile.title})
    if titles:
        return min(titles, key=lambda title: (spans.bare(title) != title, len(title), title))
    often = Counter(said for node in nodes for said in node.unit.said if spans.key(said) not in node.unit.weak)
    return min(often, key=lambda said: (-often[said], -len(said), said))


class Links:
    """Which names are linked, brought up to things that came and went; a name that two things have links none of them."""

    def __init__(self) -> None:
        self.sums: dict[str, str] = {}  #: what tells what a document says of names now
        self._groups: dict[int, tuple[str, list[Node]]] = {}  # by number, with the concept of its name
        self._having: dict[str, set[int]] = defaultdict(set)  # groups with a name
        self._called: dict[str, set[int]] = defaultdict(set)  # groups whose name it is
        self._made: dict[int, dict[str, list[Assertion]]] = {}  # by group and document
        self._by_document: dict[str, set[int]] = defaultdict(set)

    def of(self, document: str) -> list[Assertion]:
        """Return what a document says of names, in their order."""
        found = [one for number in self._by_document.get(document, ()) for one in self._made[number][document]]
        return sorted(found, key=lambda one: (one.fact.subject, one.fact.object, one.text))

    def follow(self, change: Change) -> None:
        """Bring the links up to a change."""
        touched: set[str] = set()
        documents: set[str] = set()
        for number in change.gone:
            main, nodes = self._groups.pop(number)
            names = _names(nodes)
            touched |= {main, *names}
            self._called[main].discard(number)
            for name in names:
                self._having[name].discard(number)
            self._drop(number, documents)
        for number, nodes in change.new.items():
            main, names = concept(called(nodes)), _names(nodes)
            self._groups[number] = main, nodes
            touched |= {main, *names}
            self._called[main].add(number)
            for name in names:
                self._having[name].add(number)
        again = {number for name in touched for number in (*self._having[name], *self._called[name])}
        for number in again:
            self._drop(number, documents)
            made: dict[str, list[Assertion]] = defaultdict(list)
            for one in self._say(number):
                made[one.fact.source].append(one)
            if made:
                self._made[number] = made
                documents |= made.keys()
                for document in made:
                    self._by_document[document].add(number)
        for document in documents:
            if found := self.of(document):
                self.sums[document] = _sum(found)
            else:
                self.sums.pop(document, None)

    def _drop(self, number: int, documents: set[str]) -> None:
        for document in self._made.pop(number, ()):
            documents.add(document)
            self._by_document[document].discard(number)

    def _say(self, number: int) -> list[Assertion]:
        """Return what documents say of a thing's names that are of nothing else: that they are the same as its name."""
        main, nodes = self._groups[number]
        if self._having[main] - {number}:
            return []
        places: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for node in nodes:
            for said, place in node.unit.said.items():
                name = concept(said)
                if name != main and self._having[name] == {number}:
                    places[name].setdefault(node.profile.document, place)
        made = []
        for name, cited in sorted(places.items()):
            for document, (start, end) in sorted(cited.items())[:CITED]:
                fact = Fact(name, SAME, main, graph="schema", source=document)
                made.append(Assertion(fact, contributor=RESOLVER, method=METHOD, text=f"char={start},{end}"))
        return made


def _names(nodes: list[Node]) -> set[str]:
    return {concept(said) for node in nodes for said in node.unit.said}


def _sum(found: Iterable[Assertion]) -> str:
    return xxh3_64_hexdigest("\n".join(f"{a.fact.subject} {a.fact.object} {a.text}" for a in found).encode())
