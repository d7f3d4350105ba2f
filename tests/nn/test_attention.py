"""Attention layers against their equations for one sample at a time."""

from __future__ import annotations

import torch

from kgmm.nn.attention import (
    CoAttention,
    GatedTanh,
    HierarchicalCoAttention,
    PhraseConvolution,
    StackedAttention,
    TopDownAttention,
)

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


def test_stacked_attention_adds_every_look():
    torch.manual_seed(0)
    layer, v, q = StackedAttention(5, 6, looks=2), torch.randn(2, 4, 5), torch.randn(2, 5)
    out, looks = layer(v, q, MASK)
    for b in range(2):
        u, real = q[b], v[b][MASK[b]]
        for k in range(2):
            h = torch.tanh(real @ layer.image[k].weight.T + layer.query[k](u))
            p = layer.score[k](h).squeeze(-1).softmax(0)
            assert torch.allclose(looks[b, k][MASK[b]], p, atol=1e-6)
            u = u + p @ real
        assert torch.allclose(out[b], u, atol=1e-5)


def test_top_down_attention_weighs_real_objects():
    torch.manual_seed(1)
    layer, v, q = TopDownAttention(5, 3, 7), torch.randn(2, 4, 5), torch.randn(2, 3)
    seen, a = layer(v, q, MASK)
    for b in range(2):
        real = v[b][MASK[b]]
        x = torch.cat([real, q[b].expand(len(real), -1)], -1)
        f = torch.tanh(layer.joint.value(x)) * torch.sigmoid(layer.joint.gate(x))
        expected = (f @ layer.score.weight[0]).softmax(0)
        assert torch.allclose(a[b][MASK[b]], expected, atol=1e-6)
        assert torch.allclose(seen[b], expected @ real, atol=1e-5)
    assert a[1, 2:].abs().max() == 0


def test_gated_tanh_stays_within_one():
    assert GatedTanh(3, 9)(torch.randn(50, 3) * 100).abs().max() <= 1


def test_co_attention_follows_its_equations():
    torch.manual_seed(2)
    layer = CoAttention(5, 6)
    words, objects = torch.randn(2, 3, 5), torch.randn(2, 4, 5)
    word_mask = torch.tensor([[True, True, True], [True, True, False]])
    q_hat, v_hat, a_q, a_v = layer(words, objects, word_mask, MASK)
    for b in range(2):
        q, v = words[b][word_mask[b]].T, objects[b][MASK[b]].T
        w_b, w_v, w_q = layer.affinity.weight, layer.image.weight, layer.question.weight
        c = torch.tanh(q.T @ w_b @ v)
        h_v, h_q = torch.tanh(w_v @ v + (w_q @ q) @ c), torch.tanh(w_q @ q + (w_v @ v) @ c.T)
        p_v = (layer.score_image.weight[0] @ h_v).softmax(0)
        p_q = (layer.score_question.weight[0] @ h_q).softmax(0)
        assert torch.allclose(a_v[b][MASK[b]], p_v, atol=1e-5) and torch.allclose(a_q[b][word_mask[b]], p_q, atol=1e-5)
        assert torch.allclose(v_hat[b], v @ p_v, atol=1e-5) and torch.allclose(q_hat[b], q @ p_q, atol=1e-5)


def test_phrases_take_the_largest_gram():
    torch.manual_seed(3)
    layer, words = PhraseConvolution(4), torch.randn(1, 5, 4)
    out = layer(words, torch.ones(1, 5, dtype=torch.bool))[0]
    padded = torch.cat([torch.zeros(1, 4), words[0], torch.zeros(1, 4)])
    for i in range(5):
        at = i + 1
        spans = (padded[at : at + 1], padded[at : at + 2], padded[at - 1 : at + 2])
        grams = [
            torch.tanh(torch.einsum("odn,nd->o", conv.weight, span) + conv.bias)
            for conv, span in zip(layer.grams, spans, strict=True)
        ]
        assert torch.allclose(out[i], torch.stack(grams).amax(0), atol=1e-5)


def test_hierarchy_ignores_padded_words_and_objects():
    torch.manual_seed(4)
    layer = HierarchicalCoAttention(4, 6)
    words, objects = torch.randn(1, 3, 4), torch.randn(1, 2, 4)
    h, a_v, a_q = layer(words, objects, torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 2, dtype=torch.bool))
    longer, more = torch.cat([words, torch.randn(1, 2, 4)], 1), torch.cat([objects, torch.randn(1, 3, 4)], 1)
    word_mask = torch.tensor([[True, True, True, False, False]])
    object_mask = torch.tensor([[True, True, False, False, False]])
    padded, b_v, b_q = layer(longer, more, word_mask, object_mask)
    assert torch.allclose(h, padded, atol=1e-5)
    assert torch.allclose(a_v, b_v[..., :2], atol=1e-5) and torch.allclose(a_q, b_q[..., :3], atol=1e-5)
    assert h.shape == (1, 4) and a_v.shape == (1, 3, 2)
