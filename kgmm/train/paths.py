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

from kgmm.errors import KgmmError
from kgmm.language.names import is_literal
from kgmm.language.relations import DENIES, LINKS
from kgmm.nn.path_policy import HOPS, PathPolicy
from kgmm.nn.returns import against_others, reinforce, returns, shaping
from kgmm.progress import Progress, silent
from kgmm.reason.paths.roads import Ids, Names, Roads
from kgmm.reason.paths.search import Reached, clues, numbered, searched
from kgmm.reason.paths.walking import Asked, Walker
from kgmm.train.fit import write_json

if TYPE_CHECKING:
    from kgmm.retrieve import Key
    from kgmm.store import LocalStore

DEFAULTS = (5, 64, 1e-3, 1e-4)  #: epochs, batch, rate, weight decay
MOST = 600  #: facts of a relation that questions are made of
DEV = 200  #: questions kept apart at most, and at most a tenth of all
SHOWN = 0.25  #: share of questions whose stated answers are not hidden, so that what is stated is said
#: potential of a node: γ, how probable an answer it is; see :mod:`kgmm.train.path_potentials`
Potential = Callable[[Ids, Ids, Ids], NDArray[np.float32]]


def questions_of(
    store: LocalStore, roads: Roads, exclude: Sequence[Key] = (), most: int = MOST, seed: int = 0
) -> Asked:
    """Return questions (start, relation either way) of a store's general facts, at most *most* facts a relation.

    As many again are of what a thing's kinds hand down to it, so that a policy can learn to ask them.

    Raises:
        KgmmError: if there is none.
    """
    columns = store.columns(store.knowledge_graphs())
    rows = np.unique(np.stack([columns.subject, columns.predicate, columns.object], 1).astype(np.int64), axis=0)
    rng, kept = np.random.default_rng(seed), []
    names = store.terms.name
    gone = {tuple(store.terms.ids(list(key)).tolist()) for key in exclude}
    for p in np.unique(rows[:, 1]).tolist():
        if names(p) in DENIES or names(p) in LINKS:
            continue
        of = rows[rows[:, 1] == p]
        chosen = of[np.sort(rng.permutation(len(of))[:most])]
        kept += [r for r in chosen.tolist() if tuple(r) not in gone and not is_literal(names(r[2]))]
    if not kept:
        raise KgmmError(f"{store.path}: no facts between concepts that questions could be made of")
    s, p, o = np.array(kept, np.int64).T
    above = roads.code("IsA")
    handed: list[tuple[int, int]] = []
    if above is not None:
        members = {o: sorted(roads.answers(o, above + 1)) for o in np.unique(s).tolist()}
        handed = [(m, 2 * r) for kind, r in zip(s.tolist(), p.tolist(), strict=True) for m in members[kind]]
        handed = sorted({one for one in handed if roads.held(*one) - roads.answers(*one)})
        handed = [handed[i] for i in rng.permutation(len(handed))[: len(s)].tolist()]
    more = np.array(handed, np.int64).reshape(-1, 2)
    pairs = np.unique(np.concatenate([np.stack([np.r_[s, o], np.r_[2 * p, 2 * p + 1]], 1), more]), axis=0)
    return Asked(pairs[:, 0].copy(), pairs[:, 1].copy(), np.ones(len(pairs), bool))


class PathProblem:
    """REINFORCE on a store, for :func:`kgmm.train.fit.fit`.

    A walk is rewarded by 1 if it ends at what statements give for its question, all of which are hidden from it, or at what they give
    of a kind of the thing, by relations that kinds hand down (:meth:`kgmm.reason.paths.roads.Roads.held`). Its figures, on
    questions kept apart: ``hits@1`` and ``mrr`` of the first right answer, ``reached``, the share of questions with a right one
    among the ends found; ``shown``, ``hits@1`` where nothing is hidden; ``reward``, the mean of the last epoch's walks.

    Args:
        store: whose facts are learned from.
        exclude: facts that do not exist, kept for tests.
        potential: shapes the rewards; None for none.
        walks: of each question and step.
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
        walks: int = 12,
        gamma: float = 1.0,
        credit: float = 1.0,
        entropy: float = 0.06,
        size: int = 48,
        most: int = MOST,
        dev: int = DEV,
        seed: int = 0,
    ) -> None:
        self.walks, self.gamma, self.credit, self.entropy = walks, gamma, credit, entropy
        self.roads = Roads(store, None, exclude)
        every = questions_of(store, self.roads, exclude, most, seed)
        order = np.random.default_rng(seed).permutation(len(every.start))
        apart = min(dev, len(order) // 10)
        self.dev, self.asked = every.take(order[:apart]), every.take(order[apart:])
        self.size = len(self.asked.start)
        used = np.unique(store.columns(store.knowledge_graphs()).predicate).tolist()
        relations = [store.terms.name(p) for p in used if store.terms.name(p) not in LINKS]
        torch.manual_seed(seed)
        self.model = PathPolicy(len(relations), size=size)
        self.walker = Walker(self.model, numbered(relations), self.roads, Names(store))
        self.potential = potential(self.roads, self.asked) if potential is not None else None
        self.config: dict[str, Any] = {"name": "paths", "data": data, "seed": seed, "network": self.model.settings}
        self.config |= {"shaping": shape, "walks": walks, "gamma": gamma, "credit": credit, "entropy": entropy}
        self.config["about"] = (
            "A policy that walks at most three facts to the answer of a question; REINFORCE (MINERVA)."
        )
        self.vocabulary: dict[str, Any] = {"relations": relations}
        self.rewards: list[float] = []

    def loss(self, rows: Tensor) -> Tensor:
        """Return REINFORCE's loss of walks of training questions *rows*, less their entropy."""
        n, k = len(rows), self.walks
        which = np.repeat(rows.cpu().numpy(), k)
        asked = self.asked.take(which)
        shown = torch.rand(n).numpy() < SHOWN
        asked = Asked(asked.start, asked.code, ~np.repeat(shown, k))
        walks = self.walker.begin(asked)
        taken, spread, alive, at = [], [], [], [walks.node]
        for _ in range(HOPS):
            logp, options = self.walker.choose(asked, walks)
            going = torch.from_numpy(~walks.ended).float()
            choice = torch.multinomial(logp.detach().exp(), 1)
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

    def found(self, asked: Asked, together: int = 32) -> list[list[Reached]]:
        """Return where the policy's likeliest walks of questions end."""
        parts = [np.arange(low, min(low + together, len(asked.start))) for low in range(0, len(asked.start), together)]
        return [one for part in parts for one in searched(self.walker, asked.take(part))]

    def places(self, asked: Asked) -> NDArray[np.float64]:
        """Return the place of the first right answer of each question, infinite where none is found."""
        places = np.full(len(asked.start), np.inf)
        for q, reached in enumerate(self.found(asked)):
            answers = self.roads.held(int(asked.start[q]), int(asked.code[q]))
            places[q] = next((at for at, one in enumerate(reached, 1) if one.answer in answers), np.inf)
        return places

    def write(self, folder: Path) -> None:
        """Write the weights of certainty into the config: a logistic of the first three answers of questions kept apart."""
        x, y = [], []
        for hidden in (True, False):
            asked = Asked(self.dev.start, self.dev.code, np.full(len(self.dev.start), hidden))
            for q, reached in enumerate(self.found(asked)):
                answers = self.roads.held(int(asked.start[q]), int(asked.code[q]))
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
    """Return the problem of a store with a potential by name (:data:`kgmm.train.path_potentials.POTENTIALS`)."""
    from kgmm.train.path_potentials import potential

    return PathProblem(store, data, potential=potential(shape, progress), shape=shape, **settings)
