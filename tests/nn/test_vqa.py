"""The VQA family's joins: each against its layers put together by hand; padding has no say in any, nor any gradient."""

from __future__ import annotations

import pytest
import torch

from kgmm.nn.gaussian_conv import pseudo_coordinates
from kgmm.nn.vqa import JOINS, VqaNetwork

DIM = 8


def _inputs(b=2, n=5, words=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    mask = torch.ones(b, n, dtype=torch.bool)
    mask[1, 3:] = False
    given = torch.randn(b, words, DIM, generator=g), torch.randn(b, DIM, generator=g)
    objects = torch.randn(b, n, DIM, generator=g) * mask.unsqueeze(-1)
    return *given, objects, mask, torch.rand(b, n, 4, generator=g)


@pytest.mark.parametrize("name", sorted(JOINS))
def test_padded_objects_change_nothing_and_get_no_gradient(name):
    torch.manual_seed(1)
    join, (words, question, objects, mask, boxes) = JOINS[name](DIM).eval(), _inputs()
    noisy = (objects + torch.randn_like(objects) * ~mask.unsqueeze(-1)).requires_grad_()
    moved = boxes + torch.rand_like(boxes) * ~mask.unsqueeze(-1)
    out, shown = join(words, question, noisy, mask, moved)
    assert out.shape == (2, DIM)
    assert torch.allclose(out, join(words, question, objects, mask, boxes)[0], atol=1e-5)
    if name == "blind":
        return
    (out * torch.randn_like(out)).sum().backward()  # a sum of squares would be constant where outputs are normalized
    assert noisy.grad[~mask].abs().max() < 1e-7
    assert (noisy.grad[mask].abs().sum(-1) > 0).float().mean() > 0.5
    for looks in (shown.get("attention"), shown.get("weights")):
        if looks is not None and looks.shape[-1] == 5 and name != "graph":
            assert looks[1, ..., 3:].abs().max() == 0
            assert torch.allclose(looks.sum(-1), torch.ones_like(looks[..., 0]), atol=1e-5)


def test_graph_vqa_is_a_learned_graph_two_convolutions_and_a_maximum():
    torch.manual_seed(2)
    join = JOINS["graph"](DIM)
    words, question, objects, mask, boxes = _inputs()
    out, shown = join(words, question, objects, mask, boxes)
    for b in range(2):
        real = int(mask[b].sum())
        nodes, at = objects[b, :real], boxes[b, :real, :2]
        neighbours, alpha = join.learn(nodes[None], question[b : b + 1], torch.ones(1, real, dtype=torch.bool))
        x = nodes
        for conv in (join.first, join.second):
            rows = []
            for i in range(real):
                blocks = []
                for k in range(conv.kernels):
                    f = torch.zeros(x.shape[1])
                    for j, a in zip(neighbours[0, i].tolist(), alpha[0, i], strict=True):
                        u = pseudo_coordinates(at, torch.tensor([[j], [i]]))[0]
                        d = (u - conv.mean[k]) * torch.exp(-conv.log_scale[k])
                        f = f + torch.exp(-0.5 * d @ d) * a * x[j]
                    blocks.append(f @ conv.project[k])
                rows.append(torch.cat(blocks))
            x = torch.relu(torch.stack(rows))
        assert torch.allclose(out[b], x.amax(0) * question[b], atol=1e-5)
    assert shown["neighbours"].shape == shown["weights"].shape == (2, 5, 5)


def test_up_down_multiplies_gated_question_and_seen_objects():
    torch.manual_seed(3)
    join = JOINS["updown"](DIM)
    words, question, objects, mask, boxes = _inputs()
    out, shown = join(words, question, objects, mask, boxes)
    for b in range(2):
        seen = shown["attention"][b, 0] @ objects[b]
        assert torch.allclose(out[b], join.out(join.question(question[b]) * join.image(seen)), atol=1e-5)


def test_conventional_and_blind_are_what_they_say():
    words, question, objects, mask, boxes = _inputs()
    join = JOINS["conventional"](DIM)
    out = join(words, question, objects, mask, boxes)[0]
    for b in range(2):
        mean = objects[b][mask[b]].mean(0)
        assert torch.allclose(out[b], join.joint(torch.cat([mean, question[b]])), atol=1e-5)
    assert torch.equal(JOINS["blind"](DIM)(words, question, objects, mask, boxes)[0], question)


@pytest.mark.parametrize("name", sorted(JOINS))
def test_every_parameter_of_every_network_can_learn(name):
    torch.manual_seed(4)
    net = VqaNetwork(name, 9, 5, 6, dim=DIM, dropout=0.0)
    tokens = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 7]])
    mask = torch.tensor([[True] * 3, [True, True, False]])
    logits, _ = net(tokens, torch.randn(2, 3, 6), torch.rand(2, 3, 4), mask)
    assert logits.shape == (2, 5)
    torch.nn.functional.cross_entropy(logits, torch.tensor([1, 3])).backward()
    idle = [n for n, p in net.named_parameters() if p.grad is None or p.grad.abs().sum() == 0]
    blind = name == "blind" and {n.split(".")[0] for n in idle} == {"objects"}
    # a softmax is blind to what is added to all its logits
    assert blind or all(
        n.endswith(("score.bias", "score_image.bias", "score_question.bias")) or ".score." in n for n in idle
    ), idle


def test_question_encoder_is_a_gru_written_out():
    from kgmm.nn.question import QuestionEncoder

    torch.manual_seed(5)
    encoder = QuestionEncoder(7, 3, 4)
    tokens = torch.tensor([[2, 5, 1, 0]])
    states, question = encoder(tokens)
    p, h = dict(encoder.recurrent.named_parameters()), torch.zeros(4)
    for t in range(3):
        x = encoder.embedding.weight[tokens[0, t]]
        into = (p["weight_ih_l0"] @ x + p["bias_ih_l0"]).chunk(3)
        state = (p["weight_hh_l0"] @ h + p["bias_hh_l0"]).chunk(3)
        r, z = torch.sigmoid(into[0] + state[0]), torch.sigmoid(into[1] + state[1])
        h = (1 - z) * torch.tanh(into[2] + r * state[2]) + z * h
        assert torch.allclose(states[0, t], h, atol=1e-6)
    assert torch.equal(question[0], states[0, 2]) and states[0, 3].abs().max() == 0
