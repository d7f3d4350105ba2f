"""A model over text and graph: what a name means and where a node stands, both ways of a relation from one network."""

from __future__ import annotations

import time
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from kgmm.complete.models import Floats, Rows, loss
from kgmm.complete.triples import Ints, Triples
from kgmm.errors import KgmmError
from kgmm.nn.threads import one_thread
from kgmm.progress import Progress, silent

SCALE = 4.0  #: of the names' unit vectors
DRAWN = 1500  #: entities a step is compared with, beside its own answers


class _Network(nn.Module):
    """Questions' vectors of text, position and relation; answers' vectors of text (position is added by the caller)."""

    def __init__(self, text: int, size: int, hidden: int, questions: int) -> None:
        super().__init__()
        self.given = nn.Linear(text, hidden)
        self.placed = nn.Linear(size, hidden, bias=False)
        self.turn = nn.Embedding(questions, hidden)
        self.gate = nn.Embedding(questions, hidden)
        self.out = nn.Linear(hidden, size)
        self.usual = nn.Embedding(questions, size)
        self.answer = nn.Linear(text, size)
        nn.init.normal_(self.turn.weight, std=0.1)
        nn.init.zeros_(self.gate.weight)
        nn.init.normal_(self.usual.weight, std=0.05)

    def question(self, text: Tensor, place: Tensor, relation: Tensor) -> Tensor:
        """Return (m, size) vectors: C·relu((A x + B e) ∘ (1 + g_r) + t_r) + u_r."""
        mixed = (self.given(text) + self.placed(place)) * (1 + self.gate(relation)) + self.turn(relation)
        found: Tensor = self.out(torch.relu(mixed)) + self.usual(relation)
        return found


class TextGraph:
    """Entities as the projection of their names' vectors plus a learned part, so that those never seen have a place too.

    A question's vector is a network of the given end and the relation (either way); an answer's score is the product with
    the answer's vector. It is learned as the plain models are: softmax over the answers of the step and a uniform sample, each
    less the logarithm of how often it is expected there (Bengio and Senécal 2003), so that the scores are those over all entities.

    Args:
        size: length of vectors.
        hidden: width of the network.
        epochs: passes over the triples at most.
        seconds: of wall-clock at most; what is stopped by it is not the same twice.
        batch: questions a step.
        rate: of the network's Adam.
        seed: of first values, order and draws.
        alone: share of steps' ends whose learned part is left out, so that text alone must tell.

    Example:
        >>> ring = Triples.of([(f"p{n}", "next", f"p{(n + 1) % 12}") for n in range(12)])
        >>> model = TextGraph(size=16, hidden=32, epochs=200).fit(ring, np.eye(12, dtype=np.float32))
        >>> ring.entities[int(model.scores(ring.entity_number["p3"], 0).argmax())]
        'p4'
    """

    def __init__(
        self,
        *,
        size: int = 128,
        hidden: int = 512,
        epochs: int = 8,
        seconds: float | None = None,
        batch: int = 512,
        rate: float = 1e-3,
        seed: int = 0,
        alone: float = 0.5,
    ) -> None:
        self.size, self.hidden, self.epochs, self.seconds = size, hidden, epochs, seconds
        self.batch, self.rate, self.seed, self.alone = batch, rate, seed, alone
        self.triples: Triples
        self.text: Tensor
        self.place: Tensor
        self.network: _Network

    def fit(self, triples: Triples, text: Floats, progress: Progress = silent) -> Self:
        """Learn from triples and the vectors of all entities' names, (entities, d).

        Raises:
            KgmmError: if there is not one vector an entity.
        """
        if len(text) != len(triples.entities):
            raise KgmmError(f"{len(triples.entities)} entities need as many vectors, not {len(text)}")
        self._learn(triples, text, progress)
        self.place[torch.from_numpy(triples.degree == 0)] = 0  # nothing was learned of these but that no step had them
        return self

    def _learn(self, triples: Triples, text: Floats, progress: Progress) -> None:
        self.triples, self.text = triples, torch.from_numpy(np.ascontiguousarray(text, np.float32)) * SCALE
        rng = torch.Generator().manual_seed(self.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = _Network(text.shape[1], self.size, self.hidden, triples.questions)
        self.place = torch.zeros(len(triples.entities), self.size)
        rows = Rows(self.place, 0.02)
        given, relation, answer = map(torch.from_numpy, triples.asked(triples.rows))
        often = torch.from_numpy(triples.degree).float() / len(given)
        steps, began = -(-len(given) // self.batch), time.monotonic()
        whole = self.epochs * steps
        adam = torch.optim.Adam(self.network.parameters(), self.rate)
        for epoch in range(self.epochs):
            order = torch.randperm(len(given), generator=rng)
            for step in range(steps):
                if self.seconds is not None and time.monotonic() - began > self.seconds:
                    return
                left = 1 - (epoch * steps + step) / whole
                for group in adam.param_groups:
                    group["lr"] = self.rate * (0.02 + 0.98 * left)
                part = order[step * self.batch : (step + 1) * self.batch]
                adam.zero_grad()
                self._step(rows, given[part], relation[part], answer[part], often, rng)
                adam.step()
                progress(epoch * steps + step + 1, whole, "steps")

    def restore(self, triples: Triples, text: Floats, network: dict[str, Tensor], place: Tensor) -> Self:
        """Take what was learned before: the network's state and the learned parts (entities, size)."""
        self.triples, self.text, self.place = (
            triples,
            torch.from_numpy(np.ascontiguousarray(text, np.float32)) * SCALE,
            place,
        )
        self.network = _Network(text.shape[1], self.size, self.hidden, triples.questions)
        self.network.load_state_dict(network)
        return self

    def _step(
        self, rows: Rows, given: Tensor, relation: Tensor, answer: Tensor, often: Tensor, rng: torch.Generator
    ) -> None:
        entities, m = len(self.text), len(given)
        drawn = torch.randint(entities, (DRAWN,), generator=rng) if entities > DRAWN else torch.arange(entities)
        others, right = torch.unique(torch.cat([answer, drawn]), return_inverse=True)
        named, at = torch.unique(torch.cat([given, others]), return_inverse=True)
        place = rows.take(named)
        keep = (torch.rand(2, max(m, len(others)), generator=rng) >= self.alone).float()
        question = self.network.question(self.text[given], place[at[:m]] * keep[0, :m, None], relation)
        answers = self.network.answer(self.text[others]) + place[at[m:]] * keep[1, : len(others), None]
        score = question @ answers.T
        if entities > DRAWN:
            score = score - (m * often[others] + DRAWN / entities).log()
        error = loss(score, right[:m])
        error.backward()  # type: ignore[no-untyped-call]
        rows.step(named, place)

    def scores(self, entity: int | Ints, relation: int | Ints) -> Floats:
        """Return (entities,) scores of all answers to a question, or (m, entities) to several."""
        e, r = (np.atleast_1d(np.asarray(part, np.int64)) for part in (entity, relation))
        found: Floats = (self.asked(e, r) @ self.answers().T).numpy()
        return found[0] if np.ndim(entity) == 0 else found

    def asked(self, entity: Ints, relation: Ints, text: Floats | None = None) -> Tensor:
        """Return the vectors of questions, (m, size); with *text* (m, d) of entities never seen, named by their text alone."""
        r = torch.from_numpy(np.asarray(relation, np.int64))
        with one_thread(), torch.no_grad():
            if text is not None:
                return self.network.question(torch.from_numpy(text) * SCALE, torch.zeros(len(text), self.size), r)
            e = torch.from_numpy(np.asarray(entity, np.int64))
            return self.network.question(self.text[e], self.place[e], r)

    def answers(self) -> Tensor:
        """Return the vectors of all entities as answers, (entities, size)."""
        with torch.no_grad():
            found: Tensor = self.network.answer(self.text) + self.place
        return found
