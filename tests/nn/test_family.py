"""What every network over objects and every fusion promises: shapes, masks, gradients, a row in docs, a source."""

from __future__ import annotations

import importlib

import pytest
import torch

from kgmm.nn import vqa
from kgmm.nn.bilinear import FUSIONS
from kgmm.nn.graph_learner import GraphLearner
from kgmm.nn.modules import Find, Relate
from kgmm.nn.vqa import JOINS, Given, VqaNetwork
from tests.families import DOCS, check_family

DIM = 8
#: networks that are no join of question and picture → where they are
OTHERS = {"modules": "kgmm.nn.program", "kdmn": "kgmm.nn.kdmn", "hybrid": "kgmm.nn.pair_ranker"}


def _module(name):
    return importlib.import_module(
        OTHERS.get(name, "kgmm.nn.bilinear" if name.startswith("bilinear-") else "kgmm.nn.vqa")
    )


def test_networks_are_documented_and_cited():
    check_family([*JOINS, *OTHERS], _module, "models.md")


@pytest.mark.parametrize("name", sorted(JOINS))
def test_padded_objects_change_nothing_and_get_no_gradient(name, pictures):
    torch.manual_seed(1)
    join, (words, question, objects, mask, boxes) = JOINS[name](DIM).eval(), pictures
    noisy = (objects + torch.randn_like(objects) * ~mask.unsqueeze(-1)).requires_grad_()
    moved = boxes + torch.rand_like(boxes) * ~mask.unsqueeze(-1)
    out, shown = join(Given(words, question, noisy, mask, moved))
    assert out.shape == (2, DIM)
    assert torch.allclose(out, join(Given(words, question, objects, mask, boxes))[0], atol=1e-5)
    if name == "blind":
        return
    (out * torch.randn_like(out)).sum().backward()  # a sum of squares would be constant where outputs are normalized
    assert noisy.grad[~mask].abs().max() < 1e-7
    assert (noisy.grad[mask].abs().sum(-1) > 0).float().mean() > 0.5
    for looks in (shown.get("attention"), shown.get("weights")):
        if looks is not None and looks.shape[-1] == 5 and name != "graph":
            assert looks[1, ..., 3:].abs().max() == 0
            assert torch.allclose(looks.sum(-1), torch.ones_like(looks[..., 0]), atol=1e-5)


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


@pytest.mark.parametrize("name", sorted(FUSIONS))
def test_fusions_pass_gradients_even_at_zero(name):
    layer = FUSIONS[name](6, 5, DIM)
    q, v = torch.zeros(2, 6, requires_grad=True), torch.zeros(2, 5, requires_grad=True)
    layer(q, v).sum().backward()
    assert torch.isfinite(q.grad).all() and torch.isfinite(v.grad).all()
    assert layer(torch.randn(4, 3, 6), torch.randn(4, 3, 5)).shape == (4, 3, 8)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (vqa.HieCoAtt, "GRU"),
        (vqa.Bilinear, "16,000"),
        (vqa.UpDown, "not the paper's gated tanh"),
        (vqa.VqaNetwork, "sigmoids on soft scores"),
        (GraphLearner, r"E E^\top / \sqrt d"),
        (Find, r"B(e_{word}^\top \mathrm{MLP}(v_i) + b_{word})"),
        (Relate, r"σ(B(f_{rel}(u_{ij})))"),
    ],
)
def test_what_departs_from_a_paper_is_said_by_the_layer(layer, said):
    assert said in layer.__doc__


@pytest.mark.parametrize("name", ["hiecoatt", "bilinear-mcb", "graph", "updown", "modules"])
def test_what_departs_from_a_paper_is_said_in_the_docs(name):
    differences = (
        (DOCS / "models.md").read_text(encoding="utf-8").split("| name | the paper | here")[1].split("\n\n")[0]
    )
    assert f"| `{name}` |" in differences
