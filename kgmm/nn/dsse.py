"""Deep semantic and side embedding: pictures and their film's words in one space, so that a title finds its frames."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from kgmm.errors import BadInput
from kgmm.nn.film import FilmJudgement, FilmNetwork, FilmTensors
from kgmm.nn.query_memory import align


class Autoencoder(nn.Module):
    """in_dim → hidden → dim and back, tanh between; float64."""

    def __init__(self, in_dim: int, hidden: int, dim: int) -> None:
        super().__init__()
        self.first: nn.Linear = nn.Linear(in_dim, hidden, dtype=torch.float64)
        self.second: nn.Linear = nn.Linear(hidden, dim, dtype=torch.float64)
        self.back: nn.Sequential = nn.Sequential(
            nn.Linear(dim, hidden, dtype=torch.float64), nn.Tanh(), nn.Linear(hidden, in_dim, dtype=torch.float64)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the code (…, dim) and what is made of it again (…, in_dim)."""
        code = self.second(torch.tanh(self.first(x)))
        return code, self.back(code)


class DSSE(FilmNetwork):
    r"""Two autoencoders, f of moments x and g of side words s, whose codes are alike where the two belong together.

    Over the film's pairs (x, s), x a moment that was pictured:

    .. math:: α‖f(x) - g(s)‖^2 + ‖\tilde x - x‖^2 + ‖\tilde s - s‖^2
        - γ \log \frac{\sum_{pictured} e^{-‖f(x) - g(s)‖^2}}{\sum_{all} e^{-‖f(x) - g(s)‖^2}}

    as means over the pairs. The paper has γ = 0: then only the reconstructions keep both codes from becoming one
    constant; the last term, ours, holds the film's other moments away from its words.

    Args:
        in_dim: numbers per moment.
        side_dim: numbers of the side words' vector.
        hidden, dim: units of the layer between, and of the code, equal in both (under-specified in the paper).
        alpha, contrast: α and γ.
        aligned: columns at which blocks of the features start that lie in the words' space: f begins there as g.

    Source: Yuan et al., Video summarization by learning deep side semantic embedding, IEEE TCSVT 2019 (Eq. 30–32 of the
    survey).
    """

    NEEDS = ("title_text", "pictured")
    ASKS = ("title_text",)

    def __init__(
        self,
        in_dim: int,
        side_dim: int,
        hidden: int = 128,
        dim: int = 64,
        alpha: float = 1.0,
        contrast: float = 1.0,
        aligned: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.in_dim, self.side_dim, self.alpha, self.contrast = in_dim, side_dim, alpha, contrast
        self.settings = {"in_dim": in_dim, "side_dim": side_dim, "hidden": hidden, "dim": dim}
        self.settings |= {"alpha": alpha, "contrast": contrast, "aligned": list(aligned)}
        self.seen = Autoencoder(in_dim, hidden, dim)
        self.side = Autoencoder(side_dim, hidden, dim)
        align(self.side.first, [self.seen.first], aligned)
        if aligned:
            with torch.no_grad():
                self.seen.second.load_state_dict(self.side.second.state_dict())
                self.seen.first.bias.copy_(self.side.first.bias)

    def distances(self, film: FilmTensors) -> Tensor:
        """Return the squared distance (n,) of each moment's code from that of the side words."""
        apart: Tensor = self.seen(film.features.double())[0] - self.side(self._words(film))[0]
        return apart.square().sum(1)

    def _words(self, film: FilmTensors) -> Tensor:
        assert film.title_text is not None
        if film.title_text.shape != (self.side_dim,):
            found = tuple(film.title_text.shape)
            raise BadInput(film.name, f"a title of shape {found}; this DSSE was made for {self.side_dim} numbers")
        return film.title_text.double()

    def loss(self, film: FilmTensors, random: torch.Generator | None = None) -> Tensor:
        """The objective above."""
        self.must_fit(film, self.NEEDS)
        if not film.pictured:
            raise BadInput(film.name, "no moment is pictured by the title: there is no pair to learn from")
        at = torch.tensor(film.pictured)
        x, s = film.features.double()[at], self._words(film)
        code, again = self.seen(x)
        side, side_again = self.side(s)
        apart = (code - side).square().sum(1)
        total: Tensor = self.alpha * apart.mean() + (again - x).square().sum(1).mean() + (side_again - s).square().sum()
        if self.contrast:
            near = -self.distances(film)
            total = total - self.contrast * (near[at].logsumexp(0) - near.logsumexp(0))
        return total

    @torch.no_grad()
    def judge(self, film: FilmTensors) -> FilmJudgement:
        """A moment's worth is exp(-‖f(x) - g(s)‖²) as a share of the film's best, a segment's the mean of its moments'."""
        self.must_fit(film, self.ASKS)
        far = self.distances(film)
        moments = torch.exp(far.min() - far)
        return FilmJudgement(moments, film.of_segments(moments))
