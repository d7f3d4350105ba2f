"""Paths are the best ones, neighborhoods the best statements around."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput, UnknownConcept
from kgmm.graph import GraphView

from .random_graphs import as_view, graphs


@settings(max_examples=80, deadline=None)
@given(graphs(min_nodes=2, max_nodes=8), st.booleans(), st.integers(1, 5), st.sampled_from(["weight", "walk"]))
def test_paths_are_the_best_of_all_simple_paths(graph, directed, max_length, by):
    n, edges, _ = graph
    view = as_view(n, edges, directed)
    weights = view.to_scipy().toarray().astype(float)
    out = weights.sum(axis=1)
    peer = nx.from_numpy_array(weights, create_using=nx.DiGraph)

    def score(nodes):
        steps = list(itertools.pairwise(nodes))
        if by == "weight":
            return 1 / sum(1 / weights[u, v] for u, v in steps)
        return np.prod([0.85 * weights[u, v] / out[u] for u, v in steps])

    every = sorted((score(p) for p in nx.all_simple_paths(peer, 0, 1, cutoff=max_length)), reverse=True)
    found = view.paths("n0", "n1", k=4, max_length=max_length, by=by)
    assert [path.score for path in found] == pytest.approx(every[:4])
    for path in found:
        assert len(set(path.concepts)) == len(path.concepts) == len(path) + 1
        assert path.score == pytest.approx(score([view.require(c) for c in path.concepts]))


def animals(directed=False):
    return GraphView.from_edges(
        ["/c/en/cat", "/c/en/dog", "/c/en/dog", "/c/en/dog", "/c/en/cat"],
        ["/c/en/animal", "/c/en/animal", "/c/en/bark", "/c/en/cat", "/c/en/dog"],
        ["IsA", "IsA", "CapableOf", "Antonym", "RelatedTo"],
        [1.0, 1.0, 1.0, 0.25, 0.5],
        directed,
    )


def test_a_hop_names_its_relation_and_direction():
    path = animals().paths("cat", "bark")[0]
    assert str(path) == "cat -RelatedTo-> dog -CapableOf-> bark"
    assert [h.forward for h in animals().paths("animal", "dog")[0].hops] == [False]
    assert str(animals().paths("cat", "dog", k=2, by="walk")[0]).startswith("cat")


def test_a_directed_path_follows_statements():
    assert animals(directed=True).paths("animal", "cat") == []
    assert str(animals(directed=True).paths("cat", "bark")[0]) == "cat -RelatedTo-> dog -CapableOf-> bark"


def test_a_path_to_itself_is_empty_and_unknown_ends_are_named():
    assert len(animals().paths("cat", "cat")[0]) == 0
    with pytest.raises(UnknownConcept, match="unicorn"):
        animals().paths("cat", "unicorn")
    with pytest.raises(BadInput, match="by='luck'"):
        animals().paths("cat", "dog", by="luck")


def test_a_neighborhood_is_connected_and_best_first():
    random = np.random.default_rng(0)
    view = GraphView.from_edges(random.integers(0, 400, 2000), random.integers(0, 400, 2000))
    near = view.neighborhood("7", hops=2, limit=50)
    assert near.edge_count == 50 and set(near.components().tolist()) == {0}
    distance = nx.single_source_shortest_path_length(nx.Graph(view.to_networkx()), "7")
    assert max(distance[c] for c in near.concepts) <= 2
    assert near.concepts[0] == "7"
    assert {e.subject for e in near.neighborhood("7", 1, 5).edges()} | {"7"} <= set(near.concepts)


@settings(max_examples=60, deadline=None)
@given(graphs(min_nodes=2), st.booleans(), st.integers(0, 3), st.integers(0, 30))
def test_a_neighborhood_holds_statements_of_the_view_within_reach(graph, directed, hops, limit):
    n, edges, _ = graph
    view = as_view(n, edges, directed)
    near = view.neighborhood("n0", hops, limit)
    known = [(e.subject, e.object, e.weight) for e in view.edges()]
    for edge in near.edges():
        known.remove((edge.subject, edge.object, edge.weight))
    assert near.edge_count <= limit and "n0" in near


def test_everything_within_reach_is_taken_when_the_limit_allows():
    view = animals()
    assert view.neighborhood("cat", hops=3, limit=100).edge_count == view.edge_count
    assert view.neighborhood("cat", hops=0).concepts == ["/c/en/cat"]
