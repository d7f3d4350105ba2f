"""The joint reader and the graph network: who reads whom, where training starts, what a question's score depends on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from kgmm.nn.bert import Bert
from kgmm.nn.graph_network import GraphNetwork, build
from kgmm.nn.joint_reader import JointReader, Pieces
from tests.nn.test_joint_networks import KINDS, RELATIONS, batch_of

CONFIG: dict[str, Any] = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2, "layer_norm_eps": 1e-12}


def bert() -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(0)
    made = {
        f"embeddings.{name}_embeddings.weight": torch.randn(size, 8, generator=g)
        for name, size in (("word", 20), ("position", 16), ("token_type", 2))
    }
    norms = {"embeddings.LayerNorm"}
    for layer in range(2):
        prefix = f"encoder.layer.{layer}."
        norms |= {f"{prefix}attention.output.LayerNorm", f"{prefix}output.LayerNorm"}
        sizes = {f"attention.self.{part}": (8, 8) for part in ("query", "key", "value")}
        sizes |= {"attention.output.dense": (8, 8), "intermediate.dense": (16, 8), "output.dense": (8, 16)}
        for name, size in sizes.items():
            made[f"{prefix}{name}.weight"] = torch.randn(size, generator=g) / 3
            made[f"{prefix}{name}.bias"] = torch.randn(size[0], generator=g) / 3
    for name in norms:
        made |= {f"{name}.weight": torch.ones(8), f"{name}.bias": torch.zeros(8)}
    return made


def pieces_of(reader: JointReader, *questions: list[list[int]]) -> Pieces:
    """Questions given as lists of pieces, each a list of token ids."""
    states, question, piece = [], [], []
    for number, some in enumerate(questions):
        for at, ids in enumerate(some):
            states.append(reader.alone(torch.tensor([ids]))[0])
            question += [number] * len(ids)
            piece += [at] * len(ids)
    counts = torch.tensor([len(some) for some in questions])
    return Pieces(torch.cat(states), torch.tensor(question), torch.tensor(piece), counts)


ASKED = [[1, 2, 3], [4, 5], [6]]


def test_without_corrections_one_piece_is_read_as_the_bert_reads_it() -> None:
    reader = JointReader(bert(), CONFIG, apart=1, rank=2).eval()
    read = reader(pieces_of(reader, [[1, 2, 3, 4]]))
    whole = Bert(bert(), CONFIG).eval()(torch.tensor([[1, 2, 3, 4]]))
    assert torch.allclose(torch.nn.functional.normalize(read, dim=1), whole, atol=1e-6)


def test_questions_read_together_are_read_as_alone() -> None:
    reader = JointReader(bert(), CONFIG, apart=1, rank=2).eval()
    other = [[7, 8, 9, 10, 11], [12], [13, 14]]
    both = reader(pieces_of(reader, ASKED, other))
    assert torch.allclose(both[:3], reader(pieces_of(reader, ASKED)), atol=1e-6)
    assert torch.allclose(both[3:], reader(pieces_of(reader, other)), atol=1e-6)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_what_is_only_read_is_corrected_once_and_reads_the_same(precision: torch.dtype) -> None:
    reader = JointReader(bert(), CONFIG, apart=1, rank=2).eval()
    for name, weights in reader.named_parameters():
        torch.nn.init.normal_(weights, std=0.3 if "up" in name else 1.0)
    before = reader(pieces_of(reader, ASKED))
    reader.read_in(precision)
    assert torch.allclose(reader(pieces_of(reader, ASKED)), before, atol=1e-5 if precision == torch.float32 else 0.1)


def test_in_one_upper_layer_a_choice_reads_the_question_and_no_other_choice() -> None:
    reader = JointReader(bert(), CONFIG, apart=1, rank=2).eval()
    read = reader(pieces_of(reader, ASKED))
    other_choice = reader(pieces_of(reader, [ASKED[0], [9, 9, 9], ASKED[2]]))
    other_question = reader(pieces_of(reader, [[1, 2, 9], *ASKED[1:]]))
    assert torch.allclose(read[2], other_choice[2], atol=1e-6)
    assert not torch.allclose(read[0], other_choice[0], atol=1e-3)
    assert not torch.allclose(read[2], other_question[2], atol=1e-3)


def network(layers: int = 2) -> GraphNetwork:
    torch.manual_seed(0)
    settings = {"kinds": KINDS, "relations": RELATIONS, "dim": 6, "layers": layers}
    return build(bert(), CONFIG, {**settings, "reader": {"apart": 1, "rank": 2}}).eval()


def scored(net: GraphNetwork, seed: int = 0) -> tuple[Pieces, Any]:
    batch = batch_of((2, 0, 4, 3), (3, 1, 2, 2), seed=seed)
    batch.x = torch.randn(len(batch.kind), 8, generator=torch.Generator().manual_seed(1))
    return pieces_of(net.reader, ASKED, [[7, 8], [9], [10, 11], [12]]), batch


@pytest.mark.parametrize("layers", [0, 2])
def test_training_starts_at_the_cosine_of_question_and_choice(layers: int) -> None:
    net = network(layers)
    pieces, batch = scored(net)
    said = net(pieces, batch)
    z = net.reader(pieces)
    near = torch.nn.functional.cosine_similarity(z[[0, 0, 3, 3, 3]], z[[1, 2, 4, 5, 6]])
    assert torch.allclose(said.logits, net.scale * near, atol=1e-5)
    assert said.attention.shape == ((2, batch.edges.shape[1] + len(batch.kind)) if layers else (0, 0))


def test_choices_in_another_order_get_their_own_scores() -> None:
    net = network()
    torch.nn.init.normal_(net.by_text[-1].weight)
    torch.nn.init.normal_(net.by_graph[-1].weight)
    pieces, batch = scored(net)
    score = net(pieces, batch).logits[:2]
    turned = torch.arange(len(batch.kind))
    turned[[1, 2]] = turned[[2, 1]]
    batch.edges, batch.x, batch.relevance = turned[batch.edges], batch.x[turned], batch.relevance[turned]
    other = net(pieces_of(net.reader, [ASKED[0], ASKED[2], ASKED[1]], [[7, 8], [9], [10, 11], [12]]), batch).logits
    assert torch.allclose(other[:2], score.flip(0), atol=1e-5)


def test_every_weight_of_the_network_learns() -> None:
    net = network().train()
    pieces, batch = scored(net)
    for _ in range(3):
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(pieces, batch).logits[2:].unsqueeze(0), torch.tensor([1])).backward()
        with torch.no_grad():
            for p in net.parameters():
                if p.grad is not None:
                    p -= 0.1 * p.grad
    still = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    assert all("graph.layers" not in name or "key" in name for name in still), still
    assert not any(name.startswith(("reader", "by_")) for name in still), still
