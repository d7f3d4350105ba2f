"""What an answer has to be for a question to be answered at all: a place, a measure, a name, one of a kind.

The evidence score ranks facts by meaning and wording; it cannot tell that "how old is the cat" is not answered by
"a cat has a nose". The rules here leave out what cannot be an answer, so that the engine says it does not know.
"""

import re

import numpy as np
from numpy.typing import NDArray

from kgmm.language import names
from kgmm.language.phrase import sentence
from kgmm.language.places import TELLING
from kgmm.language.relations import DENIES, LOCATIVE, RELATIONS, STRICT, UPWARD
from kgmm.language.words import lemma, lemmas
from kgmm.reason.explicit.certainty import REFUTED
from kgmm.reason.explicit.objects import Match, is_of, support
from kgmm.reason.question.data import Due, Noun, Question
from kgmm.reason.question.demands import Demand
from kgmm.reason.ranking.features import Evidence
from kgmm.reason.task import Task
from kgmm.retrieve import Candidates
from kgmm.retrieve.gather import closure

Mask = NDArray[np.bool_]
#: what a question by a strict relation may ask by beside it
_BESIDE = frozenset(("UsedFor", "Desires"))
#: heads of "which ..." that what is known fills with words for no kind of thing
_ABSTRACT = frozenset(
    "activity action purpose use function reason way property quality feature characteristic place location time effect"
    " relation relationship name word category class family group colour color material shape size part side"
    " image picture scene photo photograph area region job role behavior behaviour ability difference benefit".split()
)
#: best hypotheses looked at for being of the kind asked for
KIND_TESTS = 100


def placeless(task: Task) -> str:
    """Return why nothing answers, if only where things are would ("what is behind the tree") and it is not said."""
    q, noun = task.parsed, task.parsed.noun
    if task.drawn or q.kind != "select" or noun is None or not noun.scene or not noun.generic or noun.known:
        return ""
    only = {predicate for predicate, _ in noun.scene} <= set(TELLING)
    return "the scene is a list of names and does not say where things are" if only else ""


def strictly(task: Task, c: Candidates, about: list[Match]) -> str:
    """Return what is missing if no fact about some objects has an asked relation, and only such a fact would answer."""
    asked = task.parsed.relations
    if not set(asked) & STRICT or not set(asked) <= STRICT | _BESIDE:
        return ""
    concepts = concepts_of(task, about)
    mine = np.isin(c.root, [i for i, r in enumerate(c.roots) if not about or task.store.terms.name(r) in concepts])
    if (mine & np.isin(c.predicate, task.ids(asked))).any():
        return ""
    thing = about[0].object.name if about else "what is seen"
    return "no fact says " + " or ".join(repr(sentence(thing, relation, "…")) for relation in asked)


def concepts_of(task: Task, about: list[Match]) -> set[str]:
    """Return the concepts that some matches are linked to."""
    return {k.concept for k in task.links if any(is_of(k, m.object) for m in about)}


def possible(task: Task, found: Evidence, ranked: NDArray[np.float64], unseen_kind: bool) -> tuple[Mask, str]:
    """Tell which ends of facts are such as the question asks for, and what to say if none is.

    Args:
        task: the question.
        found: n candidates.
        ranked: (2 n,) scores; the kind of the best ends only is looked up.
        unseen_kind: whether the answer is of a kind asked for and not seen.
    """
    q, c = task.parsed, found.candidates
    every = np.repeat(~(np.isin(c.predicate, task.ids(DENIES)) & (not q.denies)), 2)
    roots = np.asarray(c.roots, np.int64)[c.root]
    says = np.stack([np.where(c.end == 0, roots, c.subject), np.where(c.end == 1, roots, c.object)], axis=1)
    every &= ~np.isin(says.reshape(-1), _refuted(task, q))
    if q.given and not task.choices:
        ids, at = np.unique(says.reshape(-1), return_inverse=True)
        every &= ~np.array([names.label(t) in q.given for t in task.store.terms.names(ids)], bool)[at]
    if q.due is not None:
        far = np.stack([c.end == 1, c.end == 0], axis=1).reshape(-1)
        said = np.repeat(_stating(task, c, q.due), 2)
        return said & far & every, f"no fact about what is seen answers {q.due.word!r}"
    if q.demand is not None:
        return _demanded(task, found, ranked, q.demand) & every, f"no fact about what is seen says {q.demand.said}"
    if task.drawn and q.kind == "other_end" and q.relations[:1] == ("IsA",):  # a kind above, not one of its kinds
        return np.stack([np.zeros(len(c), bool), c.end == 0], axis=1).reshape(-1) & every, "no fact says what it is"
    if q.kind == "related":  # what someone holds is not what they are
        every &= ~np.repeat(np.isin(c.predicate, task.ids(UPWARD)), 2)
    if q.wants_place and (task.drawn or not task.scene.objects):
        return _placing(task, c) & every, "no fact says where"
    if task.drawn and unseen_kind and q.noun is not None and (kind := _kind_asked(task, q.noun)) is not None:
        ends = np.stack([c.subject, c.object], axis=1).reshape(-1).astype(np.int64)
        best = np.argsort(-ranked, kind="stable")[:KIND_TESTS]
        allowed = np.zeros(len(every), bool)
        allowed[best] = [i != kind and kind in closure(task.store, i) for i in ends[best].tolist()]
        allowed &= every & found.seen.reshape(-1, 2)[:, ::-1].reshape(-1)  # the fact's other end is in the picture
        return allowed, f"nothing seen, and nothing a fact about it names, is a kind of {q.noun.head!r}"
    return every, "facts about what is seen only deny it"


def _demanded(task: Task, found: Evidence, ranked: NDArray[np.float64], demand: Demand) -> Mask:
    """Tell which ends of facts are such as a question word demands."""
    c = found.candidates
    by = (np.isin(c.predicate, task.ids(demand.turned)), np.isin(c.predicate, task.ids(demand.forward)))
    allowed = np.stack(by, axis=1).reshape(-1)
    ends = np.stack([c.subject, c.object], axis=1).reshape(-1).astype(np.int64)
    if demand.kind:
        kind = task.store.terms.id(task.concept(demand.kind) or "")
        best = np.argsort(-ranked, kind="stable")[:KIND_TESTS]
        allowed[best] = [
            kind is not None and (i == kind or kind in closure(task.store, i)) for i in ends[best].tolist()
        ]
    if demand.words:
        labels = (names.label(t) for t in task.store.terms.names(ends[allowed]))
        said = (not demand.words.isdisjoint(lemmas(label)) or re.search(r"\d", label) for label in labels)
        allowed[allowed] = np.fromiter(map(bool, said), bool)
    return allowed


def _refuted(task: Task, q: Question) -> list[int]:
    """Return the concepts of seen objects of which a fact denies what the question asks for: no penguin for "can fly"."""
    if q.kind != "select" or q.noun is None:
        return []
    asked = [k for k in q.noun.known if not k.negated]
    by = [(o, support(task, o, k)) for o in task.scene.objects for k in asked]
    return task.ids(concepts_of(task, [Match(o) for o, s in by if s.denies and s.score >= REFUTED]))


def _stating(task: Task, c: Candidates, due: Due) -> Mask:
    """Tell which facts state a measure or identity: by a relation of that name, or with a number where one is due."""
    terms = task.store.terms
    predicates, which = np.unique(c.predicate, return_inverse=True)
    words = [re.findall(r"[A-Z]?[a-z]+", names.label(p).rsplit("/", 1)[-1]) for p in terms.names(predicates)]
    by_name: Mask = np.array([any(w.lower() in due.relations for w in said) for said in words], bool)[which]
    if not due.measure:
        return by_name
    objects, at = np.unique(c.object, return_inverse=True)
    counted = np.array([bool(re.search(r"\d", names.label(t))) for t in terms.names(objects)], bool)
    return np.asarray(by_name | counted[at])


def _placing(task: Task, c: Candidates) -> Mask:
    """Tell, for subject and object of every candidate in turn, which can say where something is."""
    at = np.isin(c.predicate, task.ids(LOCATIVE)) & (c.end == 0)
    within = np.isin(c.predicate, task.ids(RELATIONS["AtLocation"].turned)) & (c.end == 1)
    return np.stack([within, at], axis=1).reshape(-1)


def _kind_asked(task: Task, noun: Noun) -> int | None:
    """Return the id of the kind "which insect ..." asks for, None if any answer would do."""
    if noun.generic or lemma(noun.head.split()[-1]) in _ABSTRACT:
        return None
    concept = task.concept(noun.head)
    return None if concept is None else task.store.terms.id(concept)
