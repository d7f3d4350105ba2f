"""Chained episodes against their equations, and that there is no way around them."""

from __future__ import annotations

import pytest
import torch

from kgmm.nn.chain import ChainedMemory, StatePointer
from kgmm.nn.kdmn import KDMN, FactBatch
from kgmm.train.kdmn import end_loss, lead_loss

SIZES = {"words": 6, "sentence": 10, "features": 3, "end_features": 4, "dim": 8, "product": 5, "keys": 7}


def _batch(n=5, length=4, seed=0):
    g = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=g)

    facts = torch.tensor([[True] * n, [True] * 3 + [False] * (n - 3)])
    words = torch.tensor([[True] * length, [True] * 2 + [False] * (length - 2)])
    seen = torch.ones(2, 2, dtype=torch.bool)
    mask, said = facts.float(), words.float()[..., None]
    return FactBatch(
        draw(2, 10),
        draw(2, 2, 6),
        seen,
        draw(2, n, 3, 6) * mask[..., None, None],
        draw(2, n, 10) * mask[..., None],
        draw(2, n, 3) * mask[..., None],
        draw(2, n, 2, 4) * mask[..., None, None],
        facts,
        draw(2, length, 6) * said,
        words,
    )


def _net(episodes=2, **more):
    torch.manual_seed(0)
    return KDMN(**SIZES, pointer="state", episodes=episodes, **more).eval()


def test_episodes_follow_their_equations():
    torch.manual_seed(1)
    net, b = ChainedMemory(8, 6, 4, 2, 3, 7).eval(), _batch()
    memory, query, prior = torch.randn(2, 5, 8), torch.randn(2, 8), torch.randn(2, 5, 3)
    keys = net.keys(b.steps[:, :, ::2], b.mask)
    state, carried, _logits, attention = net(memory, query, b.mask, prior, keys, b.ends, b.asked, b.asked_mask)
    for i, (n, length) in enumerate(((5, 4), (3, 2))):
        k = net.key(b.steps[i, :n, ::2])
        k = k - k.mean((0, 1))
        k = k / k.norm(dim=-1, keepdim=True)
        assert torch.allclose(keys[i, :n], k, atol=1e-5)
        words = net.read(b.asked[i : i + 1, :length])[0][0]
        m, r = None, torch.zeros(7)
        for t in range(2):
            q = query[i] + (net.word[t](words).softmax(0) * words).sum(0)
            m = q if m is None else m
            wanted = r + net.look[t](m)
            near = net.sharpness[t].exp() * (k @ (wanted / wanted.norm()))
            rows = []
            for f in range(n):
                z = torch.cat([memory[i, f] * q, memory[i, f] * m, (memory[i, f] - q).abs(), (memory[i, f] - m).abs()])
                fact = net.score[t](torch.tanh(net.hidden[t](torch.cat([z, prior[i, f], near[f]]))))
                for j in (0, 1):
                    rows.append(
                        fact + net.end[t](torch.cat([b.ends[i, f, j], near[f, j : j + 1], near[f, 1 - j : 2 - j]]))
                    )
            a = torch.cat(rows).softmax(0).reshape(n, 2)
            assert torch.allclose(attention[i, t, :n], a, atol=1e-5) and attention[i, t, n:].abs().sum() == 0
            c, r = (a.sum(1, keepdim=True) * memory[i, :n]).sum(0), (a[..., None] * k).sum((0, 1))
            m = torch.relu(net.update[t](torch.cat([m, c, r, q])))
        assert torch.allclose(state[i], m, atol=1e-5) and torch.allclose(carried[i], r, atol=1e-5)


def test_the_pointer_follows_its_equation():
    torch.manual_seed(2)
    point = StatePointer(8, 7)
    state, carried, attended, memory = torch.randn(2, 8), torch.randn(2, 7), torch.randn(2, 5, 2), torch.randn(2, 5, 8)
    keys = torch.nn.functional.normalize(torch.randn(2, 5, 2, 7), dim=-1)
    wanted = torch.nn.functional.normalize(carried + point.end(state), dim=-1)
    expected = attended + ((memory * point.fact(state)[:, None]).sum(-1) / 8**0.5)[..., None]
    expected = expected + point.sharpness.exp() * (keys * wanted[:, None, None]).sum(-1)
    assert torch.allclose(point(state, carried, attended, memory, keys), expected, atol=1e-5)


@pytest.mark.parametrize("episodes", [0, 1, 2])
def test_padding_of_facts_and_words_changes_no_answer(episodes):
    net, b = _net(episodes), _batch()
    both, null, attention, state = net(b)
    alone = FactBatch(
        *(v[1:] for v in (b.question, b.seen, b.seen_mask)),
        *(v[1:, :3] for v in (b.steps, b.sentences, b.features, b.ends, b.mask)),
        b.asked[1:, :2],
        b.asked_mask[1:, :2],
    )
    few, alone_null, looks, _ = net(alone)
    assert torch.allclose(both[1, :3], few[0], atol=1e-5) and torch.allclose(null[1], alone_null[0], atol=1e-5)
    assert torch.allclose(attention[1, :, :3], looks[0], atol=1e-5) and attention[1, :, 3:].abs().sum() == 0
    assert both[1, 3:].max() < -1e30 and torch.isfinite(state).all()


def test_a_memory_without_facts_is_read():
    b = _batch()
    b.mask[1] = False
    _, null, attention, state = _net()(b)
    assert attention[1].abs().sum() == 0 and torch.isfinite(null).all() and torch.isfinite(state).all()


def test_the_pointer_has_no_way_around_the_episodes():
    """With what the episodes give the same, question, words, features and what is seen change nothing."""
    net, b, other = _net(), _batch(), _batch(seed=1)
    changed = FactBatch(
        **{**b.__dict__, **{k: getattr(other, k) for k in ("question", "seen", "features", "ends", "asked")}}
    )
    first, kept = net(b)[0], []
    assert not torch.allclose(net(changed)[0], first)
    net.chain.register_forward_hook(lambda module, given, out: kept.append(out) or kept[0])
    net(b)
    assert torch.equal(net(changed)[0], first)


def test_every_weight_learns_by_two_episodes():
    net, b = _net(), _batch()
    pointer, null, looks, _ = net.looks(b)
    (pointer[b.mask].logsumexp(0).sum() + null.sum() + looks[:, 0, 0, 0].sum()).backward()
    idle = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    assert not idle


def test_the_first_look_is_taught_where_a_question_has_a_way():
    look = torch.tensor([[[0.7, 0.1], [0.1, 0.1]], [[0.4, 0.4], [0.1, 0.1]]])
    ways = torch.tensor([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    loss = lead_loss(look, ways)
    assert loss[0].item() == pytest.approx(-torch.log(torch.tensor(0.1)).item(), abs=1e-4) and loss[1] == 0
    of_facts = lead_loss(look.sum(-1, keepdim=True), ways)
    assert of_facts[0].item() == pytest.approx(-torch.log(torch.tensor(0.8)).item(), abs=1e-4)


def test_the_last_look_is_taught_the_answering_end():
    logits, answers = torch.full((1, 5), -1.6), torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    gold = torch.tensor([[1.0, 0.0]])
    near, far = (torch.tensor([[[[a, 0.6 - a], [0.2, 0.2]]]]) for a in (0.5, 0.1))
    assert end_loss(logits, far, answers, gold) < end_loss(logits, near, answers, gold)
    assert torch.equal(end_loss(logits, far.sum(-1), answers, gold), end_loss(logits, near.sum(-1), answers, gold))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="facts or the state, not 'question'"):
        KDMN(**SIZES, pointer="question")
    b = _batch()
    b.asked = None
    with pytest.raises(ValueError, match="words"):
        _net()(b)
