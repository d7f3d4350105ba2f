"""DistMult, ComplEx, TransE and RotatE: entities and relations as vectors, learned by telling the right end from all others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmm.complete.triples import Ints, Triples
from kgmm.errors import KgmmError
from kgmm.nn.threads import one_thread
from kgmm.progress import Progress, silent

Floats = NDArray[np.float32]
SAMPLED = 3000  #: entities a step compares with where there are more than twice as many; all of them else


def distmult(entity: Tensor, relation: Tensor) -> Tensor:
    """Return e ∘ r (Yang et al., ICLR 2015); its product with an answer's vector is the score."""
    return entity * relation


def complex_(entity: Tensor, relation: Tensor) -> Tensor:
    """Return e · r in complex numbers, real parts first (Trouillon et al., ICML 2016): score Re⟨e, r, conj a⟩."""
    (a, b), (c, d) = entity.chunk(2, -1), relation.chunk(2, -1)
    return torch.cat([a * c - b * d, a * d + b * c], -1)


def transe(entity: Tensor, relation: Tensor) -> Tensor:
    """Return e + r (Bordes et al., NeurIPS 2013): score −‖e + r − a‖₁, the better of the paper's two distances on three sets' valid rows."""
    return entity + relation


def rotate(entity: Tensor, relation: Tensor) -> Tensor:
    """Return e turned by the angles r (Sun et al., ICLR 2019), real parts first: score −‖e ∘ exp(ir) − a‖."""
    angle = relation[..., : relation.shape[-1] // 2]
    return complex_(entity, torch.cat([angle.cos(), angle.sin()], -1))


@dataclass(frozen=True)
class Kind:
    """How a model makes a question's vector, the norm that answers' distances are measured by (0: they are products), and its usual options."""

    question: Callable[[Tensor, Tensor], Tensor]
    norm: int
    rate: float
    shrink: float


#: rates and weights of the N3 norm that did best on the valid rows of UMLS and Kinships
KINDS = {
    "distmult": Kind(distmult, 0, 0.1, 0.02),
    "complex": Kind(complex_, 0, 0.1, 0.02),
    "transe": Kind(transe, 1, 0.1, 0.0),
    "rotate": Kind(rotate, 2, 0.3, 0.0),
}


def scores(question: Tensor, answers: Tensor, norm: int) -> Tensor:
    """Return (m, n) scores of n answers (n, d) to m questions (m, d): products (0), or distances by a norm (1 or 2) negated."""
    if norm == 1:
        return -torch.cdist(question, answers, p=1)
    product = question @ answers.T
    if norm == 0:
        return product
    squares = (question * question).sum(1, keepdim=True) + (answers * answers).sum(1) - 2 * product
    return -squares.clamp_min(1e-9).sqrt()


def loss(score: Tensor, right: Tensor) -> Tensor:
    """Return the mean of −log softmax(score)[right] over rows: one right answer against all others."""
    return torch.nn.functional.cross_entropy(score, right)


class Rows:
    """A table whose rows are learned with Adagrad (Duchi et al. 2011), only those touched by a step.

    Args:
        values: (n, d), changed in place.
        rate: of learning.
    """

    def __init__(self, values: Tensor, rate: float) -> None:
        self.values, self.rate = values, rate
        self.squares = torch.zeros_like(values)

    def take(self, at: Tensor) -> Tensor:
        """Return rows to compute with, which gather gradients."""
        return self.values[at].requires_grad_()

    def step(self, at: Tensor, taken: Tensor) -> None:
        """Move the rows taken, each named once, against their gradients."""
        assert taken.grad is not None
        squares = self.squares[at] + taken.grad**2
        self.squares[at] = squares
        self.values[at] -= self.rate * taken.grad / (squares.sqrt() + 1e-10)


class Embedding:
    """A model of entities' and relations' vectors; relations have another vector for the question turned round.

    Args:
        kind: ``distmult``, ``complex``, ``transe`` or ``rotate``.
        size: length of vectors; of complex numbers half as many.
        epochs: passes over the triples at most.
        seconds: of wall-clock at most; as many as it takes by default.
        batch: questions a step.
        rate: of learning.
        shrink: weight of the N3 norm (Lacroix et al., ICML 2018).
        seed: of the first values and the order.

    Raises:
        KgmmError: if there is no such model.

    Example:
        >>> facts = [(f"p{n}", "next", f"p{(n + 1) % 12}") for n in range(12)]
        >>> model = Embedding("complex", size=32, epochs=60).fit(Triples.of(facts))
        >>> known = model.triples
        >>> known.entities[int(model.scores(known.entity_number["p3"], 0).argmax())]
        'p4'
    """

    def __init__(
        self,
        kind: str = "complex",
        *,
        size: int = 200,
        epochs: int = 100,
        seconds: float | None = None,
        batch: int = 512,
        rate: float | None = None,
        shrink: float | None = None,
        seed: int = 0,
    ) -> None:
        if kind not in KINDS:
            raise KgmmError(f"no model {kind!r}; there are: {', '.join(KINDS)}")
        if size < 2 or size % 2:
            raise KgmmError(f"the length of vectors is even and at least 2, not {size}")
        self.name, self.kind = kind, KINDS[kind]
        self.size, self.epochs, self.seconds, self.batch, self.seed = size, epochs, seconds, batch, seed
        self.rate = self.kind.rate if rate is None else rate
        self.shrink = self.kind.shrink if shrink is None else shrink
        self.triples: Triples
        self.entity: Tensor
        self.relation: Tensor

    def fit(self, triples: Triples, progress: Progress = silent) -> Self:
        """Learn from triples: softmax over all entities, or in large sets over those of the step and a sample.

        Kadlec et al. 2017 and Lacroix et al. 2018 found such training to do better than sampled negatives of one triple.
        """
        self.triples = triples
        rng = torch.Generator().manual_seed(self.seed)
        entities = len(triples.entities)
        scale = 0.3 if self.kind.norm else 0.1
        self.entity = torch.randn(entities, self.size, generator=rng) * scale
        self.relation = torch.randn(triples.questions, self.size, generator=rng) * (
            1 if self.name == "rotate" else scale
        )
        tables = Rows(self.entity, self.rate), Rows(self.relation, self.rate)
        given, relation, answer = map(torch.from_numpy, triples.asked(triples.rows))
        steps, began = -(-len(given) // self.batch), time.monotonic()
        for epoch in range(self.epochs):
            order = torch.randperm(len(given), generator=rng)
            for step in range(steps):
                part = order[step * self.batch : (step + 1) * self.batch]
                self._step(tables, given[part], relation[part], answer[part], rng)
                if self.seconds is not None and time.monotonic() - began > self.seconds:
                    return self
            progress(epoch + 1, self.epochs, "epochs")
        return self

    def _step(
        self, tables: tuple[Rows, Rows], given: Tensor, relation: Tensor, answer: Tensor, rng: torch.Generator
    ) -> None:
        entities, relations = tables
        everything = len(entities.values)
        if everything <= 2 * SAMPLED:
            named = torch.arange(everything)
            at, right = given, answer
        else:
            drawn = torch.randint(everything, (SAMPLED,), generator=rng)
            ends = torch.cat([given, answer, drawn])
            named, place = torch.unique(ends, return_inverse=True)
            at, right = place[: len(given)], place[len(given) : 2 * len(given)]
        ways, way = torch.unique(relation, return_inverse=True)
        e, r = entities.take(named), relations.take(ways)
        subject, turn = e[at], r[way]
        error = loss(scores(self.kind.question(subject, turn), e, self.kind.norm), right)
        if self.shrink:
            cubes = [part.abs().pow(3).sum() for part in (subject, turn, e[right])]
            error = error + self.shrink / len(given) * (cubes[0] + cubes[1] + cubes[2])
        error.backward()  # type: ignore[no-untyped-call]
        entities.step(named, e)
        relations.step(ways, r)

    def scores(self, entity: int | Ints, relation: int | Ints) -> Floats:
        """Return (entities,) scores of all answers to a question, or (m, entities) to several; higher is likelier."""
        e, r = np.atleast_1d(np.asarray(entity)), np.atleast_1d(np.asarray(relation))
        with one_thread(), torch.no_grad():
            asked = self.kind.question(self.entity[torch.from_numpy(e)], self.relation[torch.from_numpy(r)])
            found: Floats = scores(asked, self.entity, self.kind.norm).numpy()
        return found[0] if np.ndim(entity) == 0 else found
