"""The default of completion: the model over text and graph, frequency, neighbours and rules, weighed on rows kept apart."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from torch import Tensor

from kgmm.complete.clues import Linked, Neighbours, Rules, log_softmax, often
from kgmm.complete.models import Floats
from kgmm.complete.ranking import BLOCK
from kgmm.complete.textual import TextGraph
from kgmm.complete.triples import Ints, Known, Triples
from kgmm.nn.threads import one_thread
from kgmm.progress import Progress, silent

CLUES = ("model", "often", "neighbours", "rules", "bound", "near", "alike", "degree", "itself")
TELLING = 7  #: of the clues, whose best entities the weights must tell from the answer
WEIGHED = 6000  #: questions that weights are fitted on at most
NEGATIVES = 500  #: entities drawn beside the best of each clue
USUAL = (1.0, 0.2, 0.5, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)  #: weights where nothing is kept apart
HELD = 1.0  #: how strongly weights are held to the usual ones, and a relation's to all relations'
HARD = 60  #: best of each telling clue


class Joined:
    """Scores of all answers: a weighted sum of clues, the weights fitted by softmax on questions kept apart.

    Each relation, either way, moves its own weights as far from the shared ones as its rows bear out (an L2 penalty holds them).

    Args:
        seed: of the model.
        seconds: of wall-clock the model may take.
        epochs: passes of the model at most.
        size: length of the model's vectors.
        batch: questions a step of the model.
        rate: of the model's learning, which falls by steps to a fiftieth.

    Example:
        >>> ring = [(f"p{n}", "next", f"p{(n + 1) % 14}") for n in range(14)]
        >>> triples = Triples.of(ring[:-2], also=ring)
        >>> model = Joined(epochs=100).fit(triples, np.eye(14, dtype=np.float32), triples.numbered(ring[-2:]))
        >>> model.scores(np.array([3]), np.array([0])).shape
        (1, 14)
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        seconds: float | None = None,
        epochs: int = 12,
        size: int = 128,
        batch: int = 1024,
        rate: float = 2e-3,
    ) -> None:
        self.seed = seed
        self.model = TextGraph(seed=seed, seconds=seconds, epochs=epochs, size=size, batch=batch, rate=rate)
        self.triples: Triples
        self.weights: Floats  #: (questions, clues)

    def fit(self, triples: Triples, text: Floats, kept: Ints, progress: Progress = silent) -> Self:
        """Learn from triples and names' vectors (entities, d); weigh the clues on the rows *kept* apart."""
        self.model.fit(triples, text, progress)
        return self.weigh(triples, text, kept)

    def weigh(self, triples: Triples, text: Floats, kept: Ints, asked: tuple[Ints, Ints, Ints] | None = None) -> Self:
        """Fit the weights of the clues on rows that the model did not learn from, by both ends or by the questions *asked* alone."""
        self.ready(triples, text)
        self.weights = np.tile(np.array(USUAL, np.float32), (triples.questions, 1))
        if len(kept):
            self.weights = self._fitted(kept, triples.asked(kept) if asked is None else asked)
        return self

    def ready(self, triples: Triples, text: Floats) -> None:
        """Make the clues of triples for a model that has learned."""
        self.triples, self.text = triples, text
        self.neighbours, self.rules = Neighbours(triples, text), Rules(triples)
        self.linked, self.often = Linked(triples, text), often(triples, np.arange(triples.questions))
        self.answers = self.model.answers().T.contiguous()

    def clues(self, entity: Ints, relation: Ints, text: Floats | None = None) -> list[Floats]:
        """Return (m, entities) of each clue: log shares of the model, and the others as they are.

        Entities never seen are −1, with the vectors *text* (m, d) of their names.
        """
        with one_thread():
            shares = log_softmax((self.model.asked(entity, relation, text) @ self.answers).numpy())
        parts = shares, self.often[relation], self.neighbours.scores(entity, relation, text)
        return [*parts, self.rules.scores(entity, relation), *self.linked.scores(entity, text)]

    def scores(self, entity: Ints, relation: Ints, text: Floats | None = None) -> Floats:
        """Return (m, entities) scores of all answers to questions."""
        out = np.zeros((len(entity), len(self.triples.entities)), np.float32)
        for clue, weight in zip(self.clues(entity, relation, text), self.weights[relation].T, strict=True):
            out += weight[:, None] * clue
        return out

    def _fitted(self, kept: Ints, asked: tuple[Ints, Ints, Ints]) -> Floats:
        rng = np.random.default_rng(self.seed)
        known = Known(self.triples, self.triples.rows, kept)
        entity, relation, answer = asked
        if len(entity) > WEIGHED:
            chosen = np.sort(rng.choice(len(entity), WEIGHED, replace=False))
            entity, relation, answer = entity[chosen], relation[chosen], answer[chosen]
        order = np.lexsort((entity, relation))  # a relation's questions in one block
        entity, relation, answer = entity[order], relation[order], answer[order]
        width = min(NEGATIVES, len(self.triples.entities))
        table = np.zeros((len(entity), 1 + width + TELLING * HARD, len(CLUES)), np.float32)
        heavier = np.full(table.shape[:2], -np.inf, np.float32)  # log of how many entities each column stands for
        for low in range(0, len(entity), BLOCK):
            block = self.clues(entity[low : low + BLOCK], relation[low : low + BLOCK])
            for n in range(low, low + len(block[0])):
                clues = np.stack([clue[n - low] for clue in block], 1)
                shut = known.answers(entity[n], relation[n])
                chosen, weight = _compared(clues, shut, int(answer[n]), width, rng)
                table[n, : len(chosen)], heavier[n, : len(chosen)] = clues[chosen], weight
        return _weigh(
            torch.from_numpy(table), torch.from_numpy(heavier), torch.from_numpy(relation), self.triples.questions
        )


def _compared(clues: Floats, shut: Ints, answer: int, width: int, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Return the answer, the best others of each clue and *width* drawn ones, with the log of how many each stands for."""
    others = np.ones(len(clues), bool)
    others[shut] = False
    best = [_best(clues[:, c]) for c in range(TELLING)]
    hard = np.unique(np.concatenate(best))
    hard = hard[others[hard]]
    others[hard] = False
    rest = np.flatnonzero(others)
    drawn = rng.choice(rest, min(width, len(rest)), replace=False)
    weight = np.zeros(1 + len(hard) + len(drawn), np.float32)
    if len(drawn):
        weight[1 + len(hard) :] = np.log(len(rest) / len(drawn))
    return np.concatenate([[answer], hard, drawn]), weight


def _best(clue: Floats) -> Ints:
    """Return the entities that a clue puts first, without those it says nothing of."""
    told = np.flatnonzero(clue)
    return told if len(told) <= HARD else told[np.argpartition(-clue[told], HARD - 1)[:HARD]]


def _weigh(table: Tensor, heavier: Tensor, relation: Tensor, questions: int) -> Floats:
    """Return (questions, clues) weights that make the first column likeliest, by L-BFGS."""
    usual = torch.tensor(USUAL)
    shared = usual.clone().requires_grad_()
    own = torch.zeros(questions, table.shape[2], requires_grad=True)
    optimizer = torch.optim.LBFGS([shared, own], max_iter=60, line_search_fn="strong_wolfe")
    right = torch.zeros(len(table), dtype=torch.long)

    def closure() -> float:
        optimizer.zero_grad()
        score = torch.einsum("mnc,mc->mn", table, (shared + own)[relation]) + heavier
        error = torch.nn.functional.cross_entropy(score, right, reduction="sum")
        error = error + HELD * ((own * own).sum() + (shared - usual).pow(2).sum())
        error.backward()  # type: ignore[no-untyped-call]
        return float(error.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    found: Floats = (shared + own).detach().numpy()
    return found
