"""What a policy gradient needs of a walk's rewards: potential-based shaping, returns, a baseline, the loss of REINFORCE.

Shaping adds F(s, s') = γ Φ(s') − Φ(s) to each reward (Ng, Harada and Russell, ICML 1999). With Φ = 0 where a walk ends, the sum over
a walk is −Φ(s₀), the same for all that begin at s₀, so that no policy gains on another and the best one stays the best.
"""

import torch
from torch import Tensor


def shaping(potential: Tensor, gamma: float) -> Tensor:
    """Return F, (n, T), of the potentials of the T + 1 states of each walk, (n, T + 1).

    The potential of a walk's end, and of all after it, has to be 0: shaping changes the best policy otherwise.

    >>> shaping(torch.tensor([[0.2, 0.5, 0.0]]), 1.0)
    tensor([[ 0.3000, -0.5000]])
    """
    return gamma * potential[:, 1:] - potential[:, :-1]


def returns(rewards: Tensor, gamma: float, credit: float = 1.0) -> Tensor:
    """Return G_t = Σ_k (γ λ)^k r_(t+k), (n, T), of rewards (n, T).

    Args:
        rewards: one a step.
        gamma: the discount.
        credit: λ; 1 for the whole return (REINFORCE). Below 1 what comes late counts less; over shaped rewards that is
            λ-returns with Φ as the critic (Wiewiora, JAIR 2003), a biased estimate unless Φ is the value.

    >>> returns(torch.tensor([[0.0, 0.0, 1.0]]), 0.5)
    tensor([[0.2500, 0.5000, 1.0000]])
    """
    found = torch.zeros_like(rewards)
    later = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        later = rewards[:, t] + gamma * credit * later
        found[:, t] = later
    return found


def against_others(gained: Tensor) -> Tensor:
    """Return each walk's return less the mean of the others' that began with the same question, (m, k, T).

    A baseline that a walk's own actions do not change, which leaves the gradient unbiased (Kool et al. 2019).

    >>> against_others(torch.tensor([[[1.0], [0.0], [0.5]]]))[0, :, 0]
    tensor([ 0.7500, -0.7500,  0.0000])
    """
    k = gained.shape[1]
    if k == 1:
        return gained
    return gained - (gained.sum(1, keepdim=True) - gained) / (k - 1)


def reinforce(log_probability: Tensor, advantage: Tensor) -> Tensor:
    """Return the loss whose gradient is minus that of the expected return (Williams 1992): −mean Σ_t A_t log π(a_t | s_t).

    Args:
        log_probability: of the actions taken, (n, T); 0 after a walk's end.
        advantage: (n, T); no gradient flows through it.
    """
    return -(advantage.detach() * log_probability).sum(1).mean()
