"""Fact encoder and episodic memory against their equations, written out slot by slot."""

from __future__ import annotations

import pytest
import torch

from kgmm.nn.kdmn import KDMN, FactBatch, FactEncoder
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
                gates = p["weight_ih_l0"] @ steps[b, i, t] + p["bias_ih_l0"] + p["weight_hh_l0"] @ h + p["bias_hh_l0"]
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


@pytest.mark.parametrize("episodes", [0, 1, 2])
def test_kdmn_points_as_its_equations_say(episodes):
    torch.manual_seed(5)
    net = KDMN(words=3, sentence=4, features=2, end_features=3, dim=5, product=2, episodes=episodes).eval()
    mask = torch.tensor([[True, True, True], [True, False, False]])
    seen_mask = torch.tensor([[True, True], [True, False]])
    batch = FactBatch(
        torch.randn(2, 4),
        torch.randn(2, 2, 3),
        seen_mask,
        torch.randn(2, 3, 3, 3),
        torch.randn(2, 3, 4),
        torch.randn(2, 3, 2),
        torch.randn(2, 3, 2, 3),
        mask,
    )
    pointer, null, attention, state = net(batch)
    for b in range(2):
        q_s, scale = batch.question[b], 4**0.5
        image = batch.seen[b][seen_mask[b]].mean(0)
        query = torch.tanh(net.query(torch.cat([image, q_s])))
        real = [i for i in range(3) if mask[b, i]]
        encoded = net.facts(batch.steps[b : b + 1], mask[b : b + 1])[0]
        memory = [encoded[i] + torch.tanh(net.sentence(batch.sentences[b, i])) for i in real]
        prior = [
            torch.cat([torch.relu(net.product(batch.sentences[b, i] * q_s * scale)), batch.features[b, i]])
            for i in real
        ]
        m, logits = query, [torch.zeros(())] * len(real)
        for t in range(episodes):
            z = [
                torch.cat([M * query, M * m, (M - query).abs(), (M - m).abs(), p])
                for M, p in zip(memory, prior, strict=True)
            ]
            logits = [net.memory.score[t](torch.tanh(net.memory.hidden[t](x)))[0] for x in z]
            a = torch.stack(logits).softmax(0)
            assert torch.allclose(attention[b, t, real], a, atol=1e-5)
            c = sum(w * M for w, M in zip(a, memory, strict=True))
            m = torch.relu(net.memory.update[t](torch.cat([m, c, query])))
        if not episodes:
            m = query + torch.stack(memory).mean(0)
        assert torch.allclose(state[b], m, atol=1e-5) and torch.allclose(null[b], net.null(m)[0], atol=1e-5)
        for k, i in enumerate(real):
            given = net.given(torch.cat([memory[k], m, prior[k]]))
            for end in range(2):
                x = batch.ends[b, i, end]
                expected = logits[k] + net.read(given + net.end(x))[0] + net.direct(x)[0]
                expected = expected + net.side(q_s * scale)[0] * (2 * x[0] - 1)  # x[0]: the end is seen
                assert torch.allclose(pointer[b, i, end], expected, atol=1e-4)
    assert pointer[1, 1:].max() < -1e30
