"""Query-focused memory network: a query looks at the moments of a shot, and a sequential process chooses shots."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kgmm.errors import BadInput
from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors
from kgmm.nn.seqdpp import EXHAUSTIVE, among, drawn, kernel_of, negative_log_likelihood


class QueryMemory(FilmNetwork):
    r"""Soft attention over each shot's moments f by a query q, then a SeqDPP over what was read.

    :math:`m_k = A f_k`, :math:`c_k = C f_k`, :math:`u = B q`, :math:`p = \mathrm{softmax}_k(u^\top m_k)` in each shot,
    :math:`o = \sum_k p_k c_k`, and the kernel :math:`L_{ij} = z_i^\top D^\top D z_j` with z = o, as in the paper, or
    z = [o; o ∘ u] if *joint*: a shot whose moments are all alike reads the same whatever is asked, so that the paper's
    kernel cannot tell the queries apart there.

    In the paper q is multi-hot over the concepts. Here it is any vector, so that concepts nobody asked for in training
    can be asked for in the words' vectors. Where blocks of the features lie in the query's space, *aligned* has the
    columns at which they start: A and C begin there as B, so that u·m begins as a likeness of texts.

    Args:
        in_dim: numbers per moment.
        query_dim: numbers of a query.
        dim: rows of A, B and C (256 in the paper's order of size; under-specified).
        rank: rows of D.
        length: shots of a step.
        joint: see above.
        aligned: see above.

    Source: Sharghi, Laurel and Gong, Query-focused video summarization: dataset, evaluation, and a memory network based
    approach, CVPR 2017.
    """

    NEEDS = ("query_text", "chosen")
    ASKS = ("query_text",)

    def __init__(
        self,
        in_dim: int,
        query_dim: int,
        dim: int = 128,
        rank: int = 32,
        length: int = EXHAUSTIVE,
        joint: bool = True,
        aligned: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.in_dim, self.query_dim, self.length, self.joint = in_dim, query_dim, length, joint
        self.settings = {"in_dim": in_dim, "query_dim": query_dim, "dim": dim, "rank": rank, "length": length}
        self.settings |= {"joint": joint, "aligned": list(aligned)}
        self.match = nn.Linear(in_dim, dim, bias=False, dtype=torch.float64)
        self.content = nn.Linear(in_dim, dim, bias=False, dtype=torch.float64)
        self.asking = nn.Linear(query_dim, dim, bias=False, dtype=torch.float64)
        self.choosing = nn.Linear(2 * dim if joint else dim, rank, bias=False, dtype=torch.float64)
        align(self.asking, [self.match, self.content], aligned)

    def read(self, film: FilmTensors) -> tuple[Tensor, Tensor]:
        """Return each moment's share of its shot's attention (n,), and what was read of each shot (s, dim or 2 dim)."""
        assert film.query_text is not None
        if film.query_text.shape != (self.query_dim,):
            found = tuple(film.query_text.shape)
            raise BadInput(
                film.name, f"a query of shape {found}; this QueryMemory was made for {self.query_dim} numbers"
            )
        features, shot = film.features.double(), film.segment_of()
        u = self.asking(film.query_text.double())
        p = softmax_in(self.match(features) @ u, shot, film.segments)
        contents = p.unsqueeze(1) * self.content(features)
        o = contents.new_zeros(film.segments, contents.shape[1]).index_add(0, shot, contents)
        return p, torch.cat([o, o * u], 1) if self.joint else o

    def forward(self, film: FilmTensors) -> Tensor:
        """The film's kernel (s, s) under its query, with JITTER on its diagonal."""
        return kernel_of(self.choosing(self.read(film)[1]))

    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """Negative log-likelihood of the film's chosen shots under its query."""
        self.must_fit(film, self.NEEDS)
        return negative_log_likelihood(self(film), film.chosen or (), self.length)

    @torch.no_grad()
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """The likeliest shots; a shot's worth is as in SeqDPP, a moment's also grows with the attention it got."""
        self.must_fit(film, self.ASKS)
        p, z = self.read(film)
        chosen, likely = drawn(kernel_of(self.choosing(z)), self.length)
        worth, shot = (likely + among(chosen, film.segments)) / 2, film.segment_of()
        share = p * film.starts.diff()[shot]
        return FilmJudgement(worth[shot] * share, worth, tuple(chosen), tuple(chosen), p)


def align(query: nn.Linear, layers: Sequence[nn.Linear], starts: Sequence[int]) -> None:
    """Copy the weights of *query* into the columns of *layers* at each of *starts*, and make the others' a tenth."""
    if not starts:
        return
    wide = query.weight.shape[1]
    with torch.no_grad():
        for layer in layers:
            layer.weight.mul_(0.1)
            for start in starts:
                layer.weight[:, start : start + wide] = query.weight


def softmax_in(logits: Tensor, group: Tensor, groups: int) -> Tensor:
    """Return the softmax of *logits* (n,) within each of so many *groups*, *group* (n,) being each one's.

    >>> softmax_in(torch.tensor([1.0, 1.0, 5.0]), torch.tensor([0, 0, 1]), 2).tolist()
    [0.5, 0.5, 1.0]
    """
    highest = logits.new_full((groups,), -torch.inf).scatter_reduce(0, group, logits, "amax").detach()
    grown = torch.exp(logits - highest[group])
    return grown / grown.new_zeros(groups).index_add(0, group, grown)[group]
