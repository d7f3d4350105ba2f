"""What two things have in common, and what one has that facts deny of the other: "what do cats and dogs have in common?"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kgmm.language import names
from kgmm.language.phrase import phrase
from kgmm.language.relations import DENIES, RELATIONS, UPWARD
from kgmm.language.words import normal, plain
from kgmm.reason.explicit.certainty import INHERITED
from kgmm.reason.explicit.stated import around, sureness
from kgmm.reason.question.ends import forms
from kgmm.reason.task import Outcome, Task, answered
from kgmm.retrieve import Candidates
from kgmm.retrieve.gather import chain_at, fact_at
from kgmm.store import Fact, LocalStore
from kgmm.trace import Step, cited, key

_TWO = r"(?P<a>[\w' -]+?) (?:and|to|from|with) (?P<b>[\w' -]+?)"
_COMMON = re.compile(
    rf"^what (?:do|does|have) {_TWO} (?:have|share|got)(?: in common)?$|^what (?:is|are) common to (?P<c>[\w' -]+?) and (?P<d>[\w' -]+)$"
    r"|^how (?:is|are) (?P<e>[\w' -]+?) (?:and|like) (?P<f>[\w' -]+?)(?: alike| similar)?$"
)
_APART = re.compile(
    r"^what (?:is|are) the differences? between (?P<a>[\w' -]+?) and (?P<b>[\w' -]+)$"
    r"|^how (?:is|are|do|does) (?P<c>[\w' -]+?) (?:differ|different|differs) from (?P<d>[\w' -]+)$"
    r"|^how (?:do|does|are|is) (?P<e>[\w' -]+?) and (?P<f>[\w' -]+?) (?:differ|different)$"
)
#: relations that tell what a thing is like
_TELLING = tuple(
    name
    for name, r in RELATIONS.items()
    if r.inherited and r.knowledge and not r.denies and name not in ("Causes", "HasContext")
)


@dataclass(frozen=True, eq=False)
class _Told:
    """A fact of a thing, how sure it is, and where among the facts around the thing it is."""

    fact: Fact
    sure: float
    among: Candidates
    row: int

    def facts(self, store: LocalStore) -> list[Fact]:
        """Return the fact, after those by which a kind hands it down."""
        return [*chain_at(store, self.among, self.row), self.fact]


def shared(task: Task) -> Outcome | None:
    """Answer what two things have in common, or what tells them apart; None if neither is asked, or nothing is known.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.add([("cat", "IsA", "pet"), ("dog", "IsA", "pet"), ("cat", "CapableOf", "meow"), ("dog", "NotCapableOf", "meow")])
        >>> kb.ask(None, "What do cats and dogs have in common?").text, kb.ask(None, "How do cats differ from dogs?").text
        ('pet', 'meow')
    """
    text = plain(task.question)
    common, apart = _COMMON.match(text), _APART.match(text)
    found = common or apart
    if found is None:
        return None
    one, two = [said for said in found.groups() if said][:2]
    first, second = _of(task, one), _of(task, two)
    pairs = list(_both(first, second) if common else _denied(first, second))
    pairs = [pair for pair in pairs if normal(names.label(pair[0].fact.object)) not in (normal(one), normal(two))]
    if not pairs:
        return None
    rarely = {p: task.store.count(None, p[0].fact.predicate, p[0].fact.object) for p in pairs}
    pairs.sort(key=lambda p: (-round(p[0].sure * p[1].sure, 6), rarely[p], p[0].fact.object))
    best = pairs[0]
    why = f", {'and' if common else 'but'} ".join(phrase(*key(told.fact)) for told in best)
    step = Step("look up", why, {"of": [one, two], "asked": "in common" if common else "apart"})
    rest: dict[str, float] = {}
    for a, b in pairs[1:]:
        rest.setdefault(names.label(a.fact.object), round(a.sure * b.sure, 4))
    answer = names.label(best[0].fact.object)
    rest.pop(answer, None)
    facts = [fact for told in best for fact in told.facts(task.store)]
    others = list(rest.items())[: task.top - 1]
    return answered(answer, round(best[0].sure * best[1].sure, 4), cited(facts), step, alternatives=others)


def _of(task: Task, words: str) -> dict[tuple[str, str], _Told]:
    """Return the surest of what facts say of a thing and its kinds, by relation and object."""
    c = around(task, forms(words))
    told: dict[tuple[str, str], _Told] = {}
    for row in np.flatnonzero(c.end == 0).tolist():
        fact = fact_at(task.store, c, row)
        sure = float(sureness(fact.weight) * INHERITED ** int(c.depth[row]))
        known = told.get((fact.predicate, fact.object))
        if known is None or sure > known.sure:
            told[fact.predicate, fact.object] = _Told(fact, sure, c, row)
    for (_predicate, node), one in list(told.items()):  # what a kind is, is a kind too
        if one.fact.predicate in UPWARD:
            told.setdefault(("IsA", node), one)
    return told


def _both(one: dict[tuple[str, str], _Told], two: dict[tuple[str, str], _Told]) -> Iterator[tuple[_Told, _Told]]:
    """Yield what is said of both."""
    yield from ((one[said], two[said]) for said in one if said in two and said[0] in _TELLING)


def _denied(one: dict[tuple[str, str], _Told], two: dict[tuple[str, str], _Told]) -> Iterator[tuple[_Told, _Told]]:
    """Yield what is said of one and denied of the other."""
    for these, those in ((one, two), (two, one)):
        for (predicate, end), told in these.items():
            for relation, denies in DENIES.items():
                if predicate in denies and (relation, end) in those:
                    yield told, those[relation, end]
