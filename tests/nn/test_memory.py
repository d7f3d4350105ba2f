"""Fact encoder and episodic memory against their equations, written out slot by slot."""

from __future__ import annotations

import torch

from kgmm.nn.facts import FactEncoder
from kgmm.nn.mask import masked_max, masked_mean, masked_softmax
from kgmm.nn.memory import AttentionGRU, EpisodicMemory


def _memory(batch=3, slots=5, dim=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.tensor([[True] * slots, [True] * 3 + [False] * 2, [False] * slots])[:batch]
    return (
        torch.randn(batch, slots, dim, generator=g) * mask.unsqueeze(-1),
        torch.randn(batch, dim, generator=g),
        mask,
    )


def test_padding_gets_no_attention_and_no_gradient():
    scores = torch.randn(2, 4, requires_grad=True)
    mask = torch.tensor([[True, True, False, False], [False] * 4])
    weights = masked_softmax(scores, mask)
    assert torch.equal(weights[1], torch.zeros(4)) and torch.equal(weights[0, 2:], torch.zeros(2))
    assert torch.allclose(weights[0].sum(), torch.tensor(1.0))
    (weights * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert scores.grad[~mask].abs().max() == 0 and scores.grad[0, :2].abs().min() > 0


def test_pooling_ignores_padding():
    values = torch.tensor([[[-3.0], [-1.0], [9.0]]])
    mask = torch.tensor([[True, True, False]])
    assert masked_max(values, mask).item() == -1 and masked_mean(values, mask).item() == -2
    assert masked_max(values, mask & False).item() == 0


def test_fact_encoder_is_an_lstm_over_three_phrases():
    torch.manual_seed(0)
    encoder = FactEncoder(6, 4)
    steps, mask = torch.randn(2, 3, 3, 6), torch.tensor([[True, True, False], [True, False, False]])
    memory = encoder(steps, mask)
    for b in range(2):
        for i in range(3):
            h, c = torch.zeros(4), torch.zeros(4)
            for t in range(3):
                p = dict(encoder.recurrent.named_parameters())
                gates = (
                    p["weight_ih_l0"] @ steps[b, i, t]
                    + p["bias_ih_l0"]
                    + p["weight_hh_l0"] @ h
                    + p["bias_hh_l0"]
                )
                into, forget, cell, out = gates.chunk(4)
                c = forget.sigmoid() * c + into.sigmoid() * cell.tanh()
                h = out.sigmoid() * c.tanh()
            expected = h if mask[b, i] else torch.zeros(4)
            assert torch.allclose(memory[b, i], expected, atol=1e-6)


def test_episodes_follow_their_equations():
    torch.manual_seed(1)
    memory, query, mask = _memory()
    layer = EpisodicMemory(4, episodes=3, hidden=7)
    state, _, attention = layer(memory, query, mask)
    for b in range(3):
        m = query[b]
        for t in range(3):
            logits = []
            for i in range(5):
                M, q = memory[b, i], query[b]
                z = torch.cat([M * q, M * m, (M - q).abs(), (M - m).abs()])
                logits.append(layer.score[t](torch.tanh(layer.hidden[t](z))))
            real = [i for i in range(5) if mask[b, i]]
            a = torch.zeros(5)
            if real:
                a[real] = torch.cat(logits)[real].softmax(0)
            assert torch.allclose(attention[b, t], a, atol=1e-6)
            c = sum(a[i] * memory[b, i] for i in range(5))
            m = torch.relu(layer.update[t](torch.cat([m, c, query[b]])))
        assert torch.allclose(state[b], m, atol=1e-5)


def test_attention_gru_replaces_the_update_gate():
    torch.manual_seed(2)
    memory, _, mask = _memory()
    attention = masked_softmax(torch.randn(3, 5), mask)
    gru = AttentionGRU(4)
    out = gru(memory, attention)
    for b in range(3):
        h = torch.zeros(4)
        for i in range(5):
            r = torch.sigmoid(gru.reset_in(memory[b, i]) + gru.reset_state(h))
            new = torch.tanh(gru.new_in(memory[b, i]) + r * gru.new_state(h))
            h = attention[b, i] * new + (1 - attention[b, i]) * h
        assert torch.allclose(out[b], h, atol=1e-6)


def test_padded_facts_change_nothing():
    torch.manual_seed(3)
    memory, query, mask = _memory()
    for context in ("sum", "gru"):
        layer = EpisodicMemory(4, episodes=2, context=context)
        state, _, _ = layer(memory, query, mask)
        noise = memory + torch.randn_like(memory) * ~mask.unsqueeze(-1)
        assert torch.allclose(layer(noise, query, mask)[0], state, atol=1e-6)
        wide = torch.cat([memory, torch.randn(3, 2, 4)], 1)
        wider = torch.cat([mask, torch.zeros(3, 2, dtype=torch.bool)], 1)
        assert torch.allclose(layer(wide, query, wider)[0], state, atol=1e-6)


def test_memory_gradients_match_finite_differences():
    torch.manual_seed(4)
    layer = EpisodicMemory(3, episodes=2, context="gru").double()
    memory = torch.randn(2, 4, 3, dtype=torch.double, requires_grad=True)
    query = torch.randn(2, 3, dtype=torch.double, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True, True, False, False]])
    assert torch.autograd.gradcheck(lambda m, q: layer(m, q, mask)[0], (memory, query), atol=1e-4)
