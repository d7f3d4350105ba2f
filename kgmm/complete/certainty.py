"""How sure an answer is: of a question's first candidate by its odds, of the others by a curve, fitted on rows kept apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kgmm.complete.calibrate import Curve, Doubles, Odds, softmax_top
from kgmm.complete.ranking import BLOCK, Floats, Scorer, open_scores
from kgmm.complete.triples import Ints, Known, Triples

TOP = 10  #: candidates a question
HELD = (1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)  #: how strongly what each kind of question adds is held to 0
HALVINGS = 3  #: of the rows, to choose among them
FEATURES = 6


@dataclass(frozen=True)
class Candidates:
    """The first :data:`TOP` answers of questions, what is known already left out.

    Args:
        asked: (n, 2) entity and relation either way.
        best: (n, TOP) entities, the best first; −1 where there are no more.
        share: (n, TOP) of exp(score), 0 where there are no more.
        features: (n, 6) what tells whether the first is right.
    """

    asked: Ints
    best: Ints
    share: Doubles
    features: Doubles

    @classmethod
    def of(cls, scorer: Scorer, triples: Triples, rows: Ints) -> Candidates:
        """Return the candidates of both questions of each row, each asked once."""
        asked = np.unique(np.stack(triples.asked(rows)[:2], 1), axis=0)
        best, share = np.full((len(asked), TOP), -1), np.zeros((len(asked), TOP))
        features = np.zeros((len(asked), FEATURES))
        for low in range(0, len(asked), BLOCK):
            entity, relation = asked[low : low + BLOCK].T
            for n, score in enumerate(scorer(entity, relation), low):
                e, r = asked[n].tolist()
                found, shares = softmax_top(open_scores(score, triples.known.answers(e, r), -1), TOP)
                best[n, : len(found)], share[n, : len(found)] = found, shares
                features[n] = told(triples, e, r, found, shares)
        return cls(asked, best, share, features)

    def right(self, triples: Triples, rows: Ints) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return (n,) which questions *rows* ask, and (n, TOP) which candidates they have."""
        truth = Known(triples, rows)
        answers = [truth.answers(e, r) for e, r in self.asked.tolist()]
        hits = [np.isin(best, own) for best, own in zip(self.best, answers, strict=True)]
        return np.array([len(own) > 0 for own in answers], bool), np.array(hits, bool).reshape(-1, TOP)


def told(triples: Triples, entity: int, relation: int, best: Ints, share: Doubles) -> Doubles:
    """Return (6,) what tells whether the first candidate of a question is right; an entity never seen is −1.

    The log-odds of its share, the lead of its log over the second's, and the logs of how much is known: of the entity, of the
    question, of the candidate as that relation's answer, of the relation.
    """
    if not len(best):
        return np.zeros(FEATURES)
    first = float(np.clip(share[0], 1e-6, 1 - 1e-6))
    second = float(share[1]) if len(share) > 1 else 0.0
    seen = entity >= 0
    counts = (
        triples.degree[entity] if seen else 0,
        len(triples.known.answers(entity, relation)) if seen else 0,
        triples.frequency[relation, best[0]],
        triples.sizes[relation],
    )
    return np.array([np.log(first / (1 - first)), np.log(first / max(second, 1e-6)), *np.log1p(counts)])


@dataclass(frozen=True)
class Certainty:
    """Probabilities of a question's candidates.

    Args:
        first: of the first candidate, by its features and the kind of question.
        other: of the others, by their shares.
    """

    first: Odds
    other: Curve

    @classmethod
    def fit(cls, scorer: Scorer, learned: Triples, rows: Ints) -> Certainty:
        """Return what is right how often by *rows*, which *learned* are without.

        How far a kind of question moves from the others is chosen by halves of the rows: fitted on what one half asks and
        answers, judged by the likelihood of what the other half does. Halves of the questions would not do: that a relation has
        many rows among those kept is luck they share, and the next set has another.
        """
        return cls.by(Candidates.of(scorer, learned, rows), learned, rows)

    @classmethod
    def by(cls, found: Candidates, triples: Triples, rows: Ints) -> Certainty:
        """Return the same of candidates that are known."""
        kind, kinds = found.asked[:, 1], triples.questions
        right = found.right(triples, rows)[1]
        rng, error = np.random.default_rng(0), np.zeros(len(HELD))
        for _ in range(HALVINGS if len(rows) > 1 else 0):
            half = rng.permutation(len(rows)) % 2 == 0
            parts = [found.right(triples, rows[which]) for which in (half, ~half)]
            for (ours, own), (theirs, other) in (parts, parts[::-1]):
                for n, held in enumerate(HELD):
                    odds = Odds.fit(found.features[ours], kind[ours], own[ours, 0], kinds, held)
                    error[n] += _surprise(odds(found.features[theirs], kind[theirs]), other[theirs, 0])
        there = found.best[:, 1:] >= 0
        return cls(
            Odds.fit(found.features, kind, right[:, 0], kinds, HELD[int(error.argmin())]),
            Curve.fit(found.share[:, 1:][there], right[:, 1:][there]),
        )

    def __call__(self, features: Doubles, relation: Ints, share: Doubles) -> Doubles:
        """Return (n, k) probabilities, falling, of n questions' candidates by their shares (n, k)."""
        sure = np.concatenate([self.first(features, relation)[:, None], self.other(share[:, 1:])], 1)
        found: Doubles = np.minimum.accumulate(sure[:, : share.shape[1]], 1)
        return found


def likeliest(
    sure: Certainty, triples: Triples, score: Floats, entity: int, relation: int, k: int
) -> tuple[Ints, Doubles]:
    """Return the *k* best answers of open scores (entities,) to a question, and their probabilities, falling."""
    best, share = softmax_top(score, k)
    features = told(triples, entity, relation, best, share)
    return best, sure(features[None], np.array([relation]), share[None])[0]


def _surprise(probability: Doubles, right: NDArray[np.bool_]) -> float:
    return float(-np.log(np.clip(np.where(right, probability, 1 - probability), 1e-9, None)).sum())
