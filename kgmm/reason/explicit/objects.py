"""Which seen objects fit a description: by kind, attributes, place among others and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import NEAREST, term_cosines
from kgmm.language import names
from kgmm.language.relations import DENIES, says_turned
from kgmm.language.words import content, lemma, normal
from kgmm.reason.explicit import certainty
from kgmm.reason.explicit.certainty import SUPPORT
from kgmm.reason.explicit.places import related, scene_citation
from kgmm.reason.question.data import Constraint, Noun
from kgmm.reason.question.vocabulary import COLOURS
from kgmm.reason.task import Support, Task
from kgmm.retrieve import Candidates
from kgmm.retrieve.gather import chain, chain_at, fact_at
from kgmm.retrieve.score import rarity
from kgmm.scene import SceneObject
from kgmm.store import Fact
from kgmm.trace import Citation, Link

#: id that stands for a concept that is asked about but not seen
ASKED = "?"
_GENERAL = {"colour": "color", "grey": "gray", "purple": "violet", "gold": "golden"}
_GENERAL |= {"large": "big", "huge": "big", "little": "small", "tiny": "small"}


@dataclass
class Match:
    """A seen object that fits, how well, and the facts that say so."""

    object: SceneObject
    score: float = 1.0
    citations: list[Citation] = field(default_factory=list)

    def also(self, more: Iterable[Citation], times: float = 1.0) -> Match:
        """Return the match with further facts that say so, as sure as all of them."""
        return Match(self.object, self.score * times, [*self.citations, *more])


def asked_about(noun: Noun) -> Match:
    """Return a match that stands for what is asked about and not seen."""
    return Match(SceneObject(ASKED, noun.head))


def matches(task: Task, noun: Noun) -> list[Match]:
    """Return the seen objects that fit a description, best first (ties in the scene's order)."""
    found = [m for seen in task.scene.objects if (m := of_kind(task, seen, noun)) is not None]
    for word in noun.attributes:
        if (
            not task.scene.complete
            and len(found) == 1
            and family(plain(word)) == "size"
            and not _sized(found[0].object)
        ):
            continue  # "the big flower" is the one that is seen, however large it looked
        found = [f for m in found if (f := with_attribute(task, m, word)) is not None]
    for predicate, other in noun.scene:
        if predicate in ("inside", "on", "at") and normal(other.head) in {normal(tag) for tag, _ in task.scene.tags}:
            continue  # the place the whole picture shows
        others = matches(task, other)
        found = [f for m in found if (f := placed(task, m, predicate, others)) is not None]
    for condition in noun.known:
        found = [f for m in found if (f := knowing(task, m, condition)) is not None]
    if noun.position and found:
        found = positioned(task, found, noun.position)
    return sorted(found, key=lambda m: -m.score)


def fits(task: Task, thing: SceneObject, noun: Noun) -> Match | None:
    """Match a thing that may not be seen against a description, by its name and by what is known of it."""
    found = Match(thing) if noun.generic else known_as(task, thing, noun.head)
    for word in noun.attributes:
        found = with_attribute(task, found, word) if found is not None else None
    for condition in noun.known:
        found = knowing(task, found, condition) if found is not None else None
    return found


def known_as(task: Task, thing: SceneObject, kind: str) -> Match | None:
    """Match a thing that may not be seen against a kind that a chain of facts leads to."""
    facts = kind_chain(task, thing, kind)
    return Match(thing, certainty.KIND, [Citation(f, role="kind") for f in facts]) if facts else None


def is_of(link: Link, seen: SceneObject) -> bool:
    """Tell whether a link belongs to an object, or to the words that name a concept not seen."""
    return link.object == seen.id or (
        seen.id == ASKED and link.object is None and normal(link.text) in normal(seen.name)
    )


def seen_as(task: Task, seen: SceneObject, attribute: str = "") -> Citation:
    """Return the scene fact that names an object, or that gives it an attribute."""
    predicate, word, role = ("HasProperty", attribute, "attribute") if attribute else ("InstanceOf", seen.name, "seen")
    fact = Fact(task.scene.node(seen.id), predicate, names.concept(word), seen.score, task.scene.graph)
    return Citation(fact, "scene", role)


def reached_from(task: Task, c: Candidates, seen: SceneObject) -> NDArray[np.bool_]:
    """Tell which candidates were reached from the concepts of an object."""
    roots = {task.store.terms.id(k.concept) for k in task.links if is_of(k, seen)}
    return np.isin(c.root, [i for i, r in enumerate(c.roots) if r in roots])


def called(seen: SceneObject, name: str) -> bool:
    """Tell whether a name is an object's own or one of its aliases."""
    return normal(name) in {normal(seen.name), *map(normal, seen.aliases)}


def of_kind(task: Task, seen: SceneObject, noun: Noun) -> Match | None:
    """Match an object against a description's head: its name, an alias, a kind it inherits, or its last word."""
    base = Match(seen, seen.score, [seen_as(task, seen)])
    if noun.generic:
        return base
    if called(seen, noun.head):
        return base
    words, asked = normal(seen.name).split(), normal(noun.head).split()
    if words[-len(asked) :] == asked:
        base.score *= certainty.LAST_WORDS
        return base
    if (facts := kind_chain(task, seen, noun.head)) is not None:
        return base.also((Citation(f, role="kind") for f in facts), certainty.KIND)
    if len(asked) > 1:  # "striped animal": the words before the head as attributes
        inner = of_kind(task, seen, Noun(head=asked[-1]))
        for word in asked[:-1]:
            inner = with_attribute(task, inner, word) if inner is not None else None
        return inner
    return None


def kind_chain(task: Task, seen: SceneObject, kind: str) -> tuple[Fact, ...] | None:
    """Return the IsA facts from an object's concept up to a kind, or None if it is not one."""
    end = task.concept(kind)
    if end is None:
        return None
    at = task.store.terms.id(end)
    for link in task.links:
        root = task.store.terms.id(link.concept)
        if is_of(link, seen) and root is not None and at in task.candidates.closures.get(root, {}):
            return chain(task.store, task.candidates.closures[root], at)
    return None


def with_attribute(task: Task, match: Match, word: str) -> Match | None:
    """Keep a match whose object has an attribute, seen in the scene or else known."""
    wanted = plain(word)
    for attribute in match.object.attributes:
        if wanted in {plain(attribute), *map(plain, attribute.replace("_", " ").split())}:
            return match.also([seen_as(task, match.object, attribute)])
    if any(family(wanted) and family(plain(a)) == family(wanted) for a in match.object.attributes):
        return None  # the scene shows another colour or size
    return knowing(task, match, Constraint(("HasProperty", "MadeOf"), word))


def _sized(seen: SceneObject) -> bool:
    return any(family(plain(a)) == "size" for a in seen.attributes)


def plain(word: str) -> str:
    """Return the word that stands for an attribute: ``grey`` → ``gray``, ``huge`` → ``big``."""
    return _GENERAL.get(lemma(word), lemma(word))


def family(word: str) -> str:
    """Return ``colour`` or ``size`` for a plain word of which a thing has one only, otherwise ''."""
    return "colour" if word in COLOURS or word == "gray" else "size" if word in ("big", "small") else ""


def knowing(task: Task, match: Match, condition: Constraint) -> Match | None:
    """Keep a match whose object a fact supports the condition of; for a denied condition, one that nothing supports."""
    attribute = [a for a in match.object.attributes if normal(a) == normal(condition.phrase)]
    by_attribute = not condition.relations or not {"HasProperty", "MadeOf"}.isdisjoint(condition.relations)
    if attribute and by_attribute and not condition.negated:
        return with_attribute(task, match, attribute[0])
    if "IsA" in condition.relations:
        kind = of_kind(task, match.object, Noun(head=condition.phrase))
        if kind is not None:
            return None if condition.negated else match.also(kind.citations[1:], kind.score)
    found = support(task, match.object, condition)
    holds = found.score >= SUPPORT and not found.denies
    if condition.negated:
        if holds:
            return None
        cites = [Citation(f, role="denies") for f in found.facts] if found.denies and found.score >= SUPPORT else []
        return match.also(cites, 1.0 if cites else certainty.UNDENIED)
    return match.also(map(Citation, found.facts), found.score) if holds else None


def support(task: Task, seen: SceneObject, condition: Constraint) -> Support:
    """Return the fact about an object that says best what a condition asks; several rules ask for the same one."""
    key = (seen.id, seen.name, condition)
    if key not in task.supports:
        task.supports[key] = _support(task, seen, condition)
    return task.supports[key]


def _support(task: Task, seen: SceneObject, condition: Constraint) -> Support:
    store, c = task.store, task.candidates
    mine = np.flatnonzero(reached_from(task, c, seen))
    relations = set(condition.relations)
    denying = {n for n, targets in DENIES.items() if not relations or relations & set(targets)}
    asked, far = set(content(condition.phrase)), np.where(c.end == 0, c.object, c.subject)
    predicates, which = np.unique(c.predicate[mine], return_inverse=True)
    fits = [[_allowed(name, relations, denying, end) for end in (0, 1)] for name in store.terms.names(predicates)]
    allowed = mine[np.array(fits, bool).reshape(-1, 2)[which, c.end[mine]]]
    if not len(allowed):
        return Support(0.0)
    ids, at = np.unique(far[allowed], return_inverse=True)
    near = term_cosines(store, ids, condition.phrase, task.encoder, read=NEAREST)
    said = [agreement(asked, names.label(n), float(v)) for n, v in zip(store.terms.names(ids), near, strict=True)]
    values = np.round(np.array(said)[at] * certainty.INHERITED ** c.depth[allowed], 9)
    value, r = float(values.max()), int(allowed[values.argmax()])
    if value <= 0:
        return Support(0.0)
    fact = fact_at(store, c, r)
    return Support(value, (*chain_at(store, c, r), fact), fact.predicate in denying)


def _allowed(predicate: str, relations: set[str], denying: set[str], end: int) -> bool:
    if predicate in denying:
        return end == 0
    if not relations:
        return not predicate.startswith("Not")
    if end == 1:  # the object is the fact's object: "found in a kitchen" by kitchen HasA knife
        return says_turned(predicate, relations)
    return predicate in relations


def agreement(asked: set[str], label: str, cosine: float) -> float:
    """Return how well a fact's end says what was asked, in [0, 1]: shared telling words, else near-identical meaning."""
    said = set(content(label))
    shared = sum(map(rarity, asked & said))
    lexical = shared / max(sum(map(rarity, asked)), 1e-9)
    covered = shared / max(sum(map(rarity, said)), 1e-9)
    together = certainty.SAID * lexical + certainty.COVERED * covered
    near = (cosine - certainty.SAME_MEANING) / (1 - certainty.SAME_MEANING)
    return min(1.0, max(together, near * certainty.MEANING + SUPPORT if near >= 0 else 0.0))


def placed(task: Task, match: Match, predicate: str, others: list[Match]) -> Match | None:
    """Keep a match that stands in a relation to one of the others."""
    for other in others:
        one, two = match.object.id, other.object.id
        if one != two and (r := related(task, one, predicate, two)) is not None:
            return match.also([*other.citations, scene_citation(task, r)], r.score * min(1.0, other.score))
    return None


def positioned(task: Task, found: list[Match], position: str) -> list[Match]:
    """Order matches by how far they are at a side of the picture; only the best is kept."""
    boxed = [m for m in found if m.object.box is not None]
    if not boxed or not task.scene.width:
        return found

    def distance(m: Match) -> float:
        left, top, wide, high = m.object.box or (0, 0, 0, 0)
        x, y = (left + wide / 2) / task.scene.width, (top + high / 2) / max(task.scene.height, 1)
        sides = {"left": x, "right": 1 - x, "top": y, "bottom": 1 - y, "front": 1 - y, "back": y}
        return sides.get(position, abs(x - 0.5) + abs(y - 0.5))

    return [min(boxed, key=distance)]
