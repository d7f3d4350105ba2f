"""Views hold what their statements say, and hand it over to other libraries."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch_geometric.nn
from hypothesis import given, settings

from kgmm.errors import BadInput, KgmmError
from kgmm.graph import GraphView

from .random_graphs import as_view, graphs

SUBJECTS = ["cat", "dog", "dog", "cat", "bark"]
OBJECTS = ["animal", "animal", "bark", "dog", "bark"]
RELATIONS = ["IsA", "IsA", "CapableOf", "Antonym", "RelatedTo"]


def animals(**options):
    return GraphView.from_edges(SUBJECTS, OBJECTS, RELATIONS, [2.0, 1.0, 1.0, 0.5, 1.0], **options)


def test_statements_between_the_same_nodes_add_up():
    view = GraphView.from_edges(["a", "a", "b"], ["b", "b", "a"], ["r", "s", "r"], [1.0, 2.0, 4.0])
    assert view.to_scipy().toarray().tolist() == [[0, 7], [7, 0]]
    directed = GraphView.from_edges(["a", "a", "b"], ["b", "b", "a"], ["r", "s", "r"], [1.0, 2.0, 4.0], True)
    assert directed.to_scipy().toarray().tolist() == [[0, 3], [4, 0]]


def test_a_self_loop_counts_once():
    view = animals()
    assert view.to_scipy()[[view.require("bark")], [view.require("bark")]] == 1
    assert view.degrees(weighted=True)[view.require("bark")] == 2


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_degrees_and_components_equal_networkx(graph):
    n, edges, _ = graph
    view = as_view(n, edges, False)
    peer = nx.Graph()
    peer.add_nodes_from(range(n))
    peer.add_edges_from((a, b) for a, b, _ in edges)
    assert view.degrees().tolist() == [len(peer[i]) for i in range(n)]
    labels = view.components()
    assert len(set(labels.tolist())) == nx.number_connected_components(peer)
    for component in nx.connected_components(peer):
        assert len(set(labels[list(component)].tolist())) == 1


def test_indices_are_32_bit_and_equal_weights_are_not_stored():
    view = GraphView.from_edges(["a", "b"], ["b", "c"])
    assert view.adjacency.indices.dtype == np.int32 and view.adjacency.weights.nbytes == 0
    assert animals().adjacency.weights.dtype == np.float32


def test_edges_come_back_as_they_went_in():
    view = animals()
    assert [(e.subject, e.object, e.relation) for e in view.edges()] == list(
        zip(SUBJECTS, OBJECTS, RELATIONS, strict=True)
    )
    assert view.edge_count == 5 and "4 concepts" in repr(view)


def test_networkx_keeps_relations_and_weights():
    graph = animals(directed=True).to_networkx()
    assert graph.is_directed() and graph.number_of_edges() == 5
    assert {data["relation"] for _, _, data in graph.out_edges("dog", data=True)} == {"IsA", "CapableOf"}
    assert animals().to_networkx().number_of_edges() == 5


def test_pyg_data_has_relation_types_and_features():
    data = animals().to_pyg(features=lambda names: [[len(name)] for name in names])
    assert data.edge_index.shape == (2, 9)  # four statements both ways, the self-loop once
    assert data.x.shape == (4, 1) and data.x[0, 0] == 3
    assert [data.relation_names[t] for t in data.edge_type[:3].tolist()] == ["IsA", "IsA", "CapableOf"]
    assert animals(directed=True).to_pyg().edge_index.shape == (2, 5)


def test_hetero_data_has_one_edge_type_per_relation_and_direction():
    data = animals().to_pyg(hetero=True)
    assert ("concept", "IsA", "concept") in data.edge_types and ("concept", "rev_IsA", "concept") in data.edge_types
    assert data["concept", "IsA", "concept"].edge_index.tolist() == [[0, 1], [3, 3]]


def test_no_relation_is_lost_or_breaks_a_heterogeneous_network():
    """IRIs as relations broke ``to_hetero``; ``rev_IsA`` beside ``IsA`` overwrote the way back: two of six edges."""
    pair = GraphView.from_edges(["cat", "dog", "animal"], ["animal", "animal", "dog"], ["IsA", "IsA", "rev_IsA"])
    data = pair.to_pyg(hetero=True)
    assert sum(kind.edge_index.shape[1] for kind in data.edge_stores) == 6
    relations = [
        "http://schema.org/name",
        "http://schema.org/na.me",
        "is a",
        "IsA",
        "rev_IsA",
        "1st",
        "知る",
        "知道",
        "-",
    ]
    view = GraphView.from_edges(["a"] * len(relations), [f"b{i}" for i in range(len(relations))], relations)
    data = view.to_pyg(hetero=True, features=lambda names: [[1.0]] * len(names))
    assert sorted(kind.relation for kind in data.edge_stores) == sorted(2 * relations)
    network = torch_geometric.nn.to_hetero(torch_geometric.nn.GraphSAGE(1, 4, 2, 3), data.metadata())
    assert network(data.x_dict, data.edge_index_dict)["concept"].shape == (len(view), 3)


def test_named_features_need_a_store():
    with pytest.raises(KgmmError, match="view of a store"):
        animals().to_pyg(features="minilm")


@pytest.mark.parametrize("weight", [0.0, -1.0, np.nan, np.inf, 1e308, 1e37, 1e-38, 5e-324])
def test_a_weight_that_no_walk_can_count_with_is_refused_by_its_edge(weight: float):
    """A weight of 1e39 was a ZeroDivisionError in a walk, one of 1e37 kept it going for ever."""
    with pytest.raises(BadInput, match="edge b -RelatedTo-> c"):
        GraphView.from_edges(["a", "b"], ["b", "c"], weights=np.array([1.0, weight]))


def test_columns_of_different_length_are_refused():
    with pytest.raises(BadInput, match="objects has 1 entries, subjects has 2"):
        GraphView.from_edges(["a", "b"], ["c"])
    with pytest.raises(BadInput, match="positions"):
        GraphView.from_edges(np.array([0]), np.array([5]), concepts=["a"])
    with pytest.raises(BadInput, match="twice"):
        GraphView.from_edges(["a"], ["a"], concepts=["a", "a"])


def test_a_small_view_draws_itself_and_a_large_one_lists_statements():
    assert "<svg" in animals()._repr_html_() and "cat" in animals()._repr_html_()
    large = GraphView.from_edges([f"s{i}" for i in range(50)], ["o"] * 50)
    assert "<table" in large._repr_html_() and "30 more" in large._repr_html_()
    assert "<script" not in GraphView.from_edges(["<script>"], ["b"])._repr_html_()


@pytest.mark.parametrize("apart", [1, 100])
def test_names_and_rows_are_found_in_any_order_of_numbers(apart: int) -> None:
    from kgmm.graph.grouped import grouped
    from kgmm.graph.names import NumberedNames

    random = np.random.default_rng(apart)
    numbers = (random.permutation(500) * apart).astype(np.uint32)
    named = NumberedNames(numbers)
    assert [named.position(str(number)) for number in numbers.tolist()] == list(range(500))
    assert all(named.position(name) is None for name in ("501", "60000", "5000000000"))
    keys = random.integers(0, 40, 500).astype(np.int32)
    order, starts = grouped(keys)
    assert order.tolist() == np.argsort(keys, kind="stable").tolist()
    assert starts.tolist() == np.searchsorted(keys[order], np.arange(len(starts))).tolist()
