r"""Marginalized stacked denoising autoencoders (Chen, Xu, Weinberger, Sha, ICML 2012): what noise would teach, in closed form.

$W = P Q^{-1}$ with $S = X X^\top$, $q = (1 - p, …, 1 - p, 1)$, $Q_{ab} = S_{ab} q_a q_b$ off the diagonal and
$S_{aa} q_a$ on it, $P_{ab} = S_{ab} q_b$; $h = \tanh(W x)$, stacked.
"""

import numpy as np

from kgmm.transfer.adapters._linear import Stacked
from kgmm.transfer.base import Floats


class MSDA(Stacked):
    """Features of both domains that survive the loss of each single one, beside the features themselves.

    Each domain's mean is taken off what was made, which the paper does not do: without it digits are told worse than
    with no transfer.

    Args:
        noise: share of a row's features that is lost.
        layers: how often it is done.
        ridge: added to the diagonal of Q.
    """

    def __init__(
        self,
        weight: float = 1.0,
        C: float = 0.1,
        noise: float = 0.9,
        layers: int = 1,
        ridge: float = 1e-5,
        seed: int = 0,
    ) -> None:
        super().__init__(weight, C, seed)
        self.noise = noise
        self.layers = layers
        self.ridge = ridge

    def layer(self, level: Floats) -> Floats:
        """Return the denoising map."""
        return denoiser(level, self.noise, self.ridge)

    def up(self, level: Floats, layer: Floats) -> Floats:
        """Return the hyperbolic tangent of the restored rows."""
        return np.asarray(np.tanh(_with_bias(level) @ layer.T))


def denoiser(rows: Floats, noise: float, ridge: float = 1e-5) -> Floats:
    """Return the map (d, d + 1) that restores rows best, on average over all ways to lose features with chance *noise*.

    Example:
        >>> denoiser(np.array([[1.0, 1.0], [2.0, 2.0]]), 0.0).round(2).shape
        (2, 3)
    """
    biased = _with_bias(rows)
    scatter = biased.T @ biased
    kept = np.append(np.full(rows.shape[1], 1 - noise), 1.0)
    q = scatter * np.outer(kept, kept)
    np.fill_diagonal(q, np.diag(scatter) * kept)
    p = (scatter * kept[None])[:-1]
    return np.asarray(np.linalg.solve(q + ridge * np.eye(len(q)), p.T).T)


def _with_bias(rows: Floats) -> Floats:
    return np.hstack([rows, np.ones((len(rows), 1))])


METHOD = MSDA
