"""Shaping, returns and the policy gradient on a decision process of five states, against its exact solution."""

from itertools import product

import pytest
import torch

from kgmm.nn.returns import against_others, reinforce, returns, shaping

STATES, GOAL, GAMMA, STEPS = 5, 4, 0.9, 3
#: where left, right and jump lead from each of five states in a ring with a short cut from 1 to the goal; the goal keeps what comes
LEADS = torch.tensor([[3, 1, 0], [0, 2, 4], [1, 3, 2], [2, 0, 3], [4, 4, 4]])
REWARD = ((LEADS == GOAL) & (torch.arange(STATES)[:, None] != GOAL)).double()
#: as wrong as a potential can be: it draws away from the goal
POTENTIAL = torch.tensor([0.3, 0.1, 0.9, 2.0, 0.0], dtype=torch.double)


def best_actions(reward):
    """Return which actions are best where, by value iteration."""
    value = torch.zeros(STATES, dtype=torch.double)
    for _ in range(500):
        worth = reward + GAMMA * value[LEADS]
        worth[GOAL] = 0
        value = worth.max(1).values
    return (worth > worth.max(1, keepdim=True).values - 1e-9)[:GOAL]


def test_the_best_policy_is_the_same_with_shaping_and_another_with_a_bonus():
    shaped = torch.stack(
        [shaping(torch.stack([POTENTIAL, POTENTIAL[LEADS[:, a]]], 1), GAMMA)[:, 0] for a in range(3)], 1
    )
    assert torch.equal(shaped, GAMMA * POTENTIAL[LEADS] - POTENTIAL[:, None])
    plain = best_actions(REWARD)
    assert torch.equal(best_actions(REWARD + shaped), plain)
    assert not torch.equal(best_actions(REWARD + POTENTIAL[LEADS]), plain)


def walks():
    """Return all action sequences of three steps from state 0: states (27, 4) and actions (27, 3)."""
    actions = torch.tensor(list(product(range(3), repeat=STEPS)))
    states = [torch.zeros(len(actions), dtype=torch.long)]
    for t in range(STEPS):
        states.append(LEADS[states[-1], actions[:, t]])
    return torch.stack(states, 1), actions


def told(logits):
    """Return states, log-probabilities and rewards of all walks, and how long each is under way."""
    states, actions = walks()
    under_way = (states[:, :-1] != GOAL).double()
    logp = logits.log_softmax(1)[states[:, :-1], actions]
    return states, logp, REWARD[states[:, :-1], actions], under_way


def potentials(states):
    phi = POTENTIAL[states].clone()
    phi[:, -1] = 0  # the walk ends there, wherever it is
    return phi


def test_shaped_returns_telescope():
    states, _, rewards, _ = told(torch.zeros(STATES, 3, dtype=torch.double))
    phi = potentials(states)
    plain, shaped = (returns(r, GAMMA) for r in (rewards, rewards + shaping(phi, GAMMA)))
    assert torch.allclose(shaped, plain - phi[:, :-1])
    assert torch.allclose(shaped[:, 0] - plain[:, 0], -POTENTIAL[0].expand(len(states)))


def gradient(logits, loss):
    return torch.autograd.grad(loss, logits, retain_graph=True)[0]


@pytest.mark.parametrize("shape", [False, True])
def test_the_expected_gradient_is_that_of_the_expected_return(shape):
    logits = torch.randn(STATES, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0), requires_grad=True)
    states, logp, rewards, _ = told(logits)
    discounted = GAMMA ** torch.arange(STEPS)
    value = (logp.sum(1).exp() * (rewards * discounted).sum(1)).sum()
    exact = gradient(logits, value)

    given = rewards + shaping(potentials(states), GAMMA) if shape else rewards
    gained = returns(given, GAMMA) * discounted  # ∇J = E Σ γ^t G_t ∇ log π
    chance = logp.sum(1).exp().detach()
    found = gradient(
        logits,
        -torch.stack([c * reinforce(p[None], g[None]) for c, p, g in zip(chance, logp, gained, strict=True)]).sum(),
    )
    assert torch.allclose(found, exact, atol=1e-12)

    step = 1e-6  # finite differences of one logit
    moved = logits.detach().clone()
    moved[1, 2] += step
    _, logp_, rewards_, _ = told(moved)
    other = (logp_.sum(1).exp() * (rewards_ * discounted).sum(1)).sum()
    assert abs(float((other - value.detach()) / step - exact[1, 2])) < 1e-5


def test_the_others_as_a_baseline_leave_the_gradient_as_it_is():
    logits = torch.randn(STATES, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1), requires_grad=True)
    states, logp, rewards, _ = told(logits)
    exact = gradient(logits, (logp.sum(1).exp() * rewards.sum(1)).sum())
    n = len(states)
    _, logp, rewards, _ = told(logits)
    one, two = (index.reshape(-1) for index in torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij"))
    pairs = torch.stack([returns(rewards, 1.0)[one], returns(rewards, 1.0)[two]], 1)
    advantage = against_others(pairs)
    chance = (logp.sum(1)[one] + logp.sum(1)[two]).exp().detach()
    taken = torch.stack([logp[one], logp[two]], 1)
    loss = -(chance[:, None, None] * advantage * taken).sum() / 2
    assert torch.allclose(-gradient(logits, loss), exact, atol=1e-12)


def test_credit_below_one_counts_what_comes_late_less():
    rewards = torch.tensor([[1.0, 0.0, 4.0]])
    assert returns(rewards, 1.0, 0.5).tolist() == [[2.0, 2.0, 4.0]]
    assert returns(rewards, 0.5, 0.0).tolist() == rewards.tolist()


def test_a_walk_alone_has_no_baseline():
    gained = torch.tensor([[[1.0, 0.5]]])
    assert torch.equal(against_others(gained), gained)
