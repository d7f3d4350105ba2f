"""The policy that walks paths as a training problem: questions are a store's own facts, their answers hidden."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmm.language.names import is_literal
from kgmm.language.relations import LINKS
from kgmm.nn.path_policy import HOPS, PathPolicy
from kgmm.nn.returns import against_others, reinforce, returns, shaping
from kgmm.progress import Progress, silent
from kgmm.reason.paths.roads import FAN, Ids, Names, Roads
from kgmm.reason.paths.search import WIDTH, Reached, clues, numbered, searched
from kgmm.reason.paths.walking import Asked, Options, Walker
from kgmm.train.fit import write_json
from kgmm.train.path_potentials import FEW, Potential, potential
from kgmm.train.path_questions import MOST, questions_of

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

DEFAULTS = (5, 64, 1e-3, 1e-4)  #: epochs, batch, rate, weight decay
DEV = 200  #: questions kept apart at most, and at most a tenth of all
#: settings where nodes are few, that did best on the valid rows of UMLS
OF_FEW: dict[str, Any] = {
    "one": True,
    "learned": True,
    "fan": 400,
    "width": 200,
    "walks": 16,
    "size": 64,
    "lead": 1.0,
    "alone": 0.0,
    "most": 10**6,
    "dev": 100,
}
NEVER = -1e9  #: log of the probability of what cannot be
SHOWN = 0.25  #: share of questions whose stated answers are not hidden, so that what is stated is said


def _drawn(probability: Tensor) -> Tensor:
    """Return a way of each row (n, k) drawn by its probability, (n, 1): in a fraction of ``torch.multinomial``'s time."""
    upto = probability.cumsum(1)
    return torch.searchsorted(upto, (1 - torch.rand(len(upto), 1)) * upto[:, -1:])


def _among(options: Options, near: Sequence[Ids], of: Ids) -> NDArray[np.bool_]:
    """Return which targets (n, m) are among those near their walk's aim."""
    table = np.stack([np.isin(options.nodes, one) for one in near])
    found: NDArray[np.bool_] = table[of[:, None], options.ways[1].numpy()]
    return found


class PathProblem:
    """A policy's walks on a store, for :func:`kgmm.train.fit.fit`: guided to the answer, then on its own, rewarded where it ends right.

    *Guided* walks (:meth:`guided`) are led to the answer and count by how likely the policy would have gone there by itself, so that
    the gradient is that of the log-probability of the answer; the policy's *own* walks (:meth:`own`) are REINFORCE's, rewarded by 1
    if they end at what is held for the question (:meth:`kgmm.reason.paths.roads.Roads.held`).

    Its figures, on questions kept apart: ``hits@1`` and ``mrr`` of the first right answer, ``reached``, the share of questions with a
    right one among the ends found; ``shown``, ``hits@1`` where nothing is hidden; ``reward``, the mean of the last epoch's walks.

    Args:
        store: whose facts are learned from.
        exclude: facts that do not exist, kept for tests.
        potential: shapes the rewards; None for none.
        one: whether a question has one answer, the only one hidden, rather than all that is stated, all hidden.
        walks: of each question and step.
        lead, alone: weights of the guided walks' loss and of the policy's own walks'.
        gamma, credit: discount, and λ of :func:`kgmm.nn.returns.returns`.
        entropy: weight of the policy's entropy.
        dev: questions to judge by; drawn of the store's by default.
    """

    metric = "mrr"

    def __init__(
        self,
        store: LocalStore,
        data: str,
        *,
        exclude: Sequence[Key] = (),
        potential: Callable[[Roads, Asked], Potential] | None = None,
        shape: str = "none",
        one: bool = False,
        fan: int = FAN,
        walks: int = 12,
        lead: float = 0.0,
        alone: float = 1.0,
        gamma: float = 1.0,
        credit: float = 1.0,
        entropy: float = 0.06,
        width: int = WIDTH,
        size: int = 48,
        dropout: float = 0.0,
        learned: bool = False,
        most: int = MOST,
        dev: int = DEV,
        seed: int = 0,
    ) -> None:
        self.walks, self.gamma, self.credit, self.entropy = walks, gamma, credit, entropy
        self.lead, self.alone, self.width = lead, alone, width
        self.roads = Roads(store, None, exclude, fan)
        every = questions_of(store, self.roads, exclude, most, seed, one)
        order = np.random.default_rng(seed).permutation(len(every.start))
        apart = min(dev, len(order) // 10)
        self.dev, self.asked = every.take(order[:apart]), every.take(order[apart:])
        self.size = len(self.asked.start)
        columns = store.columns(store.knowledge_graphs())
        used = np.unique(columns.predicate).tolist()
        relations = [store.terms.name(p) for p in used if store.terms.name(p) not in LINKS]
        ends = np.unique(np.concatenate([columns.subject, columns.object])) if learned else np.empty(0, np.int64)
        entities = [name for name in store.terms.names(ends) if not is_literal(name)]
        torch.manual_seed(seed)
        self.model = PathPolicy(len(relations), size=size, entities=len(entities), dropout=dropout)
        self.walker = Walker(self.model, numbered(relations), self.roads, Names(store), entities)
        self.potential = potential(self.roads, self.asked) if potential is not None else None
        self.config: dict[str, Any] = {"name": "paths", "data": data, "seed": seed, "network": self.model.settings}
        self.config |= {"shaping": shape, "walks": walks, "gamma": gamma, "credit": credit, "entropy": entropy}
        self.config |= {"one": one, "fan": fan, "width": width, "lead": lead, "alone": alone}
        self.config["about"] = (
            "A policy that walks at most three facts to the answer of a question; REINFORCE (MINERVA)."
        )
        self.vocabulary: dict[str, Any] = {"relations": relations, "entities": entities}
        self.rewards: list[float] = []

    def loss(self, rows: Tensor) -> Tensor:
        """Return the loss of walks of training questions *rows*."""
        which = rows.cpu().numpy()
        found = torch.zeros(())
        if self.lead:
            found = found + self.lead * self.guided(which)
        if self.alone:
            found = found + self.alone * self.own(which)
        return found

    def guided(self, rows: Ids) -> Tensor:
        """Return −log of the probability that walks end at their answers, estimated by walks that are led there (:meth:`led`).

        Its gradient is that of the walks' log π, each weighted by its share of π / q (importance sampling).
        """
        aim = self._aims(rows)
        asked = self.asked.take(np.repeat(rows, self.walks))
        total, weight = (part.view(-1, self.walks) for part in self.led(asked, np.repeat(aim, self.walks)))
        found = (weight > NEVER).any(1).float()
        share = weight.softmax(1) * found[:, None]
        return -(share * total).sum() / found.sum().clamp_min(1)

    def led(self, asked: Asked, aim: Ids) -> tuple[Tensor, Tensor]:
        """Return log π and log π / q of a walk of each question that is led to its aim, (n,) each; the second :data:`NEVER` if astray.

        A led walk chooses by the policy π among the ways from which its aim can still be reached, which makes q: the mean of π / q
        is the probability that the policy ends there.
        """
        ends, of = np.unique(aim, return_inverse=True)
        near = [self.roads.ways(one).target for one in ends.tolist()]
        walks = self.walker.begin(asked)
        astray = np.zeros(len(aim), bool)
        weight, total = torch.zeros(len(aim)), torch.zeros(len(aim))
        for step in range(HOPS):
            logp, options = self.walker.choose(asked, walks)
            allowed = options.there & (options.target == aim[:, None])
            if step < HOPS - 1:
                further = options.there & ~walks.ended[:, None] & (walks.node != aim)[:, None]
                if step == HOPS - 2:
                    further &= _among(options, near, of)
                further[:, 0] = False
                allowed |= further
            astray |= ~allowed.any(1)
            allowed[astray] = options.there[astray]
            leads = logp.detach().masked_fill(~torch.from_numpy(allowed), NEVER).log_softmax(1)
            choice = _drawn(leads.exp())
            taken = logp.gather(1, choice)[:, 0]
            total = total + taken
            weight = weight + taken.detach() - leads.gather(1, choice)[:, 0]
            walks = self.walker.move(walks, options, choice[:, 0].numpy())
        return total, weight.masked_fill(torch.from_numpy(astray), NEVER)

    def _aims(self, rows: Ids) -> Ids:
        asked = self.asked.take(rows)
        if asked.answer is not None:
            return asked.answer
        held = [sorted(self.roads.held(s, c)) for s, c in zip(asked.start.tolist(), asked.code.tolist(), strict=True)]
        drawn = torch.rand(len(rows)).tolist()
        return np.array([ends[int(u * len(ends))] for ends, u in zip(held, drawn, strict=True)], np.int64)

    def own(self, rows: Ids) -> Tensor:
        """Return REINFORCE's loss of the policy's own walks of questions, less their entropy."""
        n, k = len(rows), self.walks
        which = np.repeat(rows, k)
        asked = self.asked.take(which)
        if asked.answer is None:
            shown = torch.rand(n).numpy() < SHOWN
            asked = Asked(asked.start, asked.code, ~np.repeat(shown, k))
        walks = self.walker.begin(asked)
        taken, spread, alive, at = [], [], [], [walks.node]
        for _ in range(HOPS):
            logp, options = self.walker.choose(asked, walks)
            going = torch.from_numpy(~walks.ended).float()
            choice = _drawn(logp.detach().exp())
            taken.append(logp.gather(1, choice)[:, 0] * going)
            there = torch.from_numpy(options.there)
            spread.append(-(logp.exp() * logp.masked_fill(~there, 0.0)).sum(1) * going)
            alive.append(going)
            walks = self.walker.move(walks, options, choice[:, 0].numpy())
            at.append(walks.node)
        ended = [~a.bool().numpy() for a in alive[1:]] + [np.ones(len(which), bool)]
        right = self._right(asked, walks.node)
        rewards = torch.zeros(len(which), HOPS)
        last = torch.stack(alive).sum(0).long() - 1
        rewards[torch.arange(len(which)), last] = torch.from_numpy(right)
        self.rewards.append(float(right.mean()))
        if self.potential is not None:
            phi = np.stack(
                [self._phi(which, asked, nodes, over) for nodes, over in zip(at, [None, *ended], strict=True)], 1
            )
            rewards = rewards + shaping(torch.from_numpy(phi), self.gamma) * torch.stack(alive, 1)
        gained = returns(rewards, self.gamma, self.credit).view(n, k, HOPS)
        advantage = against_others(gained).reshape(n * k, HOPS)
        entropy = torch.stack(spread).sum() / torch.stack(alive).sum()
        return reinforce(torch.stack(taken, 1), advantage) - self.entropy * entropy

    def _right(self, asked: Asked, nodes: Ids) -> NDArray[np.float32]:
        if asked.answer is not None:
            return np.asarray(nodes == asked.answer, np.float32)
        triples = zip(asked.start.tolist(), asked.code.tolist(), nodes.tolist(), strict=True)
        return np.array([e != s and e in self.roads.held(s, c) for s, c, e in triples], np.float32)

    def _phi(self, which: Ids, asked: Asked, nodes: Ids, over: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        assert self.potential is not None
        found = self.potential(which, asked.code, nodes)
        return found if over is None else np.where(over, np.float32(0), found)

    def evaluate(self) -> dict[str, float]:
        """Return figures of the questions kept apart."""
        hidden = self.places(self.dev)
        shown = self.places(Asked(self.dev.start, self.dev.code, np.zeros(len(self.dev.start), bool)))
        figures = {"mrr": float((1 / hidden).mean()), "hits@1": float((hidden == 1).mean())}
        figures |= {"reached": float(np.isfinite(hidden).mean()), "shown": float((shown == 1).mean())}
        figures["reward"] = float(np.mean(self.rewards)) if self.rewards else 0.0
        self.rewards.clear()
        return figures

    def _right_answers(self, asked: Asked, q: int) -> frozenset[int]:
        if asked.answer is not None and asked.hidden[q]:
            return frozenset([int(asked.answer[q])])
        return self.roads.held(int(asked.start[q]), int(asked.code[q]))

    def found(self, asked: Asked, together: int = 32) -> list[list[Reached]]:
        """Return where the policy's likeliest walks of questions end."""
        parts = [np.arange(low, min(low + together, len(asked.start))) for low in range(0, len(asked.start), together)]
        return [one for part in parts for one in searched(self.walker, asked.take(part), self.width)]

    def places(self, asked: Asked) -> NDArray[np.float64]:
        """Return the place of the first right answer of each question, infinite where none is found."""
        places = np.full(len(asked.start), np.inf)
        for q, reached in enumerate(self.found(asked)):
            answers = self._right_answers(asked, q)
            places[q] = next((at for at, one in enumerate(reached, 1) if one.answer in answers), np.inf)
        return places

    def write(self, folder: Path) -> None:
        """Write the weights of certainty into the config: a logistic of the first three answers of questions kept apart."""
        x, y = [], []
        for hidden in (True, False):
            asked = self.dev if hidden else Asked(self.dev.start, self.dev.code, np.zeros(len(self.dev.start), bool))
            for q, reached in enumerate(self.found(asked)):
                answers = self._right_answers(asked, q)
                x += [clues(one) for one in reached[:3]]
                y += [one.answer in answers for one in reached[:3]]
        weights = logistic(np.array(x, np.float64).reshape(-1, 5), np.array(y, np.float64))
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        write_json(folder / "config.json", {**config, "certainty": [round(float(w), 6) for w in weights]})


def logistic(x: NDArray[np.float64], y: NDArray[np.float64], ridge: float = 1.0) -> NDArray[np.float64]:
    """Return the weights of a logistic regression, by Newton's method.

    >>> w = logistic(np.array([[0.0, 1], [1, 1], [2, 1], [3, 1]] * 20), np.array([0.0, 0, 1, 1] * 20))
    >>> bool(w[0] > 0 > w[1])
    True
    """
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (p - y) + ridge * w
        bend = (x * (p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        w -= np.linalg.solve(bend, slope)
    return w


def path_problem(
    store: LocalStore, data: str, shape: str = "text", progress: Progress = silent, **settings: Any
) -> PathProblem:
    """Return the problem of a store with a potential by name (:data:`kgmm.train.path_potentials.POTENTIALS`).

    Where the store has few nodes, each is learned by itself (:data:`OF_FEW`), and one statement is hidden at a time; led walks alone
    have no rewards to shape.
    """
    columns = store.columns(store.knowledge_graphs())
    few = len(np.unique(np.concatenate([columns.subject, columns.object]))) <= FEW
    chosen = {**(OF_FEW if few else {}), **settings}
    if not chosen.get("alone", 1.0):
        shape = "none"
    return PathProblem(store, data, potential=potential(shape, progress), shape=shape, **chosen)
