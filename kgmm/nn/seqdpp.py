"""Sequential determinantal point process: a film's summary drawn segment by segment, each shot unlike the last ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

#: added to the kernel's diagonal, so that sets larger than its rank keep a finite log-determinant
JITTER = 1e-6

#: the largest segment whose subsets are all tried (2^10); longer ones are filled greedily
EXHAUSTIVE = 10


def log_det(kernel: Tensor, items: Sequence[int]) -> Tensor:
    """Log-determinant of the kernel's rows and columns *items*; 0 for no items (det of the empty matrix is 1)."""
    if not items:
        return kernel.new_zeros(())
    at = torch.as_tensor(list(items), device=kernel.device)
    value: Tensor = torch.linalg.slogdet(kernel[at][:, at]).logabsdet
    return value


def log_factor(kernel: Tensor, chosen: Sequence[int], segment: Sequence[int], before: Sequence[int]) -> Tensor:
    """Log-probability of *chosen* out of *segment* when *before* was chosen out of the previous one.

    log det L[before + chosen] - log det(L[before + segment] + I), I being 1 on the segment and 0 on *before*.

    Args:
        kernel: (n, n), positive definite, float64.
        chosen: rows taken, all of them in *segment*.
        segment: rows on offer, none of them in *before*.
        before: rows taken from the previous segment.

    Source: Gong et al., Diverse sequential subset selection, NIPS 2014.
    """
    ground = [*before, *segment]
    at = torch.as_tensor(ground, device=kernel.device)
    offered = torch.ones(len(ground), dtype=kernel.dtype, device=kernel.device)
    offered[: len(before)] = 0
    normalizer: Tensor = torch.linalg.slogdet(kernel[at][:, at] + torch.diag(offered)).logabsdet
    return log_det(kernel, [*before, *chosen]) - normalizer


class SeqDPP(nn.Module):
    """Kernel L = z zᵀ with z = W f, or z = W tanh(U f), over the shots of one film.

    Args:
        in_dim: numbers per shot.
        rank: rows of W: the most shots that one step can hold apart.
        hidden: rows of U; 0 for the linear kernel.

    Shapes:
        features (n, in_dim), kernel (n, n) in float64.

    Source: Gong et al., Diverse sequential subset selection, NIPS 2014.
    """

    def __init__(self, in_dim: int, rank: int = 32, hidden: int = 0) -> None:
        super().__init__()
        self.inner = nn.Linear(in_dim, hidden, bias=False, dtype=torch.float64) if hidden else None
        self.outer = nn.Linear(hidden or in_dim, rank, bias=False, dtype=torch.float64)

    def forward(self, features: Tensor) -> Tensor:
        """The film's kernel (n, n), with JITTER on its diagonal."""
        z = features.double()
        if self.inner is not None:
            z = torch.tanh(self.inner(z))
        z = self.outer(z)
        kernel: Tensor = z @ z.T + JITTER * torch.eye(len(z), dtype=z.dtype, device=z.device)
        return kernel

    def loss(self, features: Tensor, summary: Sequence[int], length: int = EXHAUSTIVE) -> Tensor:
        """Negative log-likelihood of a film's summary (its shots' numbers), segments being *length* shots long."""
        kernel: Tensor = self(features)
        wanted, before = set(summary), list[int]()
        total = kernel.new_zeros(())
        for start in range(0, len(features), length):
            segment = list(range(start, min(start + length, len(features))))
            chosen = [shot for shot in segment if shot in wanted]
            total = total - log_factor(kernel, chosen, segment, before)
            before = chosen
        return total

    @torch.no_grad()
    def summary(self, features: Tensor, length: int = EXHAUSTIVE) -> list[int]:
        """The likeliest shots from left to right, each segment given what was taken from the one before it."""
        kernel, taken, before = self(features), list[int](), list[int]()
        for start in range(0, len(features), length):
            segment = list(range(start, min(start + length, len(features))))
            before = likeliest(kernel, segment, before)
            taken += before
        return taken


def likeliest(kernel: Tensor, segment: Sequence[int], before: Sequence[int]) -> list[int]:
    """The subset of *segment* of largest determinant with *before*: exact up to EXHAUSTIVE shots, then greedy."""
    if len(segment) <= EXHAUSTIVE:
        subsets = (list(some) for size in range(len(segment) + 1) for some in combinations(segment, size))
        return max(subsets, key=lambda some: float(log_det(kernel, [*before, *some])))
    chosen: list[int] = []
    value = float(log_det(kernel, before))
    while rest := [shot for shot in segment if shot not in chosen]:
        best = max(rest, key=lambda shot: float(log_det(kernel, [*before, *chosen, shot])))
        gained = float(log_det(kernel, [*before, *chosen, best]))
        if gained <= value:
            break
        chosen, value = [*chosen, best], gained
    return sorted(chosen)
