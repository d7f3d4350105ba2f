"""Neural modules on scenes whose right answer is known."""

from __future__ import annotations

import torch

from kgmm.nn import modules as nmn
from kgmm.nn.vqa import QuestionEncoder

MASK = torch.tensor([[True, True, True, False]])


def test_find_and_relate_leave_padding_unattended():
    torch.manual_seed(0)
    found = nmn.Find(5, 4, 8)(torch.randn(1, 4, 5), MASK, torch.tensor([2]))
    assert found[0, 3] == 0 and (found[0, :3] > 0).all()
    related = nmn.Relate(3, 4, 8)(found, torch.randn(1, 4, 4, 3), MASK, torch.tensor([1]))
    assert related[0, 3] == 0 and related.max() <= 1


def test_find_is_a_bounded_product_of_word_and_mlp():
    torch.manual_seed(5)
    layer, nodes = nmn.Find(5, 4, 8), 9 * torch.randn(1, 4, 5)
    first, _, second = layer.node
    hidden = torch.relu(nodes[0] @ first.weight.T + first.bias) @ second.weight.T + second.bias
    score = hidden @ layer.word.weight[2] + layer.bias.weight[2]
    expected = torch.sigmoid(8 * torch.tanh(score / 8)) * MASK[0]
    assert torch.allclose(layer(nodes, MASK, torch.tensor([2]))[0], expected, atol=1e-5)


def test_relate_follows_only_attended_nodes_and_never_itself():
    torch.manual_seed(1)
    layer, edges = nmn.Relate(3, 2, 8), torch.randn(1, 3, 3, 3)
    mask = torch.ones(1, 3, dtype=torch.bool)
    out = layer(torch.tensor([[1.0, 0.0, 0.0]]), edges, mask, torch.tensor([0]))
    assert out[0, 0] == 0
    for j in (1, 2):
        alone = torch.sigmoid(nmn.bounded(layer.edge(edges[0, 0, j]) @ layer.word.weight[0] + layer.bias.weight[0]))
        assert torch.allclose(out[0, j], alone.squeeze())


def test_same_attends_to_others_with_the_attribute():
    colours = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    out = nmn.Same()(torch.tensor([[1.0, 0.0, 0.0, 0.0]]), colours, MASK)
    assert out.tolist() == [[0, 1, 0, 0]]


def test_query_reads_the_attended_node():
    torch.manual_seed(2)
    find, nodes = nmn.Find(5, 3, 8), torch.randn(1, 4, 5)
    out = nmn.query(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), find.scores(nodes))
    assert torch.allclose(torch.sigmoid(out)[0, 0], find(nodes, MASK, torch.tensor([0]))[0, 1], atol=1e-5)


def test_set_modules_are_boolean_at_the_corners():
    a, b = torch.tensor([[1.0, 1.0, 0.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0, 0.0]])
    assert nmn.both(a, b).tolist() == [[1, 0, 0, 0]]
    assert nmn.either(a, b).tolist() == [[1, 1, 1, 0]]
    assert nmn.without(a, b).tolist() == [[0, 1, 0, 0]]
    assert nmn.count(a).item() == 2 and nmn.exist(a * 0).item() == 0
    for x, y, how in ((3, 2, "greater"), (2, 3, "less"), (2, 2, "equal")):
        assert nmn.compare(torch.tensor([float(x)]), torch.tensor([float(y)]), how) > 0.9
    for x, y, how in ((2, 2, "greater"), (2, 2, "less"), (2, 3, "equal")):
        assert nmn.compare(torch.tensor([float(x)]), torch.tensor([float(y)]), how) < 0.1


def test_query_averages_attended_nodes():
    scores = torch.tensor([[[2.0], [4.0], [9.0]]])
    assert nmn.query(torch.tensor([[1.0, 1.0, 0.0]]), scores).item() == 3


def test_question_vector_does_not_depend_on_padding():
    torch.manual_seed(3)
    encoder = QuestionEncoder(9, 4, 6)
    words, question = encoder(torch.tensor([[3, 5, 2]]))
    padded_words, padded = encoder(torch.tensor([[3, 5, 2, 0, 0]]))
    assert torch.allclose(question, padded) and torch.allclose(words, padded_words[:, :3])
    assert padded_words[:, 3:].abs().max() == 0
