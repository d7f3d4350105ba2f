"""The things that documents name, kept up to date: of a change only those are decided anew that share a name with what changed.

What things are one follows from those that share names with them, directly or by others, and from how often names
occur at all. So a change touches few, and what comes out is what all documents decided at once would give.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from kgmm.documents.entities.linking import Common, Linking, Node, Pair, concept, parted, person_words, rarity
from kgmm.documents.entities.profiles import Profile

Place = tuple[str, int]
Key = str | Pair  #: a name's, or a pair of concepts that somebody said are one


def linked(profiles: Iterable[Profile], same: Iterable[Pair] = (), apart: Iterable[Pair] = ()) -> list[list[Node]]:
    """Return the things that documents name, those that are one together.

    Args:
        profiles: of documents.
        same: pairs of concepts that somebody said are one.
        apart: pairs of concepts that somebody said are not.

    Example:
        >>> from kgmm.documents.entities.profiles import profile
        >>> told = [profile("1", "", "The British Broadcasting Corporation (BBC) is old."), profile("2", "", "We saw it on the BBC.")]
        >>> [[(node.profile.document, node.unit.main) for node in nodes] for nodes in linked(told)]
        [[('1', 'british broadcasting corporation'), ('2', 'bbc')]]
    """
    things = Things(same, apart)
    things.update((), profiles)
    return things.all()


@dataclass
class Change:
    """Groups of things that are no more, and new ones, by number."""

    gone: dict[int, list[Node]] = field(default_factory=dict)
    new: dict[int, list[Node]] = field(default_factory=dict)


class Things:
    """The things of some documents, those that are one together as a group with a number.

    Args:
        same: pairs of concepts that somebody said are one.
        apart: pairs of concepts that somebody said are not.
    """

    def __init__(self, same: Iterable[Pair] = (), apart: Iterable[Pair] = ()) -> None:
        self.same = sorted(set(same))
        self.apart = {frozenset(pair) for pair in apart}
        self.groups: dict[int, list[Node]] = {}
        self._common = Common()
        self._nodes: dict[Place, Node] = {}
        self._of: dict[str, list[Place]] = {}  # things of a document
        self._held: dict[Key, set[Place]] = defaultdict(set)
        self._group: dict[Place, int] = {}
        self._cluster: dict[Place, int] = {}  # things that share names, directly or by others
        self._clusters: dict[int, list[Place]] = {}
        self._number = 0

    def all(self) -> list[list[Node]]:
        """Return the groups in the order of their first documents."""
        return sorted(
            self.groups.values(), key=lambda nodes: (nodes[0].profile.document, nodes[0].unit.main, nodes[0].place)
        )

    def update(self, gone: Iterable[str], new: Iterable[Profile]) -> Change:
        """Take documents out and others in; return what groups changed."""
        before = {key: len(self._common.naming[key]) for name in gone for key in self._common.around[name]}
        persons: dict[str, bool] = {}
        touched: set[Key] = set()
        clusters: set[int] = set()
        ended: set[int] = set()
        for name in sorted(set(gone)):
            self._out(name, touched, persons, clusters, ended)
        fresh: set[Place] = set()
        for profile in new:
            for key in profile.around:
                before.setdefault(key, len(self._common.naming[key]))
            fresh |= self._in(profile, touched, persons)
        clusters |= {self._cluster[at] for key in touched for at in self._held[key] - fresh}
        for key, was in before.items():
            if rarity(was) != rarity(len(self._common.naming[key])):
                clusters |= self._deciding(key, fresh)
        for word, was_one in persons.items():
            if was_one != bool(self._common.in_names[word]):
                clusters |= {self._cluster[at] for at in self._held[word] - fresh}
        again = fresh | {at for c in clusters for at in self._clusters.pop(c) if at in self._nodes}
        return self._decide(sorted(again), ended)

    def _out(self, name: str, touched: set[Key], persons: dict[str, bool], clusters: set[int], ended: set[int]) -> None:
        common = self._common
        for named in common.around.pop(name):
            common.naming[named].discard(name)
        for at in self._of.pop(name):
            node = self._nodes.pop(at)
            clusters.add(self._cluster.pop(at))
            ended.add(self._group.pop(at))
            touched.update(keys := self._keys(node))
            for key in keys:
                self._held[key].discard(at)
            common.vague.subtract(node.unit.vague)
            for word in person_words(node.unit):
                persons.setdefault(word, common.in_names[word] > 0)
                common.in_names[word] -= 1

    def _in(self, profile: Profile, touched: set[Key], persons: dict[str, bool]) -> set[Place]:
        common, name = self._common, profile.document
        common.around[name] = profile.around
        for named in profile.around:
            common.naming[named].add(name)
        units = [part for unit in profile.units for part in parted(unit, self.apart)]
        self._of[name] = [(name, n) for n in range(len(units))]
        for at, unit in zip(self._of[name], units, strict=True):
            node = self._nodes[at] = Node(profile, unit, at)
            touched.update(keys := self._keys(node))
            for key in keys:
                self._held[key].add(at)
            common.vague.update(unit.vague)
            for word in person_words(unit):
                persons.setdefault(word, common.in_names[word] > 0)
                common.in_names[word] += 1
        return set(self._of[name])

    def _keys(self, node: Node) -> list[Key]:
        spoken = {concept(said) for said in node.unit.said} if self.same else set()
        return [*node.unit.keys, *(pair for pair in self.same if spoken & {*pair})]

    def _deciding(self, key: str, fresh: set[Place]) -> set[int]:
        """Return the clusters with things of several documents that name a key, which tells something of its neighbours."""
        seen: dict[int, str] = {}
        found: set[int] = set()
        for name in self._common.naming[key]:
            for at in self._of[name]:
                if at not in fresh and seen.setdefault(self._cluster[at], name) != name:
                    found.add(self._cluster[at])
        return found

    def _decide(self, places: list[Place], ended: set[int]) -> Change:
        """Decide anew about some things, all that share a name with one of them included."""
        number_of = {at: n for n, at in enumerate(places)}
        nodes = [self._nodes[at] for at in places]
        keys = {key for node in nodes for key in self._keys(node)}
        same = {pair: sorted(number_of[at] for at in self._held[pair]) for pair in self.same if pair in keys}
        self._cut(places, keys, number_of)
        ended |= {self._group[at] for at in places if at in self._group}
        change = Change({old: self.groups.pop(old) for old in sorted(ended)})
        for group in Linking(nodes, self._common, self.apart).run(same):
            self._number += 1
            self.groups[self._number] = change.new[self._number] = group
            self._group.update((node.place, self._number) for node in group)
        return change

    def _cut(self, places: list[Place], keys: set[Key], number_of: dict[Place, int]) -> None:
        """Note which of some things share names, directly or by others."""
        parent = list(range(len(places)))

        def root(n: int) -> int:
            while parent[n] != n:
                parent[n] = parent[parent[n]]
                n = parent[n]
            return n

        for key in keys:
            held = [number_of[at] for at in self._held[key] if at in number_of]
            if held and not (isinstance(key, str) and self._common.vague[key] > 0):
                first = root(held[0])
                for n in held[1:]:
                    parent[root(n)] = first
        made: dict[int, int] = {}
        for n, at in enumerate(places):
            top = root(n)
            if top not in made:
                self._number += 1
                made[top] = self._number
                self._clusters[self._number] = []
            self._cluster[at] = made[top]
            self._clusters[made[top]].append(at)
