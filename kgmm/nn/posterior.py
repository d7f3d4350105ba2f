"""Knowledge as a prior over answers: a network's answers reweighed by what the facts support (Bayes' rule, tempered)."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor


def smoothed(counts: Tensor, mask: Tensor, alpha: float) -> Tensor:
    r"""Return the Dirichlet-smoothed prior (B, A) of facts counted for each answer; rows sum to one over the mask.

    :math:`p_{KB}(a \mid c) = \frac{n_{c,a} + α}{n_c + α|A|}`, the mean of the posterior of a categorical distribution
    under a symmetric Dirichlet(α), α > 0; :math:`n_c = \sum_a n_{c,a}`, A the answers *mask* keeps. A large α makes it
    flat.

    >>> smoothed(torch.tensor([[3.0, 0.0]]), torch.tensor([[True, True]]), 0.5).tolist()
    [[0.875, 0.125]]
    """
    kept = counts * mask
    total = kept.sum(1, keepdim=True) + alpha * mask.sum(1, keepdim=True)
    return torch.where(mask, (kept + alpha) / total.clamp(min=1e-12), torch.zeros_like(kept))


def posterior(logits: Tensor, prior: Tensor, mask: Tensor, power: float = 1.0, beta: float = 1.0) -> Tensor:
    r"""Return :math:`\log p(a \mid x, c)`, where :math:`p(a \mid x, c) ∝ p_{net}(a \mid x)^{τ}\, p_{KB}(a \mid c)^{β}`.

    With τ (*power*) = β = 1 and a network trained on answers that were equally frequent, this is Bayes' rule; τ is the
    inverse of the network's temperature, and β = 0, τ = 1 gives the network back. All are (B, A); *prior* is positive
    where *mask* is; outside the mask the result is the lowest finite number.
    """
    lowest = torch.finfo(logits.dtype).min
    joint = power * logits + beta * prior.clamp(min=1e-30).log()
    return joint.masked_fill(~mask, lowest).log_softmax(1).masked_fill(~mask, lowest)


def fit_posterior(logits: Tensor, prior: Tensor, mask: Tensor, right: Tensor) -> tuple[float, float]:
    """Return the (τ, β), neither negative, that make the right answers of held-out questions likeliest.

    The negative log likelihood is convex in (τ, β), so the minimum found is the only one. Shapes as in
    :func:`posterior`; *right* is (B,) int64, and questions whose right answer the mask lacks are left out.
    """
    usable = mask.gather(1, right.clamp(min=0).unsqueeze(1)).squeeze(1) & (right >= 0)
    logits, prior, mask, right = (t[usable] for t in (logits.double(), prior.double(), mask, right))
    if not len(right):
        return 1.0, 0.0
    both = torch.stack([logits.masked_fill(~mask, 0.0), prior.clamp(min=1e-30).log()], -1)
    said = both[torch.arange(len(right)), right]

    def cost(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.from_numpy(point)
        p = (both @ weights).masked_fill(~mask, torch.finfo(torch.double).min).log_softmax(1)
        # a little ridge: without it a prior that is always right would get an infinite weight
        loss = -p[torch.arange(len(right)), right].mean() + 1e-4 * weights.square().sum()
        slope = ((p.exp().unsqueeze(-1) * both).sum(1) - said).mean(0) + 2e-4 * weights
        return float(loss), slope.numpy()

    found = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None)])
    return float(found.x[0]), float(found.x[1])
