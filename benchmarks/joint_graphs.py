"""Time joint graphs: making them warm, and scoring 1,000 of 200 nodes.

python benchmarks/joint_graphs.py QUESTIONS.jsonl [TRIPLES]   # CommonsenseQA; the bundled knowledge beside TRIPLES
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from kgmm.cli.bundled_and import bundled_and
from kgmm.data.commonsenseqa import load_questions
from kgmm.graph.joint import batch
from kgmm.reason.graph_network.model import new_network
from kgmm.retrieve.joint import joint_graph
from kgmm.train.graph_network import NETWORK


def made(store: Any, questions: list[Any]) -> tuple[float, list[Any]]:
    """Return the median milliseconds of a joint graph, and the graphs."""
    joint_graph(store, questions[0].question, choices=questions[0].choices)
    took, graphs = [], []
    for q in questions:
        start = time.perf_counter()
        graphs.append(joint_graph(store, q.question, choices=q.choices))
        took.append(1000 * (time.perf_counter() - start))
    return median(took), graphs


def scored(graphs: list[Any], count: int = 1000) -> float:
    """Return the seconds in which the graph's layers read *count* graphs, which are repeated to that number."""
    network, rng = new_network(NETWORK).eval(), np.random.default_rng(0)
    some = [batch(part, [rng.standard_normal((len(g), 384), np.float32) for g in part]) for part in _parts(graphs)]
    took = 0.0
    with torch.inference_mode():
        for at in range(count // 20):
            read = some[at % len(some)]
            start = time.perf_counter()
            network.graph(torch.nn.functional.gelu(network.node(read.x)), read)
            took += time.perf_counter() - start
    return took


def _parts(graphs: list[Any]) -> list[list[Any]]:
    return [graphs[at : at + 20] for at in range(0, len(graphs) - 19, 20)]


def main() -> int:
    """Print both figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", type=Path)
    parser.add_argument("triples", type=Path, nargs="*")
    given = parser.parse_args()
    torch.set_num_threads(1)
    questions = list(load_questions(given.questions))[:1000]
    with bundled_and(given.triples) as store:
        took, graphs = made(store, questions)
        print(f"a joint graph, warm, without vectors: median {took:.1f} ms over {len(questions)} questions")
        large = [graph for graph in graphs if len(graph) >= 200][:100]
    size = np.mean([len(graph) for graph in large])
    print(f"1,000 graphs of {size:.0f} nodes read by the graph's layers: {scored(large):.1f} s, one thread")
    return 0


if __name__ == "__main__":
    sys.exit(main())
