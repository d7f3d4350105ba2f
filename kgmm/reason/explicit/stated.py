"""A question about no picture that facts state in so many words: which relation, which end is given, which is asked for.

"What causes rain" is the subject of facts ``(…, Causes, rain)``, "what does a wheel have" the object of ``(wheel, HasA, …)``, its
kinds' facts included, or the subject of ``(…, PartOf, wheel)``, which says the same from the other end. The surest fact answers, the
better known thing where several are as sure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kgmm.encode.nearness import term_cosines
from kgmm.language import names
from kgmm.language.words import content, normal
from kgmm.reason.explicit.certainty import INHERITED
from kgmm.reason.necessary import also_cited
from kgmm.reason.question.ends import Asked, asked, forms
from kgmm.reason.task import Outcome, Task, answered
from kgmm.retrieve import Candidates, gather
from kgmm.retrieve.gather import chain_at, closure, fact_at
from kgmm.retrieve.score import decode
from kgmm.store import Fact
from kgmm.trace import Link, Step, cited, key

#: how much of a fact's weight of 1 is doubt
DOUBT = 0.3
#: answers that are looked at for being of a kind
KIND_TESTS = 500
#: answers as sure as the best, the best known of them, that are ordered by how near they are to the question
EVEN = 64
#: how much nearness in meaning a larger number of facts about an answer outweighs, by its logarithm
KNOWN = 0.04


def wrong_way(task: Task, c: Candidates) -> NDArray[np.bool_]:
    """Tell which ends of facts, two a fact, answer by an asked relation read the wrong way round: wood for "lumber is made of wood"."""
    readings = asked(task.parsed) if task.parsed.kind == "other_end" else []
    wrong = np.zeros(2 * len(c), bool)
    if readings:
        one = readings[0]
        asked_by = np.isin(c.predicate, task.ids(one.relations)) & ~np.isin(c.predicate, task.ids(one.turned))
        wrong[0 if one.subject else 1 :: 2] = asked_by
    return wrong


def stated(task: Task, otherwise: Callable[[Task], Outcome]) -> Outcome | None:
    """Answer with the other end of the surest fact that states what is asked; None if none does.

    Args:
        task: a question without a picture.
        otherwise: how it is answered if no such fact is left, to tell whether the answer hangs on the facts cited.
    """
    for one in asked(task.parsed):
        found = _Found.of(task, one)
        if found is not None:
            return found.outcome(task, otherwise)
    return None


def sureness(weight: NDArray[np.float32] | float) -> NDArray[np.float64]:
    """Return how sure facts of some weights are, in [0.05, 0.99].

    >>> sureness(np.array([1, 2], np.float32)).round(2).tolist()
    [0.7, 0.85]
    """
    return np.asarray(np.clip(1 - DOUBT / np.maximum(weight, 1e-3), 0.05, 0.99), np.float64)


def around(task: Task, written: list[str]) -> Candidates:
    """Return the facts around what is written in one of these ways, and around its kinds; none if no concept is named so."""
    nodes = sorted({node for form in written if (node := task.concept(form)) is not None})
    links = [Link(written[0], node, "exact", 1.0, None) for node in nodes]
    return gather(task.store, links, exclude=task.exclude, graphs=task.graphs)


@dataclass
class _Found:
    """Facts that state what is asked, the best first, and the text that each answers with."""

    asked: Asked
    candidates: Candidates
    sure: NDArray[np.float64]
    answers: list[str]

    @classmethod
    def of(cls, task: Task, one: Asked) -> _Found | None:
        """Return what states it; None if nothing does."""
        store, written = task.store, forms(one.given)
        c = around(task, written)
        given = 0 if one.subject else 1
        order = {term: i for i, name in enumerate(one.relations) for term in task.ids([name])}
        after = 0 if len(one.turned) == 1 else len(one.relations)
        order |= {term: after for term in task.ids(one.turned) if term not in order}
        forward = np.isin(c.predicate, task.ids(one.relations)) & (c.end == given)
        backward = np.isin(c.predicate, task.ids(one.turned)) & (c.end != given) & (c.depth == 0)
        c = c.take(np.flatnonzero(forward | backward))
        if not len(c):
            return None
        ends = np.where(c.end == 0, c.object, c.subject).astype(np.int64)
        sure = sureness(c.weight) * INHERITED**c.depth
        rank = np.array([order[p] for p in c.predicate.tolist()], np.int64)
        terms = store.terms.names(ends)
        texts = [names.label(t) for t in terms]
        named = {normal(said) for said in (one.given, *written, *task.parsed.given)}
        if offered := {normal(choice): choice for choice in task.choices or ()}:
            texts = [offered.get(normal(text), "") for text in texts]
            named |= {""}
        allowed = np.array([normal(text) not in named for text in texts], bool)
        known = np.array([store.count(t) for t in terms], np.int64)
        rows = np.lexsort((np.array(texts), -known, -sure, rank))
        rows = rows[allowed[rows]]
        even = rows[:EVEN][(rank[rows[:EVEN]] == rank[rows[:1]]) & (sure[rows[:EVEN]] == sure[rows[:1]])]
        rows[: len(even)] = even[_telling(task, ends[even], [texts[row] for row in even.tolist()], known[even])]
        if one.kind:
            rows = rows[_are(task, one.kind, ends[rows])]
        if not len(rows):
            return None
        return cls(one, c.take(rows), sure[rows], [texts[row] for row in rows.tolist()])

    def outcome(self, task: Task, otherwise: Callable[[Task], Outcome]) -> Outcome:
        """Return the best answer with the facts that it hangs on."""
        best = self.answers[0]
        distinct: dict[str, tuple[str, float]] = {}
        for text, sure in zip(self.answers, self.sure.tolist(), strict=True):
            distinct.setdefault(normal(text), (text, round(sure, 4)))
        rest = list(distinct.values())[1 : max(task.top, 1)]
        memory = decode(task.store, self.candidates, self.sure, {"weight": self.sure}, task.limit)

        def again(gone: list[Fact]) -> Sequence[Fact] | None:
            without = replace(task, exclude=task.exclude | {key(f) for f in gone})
            left = _Found.of(without, self.asked)
            if left is not None:
                return left.deciding(task) if normal(left.answers[0]) == normal(best) else None
            other = otherwise(without)
            same = other.text is not None and normal(other.text) == normal(best)
            return [citation.fact for citation in other.citations] if same else None

        deciding = self.deciding(task)
        step = Step("look up", f"{len(self.answers)} facts state what is asked, {best!r} the surest", self._said())
        sure = round(float(self.sure[0]), 4)
        outcome = answered(best, sure, cited(deciding), step, alternatives=rest, memory=memory)
        outcome.citations += also_cited(best, deciding, again, outcome.steps)
        return outcome

    def deciding(self, task: Task) -> list[Fact]:
        """Return the best fact, after the facts by which its subject's kind hands it down."""
        return [*chain_at(task.store, self.candidates, 0), fact_at(task.store, self.candidates, 0)]

    def _said(self) -> dict[str, object]:
        side = "subject" if self.asked.subject else "object"
        return {"given": self.asked.given, "as": side, "relations": list(self.asked.relations)}


def _telling(task: Task, ends: NDArray[np.int64], texts: list[str], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order answers that are as sure: near in meaning and well known; those that say the question's words again come last."""
    asked_words = set(content(task.question))
    again = np.array([not asked_words.isdisjoint(content(text)) for text in texts], bool)
    near = term_cosines(task.store, ends, task.question, task.encoder)
    return np.lexsort((np.array(texts), -np.round(near + KNOWN * np.log1p(known), 6), again))


def _are(task: Task, kind: str, ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which terms are of a kind; those beyond the first KIND_TESTS are not looked at."""
    asked_kind = task.store.terms.id(task.concept(kind) or "")
    found = np.zeros(len(ends), bool)
    if asked_kind is not None:
        found[:KIND_TESTS] = [asked_kind in closure(task.store, end) for end in ends[:KIND_TESTS].tolist()]
    return found
