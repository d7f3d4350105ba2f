"""The VQA family's joins, each against its layers put together by hand; what all of them promise is test_family.py."""

from __future__ import annotations

import torch

from kgmm.nn.gaussian_conv import pseudo_coordinates
from kgmm.nn.vqa import JOINS, Given

DIM = 8


def test_graph_vqa_is_a_learned_graph_two_convolutions_and_a_maximum(pictures):
    torch.manual_seed(2)
    join = JOINS["graph"](DIM)
    words, question, objects, mask, boxes = pictures
    out, shown = join(Given(words, question, objects, mask, boxes))
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


def test_up_down_multiplies_gated_question_and_seen_objects(pictures):
    torch.manual_seed(3)
    join = JOINS["updown"](DIM)
    words, question, objects, mask, boxes = pictures
    out, shown = join(Given(words, question, objects, mask, boxes))
    for b in range(2):
        seen = shown["attention"][b, 0] @ objects[b]
        assert torch.allclose(out[b], join.out(join.question(question[b]) * join.image(seen)), atol=1e-5)


def test_conventional_and_blind_are_what_they_say(pictures):
    words, question, objects, mask, boxes = pictures
    join = JOINS["conventional"](DIM)
    out = join(Given(words, question, objects, mask, boxes))[0]
    for b in range(2):
        mean = objects[b][mask[b]].mean(0)
        assert torch.allclose(out[b], join.joint(torch.cat([mean, question[b]])), atol=1e-5)
    assert torch.equal(JOINS["blind"](DIM)(Given(words, question, objects, mask, boxes))[0], question)


def test_question_encoder_is_a_gru_written_out():
    from kgmm.nn.vqa import QuestionEncoder

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
