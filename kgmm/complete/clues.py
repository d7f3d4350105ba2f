"""What else tells an answer: how often it is one, what near neighbours in text are told, and rules of one atom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from kgmm.complete.models import Floats
from kgmm.complete.triples import Ints, Triples

NEAREST = 12  #: neighbours asked
SHARP = 6.0  #: power of a neighbour's cosine
LEAST_SUPPORT, LEAST_SURE = 5, 0.05  #: of a rule


def often(triples: Triples, relation: Ints) -> Floats:
    """Return (m, entities) log(1 + how often an entity answers each relation, either way)."""
    return np.log1p(triples.frequency[relation])


class Neighbours:
    """Answers of a question's nearest neighbours in text: entities of which the same is told.

    Args:
        triples: that are known.
        text: (entities, d) unit vectors of names.
    """

    def __init__(self, triples: Triples, text: Floats) -> None:
        self.triples, self.text = triples, text
        self.known = triples.known
        entity, relation, _ = triples.asked(triples.rows)
        self.told = [np.unique(entity[relation == r]) for r in range(triples.questions)]

    def near(self, entity: int, relation: int, text: Floats | None = None) -> tuple[Ints, Floats]:
        """Return the nearest entities that have answers to the relation, itself left out, and their cosines.

        An entity never seen is −1, with the vector *text* (d,) of its name.
        """
        own = self.text[entity] if text is None else text
        return next(iter(self._nearest(np.array([entity]), relation, own[None])))

    def _nearest(self, entity: Ints, relation: int, text: Floats) -> Iterator[tuple[Ints, Floats]]:
        told = self.told[relation]
        cosines = text @ self.text[told].T
        for e, cosine in zip(entity, cosines, strict=True):
            cosine[told == e] = -np.inf
            best = np.argpartition(-cosine, NEAREST)[:NEAREST] if len(told) > NEAREST else np.arange(len(told))
            best = best[np.lexsort((best, -cosine[best]))]
            best = best[np.isfinite(cosine[best])]
            yield told[best], cosine[best]

    def scores(self, entity: Ints, relation: Ints, text: Floats | None = None) -> Floats:
        """Return (m, entities) sums over the neighbours that an answer has of cosine to the power of :data:`SHARP`."""
        out = np.zeros((len(entity), len(self.triples.entities)), np.float32)
        own = self.text[entity] if text is None else text
        for r in np.unique(relation).tolist():
            rows = np.flatnonzero(relation == r)
            for n, (others, cosines) in zip(rows, self._nearest(entity[rows], r, own[rows]), strict=True):
                for other, cosine in zip(others.tolist(), cosines.tolist(), strict=True):
                    answers = self.known.answers(other, r)
                    out[n, answers] += max(cosine, 0.0) ** SHARP / np.sqrt(len(answers))
        return out


@dataclass(frozen=True)
class Rule:
    """A body, a relation either way, that implies a relation either way, with the share of the body's pairs it holds for."""

    body: int
    head: int
    support: int
    confidence: float


class Rules:
    """Mined rules of one atom (``UsedFor(x, y) ⇒ CapableOf(x, y)``), also with the body turned round.

    They are those that :func:`kgmm.patterns.graph_rules` finds with two atoms, counted here by sparse matrices on the numbers of
    completion's triples; of several that give an answer the surest counts.
    """

    def __init__(self, triples: Triples) -> None:
        self.triples = triples
        self.known = triples.known
        n, half = len(triples.entities), len(triples.relations)
        entity, relation, answer = triples.asked(triples.rows)
        joined = [
            sparse.csr_matrix(
                (np.ones((relation == r).sum(), np.int32), (entity[relation == r], answer[relation == r])), (n, n)
            )
            for r in range(triples.questions)
        ]
        self.of: dict[int, list[Rule]] = {r: [] for r in range(triples.questions)}
        for head in range(half):
            for body in range(triples.questions):
                if body != head and joined[body].nnz:
                    both = int(joined[head].multiply(joined[body]).nnz)
                    sure = both / joined[body].nnz
                    if both >= LEAST_SUPPORT and sure >= LEAST_SURE:
                        self.of[head].append(Rule(body, head, both, sure))
                        turned = (
                            body + half
                        ) % triples.questions  # what gives objects from subjects gives the reverse, too
                        self.of[head + half].append(Rule(turned, head + half, both, sure))
        for rules in self.of.values():
            rules.sort(key=lambda rule: -rule.confidence)

    def scores(self, entity: Ints, relation: Ints) -> Floats:
        """Return (m, entities) confidences of the surest rule that gives an answer, 0 where none does."""
        out = np.zeros((len(entity), len(self.triples.entities)), np.float32)
        for n, (e, r) in enumerate(zip(entity.tolist(), relation.tolist(), strict=True)):
            for rule in reversed(self.of[r]):
                out[n, self.known.answers(e, rule.body)] = rule.confidence
        return out

    def why(self, entity: int, relation: int, answer: int) -> Rule | None:
        """Return the surest rule that gives an answer."""
        for rule in self.of[relation]:
            if answer in self.known.answers(entity, rule.body):
                return rule
        return None


class Linked:
    """What the graph and the names say of two entities whatever the relation: bound already, two steps apart, alike, well known.

    Args:
        triples: that are known.
        text: (entities, d) unit vectors of names.
    """

    def __init__(self, triples: Triples, text: Floats) -> None:
        self.text, n = text, len(triples.entities)
        ends = np.concatenate([triples.rows[:, [0, 2]], triples.rows[:, [2, 0]]])
        self.bound = sparse.csr_matrix((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (n, n))
        self.bound.data[:] = 1
        shares = 1 / np.maximum(np.asarray(self.bound.sum(1)).ravel(), 1)
        self.spread = sparse.diags(shares.astype(np.float32)) @ self.bound
        self.degree = np.log1p(triples.degree).astype(np.float32)

    def scores(self, entity: Ints, text: Floats | None = None) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return (m, entities) of each of five clues.

        1 where a fact of any relation binds the two; the root of the share of walks of two steps that end there; names' cosine;
        log(1 + degree) of the answer; 1 for the entity itself.
        Entities never seen are −1, with the vectors *text* (m, d) of their names.
        """
        shape, seen = (len(entity), len(self.text)), np.flatnonzero(entity >= 0)
        bound, near, itself = (np.zeros(shape, np.float32) for _ in range(3))
        for n in seen.tolist():
            row = self.bound[entity[n]]
            bound[n, row.indices] = 1
            two = self.spread[entity[n]] @ self.spread
            near[n, two.indices] = np.sqrt(two.data)
            itself[n, entity[n]] = 1
        own = self.text[entity] if text is None else text
        return bound, near, own @ self.text.T, np.broadcast_to(self.degree, shape), itself


def log_softmax(score: Floats) -> Floats:
    """Return scores (m, n) as logarithms of shares."""
    top = score.max(1, keepdims=True)
    found: Floats = score - top - np.log(np.exp(score - top).sum(1, keepdims=True))
    return found
