"""Prior, teacher and policy against their mathematics: Bayes by enumeration, KL by hand, exact policy gradients."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from kgmm.nn.answers import answer_logits
from kgmm.nn.distill import distillation_loss, soften
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.nn.no_knowledge import NoKnowledge
from kgmm.nn.policy import FactPolicy, PolicyKDMN, choose, draw_log_probability, gumbel_top_k, reinforce
from kgmm.nn.posterior import fit_posterior, posterior, smoothed


def _batch(b=3, n=5, s=6, w=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.ones(b, n, dtype=torch.bool)
    mask[-1, 2:] = False
    return FactBatch(
        torch.randn(b, s, generator=g),
        torch.randn(b, 2, w, generator=g),
        torch.ones(b, 2, dtype=torch.bool),
        torch.randn(b, n, 3, w, generator=g),
        torch.randn(b, n, s, generator=g),
        torch.randn(b, n, 3, generator=g),
        torch.randn(b, n, 2, 4, generator=g),
        mask,
    )


# --- ends to answers ---------------------------------------------------------------------------------------


def test_ends_that_say_the_same_add_up():
    ends, group = torch.randn(4, 7), torch.tensor([[0, 1, 0, 2, -1, 1, -1]]).expand(4, 7)
    found = answer_logits(ends, group, 4)
    for b in range(4):
        for a in range(3):
            said = [ends[b, e].exp() for e in range(7) if group[b, e] == a]
            assert found[b, a] == pytest.approx(math.log(sum(said)), abs=1e-5)
    assert (found[:, 3] == torch.finfo(torch.float32).min).all()


def test_grouping_passes_finite_gradients_even_to_answers_no_end_gives():
    ends = torch.randn(2, 4, dtype=torch.double, requires_grad=True)
    group = torch.tensor([[0, 0, 1, -1], [-1, -1, -1, -1]])
    answer_logits(ends, group, 3).clamp(min=-50).sum().backward()
    assert torch.isfinite(ends.grad).all() and ends.grad[group < 0].abs().max() == 0
    assert ends.grad[0, :2].sum() == pytest.approx(1.0)
    assert torch.autograd.gradcheck(lambda e: answer_logits(e, group, 3)[0, :2], (ends,))


# --- prior -------------------------------------------------------------------------------------------------


def test_posterior_is_bayes_by_enumeration():
    """Draws of (answer, sight) from a joint table: a network trained on a uniform prior, corrected by the true one."""
    prior = torch.tensor([0.7, 0.2, 0.1])
    likelihood = torch.tensor([[0.1, 0.9], [0.5, 0.5], [0.8, 0.2]])  # p(x | a)
    for x in range(2):
        network = likelihood[:, x] / likelihood[:, x].sum()  # p(a | x) where all answers were equally frequent
        joint = prior * likelihood[:, x]
        found = posterior(network.log()[None], prior[None], torch.ones(1, 3, dtype=torch.bool))
        assert torch.allclose(found.exp()[0], joint / joint.sum(), atol=1e-6)


def test_without_weight_the_network_stays_as_it_was():
    logits, mask = torch.randn(2, 4), torch.tensor([[True] * 4, [True, True, False, False]])
    prior = smoothed(torch.rand(2, 4), mask, 1.0)
    found = posterior(logits, prior, mask, power=1.0, beta=0.0).exp()
    for b in range(2):
        assert torch.allclose(found[b][mask[b]], logits[b][mask[b]].softmax(0), atol=1e-6)
    assert found[1, 2:].abs().max() == 0


def test_smoothing_counts_alpha_for_every_answer():
    counts, mask = torch.tensor([[3.0, 1.0, 0.0, 5.0]]), torch.tensor([[True, True, True, False]])
    expected = [(n + 0.5) / (4 + 3 * 0.5) for n in (3, 1, 0)] + [0.0]
    assert smoothed(counts, mask, 0.5)[0].tolist() == pytest.approx(expected)


def test_fit_recovers_the_temperature_and_weight_answers_were_drawn_with():
    g = torch.Generator().manual_seed(0)
    logits, counts = torch.randn(20_000, 4, generator=g), torch.rand(20_000, 4, generator=g) * 5
    mask = torch.rand(20_000, 4, generator=g) < 0.8
    mask[:, 0] = True
    prior = smoothed(counts, mask, 0.5)
    right = posterior(logits, prior, mask, 0.6, 1.7).exp().multinomial(1, generator=g).squeeze(1)
    right[:50] = -1  # their right answer is not among the candidates: they teach nothing
    power, beta = fit_posterior(logits, prior, mask, right)
    assert power == pytest.approx(0.6, abs=0.05) and beta == pytest.approx(1.7, abs=0.1)
    assert fit_posterior(logits[:50], prior[:50], mask[:50], right[:50]) == (1.0, 0.0)


def test_a_network_that_is_always_wrong_is_ignored_not_believed_backwards():
    logits, prior = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.full((2, 2), 0.5)
    power, beta = fit_posterior(logits, prior, torch.ones(2, 2, dtype=torch.bool), torch.tensor([1, 0]))
    assert power == pytest.approx(0.0, abs=1e-6) and beta >= 0


# --- teacher -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_distillation_is_the_kl_written_out(temperature):
    torch.manual_seed(0)
    student, teacher = torch.randn(3, 4), torch.rand(3, 4)
    teacher[0, 1] = 0.0
    teacher = teacher / teacher.sum(1, keepdim=True)
    found = distillation_loss(student, teacher, temperature)
    for b in range(3):
        raised = [float(p) ** (1 / temperature) if p > 0 else 0.0 for p in teacher[b]]
        t = [p / sum(raised) for p in raised]
        weight = [math.exp(float(s) / temperature) for s in student[b]]
        q = [x / sum(weight) for x in weight]
        kl = sum(ti * math.log(ti / qi) for ti, qi in zip(t, q, strict=True) if ti > 0)
        assert found[b].item() == pytest.approx(temperature**2 * kl, abs=1e-5)


def test_a_silent_teacher_teaches_nothing_and_a_copied_one_costs_nothing():
    student = torch.randn(2, 3, requires_grad=True)
    loss = distillation_loss(student, torch.zeros(2, 3))
    loss.sum().backward()
    assert loss.abs().max() == 0 and student.grad.abs().max() == 0
    teacher = student.detach().softmax(1)
    assert distillation_loss(student, teacher, 3.0).abs().max() < 1e-5


def test_softening_keeps_what_the_teacher_rules_out():
    assert soften(torch.tensor([[0.81, 0.09, 0.1, 0.0]]), 2.0)[0, 3] == 0
    flat = soften(torch.tensor([[0.64, 0.36]]), 2.0)
    assert flat[0].tolist() == pytest.approx([0.8 / 1.4, 0.6 / 1.4])


# --- policy ------------------------------------------------------------------------------------------------

LOGITS = torch.tensor([[0.5, -1.0, 1.2, 0.1]], dtype=torch.double)
ALL = torch.ones(1, 4, dtype=torch.bool)
DRAWS = list(itertools.permutations(range(4), 2))


def _reward(rows):
    """A reward that depends on the pair, whatever its order."""
    return 1.0 if set(rows) == {1, 3} else 0.3 if 2 in rows else 0.0


def test_probabilities_of_all_draws_sum_to_one_and_follow_plackett_luce():
    total = 0.0
    for first, second in DRAWS:
        p = draw_log_probability(LOGITS, ALL, torch.tensor([[first, second]])).exp().item()
        w = LOGITS[0].exp()
        assert p == pytest.approx(((w[first] / w.sum()) * (w[second] / (w.sum() - w[first]))).item())
        total += p
    assert total == pytest.approx(1.0)


def test_gumbel_top_k_draws_with_these_probabilities():
    torch.manual_seed(0)
    drawn = gumbel_top_k(LOGITS.expand(40_000, 4), ALL.expand(40_000, 4), 2)
    for pair in DRAWS:
        share = (drawn == torch.tensor(pair)).all(1).double().mean().item()
        p = draw_log_probability(LOGITS, ALL, torch.tensor([pair])).exp().item()
        assert share == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 40_000))


def test_padding_is_drawn_last_and_counts_nothing():
    mask = torch.tensor([[True, False, False, True]])
    drawn = gumbel_top_k(LOGITS, mask, 3)
    assert set(drawn[0, :2].tolist()) == {0, 3}
    pair = draw_log_probability(LOGITS, mask, drawn[:, :2])
    assert torch.allclose(draw_log_probability(LOGITS, mask, drawn), pair)
    assert gumbel_top_k(LOGITS, ALL, 2, noise=False).tolist() == [[2, 0]]


def test_reinforce_converges_to_the_exact_policy_gradient():
    exact_at = LOGITS.clone().requires_grad_()
    expected = sum(draw_log_probability(exact_at, ALL, torch.tensor([d])).exp().squeeze() * _reward(d) for d in DRAWS)
    (exact,) = torch.autograd.grad(-expected, exact_at)
    torch.manual_seed(1)
    samples, draws = 20_000, 3
    logits = LOGITS.expand(samples, 4).clone().requires_grad_()
    mask = ALL.expand(samples, 4)
    rows = [gumbel_top_k(logits, mask, 2) for _ in range(draws)]
    chances = torch.stack([draw_log_probability(logits, mask, r) for r in rows])
    rewards = torch.tensor([[_reward(pair) for pair in r.tolist()] for r in rows], dtype=torch.double)
    reinforce(chances, rewards).backward()
    each = logits.grad * samples
    error = each.std(0) / math.sqrt(samples)
    assert ((each.mean(0) - exact[0]).abs() < 4 * error + 1e-9).all()
    assert exact.abs().max() > 10 * error.max()  # the comparison is sharp enough to fail


def test_a_baseline_lowers_the_variance_and_equal_rewards_give_no_gradient():
    chances = torch.randn(4, 100, requires_grad=True)
    reinforce(chances, torch.full((4, 100), 0.7)).backward()
    assert chances.grad.abs().max() < 1e-7


def test_an_untrained_policy_is_retrieval_by_cosine_and_every_part_of_it_can_learn():
    batch, policy = _batch(), FactPolicy(6, 3, 4, product=5, hidden=7)
    logits = policy(batch)
    assert logits.shape == (3, 5) and torch.equal(logits.argsort(1), batch.features[..., 0].argsort(1))
    torch.nn.init.normal_(policy.score.weight)
    policy(batch)[batch.mask].square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in policy.parameters())


def test_the_network_reads_only_what_was_picked():
    torch.manual_seed(2)
    network = KDMN(words=4, sentence=6, features=3, end_features=4, dim=8, product=4).eval()
    model = PolicyKDMN(network, FactPolicy(6, 3, 4), k=2).eval()
    batch = _batch()
    pointer, null, attention, _ = model(batch)
    rows = gumbel_top_k(model.policy(batch), batch.mask, 2, noise=False)
    alone, alone_null, looks, _ = network(choose(batch, rows))
    for b in range(3):
        others = [i for i in range(5) if i not in rows[b].tolist()]
        assert torch.equal(pointer[b, rows[b]], alone[b]) and torch.equal(attention[b][:, rows[b]], looks[b])
        assert attention[b][:, others].abs().max() == 0 and pointer[b, others].max() < -1e30
    assert torch.equal(null, alone_null)
    changed = choose(batch, torch.arange(5).expand(3, 5))
    for b in range(3):
        changed.steps[b, [i for i in range(5) if i not in rows[b].tolist()]] += 9.0
    assert torch.equal(model(changed)[1], null)


# --- no knowledge ------------------------------------------------------------------------------------------


def test_the_blind_twin_sees_nothing_and_neither_twin_reads_facts():
    torch.manual_seed(3)
    batch, other = _batch(), _batch(seed=1)
    seeing, blind = NoKnowledge(7, 4, 6, 8).eval(), NoKnowledge(7, 4, 6, 8, blind=True).eval()
    facts = FactBatch(batch.question, batch.seen, batch.seen_mask, *list(other.__dict__.values())[3:])
    picture = FactBatch(batch.question, other.seen, *list(batch.__dict__.values())[2:])
    assert torch.equal(seeing(batch), seeing(facts)) and seeing(batch).shape == (3, 9)
    assert not torch.allclose(seeing(batch), seeing(picture))
    assert torch.equal(blind(batch), blind(picture)) and blind(batch)[:, 7:].max() < -1e30
