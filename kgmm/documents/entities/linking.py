"""Things of different documents that are one: by names they share, unless something speaks against it or too little for it.

A name that several things have joins none of them by itself: then the names around it must be shared with one alone. Nothing
here depends on the order in which documents were read; their ids order everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kgmm.documents import spans
from kgmm.documents.entities.profiles import Profile, Unit
from kgmm.documents.entities.words import KNOWN, MANY
from kgmm.language import names

Pair = tuple[str, str]
RARE, FEW = (
    5,
    40,
)  #: documents that name what tells something about its neighbours; two that this many name count as one
LATE = 2  #: years after somebody's death in which works still come out
EVERYBODY = frozenset(KNOWN.values())
MOST = 2_000  #: documents that name one thing, beyond which neighbours are not compared


@dataclass(slots=True)
class Node:
    """A thing of one document, as part of what may be an entity of several."""

    profile: Profile
    unit: Unit
    place: tuple[str, int] = ("", 0)  #: its document and which of its things it is

    @property
    def titled(self) -> str:
        """The whole title of the document that is about it, folded; empty for others."""
        return " ".join(w for _, _, w in spans.words(self.profile.title)) if self.unit.subject else ""


@dataclass(slots=True)
class Group:
    """Things of documents that are taken for one."""

    nodes: list[Node] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    born: set[str] = field(default_factory=set)
    died: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    concepts: set[str] = field(default_factory=set)


def concept(said: str) -> str:
    """Return a name as the store's concept."""
    return names.concept(said)


@dataclass
class Common:
    """What all documents together tell about names: who decides about one thing needs no more of the others."""

    around: dict[str, set[str]] = field(default_factory=dict)  #: keys of all that a document names
    naming: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  #: documents that name a key
    vague: Counter[str] = field(default_factory=Counter)  #: things that leave open what a key means
    in_names: Counter[str] = field(default_factory=Counter)  #: words of persons' names


def rarity(documents: int) -> int:
    """Return what counts of how many documents name something."""
    return (documents > RARE) + (documents > FEW)


def person_words(unit: Unit) -> set[str]:
    """Return the words of a person's longer names."""
    return {word for key in unit.keys if " " in key for word in key.split()} if unit.person else set()


def parted(unit: Unit, apart: Iterable[frozenset[str]]) -> list[Unit]:
    """Part a document's thing again, if somebody said that two of its names are not one."""
    spoken = {concept(said) for said in unit.said} if apart else set()
    if not any(pair <= spoken for pair in apart):
        return [unit]
    return [
        Unit({said: at}, {spans.key(said)}, spans.key(said), unit.person, unit.place, subject=unit.subject and not n)
        for n, (said, at) in enumerate(unit.said.items())
    ]


class Linking:
    """Joins things of documents, given all those that share a name with one of them.

    Args:
        nodes: the things, in the order of their documents.
        common: what all documents tell.
        apart: pairs of concepts that somebody said are not one.
    """

    def __init__(self, nodes: list[Node], common: Common, apart: Iterable[frozenset[str]]) -> None:
        self.apart, self.common, self.nodes = set(apart), common, nodes
        self.parent = list(range(len(nodes)))
        self.groups = [self._group(node) for node in nodes]
        self.by_key: dict[str, list[int]] = defaultdict(list)
        for n, node in enumerate(nodes):
            for key in sorted(node.unit.keys):
                self.by_key[key].append(n)
        self.placed = Counter(key for node in nodes if node.unit.lies for key in node.unit.keys)
        self.personal = Counter(key for node in nodes if node.unit.person for key in node.unit.keys)

    def _group(self, node: Node) -> Group:
        about = node.profile if node.unit.subject else None
        kind = about.kind if about else ""
        return Group(
            [node],
            {node.titled} if about and about.title else set(),
            {about.mark} if about and about.title else set(),
            {about.born} if about and about.born else set(),
            {about.died} if about and about.died else set(),
            {kind} if kind else {"person"} if node.unit.person else set(),
            {concept(said) for said in node.unit.said} if self.apart else set(),
        )

    def root(self, n: int) -> int:
        """Return the first of the things that one is joined with."""
        while self.parent[n] != n:
            self.parent[n] = self.parent[self.parent[n]]
            n = self.parent[n]
        return n

    def join(self, a: int, b: int, force: bool = False) -> bool:
        """Join two things and what they are joined with, unless something speaks against it; tell whether they are one."""
        a, b = sorted((self.root(a), self.root(b)))
        if a == b:
            return True
        one, two = self.groups[a], self.groups[b]
        if not force and self.against(one, two):
            return False
        if self.apart and any(pair <= one.concepts | two.concepts for pair in self.apart):
            return False
        self.parent[b] = a
        one.nodes += two.nodes
        for name in ("titles", "marks", "born", "died", "kinds", "concepts"):
            getattr(one, name).update(getattr(two, name))
        return True

    @staticmethod
    def against(one: Group, two: Group) -> bool:
        """Tell whether two groups cannot be one: other years of birth or death, another kind, another parenthesis in the title."""
        if one.kinds and two.kinds and not one.kinds & two.kinds:
            return True
        if any(x and y and not x & y for x, y in ((one.born, two.born), (one.died, two.died), (one.marks, two.marks))):
            return True
        return bool(one.born and two.died and min(two.died) < min(one.born)) or bool(
            two.born and one.died and min(one.died) < min(two.born)
        )

    def run(self, same: Mapping[Pair, list[int]]) -> list[list[Node]]:
        """Return the things that are one together; *same* has those of which somebody said so, by number."""
        for _, held in sorted(same.items()):
            for n in held[1:]:
                self.join(held[0], n, force=True)
        for key in sorted(self.by_key, key=lambda k: (-k.count(" "), k)):
            held = self.by_key[key]
            if len(held) > 1 and not self.common.vague[key]:
                self.share(key, held)
        made: dict[int, list[Node]] = {}
        for n in range(len(self.nodes)):
            made.setdefault(self.root(n), []).append(self.nodes[n])
        return list(made.values())

    def share(self, key: str, held: list[int]) -> None:
        """Join those that share a name, as far as it tells one thing."""
        full = [n for n in held if key not in self.nodes[n].unit.weak]
        titled = [n for n in full if self.nodes[n].unit.subject and self.nodes[n].profile.title]
        owners: list[int] = []
        for n in titled:
            if not any(self.agree(n, other) and self.join(other, n) for other in owners):
                owners.append(n)
        weak = [n for n in held if key in self.nodes[n].unit.weak]
        for n in weak:  # BBC explained twice, Obama beside Michelle and Barack: as many owners as there are long forms
            if self.root(n) not in {self.root(o) for o in owners} and not any(
                self.nodes[o].unit.main == self.nodes[n].unit.main and self.join(o, n) for o in owners
            ):
                owners.append(n)
        rest = [n for n in full if n not in titled]
        roots = sorted({self.root(n) for n in owners})
        if not roots:
            self.alone(key, rest)
        elif len(roots) == 1:
            owner = owners[0]
            sure = self.sure(key, owner)
            for n in rest:
                if self.suits(owner, n) and (
                    (sure and self.fits(key, n)) or self.near(n, self.groups[self.root(owner)])
                ):
                    self.join(owner, n)
        else:
            for n in rest:
                close = [r for r in roots if self.root(n) == self.root(r) or self.near(n, self.groups[self.root(r)])]
                if len(close) == 1:
                    self.join(close[0], n)

    def agree(self, a: int, b: int) -> bool:
        """Tell whether two documents of one title are about one thing: the same year of birth, or names around that they share."""
        one, two = self.nodes[a].profile, self.nodes[b].profile
        if one.title and two.title and self.nodes[a].titled != self.nodes[b].titled:
            return False
        return bool(one.born and one.born == two.born) or self.near(a, self.groups[self.root(b)])

    def sure(self, key: str, owner: int) -> bool:
        """Tell whether a name by itself means its one owner."""
        node = self.nodes[owner]
        if key in node.unit.weak:
            short = next((said for said in node.unit.said if spans.key(said) == key), "")
            return short.isupper() and len(short) > 2
        if node.profile.mark or node.profile.kind == "work":
            return False
        return " " in key or not self.common.in_names[key]

    def suits(self, owner: int, n: int) -> bool:
        """Tell whether a document speaks of a person as another says the person is: a maker of films who lived then."""
        whose, where = self.nodes[owner].profile, self.nodes[n].profile
        unit = self.nodes[n].unit
        if unit.place and not unit.person and whose.kind in ("work", "person"):
            return False
        if whose.kind != "person" and not whose.born:
            return True
        if self.nodes[n].unit.role and not whose.arts:
            return False
        late = whose.died and where.kind == "work" and where.years and int(min(where.years)) > int(whose.died) + LATE
        return not late and not (whose.born and where.kind == "work" and where.years and max(where.years) < whose.born)

    def fits(self, key: str, n: int) -> bool:
        """Tell whether a single word stands for a thing: a place where something is, or no part of anybody's name."""
        unit = self.nodes[n].unit
        said = next((said for said in unit.said if spans.key(said) == key), "")
        if " " in said or len(unit.keys) > 1:
            return (
                unit.place
                or unit.person
                or unit.subject
                or key in EVERYBODY
                or not all(spans.common(word) for word in key.split())
            )
        if (
            unit.person
            or unit.quoted
            or key in MANY
            or (spans.common(key) and not said.isupper() and self.placed[key] < 2)
        ):
            return False
        if unit.lies or self.placed[key] > max(1, 5 * self.personal[key]):
            return len({self.nodes[o].unit.within for o in self.by_key[key]} - {""}) < 2
        return said.isupper() and len(said) > 2 and said.isalpha()

    def alone(self, key: str, rest: list[int]) -> None:
        """Join things of one name that no document is about."""
        first = next((n for n in rest if self.fits(key, n)), None)
        for n in rest:
            if first is not None and n != first and self.fits(key, n):
                self.join(first, n)

    def near(self, n: int, group: Group) -> bool:
        """Tell whether a document shares names with those of a group that few others have."""
        mine = self.common.around[self.nodes[n].profile.document]
        own = self.nodes[n].unit.keys.union(*(node.unit.keys for node in group.nodes))
        if len(group.nodes) > MOST:
            return False
        for node in group.nodes:
            if node.profile.document == self.nodes[n].profile.document:
                continue
            shared = (mine & self.common.around[node.profile.document]) - own
            rare = [rarity(len(self.common.naming[key])) for key in shared]
            if 0 in rare or rare.count(1) > 1:
                return True
        return False
