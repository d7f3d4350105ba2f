"""The statements under a view: which relation joins which nodes, in which direction, how strongly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.errors import BadInput
from kgmm.graph.names import NodeNames

LEAST, MOST = np.float32(1e-15), np.float32(1e15)  #: what a weight may be


@dataclass(frozen=True)
class Statements:
    """Columns of m statements between nodes given by position, in the narrowest integers that hold them."""

    subject: NDArray[np.int32]
    object: NDArray[np.int32]
    relation: NDArray[np.integer]
    weight: NDArray[np.floating]
    relations: tuple[str, ...]
    #: term ids of the ends as stated, (2, m), where nodes stand for several terms (a lemma for its senses)
    stated: NDArray[np.uint32] | None = None
    #: where each subject's statements begin (one more: the end), if they stand in the order of their subjects
    starts: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.subject)

    @cached_property
    def _by_subject(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        from kgmm.graph.grouped import grouped

        return grouped(self.subject)

    def between(self, subject: int, target: int) -> NDArray[np.int64]:
        """Return the statements that say something of *subject* about *target*, strongest first."""
        if self.starts is not None:
            first, last = self.starts[subject : subject + 2]
            rows = first + (self.object[first:last] == target).nonzero()[0]
        else:
            order, starts = self._by_subject
            rows = order[slice(*starts[subject : subject + 2])] if subject + 1 < len(starts) else order[:0]
            rows = rows[self.object[rows] == target]
        best: NDArray[np.int64] = rows if len(rows) < 2 else rows[np.argsort(-self.weight[rows], kind="stable")]
        return best

    def take(self, rows: NDArray[np.int64] | slice, nodes: NDArray[Any]) -> Statements:
        """Return some statements, in the order given, between *nodes*, which are numbered as given."""
        order = np.argsort(nodes, kind="stable")
        ascending = nodes[order]
        subject, target = (
            order[np.searchsorted(ascending, c[rows])].astype(np.int32) for c in (self.subject, self.object)
        )
        stated = self.stated
        stated = None if stated is None else stated[:, rows]
        return Statements(subject, target, self.relation[rows], self.weight[rows], self.relations, stated)

    def by_subject(self, size: int) -> Statements:
        """Return the statements in the order of their subjects, those of one as they were; *size* nodes there are."""
        from kgmm.graph.grouped import grouped

        order, found = grouped(self.subject)
        starts = np.full(size + 1, len(self), np.int64)
        starts[: len(found)] = found
        relation = self.relation if self.relation.strides[0] == 0 else self.relation[order]
        weight = self.weight if self.weight.strides[0] == 0 else self.weight[order]
        stated = None if self.stated is None else self.stated[:, order]
        ends = self.subject[order], self.object[order]
        return Statements(*ends, relation, weight, self.relations, stated, starts)


def require_positive(statements: Statements, node_names: NodeNames) -> None:
    """Raise BadInput naming the first weight outside 1e-15 to 1e15, beyond which sums and squares are 0 or infinite."""
    weight = statements.weight
    if len(weight) == 0 or (np.min(weight) >= LEAST and np.max(weight) <= MOST):
        return
    bad = int(np.flatnonzero(~((weight >= LEAST) & (weight <= MOST)))[0])
    ends = node_names.at(np.array([statements.subject[bad], statements.object[bad]]))
    raise BadInput(
        f"edge {ends[0]} -{statements.relations[statements.relation[bad]]}-> {ends[1]}",
        f"its weight is {weight[bad]}, a view needs positive finite weights from 1e-15 to 1e15; "
        "correct the fact, or leave its relation out (relations=… or relation_weights={…: 0})",
    )
