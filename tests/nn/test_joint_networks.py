"""Networks on joint graphs against loops over nodes and edges, and PyG's layers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch_geometric.nn import RGCNConv

from kgmm.nn.edge_counts import EdgeCounts
from kgmm.nn.joint import AttentionPool, GraphScore, JointBatch, NodeInput, Pointer
from kgmm.nn.mucko import CrossConvolution, GuidedConvolution, Mucko, box_relations, pairs_within, weighted_loss
from kgmm.nn.qagnn import QAGNN
from kgmm.nn.rgcn import RGCN
from kgmm.nn.sparse import EdgeRows, dots, sums

KINDS, RELATIONS, DIM, TEXT = 4, 6, 8, 5
QUESTION, CHOICE, OBJECT, CONCEPT = range(KINDS)


def batch_of(*sizes: tuple[int, int, int, int], seed: int = 0, edges: int = 3) -> JointBatch:
    """Graphs of (choices, objects, concepts, edges a node) beside one question node each."""
    g = torch.Generator().manual_seed(seed)
    kinds, graph, ends, question = [], [], [], []
    for number, (choices, objects, concepts, each) in enumerate(sizes):
        first, count = len(kinds), 1 + choices + objects + concepts
        question.append(first)
        kinds += [QUESTION, *[CHOICE] * choices, *[OBJECT] * objects, *[CONCEPT] * concepts]
        graph += [number] * count
        ends.append(torch.randint(0, count, (2, each * count), generator=g) + first)
    kind, n = torch.tensor(kinds), len(kinds)
    joined = torch.cat(ends, 1)
    of_scene = (kind[joined] == OBJECT).any(0)
    boxes = torch.rand(n, 4, generator=g) * (kind == OBJECT).unsqueeze(-1)
    relation = torch.randint(0, RELATIONS, (joined.shape[1],), generator=g)
    between = (kind[joined] >= OBJECT).all(0)
    return JointBatch(
        torch.randn(n, TEXT, generator=g),
        kind,
        torch.rand(n, generator=g),
        boxes,
        joined,
        relation,
        torch.ones(joined.shape[1]),
        torch.tensor(graph),
        torch.tensor(question),
        (kind == CHOICE).nonzero().squeeze(1),
        kind == OBJECT,
        kind == CONCEPT,
        between & of_scene,
        between & ~of_scene,
    )


#: two graphs, one of a single node, one whose nodes have no edges
BATCH = batch_of((2, 3, 4, 3), (0, 0, 0, 0), (1, 1, 2, 0), (2, 0, 5, 2))


def states(batch: JointBatch, seed: int = 1) -> Tensor:
    return torch.randn(len(batch.kind), DIM, generator=torch.Generator().manual_seed(seed))


def softmax_of(values: list[Tensor]) -> list[Tensor]:
    return list(torch.stack(values).softmax(0)) if values else []


def loop_qagnn(net: QAGNN, h: Tensor, batch: JointBatch) -> tuple[Tensor, Tensor]:
    """QA-GNN's equations, a node and an edge at a time, every node hearing itself too."""
    n = len(h)
    ends = [tuple(e) for e in batch.edges.t().tolist()] + [(i, i) for i in range(n)]
    relation = batch.relation.tolist() + [net.relations] * n
    kind = batch.kind.tolist()
    u = [net.kind.weight[k] for k in kind]
    rho = [net.relevance(batch.relevance[i : i + 1]) for i in range(n)]
    r = [
        net.edge(net.relation.weight[e] + net.source.weight[kind[s]] + net.target.weight[kind[t]])
        for e, (s, t) in zip(relation, ends, strict=True)
    ]
    kept = []
    for layer in net.layers:
        logits: list[list[Tensor]] = [[] for _ in range(n)]
        messages: list[list[Tensor]] = [[] for _ in range(n)]
        places: list[list[int]] = [[] for _ in range(n)]
        for e, (s, t) in enumerate(ends):
            f_q = layer.query(torch.cat([h[s], u[s], rho[s]]))
            f_k = layer.key_of(torch.cat([h[t], u[t], rho[t]])) + layer.key_by(r[e])
            logits[t].append(f_q @ f_k / math.sqrt(DIM))
            messages[t].append(layer.message_of(torch.cat([h[s], u[s]])) + layer.message_by(r[e]))
            places[t].append(e)
        alpha, rows = torch.zeros(len(ends)), []
        for t in range(n):
            weights = softmax_of(logits[t])
            alpha[places[t]] = torch.stack(weights)
            rows.append(layer.update_with(sum(a * m for a, m in zip(weights, messages[t], strict=True))) + h[t])
        h = torch.stack(rows)
        kept.append(alpha)
    return h, torch.stack(kept)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@torch.no_grad()
def test_qagnn_follows_its_equations_node_by_node() -> None:
    net = QAGNN(KINDS, RELATIONS, DIM, layers=2).eval()
    h, attention = net(states(BATCH), BATCH)
    expected, alpha = loop_qagnn(net, states(BATCH), BATCH)
    assert torch.allclose(h, expected, atol=1e-5) and torch.allclose(attention, alpha, atol=1e-5)
    assert attention.shape == (2, BATCH.edges.shape[1] + len(BATCH.kind))


@torch.no_grad()
@pytest.mark.parametrize("net", [QAGNN(KINDS, RELATIONS, DIM, 2).eval(), RGCN(RELATIONS, DIM, 2, 3).eval()])
def test_graphs_do_not_hear_those_beside_them(net: torch.nn.Module) -> None:
    alone = batch_of((2, 3, 4, 3))
    n = len(alone.kind)
    h = states(BATCH)
    beside = net(h, BATCH)[0][:n]
    first = BATCH.edges[0] < n
    assert torch.equal(BATCH.edges[:, first], alone.edges)
    same = replace(alone, x=BATCH.x[:n], relevance=BATCH.relevance[:n], relation=BATCH.relation[first])
    assert torch.allclose(net(h[:n], same)[0], beside, atol=1e-5)


@torch.no_grad()
def test_a_node_without_neighbours_hears_itself_alone() -> None:
    net = QAGNN(KINDS, RELATIONS, DIM, layers=1).eval()
    one = batch_of((0, 0, 0, 0))
    h, attention = net(states(one), one)
    assert attention.tolist() == [[1.0]] and torch.allclose(h, loop_qagnn(net, states(one), one)[0], atol=1e-5)


def test_types_and_relations_a_network_was_not_made_for_are_refused() -> None:
    net = QAGNN(KINDS, RELATIONS, DIM, layers=1)
    with pytest.raises(IndexError):
        net(states(BATCH), replace(BATCH, relation=BATCH.relation + RELATIONS + 1))
    with pytest.raises(IndexError):
        net(states(BATCH), replace(BATCH, kind=BATCH.kind + KINDS))


def test_products_along_edges_have_the_gradients_of_dense_ones() -> None:
    rows, others = torch.tensor([2, 0, 2, 2, 0]), torch.tensor([1, 0, 1, 3, 2])
    edges = EdgeRows.of(rows, others, 3, 4)
    a, b, w = (torch.randn(*s, dtype=torch.double, requires_grad=True) for s in ((3, 2), (4, 2), (5,)))
    assert torch.allclose(dots(a, b, edges), (a[rows] * b[others]).sum(-1))
    dense = torch.zeros(3, 2, dtype=torch.double).index_add(0, rows, w.unsqueeze(-1) * b[others])
    assert torch.allclose(sums(w, b, edges), dense)
    assert torch.autograd.gradcheck(lambda a, b: dots(a, b, edges), (a, b))
    assert torch.autograd.gradcheck(lambda w, b: sums(w, b, edges), (w, b))


@torch.no_grad()
def test_rgcn_is_pyg_s() -> None:
    net = RGCN(RELATIONS, DIM, layers=2, bases=3).eval()
    h = expected = states(BATCH)
    for layer in net.layers:
        plain = RGCNConv(DIM, DIM, RELATIONS, num_bases=3)
        plain.load_state_dict(layer.state_dict())
        expected = plain(expected, BATCH.edges, BATCH.relation).relu()
    assert torch.allclose(net(h, BATCH)[0], expected, atol=1e-5)


@torch.no_grad()
def test_guided_convolution_follows_its_equations() -> None:
    net, one = GuidedConvolution(DIM, 3, TEXT), batch_of((0, 0, 5, 2), (0, 0, 2, 1))
    v, q, r = states(one), torch.randn(2, TEXT)[one.graph], torch.randn(one.edges.shape[1], 3)
    out, alpha, beta = net(v, q, one.edges, r, one.graph, 2)
    scores = [net.wa(torch.tanh(net.w1(v[i]) + net.w2(q[i])))[0] for i in range(len(v))]
    for graph in range(2):
        nodes = [i for i in range(len(v)) if one.graph[i] == graph]
        assert torch.allclose(alpha[nodes], torch.stack([scores[i] for i in nodes]).softmax(0), atol=1e-5)
    for i in range(len(v)):
        into = [e for e in range(one.edges.shape[1]) if one.edges[1, e] == i]
        sent = [net.w5(torch.cat([v[one.edges[0, e]], r[e]])) for e in into]
        asked = net.w4(net.w6(torch.cat([v[i], q[i]])))
        weights = softmax_of([net.wb(torch.tanh(net.w3(s) + asked))[0] for s in sent])
        m = sum((w * s for w, s in zip(weights, sent, strict=True)), torch.zeros(DIM))
        assert torch.allclose(out[i], net.w7(torch.cat([m, alpha[i] * v[i]])).relu(), atol=1e-5)
        assert torch.allclose(beta[into], torch.stack(weights) if weights else beta[into], atol=1e-5)


@torch.no_grad()
def test_facts_take_from_all_nodes_of_another_graph_of_the_same_question() -> None:
    net = CrossConvolution(DIM, TEXT)
    theirs, ours, q = torch.randn(3, DIM), torch.randn(3, DIM), torch.randn(3, TEXT)
    pairs = pairs_within(torch.tensor([0, 0, 2]), torch.tensor([0, 1, 2]), 3)
    m, gamma = net(theirs, ours, q, pairs)
    for i, known in enumerate(([0, 1], [], [2])):
        logits = [net.wc(torch.tanh(net.w8(theirs[j]) + net.w9(torch.cat([ours[i], q[i]]))))[0] for j in known]
        weights = softmax_of(logits)
        expected = sum((w * theirs[j] for w, j in zip(weights, known, strict=True)), torch.zeros(DIM))
        assert torch.allclose(m[i], expected, atol=1e-5)
    assert gamma.shape == (3,)


@torch.no_grad()
def test_mucko_changes_concepts_by_what_is_seen_and_works_without_a_picture() -> None:
    net, text = Mucko(RELATIONS, TEXT, DIM).eval(), torch.randn(len(BATCH), TEXT)
    h = states(BATCH)
    out, shown = net(h, BATCH, text)
    assert torch.equal(out[~BATCH.concepts], h[~BATCH.concepts]) and torch.isfinite(out).all()
    assert shown["visual"][~BATCH.objects].sum() == 0 and shown["fact"].sum().item() == pytest.approx(3)
    other = net(h + BATCH.objects.unsqueeze(-1), BATCH, text)[0]
    changed = (out - other).abs().sum(-1)[BATCH.concepts]
    with_objects = BATCH.graph[BATCH.concepts] != 3
    assert (changed[with_objects] > 0).all() and (changed[~with_objects] == 0).all()


def test_box_relations_say_where_and_how_large() -> None:
    boxes = torch.tensor([[0.5, 0.5, 0.2, 0.4], [0.7, 0.5, 0.1, 0.1], [0.0, 0.0, 0.0, 0.0]])
    r = box_relations(boxes, torch.tensor([[1, 2], [0, 0]]))
    assert r[0].tolist() == pytest.approx([1.0, 0.0, 0.5, 0.25, 0.125]) and not r[1].any()


@torch.no_grad()
def test_heads_score_each_graph_and_point_at_nodes() -> None:
    text, h = torch.randn(len(BATCH), TEXT), states(BATCH)
    head = GraphScore(TEXT, DIM).eval()
    scores, attention = head(h, text, BATCH)
    pool = head.pool
    for b in range(len(BATCH)):
        nodes = [i for i in range(len(h)) if BATCH.graph[i] == b and i != BATCH.question[b]]
        weights = softmax_of([pool.query(text[b]) @ pool.key(h[i]) / math.sqrt(DIM) for i in nodes])
        g = sum((w * pool.value(h[i]) for w, i in zip(weights, nodes, strict=True)), torch.zeros(DIM))
        expected = head.score(torch.cat([text[b], h[BATCH.question[b]], g]))[0]
        assert torch.allclose(scores[b], expected, atol=1e-5)
        assert attention[nodes].sum().item() == pytest.approx(1.0 if nodes else 0.0)
    logits = Pointer(TEXT, DIM).eval()(h, text, BATCH, BATCH.choice)
    assert logits.shape == BATCH.choice.shape
    assert Pointer(TEXT, DIM)(h, text, BATCH, BATCH.choice[:0]).shape == (0,)


@torch.no_grad()
def test_masked_nodes_get_no_attention_and_an_empty_mask_pools_zero() -> None:
    pool, text = AttentionPool(TEXT, DIM), torch.randn(len(BATCH), TEXT)
    pooled, attention = pool(states(BATCH), text, BATCH.graph, BATCH.objects)
    assert attention[~BATCH.objects].abs().sum() == 0 and (pooled[[1, 3]] == 0).all() and (pooled[[0, 2]] != 0).any()


@torch.no_grad()
def test_first_states_of_questions_are_those_of_the_text() -> None:
    given = NodeInput(TEXT, DIM)
    text = torch.randn(len(BATCH), TEXT)
    h = given(BATCH, text)
    assert torch.allclose(h[BATCH.question], torch.nn.functional.gelu(given.asked(text)))
    assert torch.allclose(given(BATCH)[BATCH.choice], h[BATCH.choice])


def test_edge_counts_are_a_linear_score_of_their_logarithms() -> None:
    net = EdgeCounts(KINDS, RELATIONS)
    torch.nn.init.normal_(net.weight.weight)
    scores = net(BATCH)
    for b in range(len(BATCH)):
        counts: dict[int, int] = {}
        for e in range(BATCH.edges.shape[1]):
            s, t = BATCH.edges[:, e].tolist()
            if BATCH.graph[s] == b:
                code = (int(BATCH.kind[s]) * RELATIONS + int(BATCH.relation[e])) * KINDS + int(BATCH.kind[t])
                counts[code] = counts.get(code, 0) + 1
        expected = sum(float(net.weight.weight[c]) * math.log1p(n) for c, n in counts.items())
        assert scores[b].item() == pytest.approx(expected, abs=1e-4)


def test_answers_weigh_more_than_others_in_the_loss() -> None:
    logits, right = torch.zeros(2), torch.tensor([True, False])
    assert weighted_loss(logits, right).item() == pytest.approx(math.log(2) * (0.7 + 0.3) / 2)


@pytest.mark.parametrize("kind", ["qagnn", "rgcn"])
def test_a_network_learns_which_choice_s_graph_holds_a_certain_relation(kind: str) -> None:
    batches = [batch_of(*[(1, 0, 4, 2)] * 16, seed=s) for s in range(6)]
    labels = [torch.zeros(16).index_fill(0, b.graph[b.edges[0, b.relation == 0]], 1.0) for b in batches]
    net = QAGNN(KINDS, RELATIONS, DIM, 2, 0.0) if kind == "qagnn" else RGCN(RELATIONS, DIM, 2, 3, 0.0)
    first, head = NodeInput(TEXT, DIM), GraphScore(TEXT, DIM, 0.0)
    learned = torch.optim.Adam([*net.parameters(), *first.parameters(), *head.parameters()], 0.01)
    losses = []
    for _ in range(60):
        for b, y in zip(batches, labels, strict=True):
            text = torch.zeros(len(b), TEXT)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(head(net(first(b), b)[0], text, b)[0], y)
            learned.zero_grad()
            loss.backward()
            learned.step()
            losses.append(loss.item())
    assert sum(losses[-6:]) / 6 < 0.5 * sum(losses[:6]) / 6
