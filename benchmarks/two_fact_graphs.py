"""Graph networks on questions that need two facts: QA-GNN's attention, R-GCN and Mucko beside KDMN's episodes, same memories.

    python -m benchmarks.two_fact_graphs FVQA --distractors TRIPLES --out RUNS [--networks qagnn rgcn mucko] [--seeds 3]

Questions, parts, memories of 60 facts and the test are those of ``benchmarks/episodes.py``. A memory is read as a graph: the
question, the seen things, the ends of the facts; a pointer over the concepts answers. Words are MiniLM's vectors, which stay as
they are. A finished run is not repeated.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch_geometric.utils import softmax

from benchmarks.episodes import TEST
from kgmm.encode.text import text_encoder
from kgmm.graph.joint import (
    ASKED,
    KINDS,
    OTHER,
    QUESTION,
    RELATIONS,
    SEEN,
    JointGraph,
    batch,
    edge_type,
    with_ways_back,
)
from kgmm.language.words import normal
from kgmm.nn.joint import JointBatch, NodeInput, Pointer
from kgmm.nn.mucko import Mucko
from kgmm.nn.qagnn import QAGNN
from kgmm.nn.rgcn import RGCN
from kgmm.train.fit import Recipe, fit
from kgmm.train.memories import Example, examples
from kgmm.train.two_facts import LEARN, TUNE, fvqa_facts, part_questions

MEMORY = 60  #: facts of a memory, as KDMN has them
DIM, LAYERS, DROPOUT = 96, 3, 0.2


def graph_of(example: Example) -> tuple[JointGraph, np.ndarray]:
    """Return a memory as a graph, and which of its nodes say the answer; none but the question, the seen and the facts is read."""
    memory, place = example.memory, dict[str, int]()
    names, kinds = [memory.question], [QUESTION]
    edges, codes, weights, fact = list[tuple[int, int]](), list[int](), list[float](), list[int]()

    def node(name: str, kind: int) -> int:
        at = place.get(normal(name))
        if at is None:
            at = place[normal(name)] = len(names)
            names.append(name)
            kinds.append(kind)
        return at

    asked = f" {normal(memory.question)} "
    for name in memory.seen:
        named = f" {normal(name)} " in asked
        at = node(name, ASKED if named else SEEN)
        edges.append((0, at))
        codes.append(edge_type("asks" if named else "shows")[0])
        weights.append(1.0)
        fact.append(-1)
    for row, (s, relation, o) in enumerate(memory.triples):
        code, turned = edge_type(relation)
        ends = node(s, OTHER), node(o, OTHER)
        edges.append((ends[1], ends[0]) if turned else ends)
        codes.append(code)
        weights.append(1.0)
        fact.append(row)
    n = len(names)
    right = np.zeros(n, bool)
    if (at := place.get(example.answer)) is not None:
        right[at] = True
    graph = JointGraph(
        names=names,
        kinds=np.array(kinds, np.int8),
        relevance=np.zeros(n, np.float32),
        terms=np.array([-1, *range(n - 1)], np.int64),
        boxes=np.zeros((n, 4), np.float32),
        serves=np.zeros((n, 0), bool),
        facts=[(s, r, o) for s, r, o in memory.triples],
        **with_ways_back(edges, codes, weights, fact),
    )
    return graph, right


class GraphPointer(nn.Module):
    """A network over joint graphs and a pointer over their concepts; logits (N,), -∞ at the question's nodes."""

    def __init__(self, network: str, text: int, dim: int = DIM) -> None:
        super().__init__()
        self.network, relations = network, 2 * len(RELATIONS)
        self.first, self.point = NodeInput(text, dim), Pointer(text, dim, DROPOUT)
        made = {
            "qagnn": lambda: QAGNN(len(KINDS), relations, dim, LAYERS, DROPOUT),
            "rgcn": lambda: RGCN(relations, dim, LAYERS, dropout=DROPOUT),
            "mucko": lambda: Mucko(relations, text, dim, rounds=2),
            "none": nn.Identity,
        }
        self.graph: nn.Module = made[network]()

    def forward(self, b: JointBatch) -> Tensor:
        """Return one logit a node."""
        text, h = b.x[b.question], self.first(b)
        if self.network == "mucko":
            h = self.graph(h, b, text)[0]
        elif self.network != "none":
            h = self.graph(h, b)[0]
        nodes = torch.arange(len(b.kind))
        logits: Tensor = self.point(h, text, b, nodes)
        return logits.masked_fill(b.kind == QUESTION, -torch.inf)


class PointerProblem:
    """Graphs of memories with the nodes that answer, for :func:`kgmm.train.fit.fit`."""

    metric = "top1"

    def __init__(self, network: str, parts: dict[str, list[Example]], seed: int) -> None:
        torch.manual_seed(seed)
        encoder = text_encoder("minilm")
        self.made = {name: [graph_of(e) for e in some] for name, some in parts.items()}
        words = list(dict.fromkeys(w for some in self.made.values() for g, _ in some for w in g.names))
        self.row = {word: i for i, word in enumerate(words)}
        self.vectors = encoder.encode(words).astype(np.float16)
        self.renew(network, seed)
        self.size, self.vocabulary = len(self.made["learn"]), dict[str, Any]()

    def renew(self, network: str, seed: int) -> PointerProblem:
        """Begin anew with another network or seed."""
        torch.manual_seed(seed)
        self.model: nn.Module = GraphPointer(network, self.vectors.shape[1])
        self.config = {
            "name": "two-fact-graphs",
            "data": "two facts",
            "network": network,
            "seed": seed,
            "about": "see benchmarks",
        }
        return self

    def take(self, part: str, rows: Sequence[int]) -> tuple[JointBatch, Tensor]:
        """Return some graphs as a batch, and which nodes are right."""
        some = [self.made[part][row] for row in rows]
        vectors = [self.vectors[[self.row[w] for w in g.names]].astype(np.float32) for g, _ in some]
        b = batch([g for g, _ in some], vectors)
        b.relevance.copy_(torch.from_numpy(np.concatenate([v @ v[0] for v in vectors])))
        return b, torch.from_numpy(np.concatenate([right for _, right in some]))

    def loss(self, rows: Tensor) -> Tensor:
        """Return the mean negative logarithm of the right nodes' probability; questions without one teach nothing."""
        b, right = self.take("learn", rows.tolist())
        p = softmax(self.model(b), b.graph, num_nodes=len(b))
        said = torch.zeros(len(b)).index_add(0, b.graph, p * right)
        there = torch.zeros(len(b)).index_add(0, b.graph, right.float()) > 0
        return -said[there].clamp(min=1e-9).log().mean()

    @torch.no_grad()
    def right(self, part: str) -> float:
        """Return the share of questions whose best node is right."""
        hits, count = 0, len(self.made[part])
        self.model.eval()
        for start in range(0, count, 64):
            b, right = self.take(part, range(start, min(start + 64, count)))
            logits = self.model(b)
            for g in range(len(b)):
                nodes = (b.graph == g).nonzero().squeeze(1)
                hits += bool(right[nodes[logits[nodes].argmax()]])
        return hits / count

    def evaluate(self) -> dict[str, float]:
        """Return the figure of the tuning questions, which choose the epoch."""
        return {"top1": self.right("tune")}

    def write(self, folder: Path) -> None:
        """Write nothing beside the weights."""


def main() -> None:
    """Train what is missing and print means over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fvqa", type=Path)
    parser.add_argument("--distractors", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", default=["qagnn", "rgcn", "mucko", "none"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--learn", type=int, default=LEARN)
    given = parser.parse_args()
    facts = fvqa_facts(given.fvqa, given.distractors)
    parts = {}
    for part, (name, count) in enumerate({"learn": given.learn, "tune": TUNE, "test": TEST}.items()):
        made = part_questions(facts, part, count)
        parts[name] = examples(made.questions, made.base, MEMORY, 2)
    problem = PointerProblem(given.networks[0], parts, 0)
    print({name: len(p) for name, p in parts.items()}, flush=True)
    for name, some in problem.made.items():
        print(f"{name}: the answer is a node of {np.mean([r.any() for _, r in some]):.3f}", flush=True)
    for network in given.networks:
        found = []
        for seed in range(given.seeds):
            place = given.out / f"{network}-{seed}"
            if not (place / "figures.json").exists():
                began = time.process_time()
                recipe = Recipe(epochs=given.epochs, batch=32, rate=1e-3, patience=3, seed=seed)
                trained = fit(problem.renew(network, seed), place, recipe)
                problem.model.load_state_dict(load_file(place / "model.safetensors"))
                told = {"test": problem.right("test"), **trained.figures, "epoch": trained.epoch}
                told["cpu"] = time.process_time() - began
                (place / "figures.json").write_text(json.dumps(told))
            found.append(json.loads((place / "figures.json").read_text()))
            print(network, seed, json.dumps(found[-1]), flush=True)
        test = np.array([run["test"] for run in found])
        tune = np.array([run["top1"] for run in found])
        print(
            f"{network:6} test {test.mean():.3f} ± {test.std():.3f}  tuning {tune.mean():.3f} ± {tune.std():.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
