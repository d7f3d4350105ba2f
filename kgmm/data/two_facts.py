"""Questions that need two facts, from any facts: seen thing → bridge → answer, where the question names neither of the last."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random

import xxhash

from kgmm.data.fvqa import FvqaQuestion
from kgmm.data.two_fact_words import Step, worded
from kgmm.language.phrase import Triple
from kgmm.language.relations import RELATIONS
from kgmm.language.words import content, lemmas, normal

#: a thing that is the subject of one of these can be seen
_OF_THINGS = frozenset("AtLocation IsA PartOf MadeOf HasA".split())
MOST_FACTS = 60  #: facts a thing or a bridge has at most: of a hub nearly all is true
LONGEST = 3  #: words that the name of a seen thing, a bridge or an answer has at most
PER_BRIDGE, PER_PAIR = 6, 0.04  #: questions about one bridge at most, and the share of one pair of relations


@dataclass(frozen=True)
class TwoFactQuestion:
    """A question with the chain that answers it; several chains if they all give the same answer."""

    question: str
    answer: str
    seen: tuple[str, ...]  #: names of what the scene shows, the thing asked about among them
    thing: str
    bridges: tuple[str, ...]
    steps: tuple[Step, Step]
    first: tuple[int, ...]  #: rows of the facts that lead from the thing to a bridge
    second: tuple[int, ...]  #: rows of the facts that lead from a bridge to the answer

    def labelled(self, number: int, ids: Sequence[str]) -> FvqaQuestion:
        """Return it as a question of FVQA about a picture of its own; *ids* are those of the facts."""
        name, kind = f"two-facts-{number}", "/".join(s.relation for s in self.steps)
        gold, ways = tuple(ids[i] for i in self.second), tuple(ids[i] for i in self.first)
        return FvqaQuestion(name, name, self.question, self.answer, gold, "kb", kind, self.seen, bridges=ways)


#: pair of steps → chains
_Chains = dict[tuple[Step, Step], list[tuple[str, str, int, int]]]


@dataclass
class _Ways:
    """From each normalized name: the step, the name it leads to, and the fact's row."""

    facts: Sequence[Triple]
    from_: dict[str, list[tuple[Step, str, int]]]
    said: dict[str, str]  #: normalized name → as it is written
    things: list[str]

    @classmethod
    def of(cls, facts: Sequence[Triple]) -> _Ways:
        from_: dict[str, list[tuple[Step, str, int]]] = defaultdict(list)
        said: dict[str, str] = {}
        things: dict[str, None] = {}
        for row, (s, relation, o) in enumerate(facts):
            a, b = normal(s), normal(o)
            if a == b or not a or not b:
                continue
            from_[a].append((Step(relation, False), b, row))
            from_[b].append((Step(relation, True), a, row))
            said.setdefault(a, s), said.setdefault(b, o)
            if relation in _OF_THINGS or relation not in RELATIONS:
                things[a] = None
        return cls(facts, from_, said, [t for t in things if _named_well(t) and len(from_[t]) <= MOST_FACTS])

    def chains(self, thing: str) -> tuple[_Chains, _Chains]:
        """Return (bridge, answer, rows of both facts) of each pair of steps that gives one answer, no neighbour of the thing.

        First of the pairs whose second step leads to another end from another bridge of the thing, then of the others.
        """
        near = {other for _, other, _ in self.from_[thing]}
        found: _Chains = defaultdict(list)
        for first, bridge, row in self.from_[thing]:
            if len(self.from_[bridge]) <= MOST_FACTS and _named_well(bridge):
                for second, end, at in self.from_[bridge]:
                    if end != thing:
                        found[first, second].append((bridge, end, row, at))
        ends: dict[Step, set[tuple[Step, str]]] = defaultdict(set)
        for (first, second), chains in found.items():
            ends[second].update((first, end) for _, end, _, _ in chains)
        one = {
            steps: chains
            for steps, chains in found.items()
            if len({end for _, end, _, _ in chains}) == 1 and chains[0][1] not in near and _named_well(chains[0][1])
        }

        contested = {
            steps: chains
            for steps, chains in one.items()
            if any(first != steps[0] and end != chains[0][1] for first, end in ends[steps[1]])
        }
        return contested, {steps: chains for steps, chains in one.items() if steps not in contested}


def _named_well(name: str) -> bool:
    return len(content(name)) > 0 and len(name.split()) <= LONGEST


def two_fact_questions(
    facts: Sequence[Triple], count: int, *, things: int = 4, part: int | None = None, seed: int = 0
) -> Iterator[TwoFactQuestion]:
    """Yield at most *count* questions whose answers are two facts away from a seen thing, the same for the same seed.

    No seen thing is an end of the second fact, the answer is an end of no fact about the thing, and the question has no
    word of the bridge or the answer. The scene shows *things* things; for two of them at least a fact of the second
    relation is two steps away as well, its bridge out of reach of the thing asked about, and questions whose thing has
    another bridge to such a fact come first: neither the first fact nor the second relation alone tells the answer.

    Args:
        facts: as words, subject, relation and object.
        part: only bridges of this part of three (:func:`part_of`); with *facts* that :func:`parted` gave, all of them are.
    """
    ways, random = _Ways.of(facts), Random(seed)
    order = list(ways.things)
    random.shuffle(order)
    kept = {thing: found for thing in order if any(found := ways.chains(thing))}
    rivals: dict[Step, list[str]] = defaultdict(list)
    for thing, (contested, rest) in kept.items():
        for second in dict.fromkeys(steps[1] for steps in (*contested, *rest)):
            rivals[second].append(thing)
    taken: Counter[str] = Counter()
    pairs: Counter[tuple[Step, Step]] = Counter()
    most = max(1, round(PER_PAIR * count))
    made = 0
    for thing, chosen, chains in chain.from_iterable(
        _in_turn([k[i] for k in kept.values()], list(kept), random) for i in (0, 1)
    ):
        bridges = list(dict.fromkeys(c[0] for c in chains))
        if made >= count:
            return
        if pairs[chosen] >= most or any(
            taken[b] >= PER_BRIDGE or (part is not None and part_of(b) != part) for b in bridges
        ):
            continue
        question = _question(ways, thing, chosen, chains, rivals[chosen[1]], order, things, random)
        if question is not None:
            yield question
            made += 1
            pairs[chosen] += 1
            taken.update(bridges)


def _in_turn(
    found: list[_Chains], things: list[str], random: Random
) -> Iterator[tuple[str, tuple[Step, Step], list[tuple[str, str, int, int]]]]:
    """Yield the chains of things, one of each thing, then the next of each, in an order drawn."""
    shuffled = [
        (thing, random.sample(list(chains), len(chains)), chains) for thing, chains in zip(things, found, strict=True)
    ]
    for turn in range(max((len(steps) for _, steps, _ in shuffled), default=0)):
        for thing, steps, chains in shuffled:
            if turn < len(steps):
                yield thing, steps[turn], chains[steps[turn]]


def _question(
    ways: _Ways,
    thing: str,
    steps: tuple[Step, Step],
    chains: list[tuple[str, str, int, int]],
    rivals: list[str],
    others: list[str],
    things: int,
    random: Random,
) -> TwoFactQuestion | None:
    answer, bridges = chains[0][1], list(dict.fromkeys(c[0] for c in chains))
    text = worded(ways.said[thing], steps, random)
    said = frozenset(lemmas(text))
    if any(word in said for name in (answer, *bridges) for word in content(name)):
        return None
    hidden, near = {thing, answer, *bridges}, {other for _, other, _ in ways.from_[thing]}
    shown = [thing]
    for pool, wanted in ((rivals, min(3, things)), (others, things)):
        for other in random.sample(pool, min(len(pool), 8 * things)):
            if len(shown) >= wanted:
                break
            reached = {b for _, b, _ in ways.from_[other]}
            if other in hidden or other in shown or other in near or answer in reached or reached & set(bridges):
                continue
            if pool is rivals and not _leads(ways, other, steps[1], near):
                continue
            shown.append(other)
        if pool is rivals and len(shown) < min(3, things):
            return None
    random.shuffle(shown)
    first, second = tuple(dict.fromkeys(c[2] for c in chains)), tuple(dict.fromkeys(c[3] for c in chains))
    seen = tuple(ways.said[name] for name in shown)
    found = tuple(ways.said[b] for b in bridges)
    return TwoFactQuestion(text, ways.said[answer], seen, ways.said[thing], found, steps, first, second)


def _leads(ways: _Ways, other: str, second: Step, near: set[str]) -> bool:
    """Tell whether a fact of the *second* step is two steps away from another thing, by a bridge not in *near*."""
    bridges = (b for _, b, _ in ways.from_[other] if b not in near and len(ways.from_[b]) <= MOST_FACTS)
    return any(step == second for b in bridges for step, _, _ in ways.from_[b])


def part_of(name: str, shares: tuple[float, float] = (0.15, 0.15)) -> int:
    """Return the part that a bridge belongs to: 0 to learn from, 1 to tune on, 2 to test on; *shares* are of the last two.

    >>> part_of("kitchen") == part_of("Kitchens")
    True
    """
    at = xxhash.xxh3_64_intdigest(normal(name).encode()) / 2**64
    return 2 if at < shares[1] else 1 if at < sum(shares) else 0


def parted(facts: Sequence[Triple], part: int) -> list[int]:
    """Return the rows of the facts of one of three stores that have neither a fact nor a bridge in common.

    A fact belongs to the last part that one of its ends belongs to (:func:`part_of`).
    """
    known: dict[str, int] = {}
    for s, _, o in facts:
        for end in (s, o):
            if end not in known:
                known[end] = part_of(end)
    return [i for i, (s, _, o) in enumerate(facts) if max(known[s], known[o]) == part]


def rewired(facts: Sequence[Triple], seed: int = 0) -> list[Triple]:
    """Return made-up facts: each relation's objects exchanged among its subjects, so that words suggest no answer.

    >>> sorted(o for _, _, o in rewired([("cup", "IsA", "dish"), ("dog", "IsA", "pet")]))
    ['dish', 'pet']
    """
    random = Random(seed)
    rows: dict[str, list[int]] = defaultdict(list)
    for i, (_, relation, _) in enumerate(facts):
        rows[relation].append(i)
    out = list(facts)
    for relation, at in rows.items():
        objects = [facts[i][2] for i in at]
        random.shuffle(objects)
        for i, object in zip(at, objects, strict=True):
            out[i] = (facts[i][0], relation, object)
    return out
