"""Learned graphs and graph convolutions against loops over nodes, edges and kernels."""

from __future__ import annotations

import math

import pytest
import torch

from kgmm.nn.gaussian_conv import GaussianKernelConv, pseudo_coordinates
from kgmm.nn.graph_learner import GraphLearner


def test_learned_neighbours_are_the_largest_products():
    torch.manual_seed(0)
    learner = GraphLearner(5, 3, hidden=8, neighbours=3)
    nodes, question = torch.randn(2, 6, 5), torch.randn(2, 3)
    mask = torch.tensor([[True] * 6, [True, True, True, True, False, False]])
    neighbours, weights = learner(nodes, question, mask)
    for b in range(2):
        e = [learner.embed(torch.cat([nodes[b, i], question[b]])) for i in range(6)]
        for i in range(6):
            if not mask[b, i]:
                assert weights[b, i].sum() == 0
                continue
            row = {j: (e[i] @ e[j] / math.sqrt(8)).item() for j in range(6) if mask[b, j]}
            best = sorted(row, key=row.get, reverse=True)[:3]
            assert neighbours[b, i].tolist() == best
            alpha = torch.tensor([row[j] for j in best]).softmax(0)
            assert torch.allclose(weights[b, i], alpha, atol=1e-5)


def test_a_scene_smaller_than_m_keeps_all_its_nodes():
    learner = GraphLearner(5, 3, hidden=8, neighbours=16)
    neighbours, weights = learner(torch.randn(1, 2, 5), torch.randn(1, 3), torch.ones(1, 2, dtype=torch.bool))
    assert neighbours.shape == (1, 2, 2) and torch.allclose(weights.sum(-1), torch.ones(1, 2))


def test_pseudo_coordinates_point_from_target_to_source():
    centres = torch.tensor([[0.0, 0.0], [0.0, 0.5]])
    u = pseudo_coordinates(centres, torch.tensor([[1], [0]]))
    assert torch.allclose(u, torch.tensor([[0.5, math.pi / 2]]))


def test_gaussian_convolution_follows_its_equation():
    torch.manual_seed(1)
    conv = GaussianKernelConv(4, 6, kernels=3)
    conv.log_scale.data.normal_()
    x, edge_index = torch.randn(5, 4), torch.tensor([[0, 1, 2, 4, 3], [1, 0, 1, 1, 4]])
    u, weight = torch.rand(5, 2), torch.rand(5)
    out = conv(x, edge_index, u, weight)
    expected = torch.zeros(5, 6)
    for i in range(5):
        blocks = []
        for k in range(3):
            precision = torch.diag(torch.exp(-2 * conv.log_scale[k]))
            f = torch.zeros(4)
            for e in range(5):
                if edge_index[1, e] == i:
                    d = u[e] - conv.mean[k]
                    f = f + torch.exp(-0.5 * d @ precision @ d) * weight[e] * x[edge_index[0, e]]
            blocks.append(f @ conv.project[k])
        expected[i] = torch.cat(blocks)
    assert torch.allclose(out, expected, atol=1e-5)


def test_gaussian_convolution_refuses_an_uneven_width():
    with pytest.raises(ValueError, match="multiple"):
        GaussianKernelConv(4, 7, kernels=3)


def test_graph_layers_have_gradients_everywhere_and_none_at_padding():
    torch.manual_seed(3)
    learner = GraphLearner(4, 3, hidden=8, neighbours=2).double()
    nodes = torch.randn(1, 4, 4, dtype=torch.double, requires_grad=True)
    mask = torch.tensor([[True, True, True, False]])
    _, weights = learner(nodes, torch.randn(1, 3, dtype=torch.double), mask)
    (weights * torch.rand_like(weights)).sum().backward()
    assert nodes.grad[0, 3].abs().max() == 0 and nodes.grad[0, :3].abs().sum() > 0
    edges, u = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 0]]), torch.rand(4, 2, dtype=torch.double)
    conv = GaussianKernelConv(4, 6, kernels=3).double()
    x = torch.randn(3, 4, dtype=torch.double, requires_grad=True)
    weight = torch.rand(4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, u, w: conv(x, edges, u, w), (x, u.requires_grad_(), weight))
