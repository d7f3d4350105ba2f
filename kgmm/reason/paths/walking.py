"""What a policy sees where walks are: the ways there with their features, as tensors; the same in training and in answering."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from kgmm.encode.nearness import guessed_vectors
from kgmm.nn.path_policy import FEATURES, HOPS, PathPolicy
from kgmm.reason.paths.roads import STOP, Ids, Names, Roads
from kgmm.reason.paths.rows import Rows

Mask = NDArray[np.bool_]
ALL = -1  #: as an answer: every statement that answers the question is hidden
OTHERS = -2  #: as an answer: nothing is hidden, and walks do not end at what is stated


@dataclass(frozen=True)
class Asked:
    """Questions.

    Args:
        start, code: where each begins, and the relation's code.
        hidden: whether what statements answer at once is hidden.
        answer: of hidden ones, a node if only the statement that gives it is hidden, walks not ending at what else is stated;
            :data:`OTHERS` if nothing is hidden and they do not end at what is stated; :data:`ALL`, the default, if all is.
    """

    start: Ids
    code: Ids
    hidden: Mask
    answer: Ids | None = None

    def take(self, at: Ids) -> Asked:
        """Return some of the questions, also several times."""
        return Asked(self.start[at], self.code[at], self.hidden[at], None if self.answer is None else self.answer[at])

    @property
    def sought(self) -> Ids:
        """The answers, :data:`ALL` where none is given."""
        return np.full(len(self.start), ALL, np.int64) if self.answer is None else self.answer


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
    tables: tuple[Tensor, Tensor]  #: embedded relations and nodes
    ways: tuple[Tensor, Tensor]  #: rows of those tables, (n, k) each
    nodes: Ids  #: term ids of the embedded nodes


class Walker:
    """A policy on a store.

    Args:
        policy: that chooses.
        relations: number of each relation that the policy has learned from.
        roads: what it walks on.
        names: vectors of names.
        entities: nodes that the policy has a vector of, in its order.
    """

    def __init__(
        self, policy: PathPolicy, relations: Mapping[str, int], roads: Roads, names: Names, entities: Sequence[str] = ()
    ) -> None:
        self.policy, self.relations, self.roads, self.names = policy, relations, roads, names
        self.entities = tuple(entities)
        known = roads.store.terms.ids(list(entities)).tolist() if entities else []
        self._own = {term: at for at, term in enumerate(known, 1) if term >= 0}
        self.rows = Rows(roads)
        self._spoken: dict[int, NDArray[np.float32]] = {}

    def begin(self, asked: Asked) -> Walks:
        """Return the walks of questions, none of which has gone anywhere."""
        n = len(asked.start)
        self.rows.begin()
        return Walks(asked.start[:, None], self.policy.begin(n), np.zeros(n, bool))

    def choose(self, asked: Asked, walks: Walks) -> tuple[Tensor, Options]:
        """Return log-probabilities of the ways from where walks are, (n, k), and the ways."""
        step, n = walks.been.shape[1] - 1, len(walks.been)
        rows = self.rows.rows(walks.node, asked.code, (walks.node == asked.start) & ~asked.hidden)
        laid = self.rows.laid(rows, walks.node)
        k = laid.code.shape[1]
        features = np.zeros((n, k, FEATURES), np.float32)
        features[:, :, 0] = np.log1p(laid.weight) * laid.there
        features[:, :, 1] = laid.code == asked.code[:, None]
        features[:, :, 2] = laid.code == (asked.code ^ 1)[:, None]
        features[:, 0, 3] = 1
        counts = self.rows.counts(rows, walks.node, asked.code, k)
        there = laid.there
        for been in walks.been.T:
            there &= laid.target != been[:, None]
        if walks.ended.any():
            there[walks.ended] = False
        there[:, 0] = walks.ended | (step > 0) | ~there.any(1)
        begun = np.array([self.rows.number(one) for one in asked.start.tolist()], np.int64)
        nodes, at = _used(laid.node, len(self.rows.nodes), begun)
        self._hide(asked, walks, laid.code, at, laid.target, counts, there, nodes)
        features[:, :, 5] = np.log1p(np.maximum(counts, 0))
        terms = np.array([self.rows.nodes[i] for i in nodes.tolist()], np.int64)
        raw = torch.from_numpy(self.names.vectors(terms))
        own = torch.tensor([self._own.get(term, 0) for term in terms.tolist()])
        embedded = self.policy.place(raw, own)
        ends, starts = torch.from_numpy(at), torch.from_numpy(np.searchsorted(nodes, begun))
        first, of = torch.unique(starts, return_inverse=True)
        told = torch.from_numpy(features)
        told[:, :, 4] = torch.gather((raw[first] @ raw.T)[of], 1, ends)
        asked_for = np.array([self.rows.relation(code) for code in asked.code.tolist()], np.int64)
        spoken, way = _used(laid.relation, len(self.rows.codes), asked_for)
        relation = self._relation(np.array([self.rows.codes[i] for i in spoken.tolist()], np.int64))
        question = relation[torch.from_numpy(np.searchsorted(spoken, asked_for))]
        ways = torch.from_numpy(way), ends
        here = embedded[ends[:, 0]]
        logp = self.policy(
            *(step, question, embedded[starts], walks.history, here, (relation, embedded), ways, told),
            torch.from_numpy(there),
        )
        options = Options(laid.code, laid.target, laid.subject, laid.object, there, (relation, embedded), ways, terms)
        return logp, options

    def _hide(
        self,
        asked: Asked,
        walks: Walks,
        code: Ids,
        at: Ids,
        target: Ids,
        counts: NDArray[np.float32],
        there: Mask,
        nodes: Ids,
    ) -> None:
        """Close the ways that a question must not see, and those to where it must not end; take its own statements from counts."""
        if not asked.hidden.any():
            return
        step, sought = walks.been.shape[1] - 1, asked.sought
        begins = (walks.node == asked.start) & asked.hidden
        every = asked.hidden & (sought == ALL)
        own = code == asked.code[:, None]
        there &= ~(own & (begins & every)[:, None])
        there &= ~(own & begins[:, None] & (target == sought[:, None]))
        keys, of = np.unique(np.stack([asked.start, asked.code], 1), axis=0, return_inverse=True)
        number = {node: i for i, node in enumerate(nodes.tolist())}
        stated = np.zeros((len(keys), len(nodes)), bool)
        for i, (start, relation) in enumerate(keys.tolist()):
            given = (self.rows.number(one) for one in self.roads.answers(start, relation))
            stated[i, [number[one] for one in given if one in number]] = True
        is_stated = stated[of.ravel()[:, None], at]
        counts -= is_stated & (every[:, None] | (asked.hidden[:, None] & (target == sought[:, None])))
        shut = is_stated & (asked.hidden & (sought != ALL) & ~walks.ended)[:, None] & (target != sought[:, None])
        if step < HOPS - 1:
            shut[:, 1:] = False
        there &= ~shut
        there[:, 0] |= ~there.any(1)

    def move(self, walks: Walks, options: Options, choice: Ids, of: Ids | None = None) -> Walks:
        """Return the walks after a choice each; with *of*, the walks that were chosen for, also several times."""
        rows = np.arange(len(choice)) if of is None else of
        way, node = (
            table[part[torch.from_numpy(rows), torch.from_numpy(choice)]]
            for table, part in zip(options.tables, options.ways, strict=True)
        )
        history = self.policy.went(walks.history[torch.from_numpy(rows)], way, node)
        been = np.concatenate([walks.been[rows], options.target[rows, choice][:, None]], 1)
        return Walks(been, history, walks.ended[rows] | (choice == 0))

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


def _used(numbers: Ids, count: int, also: Ids) -> tuple[Ids, Ids]:
    """Return the numbers that are used, ascending, and the place of each of *numbers* among them.

    >>> _used(np.array([[4, 2], [2, 2]]), 6, np.array([1]))[0].tolist()
    [1, 2, 4]
    """
    used = np.zeros(count, bool)
    used[numbers] = used[also] = True
    place = np.cumsum(used) - 1
    return np.flatnonzero(used), place[numbers]


def numbers(values: Ids) -> tuple[Ids, Ids]:
    """Return the distinct values, ascending, and the place of each among them, as ``np.unique`` but without a sort where they are small.

    >>> numbers(np.array([7, -1, 7]))[1].tolist()
    [1, 0, 1]
    """
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if high - low > 16 * len(values) + 4096:
        found, at = np.unique(values, return_inverse=True)
        return found, at
    used, at = _used(values - low, high - low + 1, np.empty(0, np.int64))
    return used + low, at


def spoken(relation: str) -> str:
    """Return a relation's name as words.

    >>> spoken("UsedFor"), spoken("location_of")
    ('used for', 'location of')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_|/", " ", relation).strip().lower()
