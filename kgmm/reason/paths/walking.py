"""What a policy sees where walks are: the ways there with their features, as tensors; the same in training and in answering."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmm.encode.nearness import guessed_vectors
from kgmm.nn.path_policy import FEATURES, PathPolicy
from kgmm.reason.paths.roads import STOP, Ids, Names, Roads, Ways

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Asked:
    """Questions: where each begins, the relation's code, and whether what statements answer at once is hidden."""

    start: Ids
    code: Ids
    hidden: Mask

    def take(self, at: Ids) -> Asked:
        """Return some of the questions, also several times."""
        return Asked(self.start[at], self.code[at], self.hidden[at])


@dataclass
class Walks:
    """Where walks are: ``been`` (n, steps + 1) nodes, the start first; ``history`` (n, size) of the policy; which have ended."""

    been: Ids
    history: Tensor
    ended: Mask

    @property
    def node(self) -> Ids:
        """Where each walk is."""
        return self.been[:, -1]


@dataclass(frozen=True)
class Options:
    """The ways from where walks are, (n, k) each: relation codes (:data:`STOP` first), targets, the statements' ends, which are there."""

    code: Ids
    target: Ids
    subject: Ids
    object: Ids
    there: Mask
    ways: tuple[Tensor, Tensor]  #: embedded relations and targets, (n, k, size)


class Walker:
    """A policy on a store.

    Args:
        policy: that chooses.
        relations: number of each relation that the policy has learned from.
        roads: what it walks on.
        names: vectors of names.
    """

    def __init__(self, policy: PathPolicy, relations: Mapping[str, int], roads: Roads, names: Names) -> None:
        self.policy, self.relations, self.roads, self.names = policy, relations, roads, names
        self._spoken: dict[int, NDArray[np.float32]] = {}
        self._looks: dict[tuple[int, int, int, bool], tuple[Ways, NDArray[np.float32], Mask]] = {}

    def begin(self, asked: Asked) -> Walks:
        """Return the walks of questions, none of which has gone anywhere."""
        n = len(asked.start)
        return Walks(asked.start[:, None], self.policy.begin(n), np.zeros(n, bool))

    def choose(self, asked: Asked, walks: Walks) -> tuple[Tensor, Options]:
        """Return log-probabilities of the ways from where walks are, (n, k), and the ways."""
        step, n = walks.been.shape[1] - 1, len(walks.been)
        looks = [
            self._look(*one)
            for one in zip(*(x.tolist() for x in (asked.start, asked.code, walks.node, asked.hidden)), strict=True)
        ]
        k = 1 + max(len(ways.code) for ways, _, _ in looks)
        code, target, subject, object_ = (np.full((n, k), STOP, np.int64) for _ in range(4))
        features, there = np.zeros((n, k, FEATURES), np.float32), np.zeros((n, k), bool)
        target[:, 0] = walks.node
        for i, (ways, told, open_) in enumerate(looks):
            m = len(ways.code)
            code[i, 1 : m + 1], target[i, 1 : m + 1] = ways.code, ways.target
            subject[i, 1 : m + 1], object_[i, 1 : m + 1] = ways.subject, ways.object
            features[i, : m + 1], there[i, 1 : m + 1] = told, open_
        for been in walks.been.T:
            there &= target != been[:, None]
        if walks.ended.any():
            there[walks.ended] = False
        there[:, 0] = walks.ended | (step > 0) | ~there.any(1)
        target[~there] = np.broadcast_to(walks.node[:, None], target.shape)[~there]
        known, at = np.unique(np.concatenate([asked.start, target.ravel()]), return_inverse=True)
        raw = torch.from_numpy(self.names.vectors(known))
        embedded = self.policy.node(raw)
        starts, ends = torch.from_numpy(at[:n]), torch.from_numpy(at[n:].reshape(n, k))
        begun, of = torch.unique(starts, return_inverse=True)
        told_ = torch.from_numpy(features)
        told_[:, :, 4] = torch.gather((raw[begun] @ raw.T)[of], 1, ends)
        spoken, which = np.unique(np.concatenate([asked.code, code.ravel()]), return_inverse=True)
        relation = self._relation(spoken)
        question, way = relation[which[:n]], relation[which[n:].reshape(n, k)]
        options = Options(code, target, subject, object_, there, (way, embedded[ends]))
        here = embedded[ends[:, 0]]
        logp = self.policy(
            step, question, embedded[starts], walks.history, here, options.ways, told_, torch.from_numpy(there)
        )
        return logp, options

    def move(self, walks: Walks, options: Options, choice: Ids, of: Ids | None = None) -> Walks:
        """Return the walks after a choice each; with *of*, the walks that were chosen for, also several times."""
        rows = np.arange(len(choice)) if of is None else of
        way, node = (part[rows, choice] for part in options.ways)
        history = self.policy.went(walks.history[rows], way, node)
        been = np.concatenate([walks.been[rows], options.target[rows, choice][:, None]], 1)
        return Walks(been, history, walks.ended[rows] | (choice == 0))

    def _look(self, start: int, code: int, node: int, hidden: bool) -> tuple[Ways, NDArray[np.float32], Mask]:
        """Return a node's ways, their features with those of stopping first, and which are not hidden."""
        key = (start, code, node, hidden)
        if key in self._looks:
            return self._looks[key]
        ways = self.roads.ways(node)
        if node == start and not hidden:
            direct, rest = self.roads.stated(node, code), ways.take(ways.code != code)
            ways = Ways(*(np.concatenate(pair) for pair in zip(_columns(direct), _columns(rest), strict=True)))
        own = self.roads.answers(start, code) if hidden else frozenset[int]()
        told = np.zeros((1 + len(ways.code), FEATURES), np.float32)
        told[1:, 0], told[1:, 1], told[1:, 2] = np.log1p(ways.weight), ways.code == code, ways.code == code ^ 1
        told[0, 3] = 1
        count = np.array([self.roads.count(code, one) for one in (node, *ways.target.tolist())], np.float32)
        if own:
            count -= np.array([one in own for one in (node, *ways.target.tolist())])
        told[:, 5] = np.log1p(np.maximum(count, 0))
        open_ = np.ones(len(ways.code), bool)
        if hidden and node == start:
            open_ = ways.code != code
        if len(self._looks) > 100_000:
            self._looks.clear()
        self._looks[key] = ways, told, open_
        return self._looks[key]

    def _relation(self, codes: Ids) -> Tensor:
        """Return embedded relations of codes, (c, size)."""
        numbers = []
        for code in codes.tolist():
            name = self.roads.store.terms.name(code >> 1) if code != STOP else ""
            if code not in self._spoken:
                said = [spoken(name)] if name else []
                self._spoken[code] = guessed_vectors(said)[0] if said else np.zeros(384, np.float32)
            numbers.append(self.relations.get(name, 0) if name else 1)
        vectors = torch.from_numpy(np.stack([self._spoken[code] for code in codes.tolist()]))
        turned = torch.from_numpy(np.where(codes == STOP, 0, codes & 1))
        return self.policy.relation(vectors, torch.tensor(numbers), turned)


def spoken(relation: str) -> str:
    """Return a relation's name as words.

    >>> spoken("UsedFor"), spoken("location_of")
    ('used for', 'location of')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_|/", " ", relation).strip().lower()


def _columns(ways: Ways) -> tuple[NDArray[np.generic], ...]:
    return ways.code, ways.target, ways.weight, ways.subject, ways.object
