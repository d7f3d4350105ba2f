"""Products along edges that hold no row an edge: a graph's edges as compressed rows, both ways, and what layers need of them.

PyG's ``MessagePassing`` writes and reads a row an edge several times a layer: QA-GNN over 1,000 graphs of 200 nodes takes
twice as long with it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)


@dataclass
class EdgeRows:
    """Edges from E rows of one matrix, of n rows, to rows of another, of m rows, sorted by the former and by the latter."""

    starts: Tensor  #: (n + 1,) where each row's edges begin, once they are in *order*
    to: Tensor  #: (E,) their other ends
    order: Tensor  #: (E,) the edges by row
    back: EdgeRows | None = None  #: the same edges from their other ends

    @classmethod
    def of(cls, rows: Tensor, others: Tensor, n: int, m: int) -> EdgeRows:
        """Return edges given by their two ends, (E,) int64 each."""
        made, back = cls._one_way(rows, others, n), cls._one_way(others, rows, m)
        made.back, back.back = back, made
        return made

    @classmethod
    def _one_way(cls, rows: Tensor, others: Tensor, n: int) -> EdgeRows:
        order = torch.argsort(rows, stable=True)
        starts = torch.nn.functional.pad(torch.bincount(rows, minlength=n).cumsum(0), (1, 0))
        return cls(starts, others[order], order)

    def matrix(self, values: Tensor, width: int) -> Tensor:
        """Return (n, width) with *values* (E,) at the edges' places."""
        size = len(self.starts) - 1, width
        return torch.sparse_csr_tensor(self.starts, self.to, values[self.order], size, check_invariants=False)

    def dots(self, a: Tensor, b: Tensor) -> Tensor:
        """Return a_row · b_other of every edge: a (n, D), b (m, D) → (E,)."""
        at = self.matrix(a.new_zeros(len(self.to)), len(b))
        found = torch.sparse.sampled_addmm(at, a.contiguous(), b.t(), beta=0.0).values()
        return torch.empty_like(found).index_copy(0, self.order, found)

    def sums(self, values: Tensor, b: Tensor) -> Tensor:
        """Return the sum of value × b_other over each row's edges: values (E,), b (m, D) → (n, D)."""
        return self.matrix(values, len(b)) @ b.contiguous()

    @property
    def turned(self) -> EdgeRows:
        """The same edges from their other ends."""
        if self.back is None:
            raise ValueError("edges made one way only; use EdgeRows.of")
        return self.back


class _Dots(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, edges: EdgeRows) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.edges = edges
        return edges.dots(a, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        a, b = ctx.saved_tensors
        return ctx.edges.sums(grad, b), ctx.edges.turned.sums(grad, a), None


class _Sums(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, b: Tensor, edges: EdgeRows) -> Tensor:
        ctx.save_for_backward(values, b)
        ctx.edges = edges
        return edges.sums(values, b)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        values, b = ctx.saved_tensors
        return ctx.edges.dots(grad, b), ctx.edges.turned.sums(values, grad), None


def dots(a: Tensor, b: Tensor, edges: EdgeRows) -> Tensor:
    """Return the products of the rows that edges join: a (n, D), b (m, D) → (E,).

    >>> edges = EdgeRows.of(torch.tensor([1, 0, 1]), torch.tensor([0, 0, 1]), 2, 2)
    >>> dots(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.eye(2), edges).tolist()
    [3.0, 1.0, 4.0]
    """
    return _Dots.apply(a, b, edges)  # type: ignore[no-any-return, no-untyped-call]


def sums(values: Tensor, b: Tensor, edges: EdgeRows) -> Tensor:
    """Return weighted sums of the rows that edges lead to: values (E,), b (m, D) → (n, D).

    >>> edges = EdgeRows.of(torch.tensor([1, 0, 1]), torch.tensor([0, 0, 1]), 2, 2)
    >>> sums(torch.tensor([1.0, 2.0, 3.0]), torch.eye(2), edges).tolist()
    [[2.0, 0.0], [1.0, 3.0]]
    """
    return _Sums.apply(values, b, edges)  # type: ignore[no-any-return, no-untyped-call]
