"""An answer from the best fact: gather candidates, score both ends of each, leave out what cannot answer, choose."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import NEAREST, term_cosines
from kgmm.language import names
from kgmm.language.words import lemma, lemmas, normal
from kgmm.reason.explicit.answerable import concepts_of, possible, strictly
from kgmm.reason.explicit.certainty import AGREED, CHOICE, FITS
from kgmm.reason.explicit.objects import Match, matches, seen_as
from kgmm.reason.explicit.stated import wrong_way
from kgmm.reason.necessary import also_cited
from kgmm.reason.ranking.features import Evidence, evidence, memory
from kgmm.reason.ranking.linear import LINEAR, Scorer, linear
from kgmm.reason.task import Outcome, Task, answered, unanswered
from kgmm.retrieve import Candidates
from kgmm.retrieve.gather import chain_at, fact_at
from kgmm.store import Fact
from kgmm.trace import Step, cited, key

Floats = NDArray[np.float64]
#: logits added where a hypothesis fits what the parse asks for
FITS_OBJECT, FITS_RELATION = 3.0, 1.5
#: score in the trace of facts that cannot answer
OUT = -99.0


@dataclass(frozen=True)
class Focus:
    """The seen objects that the answer is one of, or that the fact is about; any if there are none."""

    about: list[Match] = field(default_factory=list)
    answers: bool = False  #: whether the answer is one of them


def by_evidence(task: Task, scorer: Scorer, focus: Focus) -> Outcome:
    """Answer with the end of the fact that scores best.

    Args:
        task: the question.
        scorer: orders the ends; the linear one's numbers are mended by how well a fact fits what was parsed.
        focus: what the answer or the fact should be about.
    """
    found = evidence(task, scorer.pool)
    c = found.candidates
    if not len(c):
        return unanswered("the knowledge base has no fact about what is seen or asked")
    missing = "" if focus.answers else strictly(task, c, focus.about)
    if missing:
        return unanswered(missing, memory=memory(task, found, linear(found), task.limit))
    ends, fit = scorer.ends(task, found), _fit(task, found, focus) if scorer is LINEAR else 0.0

    def answers(left: NDArray[np.bool_]) -> Floats:
        return scorer.answers(task, found, ends, left) + fit

    ranked = answers(np.ones(len(c), bool))
    wanted, missing = possible(task, found, ranked, focus.answers and not focus.about)
    if task.choices:
        wanted = wanted & _says_choice(task, found, task.choices)
    ranked = np.where(wanted, ranked, -np.inf)
    kept = np.where(np.isfinite(ranked), ranked, OUT)
    remembered = memory(task, found, kept, task.limit)
    order = np.argsort(-ranked, kind="stable")
    order = order[np.isfinite(ranked[order])]
    if not len(order):
        return unanswered(missing or "no choice is an end of any fact about what is seen", memory=remembered)
    hypotheses = _distinct(task, found, order, ranked, max(task.top, 3))
    best = hypotheses[0][0]
    sure = [round(scorer.confidence(found, logit, row), 4) for _, logit, row in hypotheses]
    if scorer is not LINEAR and normal(best) == _only(task):
        sure[0] = max(sure[0], AGREED)
    least = scorer.threshold if task.threshold is None else task.threshold
    said = {"hypotheses": [[text, round(logit, 3)] for text, logit, _ in hypotheses], "threshold": least}
    step = Step("evidence", f"the best supported answer is {best!r}", said)
    deciding = (remembered or memory(task, found, kept, 1))[0]
    citations = cited([*deciding.chain, deciding.fact])
    named = [o.id for o in task.scene.objects if normal(o.name) == normal(best)]
    seen = task.objects_of(deciding.concept) or named
    chosen = [m for m in focus.about if m.object.id in seen]
    fits = chosen[0].citations if chosen else [seen_as(task, task.scene[seen[0]])] if seen else []
    fits = [cite for cite in fits if cite.role != "support" and cite not in citations]
    rest = [(text, s) for (text, _, _), s in zip(hypotheses[1:], sure[1:], strict=True)][: task.top - 1]
    again = partial(_again, task, found, scorer, lambda left: np.where(wanted, answers(left), -np.inf), best, least)
    remains: list[Step] = []
    if sure[0] >= least:
        fits += also_cited(best, [citation.fact for citation in citations], again, remains)
    outcome = answered(best, sure[0], [*fits, *citations], step, alternatives=rest, memory=remembered)
    outcome.steps += remains
    return outcome


def _again(
    task: Task,
    found: Evidence,
    scorer: Scorer,
    answers: Callable[[NDArray[np.bool_]], Floats],
    best: str,
    least: float,
    gone: list[Fact],
) -> list[Fact] | None:
    """Return what decides for *best* without some facts, by the numbers there are; None if the answer is another, or none."""
    c = found.candidates
    numbers = answers(~_resting_on(task, c, gone))
    row = int(np.argmax(numbers))
    if not np.isfinite(numbers[row]) or scorer.confidence(found, float(numbers[row]), row) < least:
        return None
    if normal(_distinct(task, found, np.array([row]), numbers, 1)[0][0]) != normal(best):
        return None
    return [*chain_at(task.store, c, row // 2), fact_at(task.store, c, row // 2)]


def _resting_on(task: Task, c: Candidates, facts: list[Fact]) -> NDArray[np.bool_]:
    """Tell which candidates are some facts, or are handed down by them."""
    keys = np.array([task.store.terms.ids(key(f)).tolist() for f in facts], np.int64).reshape(-1, 3)
    known = {tuple(row) for row in keys.tolist()}
    rests = np.zeros(len(c), bool)
    for s, p, o in known:
        rests |= (c.subject == s) & (c.predicate == p) & (c.object == o)
    near = np.where(c.end == 0, c.subject, c.object)
    for root, node in {*zip(c.root[c.depth > 0].tolist(), near[c.depth > 0].tolist(), strict=True)}:
        closure, at = c.closures[c.roots[root]], node
        while at in closure and closure[at][1] != at:
            _, child, predicate = closure[at]
            if (child, predicate, at) in known:
                rests |= (c.root == root) & (near == node)
                break
            at = child
    return rests


def _only(task: Task) -> str:
    """Return the name of the only seen thing that facts say is what the question asks for, '' if none or several are."""
    noun = task.parsed.noun
    if task.parsed.kind != "select" or noun is None or not noun.known:
        return ""
    fitting = {normal(m.object.name) for m in matches(task, noun) if m.score >= FITS}
    return fitting.pop() if len(fitting) == 1 else ""


def _fit(task: Task, found: Evidence, focus: Focus) -> Floats:
    """Return logits to add where a hypothesis is about the right object and by the asked relation."""
    c, q, about = found.candidates, task.parsed, focus.about
    bonus = _about_fit(task, found, focus) if about else np.zeros(2 * len(c))
    if q.kind == "select" and not q.wants_kind:
        bonus -= np.where(found.seen, 0.0, FITS_OBJECT)
    if q.constraint is not None and q.kind == "other_end":
        said = _says(task, found, q.constraint.phrase)
        bonus += np.repeat(np.where(said, FITS_OBJECT, -FITS_OBJECT), 2)
    bonus -= np.where(wrong_way(task, c), 2 * FITS_OBJECT, 0.0)
    if q.relations and (about or not q.asks_seen):
        asked = np.isin(c.predicate, task.ids(q.relations))
        bonus += np.repeat(np.where(asked, FITS_RELATION, 0.0), 2)
        if about and asked.any():
            bonus += np.repeat(np.where(asked, 0.0, -2 * FITS_RELATION), 2)
    return bonus


def _about_fit(task: Task, found: Evidence, focus: Focus) -> Floats:
    """Return logits for facts about the objects of a focus, less for what is known of their kinds than of themselves."""
    c, concepts = found.candidates, concepts_of(task, focus.about)
    roots = [i for i, r in enumerate(c.roots) if task.store.terms.name(r) in concepts]
    mine = np.isin(c.root, roots)
    near = np.stack([mine & (c.end == 0), mine & (c.end == 1)], axis=1)  # the near end is subject, object
    right = near if focus.answers else near[:, ::-1]
    bonus = np.where(right.reshape(-1), FITS_OBJECT, -FITS_OBJECT)
    named = {task.store.terms.id(k.concept) for k in task.links for m in focus.about if k.text == m.object.name}
    kinds = {n for i in named for n in c.closures.get(i or 0, {}) if n != i}
    general = [i for i in roots if c.roots[i] in kinds - named]  # what cats want, rather than any animal
    return np.asarray(bonus - np.repeat(np.where(np.isin(c.root, general), 2 * FITS_OBJECT, 0.0), 2))


def _says(task: Task, found: Evidence, verb: str) -> NDArray[np.bool_]:
    """Tell which facts say what a verb asks: "eat grass", or, for eating and drinking, what is wanted."""
    word, c = lemma(verb.split()[0]), found.candidates
    objects, at = np.unique(c.object, return_inverse=True)
    said = np.array([word in lemmas(names.label(t)) for t in task.store.terms.names(objects)], bool)[at]
    wants = task.ids(["Desires"]) if word in ("eat", "drink") else []
    return said | np.isin(c.predicate, wants)


def _distinct(
    task: Task, found: Evidence, order: NDArray[np.int64], logits: Floats, limit: int
) -> list[tuple[str, float, int]]:
    """Return the best (answer, logit, row) of distinct answers; a seen answer bears its object's name."""
    c, name = found.candidates, task.store.terms.name
    best: dict[str, tuple[str, float, int]] = {}
    for row in order.tolist():
        r, end = divmod(row, 2)
        text = names.label(name(int(c.subject[r] if end == 0 else c.object[r])))
        if end == int(c.end[r]):  # the near end: the concept seen, not the kind it inherits from
            root = name(c.roots[int(c.root[r])])
            seen = task.objects_of(root)
            text = task.scene[seen[0]].name if seen and seen[0] in task.scene else names.label(root)
        best.setdefault(normal(text), (text, float(logits[row]), row))
        if len(best) >= limit:
            break
    return list(best.values())


def _says_choice(task: Task, found: Evidence, choices: list[str]) -> NDArray[np.bool_]:
    """Tell which ends of facts are one of the choices, by name or near-identical meaning."""
    c, forms = found.candidates, set(map(normal, choices))
    ids, at = np.unique(np.stack([c.subject, c.object], axis=1).reshape(-1), return_inverse=True)
    labels = [normal(names.label(t)) for t in task.store.terms.names(ids)]
    near = np.max([term_cosines(task.store, ids, choice, task.encoder, read=NEAREST) for choice in choices], axis=0)
    return np.asarray((np.array([label in forms for label in labels], bool) | (near >= CHOICE))[at])
