"""Sequential and hierarchical determinantal process: first the shots a query asks for, then what else matters."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from kgmm.errors import BadInput
from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors
from kgmm.nn.seqdpp import EXHAUSTIVE, among, kernel_of, likeliest, log_factor, marginals, steps


class SHDPP(FilmNetwork):
    r"""Two layers of conditional L-ensembles, a step of *length* shots :math:`\mathcal Y_t` after the other.

    :math:`P(Z_t | Z_{t-1}, \mathcal Y_t)` with the query's kernel :math:`Ω_{ij} = f_i^\top C(q) W^\top W C(q) f_j` over
    shots' concept scores f, then :math:`P(Y_t | Z_t ∪ Y_{t-1}, \mathcal Y_t ∖ Z_t)` with
    :math:`Υ_{ij} = x_i^\top V^\top V x_j` over shots' features x. The summary is Z ∪ Y.
    :math:`C(q) = \mathrm{diag}(ρ + (1 - ρ) q)` with a learned ρ in (0, 1): what a concept counts that nobody asked for.
    A queried concept has q = 1; those that knowledge puts near to it have less.

    Args:
        in_dim: numbers per moment.
        concepts: how many concepts there are.
        rank: rows of W and of V.
        length: shots of a step.
        unasked: ρ before training.

    Source: Sharghi, Gong and Shah, Query-focused extractive video summarization, ECCV 2016; C(q) is ours.
    """

    NEEDS = ("concepts", "query", "chosen", "asked")
    ASKS = ("concepts", "query")

    def __init__(
        self, in_dim: int, concepts: int, rank: int = 32, length: int = EXHAUSTIVE, unasked: float = 0.2
    ) -> None:
        super().__init__()
        self.in_dim, self.concepts, self.length = in_dim, concepts, length
        self.settings = {"in_dim": in_dim, "concepts": concepts, "rank": rank, "length": length, "unasked": unasked}
        self.query = nn.Parameter(torch.randn(rank, concepts, dtype=torch.float64) / rank**0.5)
        self.features = nn.Linear(in_dim, rank, bias=False, dtype=torch.float64)
        self.unasked = nn.Parameter(torch.tensor(math.log(unasked / (1 - unasked)), dtype=torch.float64))

    def kernels(self, film: FilmTensors) -> tuple[Tensor, Tensor]:
        """Return the query's kernel and the query-free one, (s, s) each, with JITTER on their diagonals."""
        assert film.concepts is not None and film.query is not None
        if film.concepts.shape[1] != self.concepts:
            found = film.concepts.shape[1]
            raise BadInput(film.name, f"scores of {found} concepts; this SHDPP was made for {self.concepts}")
        rest = torch.sigmoid(self.unasked)
        weights = rest + (1 - rest) * film.query.double()
        scores = film.of_segments(film.concepts.double())
        shots = film.of_segments(film.features.double())
        return kernel_of((scores * weights) @ self.query.T), kernel_of(self.features(shots))

    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """Negative log-likelihood of the shots that were asked for, and of the others that were chosen."""
        self.must_fit(film, self.NEEDS)
        asked, free = self.kernels(film)
        wanted, summary = set(film.asked or ()), set(film.chosen or ())
        total, of_query, of_rest = asked.new_zeros(()), list[int](), list[int]()
        for step in steps(film.segments, self.length):
            first = [shot for shot in step if shot in wanted]
            left = [shot for shot in step if shot not in wanted]
            second = [shot for shot in left if shot in summary]
            total = total - log_factor(asked, first, step, of_query)
            if left:
                total = total - log_factor(free, second, left, [*of_rest, *first])
            of_query, of_rest = first, second
        return total

    @torch.no_grad()
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """The likeliest shots of both layers.

        A shot's worth is the probability that either layer takes it, 1 more where the second one does, and 2 more where
        the query does, over 3: what is asked for comes first.
        """
        self.must_fit(film, self.ASKS)
        asked, free = self.kernels(film)
        worth = torch.zeros(film.segments, dtype=torch.float64)
        of_query, of_rest = list[int](), list[int]()
        taken, others = list[int](), list[int]()
        for step in steps(film.segments, self.length):
            likely = marginals(asked, step, of_query)
            first = likeliest(asked, step, of_query)
            left, second = [shot for shot in step if shot not in first], list[int]()
            worth[step] = likely
            if left:
                held = [*of_rest, *first]
                worth[left] += (1 - worth[left]) * marginals(free, left, held)
                second = likeliest(free, left, held)
            taken, others = [*taken, *first], [*others, *second]
            of_query, of_rest = first, second
        worth = (worth + 2 * among(taken, film.segments) + among(others, film.segments)) / 3
        return FilmJudgement(worth[film.segment_of()], worth, tuple(sorted([*taken, *others])), tuple(taken))
