"""Sequential determinantal point process: a film's summary drawn segment by segment, each shot unlike the last ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors

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
    normalizer: Tensor = torch.linalg.slogdet(_offered(kernel, segment, before)).logabsdet
    return log_det(kernel, [*before, *chosen]) - normalizer


def marginals(kernel: Tensor, segment: Sequence[int], before: Sequence[int]) -> Tensor:
    """Probability (len(segment),) of each shot to be in what is chosen out of *segment* after *before*.

    The diagonal of I - (L[before + segment] + I)^-1 over the segment, I being 1 on the segment and 0 on *before*
    (Kulesza and Taskar, Determinantal point processes for machine learning, 2012, Eq. 2.60).
    """
    inverse: Tensor = torch.linalg.inv(_offered(kernel, segment, before)).diagonal()[len(before) :]
    return (1 - inverse).clamp(0, 1)


def _offered(kernel: Tensor, segment: Sequence[int], before: Sequence[int]) -> Tensor:
    at = torch.as_tensor([*before, *segment], device=kernel.device)
    offered = torch.ones(len(at), dtype=kernel.dtype, device=kernel.device)
    offered[: len(before)] = 0
    return kernel[at][:, at] + torch.diag(offered)


def kernel_of(z: Tensor) -> Tensor:
    """The kernel z zᵀ (n, n) of rows z (n, rank), with JITTER on its diagonal."""
    kernel: Tensor = z @ z.T + JITTER * torch.eye(len(z), dtype=z.dtype, device=z.device)
    return kernel


def steps(count: int, length: int = EXHAUSTIVE) -> list[list[int]]:
    """Return the numbers below *count* in runs of *length*.

    >>> steps(5, 2)
    [[0, 1], [2, 3], [4]]
    """
    return [list(range(a, min(a + length, count))) for a in range(0, count, length)]


def negative_log_likelihood(kernel: Tensor, summary: Sequence[int], length: int = EXHAUSTIVE) -> Tensor:
    """Negative log-likelihood of a summary (its shots' numbers), segments being *length* shots long."""
    wanted, before = set(summary), list[int]()
    total = kernel.new_zeros(())
    for segment in steps(len(kernel), length):
        chosen = [shot for shot in segment if shot in wanted]
        total = total - log_factor(kernel, chosen, segment, before)
        before = chosen
    return total


@torch.no_grad()
def drawn(kernel: Tensor, length: int = EXHAUSTIVE) -> tuple[list[int], Tensor]:
    """The likeliest shots from left to right, and each one's marginal (n,), given what was taken just before it."""
    taken, before, likely = list[int](), list[int](), list[Tensor]()
    for segment in steps(len(kernel), length):
        likely.append(marginals(kernel, segment, before))
        before = likeliest(kernel, segment, before)
        taken += before
    return taken, torch.cat(likely)


class SeqDPP(FilmNetwork):
    """Kernel L = z zᵀ with z = W f, or z = W tanh(U f), over the shots of one film; f is the mean of a shot's moments.

    Args:
        in_dim: numbers per moment.
        rank: rows of W: the most shots that one step can hold apart.
        hidden: rows of U; 0 for the linear kernel.
        length: shots of a step, the paper's segment.

    Shapes:
        features (n, in_dim), kernel (n, n) in float64.

    Source: Gong et al., Diverse sequential subset selection, NIPS 2014.
    """

    NEEDS = ("chosen",)

    def __init__(self, in_dim: int, rank: int = 32, hidden: int = 0, length: int = EXHAUSTIVE) -> None:
        super().__init__()
        self.in_dim, self.length = in_dim, length
        self.settings = {"in_dim": in_dim, "rank": rank, "hidden": hidden, "length": length}
        self.inner = nn.Linear(in_dim, hidden, bias=False, dtype=torch.float64) if hidden else None
        self.outer = nn.Linear(hidden or in_dim, rank, bias=False, dtype=torch.float64)

    def forward(self, features: Tensor) -> Tensor:
        """The film's kernel (n, n), with JITTER on its diagonal."""
        z = features.double()
        if self.inner is not None:
            z = torch.tanh(self.inner(z))
        return kernel_of(self.outer(z))

    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """Negative log-likelihood of the film's chosen shots."""
        self.must_fit(film, self.NEEDS)
        return negative_log_likelihood(self(film.of_segments(film.features.double())), film.chosen or (), self.length)

    @torch.no_grad()
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """The likeliest shots; a shot's worth is its marginal, and 1 more where it is among them, halved."""
        self.must_fit(film, ())
        chosen, likely = drawn(self(film.of_segments(film.features.double())), self.length)
        worth = (likely + among(chosen, film.segments)) / 2
        return FilmJudgement(worth[film.segment_of()], worth, tuple(chosen))


def among(items: Sequence[int], count: int) -> Tensor:
    """Return 1 for the numbers below *count* that are among *items*, else 0.

    >>> among([2], 3).tolist()
    [0.0, 0.0, 1.0]
    """
    inside = torch.zeros(count, dtype=torch.float64)
    inside[list(items)] = 1
    return inside


def likeliest(kernel: Tensor, segment: Sequence[int], before: Sequence[int]) -> list[int]:
    """The subset of *segment* of largest determinant with *before*: exact up to EXHAUSTIVE shots, then greedy."""
    if len(segment) <= EXHAUSTIVE:
        return _best_subset(kernel, segment, before)
    chosen: list[int] = []
    value = float(log_det(kernel, before))
    while rest := [shot for shot in segment if shot not in chosen]:
        best = max(rest, key=lambda shot: float(log_det(kernel, [*before, *chosen, shot])))
        gained = float(log_det(kernel, [*before, *chosen, best]))
        if gained <= value:
            break
        chosen, value = [*chosen, best], gained
    return sorted(chosen)


def _best_subset(kernel: Tensor, segment: Sequence[int], before: Sequence[int]) -> list[int]:
    """Try all subsets, those of one size together; of equal ones the smallest, then the first."""
    best, value = list[int](), float(log_det(kernel, before))
    for size in range(1, len(segment) + 1):
        subsets = list(combinations(segment, size))
        at = torch.tensor([[*before, *some] for some in subsets], device=kernel.device)
        values = torch.linalg.slogdet(kernel[at.unsqueeze(2), at.unsqueeze(1)]).logabsdet.cpu().numpy()
        first = int(np.argmax(values))
        if values[first] > value:
            best, value = list(subsets[first]), float(values[first])
    return best
