"""``kb.complete()``: what a store leaves unsaid of a subject and a relation, each with probability, reason and facts behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kgmm.complete.certainty import likeliest
from kgmm.complete.fitted import Fitted, fitted
from kgmm.complete.ranking import open_scores
from kgmm.errors import BadInput, UnknownConcept
from kgmm.language.names import label
from kgmm.language.names import relation as stored_relation
from kgmm.progress import Progress, silent
from kgmm.store.facts import Fact, node

if TYPE_CHECKING:
    from kgmm.store import LocalStore

COMPLETED = "completed"  #: the graph of what was kept
COMPLETER = "kgmm complete"  #: who says it
MOST_FACTS = 3  #: that a reason names


@dataclass(frozen=True)
class Completion:
    """A fact that no one has said, how likely it is, and why.

    Args:
        subject: as stored.
        relation: as stored.
        object: the candidate.
        probability: that it is so, as fitted on facts kept apart.
        reason: one line.
        facts: of the store, that the reason rests on.
        kept: whether the probability reaches its relation's threshold.
    """

    subject: str
    relation: str
    object: str
    probability: float
    reason: str
    facts: tuple[Fact, ...]
    kept: bool


def complete(
    store: LocalStore, subject: str, relation: str, k: int = 10, *, seconds: float = 600.0, progress: Progress = silent
) -> list[Completion]:
    """Return the likeliest objects of a subject and a relation that the store does not state, the surest first.

    A model over the names' text and the graph, how often objects are that relation's, near neighbours in text and rules of one
    atom are weighed on facts kept apart. It is learned once for a version of the store, and kept in its cache. The subject may be
    one that no fact has: its text alone tells then.

    Args:
        store: whose facts; scenes, stories, mined candidates and the graph ``completed`` are not learned from.
        subject: a concept, also one never seen.
        relation: one that facts have.
        k: candidates at most.
        seconds: that learning takes at most, where nothing is kept; one that is stopped by it is not the same twice.
        progress: told of names and steps.

    Raises:
        UnknownConcept: if no fact that is learned from has the relation.
        BadInput: if *k* or *seconds* is not positive, or there are too few facts.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> animals = "dog cat cow horse sheep goat pig hen duck goose".split()
        >>> _ = kb.add([(a, "IsA", "animal") for a in animals] + [(a, "HasA", "leg") for a in animals[:8]])
        >>> best = kb.complete("donkey", "IsA", k=1)[0]
        >>> best.object, len(best.facts) > 0
        ('/c/en/animal', True)
    """
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise BadInput("complete", f"k is a number of candidates from 1 up, not {k!r}")
    if not seconds > 0:
        raise BadInput("complete", f"learning takes some seconds, not {seconds!r}")
    asked, way = node(subject), stored_relation(relation)
    model = fitted(store, seconds, progress)
    if way not in model.triples.relation_number:
        raise UnknownConcept(relation, list(model.triples.relations)[:5], "what completion learns from", "relation")
    number, r = model.triples.entity_number.get(asked, -1), model.triples.relation_number[way]
    text = None if number >= 0 else model.encode([label(asked)])
    score = model.joined.scores(np.array([number]), np.array([r]), text)[0]
    stated = [model.triples.entity_number.get(one.object, -1) for one in store.find(asked, way)]
    shut = np.unique(np.array([number, *stated], np.int64))
    found, sure = likeliest(model.certainty, model.triples, open_scores(score, shut[shut >= 0], -1), number, r, k)
    return [
        Completion(
            asked,
            way,
            model.triples.entities[a],
            float(p),
            *_why(store, model, asked, number, r, a, text),
            bool(p >= model.thresholds[r]),
        )
        for a, p in zip(found.tolist(), sure.tolist(), strict=True)
    ]


def keep(store: LocalStore, completions: Sequence[Completion]) -> int:
    """Add the completions that reach their thresholds to the graph ``completed``; return how many are new.

    Each fact's weight is its probability, its source says who concluded it and why.
    """
    facts = [
        Fact(one.subject, one.relation, one.object, one.probability, COMPLETED, f"{COMPLETER}: {one.reason}")
        for one in completions
        if one.kept and not store.count(one.subject, one.relation, one.object)
    ]
    if facts:
        store.add(facts)
    return len(facts)


def _why(
    store: LocalStore, model: Fitted, asked: str, number: int, r: int, answer: int, text: np.ndarray | None
) -> tuple[str, tuple[Fact, ...]]:
    """Return a reason and the facts behind it: a rule, neighbours that have the answer, or the likest fact."""
    triples, names = model.triples, model.triples.entities
    way, half = triples.relations[r], len(triples.relations)
    rule = model.joined.rules.why(number, r, answer) if number >= 0 else None
    if rule is not None:
        body, turned = triples.relations[rule.body % half], rule.body >= half
        stated = store.find(names[answer], body, asked) if turned else store.find(asked, body, names[answer])
        said = f"{body}(y, x)" if turned else f"{body}(x, y)"
        return f"rule {said} ⇒ {way}(x, y), {rule.confidence:.2f} of its pairs", tuple(stated)[:1]
    near = model.joined.neighbours.near(number, r, None if text is None else text[0])
    having = [
        (names[other], cosine)
        for other, cosine in zip(near[0].tolist(), near[1].tolist(), strict=True)
        if answer in model.joined.neighbours.known.answers(other, r)
    ]
    if having:
        facts = [fact for name, _ in having[:MOST_FACTS] for fact in list(store.find(name, way, names[answer]))[:1]]
        told = ", ".join(f"{label(name)} ({cosine:.2f})" for name, cosine in having[:MOST_FACTS])
        return f"near neighbours in meaning have it: {told}", tuple(facts)
    rows = triples.rows[triples.rows[:, 1] == r]
    own = model.joined.text[number] if text is None else text[0]
    likeness = model.joined.text[rows[:, 0]] @ own + model.joined.text[rows[:, 2]] @ model.joined.text[answer]
    best = rows[int(likeness.argmax())]
    facts = list(store.find(names[best[0]], way, names[best[2]]))[:1]
    return f"most like {label(names[best[0]])} {way} {label(names[best[2]])}", tuple(facts)
