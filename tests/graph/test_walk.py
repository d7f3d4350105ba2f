"""Walks equal independent implementations on every kind of graph."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgmm.errors import BadInput, UnknownConcept
from kgmm.graph import GraphView, build
from kgmm.graph.layers import layers

from .random_graphs import as_view, graphs


def by_networkx(n, edges, seeds, restart, directed):
    graph = nx.DiGraph() if directed else nx.Graph()
    graph.add_nodes_from(range(n))
    for a, b, w in edges:
        graph.add_edge(a, b, weight=w + (graph[a][b]["weight"] if graph.has_edge(a, b) else 0))
    ranks = nx.pagerank(graph, 1 - restart, personalization=seeds, tol=1e-13 / n, max_iter=5000)
    return np.array([ranks[i] for i in range(n)])


def by_igraph(n, edges, seeds, restart, directed):
    """PRPACK; undirected graphs go in as arcs both ways, as igraph counts an undirected self-loop twice."""
    arcs = [(a, b) for a, b, _ in edges]
    weights = [w for *_, w in edges]
    if not directed:
        arcs += [(b, a) for a, b, _ in edges if a != b]
        weights += [w for a, b, w in edges if a != b]
    graph = igraph.Graph(n, arcs, directed=True)
    reset = [seeds.get(i, 0.0) for i in range(n)]
    return np.array(graph.personalized_pagerank(damping=1 - restart, reset=reset, weights=weights or None))


@settings(max_examples=200, deadline=None)
@given(graphs(), st.booleans(), st.sampled_from([0.05, 0.15, 0.65]))
def test_walks_equal_networkx_and_igraph(graph, directed, restart):
    n, edges, seeds = graph
    scores = as_view(n, edges, directed).walk({f"n{i}": w for i, w in seeds.items()}, restart)
    assert np.abs(scores.array - by_networkx(n, edges, seeds, restart, directed)).max() < 1e-7
    assert np.abs(scores.array - by_igraph(n, edges, seeds, restart, directed)).max() < 1e-7
    assert scores.array.min() >= 0
    assert abs(scores.array.sum() - 1) < 1e-7


@settings(max_examples=60, deadline=None)
@given(graphs(), st.booleans(), st.sampled_from([1e-4, 1e-8, 1e-12]))
def test_the_promised_error_holds_against_a_dense_solution(graph, directed, tol):
    n, edges, seeds = graph
    view = as_view(n, edges, directed)
    scores = view.walk({f"n{i}": w for i, w in seeds.items()}, 0.15, tol)
    weights = view.to_scipy().toarray().astype(float)
    e = np.zeros(n)
    e[list(seeds)] = list(seeds.values())
    e /= e.sum()
    out = weights.sum(axis=1)
    p = np.where(out > 0, weights.T / np.where(out > 0, out, 1), e[:, None])
    exact = np.linalg.solve(np.eye(n) - 0.85 * p, 0.15 * e)
    assert np.abs(scores.array - exact).sum() <= scores.error + 1e-13
    assert scores.error <= tol


@settings(max_examples=40, deadline=None)
@given(graphs(min_nodes=3), st.booleans())
def test_a_batch_equals_single_walks(graph, directed):
    n, edges, _ = graph
    view = as_view(n, edges, directed)
    seed_sets = [f"n{i % n}" for i in range(19)] + [{"n0": 1, "n1": 3}, ["n0", "n2"]]
    batch = list(view.walk_many(seed_sets))
    assert len(batch) == len(seed_sets)
    for seeds, scores in zip(seed_sets, batch, strict=True):
        assert np.abs(scores.array - view.walk(seeds).array).sum() < 2e-8
        assert scores.error <= 1e-8


@settings(max_examples=60, deadline=None)
@given(graphs(min_nodes=2), st.booleans(), st.integers(1, 12))
def test_certified_top_agrees_with_the_exact_order(graph, directed, k):
    n, edges, seeds = graph
    view = as_view(n, edges, directed)
    names = {f"n{i}": w for i, w in seeds.items()}
    ranking, exact = view.top(names, k), view.walk(names, tol=1e-13).array
    assert ranking.certified
    tied = {frozenset(pair) for group in ranking.ties for pair in itertools.pairwise(group)}
    places = [view.require(name) for name, _ in ranking]
    for place, (a, b) in enumerate(itertools.pairwise(places)):
        if frozenset((place, place + 1)) not in tied:
            assert exact[a] > exact[b]
        else:
            assert abs(exact[a] - exact[b]) < 1e-9
    outside = np.delete(exact, places)
    assert len(outside) == 0 or outside.max() <= exact[places[-1]] + 1e-10
    assert all(abs(score - exact[at]) <= ranking.bound + 1e-12 for at, (_, score) in zip(places, ranking, strict=True))


def ring(n=4000, chords=120_000, seed=0):
    random = np.random.default_rng(seed)
    s = np.concatenate((np.arange(n), random.integers(0, n, chords)))
    o = np.concatenate(((np.arange(n) + 1) % n, random.integers(0, n, chords)))
    return s, o, random.random(len(s)) + 0.5


@pytest.mark.parametrize("directed", [False, True])
def test_large_graphs_agree_with_scipy_whatever_the_node_order(monkeypatch, directed):
    s, o, w = ring()
    monkeypatch.setattr(build, "RENUMBER_FROM", len(s) + 1)
    plain = GraphView.from_edges(s, o, None, w, directed).walk("7", tol=1e-11)
    monkeypatch.setattr(build, "RENUMBER_FROM", 1)
    view = GraphView.from_edges(s, o, None, w, directed)
    walked = view.walk("7", tol=1e-11)
    assert directed or list(view.concepts) != list(plain.view.concepts)
    for concept in ("7", "8", "9", "3999"):
        assert walked[concept] == pytest.approx(plain[concept], abs=1e-11)
    matrix = view.to_scipy().astype(float)
    out = matrix.sum(axis=1)
    x = walked.array
    e = np.zeros(len(view))
    e[view.require("7")] = 1
    assert np.abs(0.85 * (matrix.T @ (x / out)) + 0.15 * e - x).sum() / 0.15 < 2e-11


@pytest.mark.parametrize("weighted", [False, True])
def test_a_large_batch_in_mixed_precision_is_as_exact_as_single_walks(weighted):
    s, o, w = ring()
    concepts = [str(i) for i in range(4001)]  # the last one is isolated
    view = GraphView.from_edges(s, o, None, w if weighted else None, concepts=concepts)
    seed_sets = [str(i) for i in range(17)] + ["4000", {"4000": 1, "5": 3}, ["1", "2", "3"]]
    for seeds, scores in zip(seed_sets, view.walk_many(seed_sets, tol=1e-10), strict=True):
        exact = view.walk(seeds, tol=1e-13).array
        assert np.abs(scores.array - exact).sum() <= scores.error + 1e-12 <= 1e-10 + 1e-12


@pytest.mark.parametrize("weighted", [False, True])
def test_row_bounds_of_64_bits_give_the_same_scores(weighted):
    s, o = np.random.default_rng(2).integers(0, 9_000, (2, 60_000))
    w = np.random.default_rng(3).random(len(s)) + 0.5 if weighted else None
    seeds = [str(i) for i in range(20)]
    narrow, wide = (GraphView.from_edges(s, o, None, w) for _ in range(2))
    rows = narrow.adjacency
    wide.adjacency = dataclasses.replace(rows, indptr=rows.indptr.astype(np.int64))
    wide.layers = layers(wide.adjacency, None, narrow.layers.bounds)
    assert np.array_equal(wide.walk("5").array, narrow.walk("5").array)
    assert list(wide.top("5", 10)) == list(narrow.top("5", 10))
    for one, other in zip(wide.walk_many(seeds), narrow.walk_many(seeds), strict=True):
        assert np.array_equal(one.array, other.array)


def test_a_batch_over_a_graph_with_few_ties_between_its_nodes_is_exact():
    random = np.random.default_rng(3)
    s, o = random.integers(0, 90_000, (2, 60_000))  # mostly fringe; many nodes without an edge
    view = GraphView.from_edges(s, o, None, random.random(len(s)) + 0.1)
    seed_sets = [str(i) for i in s[:40]]  # more than one batch holds
    for seeds, scores in zip(seed_sets, view.walk_many(seed_sets), strict=True):
        assert np.abs(scores.array - view.walk(seeds, tol=1e-12).array).sum() <= 1.01e-8


def test_a_walk_holds_less_than_two_and_a_half_times_its_arrays():
    import tracemalloc

    random = np.random.default_rng(0)
    s, o = random.integers(0, 60_000, (2, 400_000))
    view = GraphView.from_edges(s, o)
    view.walk("1")
    held = view.adjacency.nbytes + view.statements.subject.nbytes + view.statements.object.nbytes
    tracemalloc.start()
    view.walk("2")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held + view.adjacency.strengths.nbytes + peak < 2.5 * view.adjacency.nbytes


def test_importing_views_loads_no_compiler():
    program = "import sys, kgmm.graph; print(sorted({'numba', 'scipy', 'torch', 'polars'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_results_are_identical_whatever_the_number_of_threads():
    program = (
        "import numpy as np, hashlib; from kgmm.graph import GraphView; r = np.random.default_rng(3);"
        "v = GraphView.from_edges(r.integers(0, 30000, 150000), r.integers(0, 30000, 150000));"
        "w = [v.walk('5').array] + [s.array for s in v.walk_many([str(i) for i in range(18)])];"
        "w += [np.array([x for _, x in v.top('5', 10)] + [v.top('6', 10).bound])];"
        "print(hashlib.sha256(np.concatenate(w).tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "NUMBA_NUM_THREADS": str(threads)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in (1, 2, 5)
    }
    assert len(digests) == 1


def test_a_warm_start_reaches_the_same_scores_in_fewer_steps():
    s, o, w = ring()
    view = GraphView.from_edges(s, o, None, w)
    cold = view.walk("7")
    warm = view.walk({"7": 1, "8": 1e-6}, start=cold)
    assert warm.iterations < cold.iterations
    assert np.abs(warm.array - view.walk({"7": 1, "8": 1e-6}).array).sum() < 2e-8


def test_an_isolated_seed_keeps_its_mass():
    view = GraphView.from_edges(["a"], ["b"], concepts=["a", "b", "alone"])
    assert view.walk("alone").top(1) == [("alone", 1.0)]
    assert view.walk(["alone", "a"])["alone"] > 0.1


def test_a_walk_stays_in_its_component():
    view = GraphView.from_edges(["a", "x"], ["b", "y"])
    assert view.walk("a")["x"] == 0


def test_restart_one_returns_the_seeds():
    view = GraphView.from_edges(["a"], ["b"])
    assert view.walk({"a": 3, "b": 1}, restart=1.0).to_numpy() == pytest.approx([0.75, 0.25])


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_not_positive_is_refused_by_name(weight):
    with pytest.raises(BadInput, match="edge b -IsA-> c"):
        GraphView.from_edges(["a", "b"], ["b", "c"], "IsA", [1.0, weight])


def test_an_unknown_seed_names_near_spellings():
    view = GraphView.from_edges(["/c/en/dog", "/c/en/cat"], ["/c/en/animal"] * 2)
    with pytest.raises(UnknownConcept, match="/c/en/dog"):
        view.walk("dgo")
    assert view.walk(["dog", "unicorn"]).missing == ("unicorn",)


@pytest.mark.parametrize("seeds", [[], {"a": 0.0}, {"a": -1.0}])
def test_seeds_need_positive_mass(seeds):
    with pytest.raises(BadInput, match="seed"):
        GraphView.from_edges(["a"], ["b"]).walk(seeds)


@pytest.mark.parametrize("arguments", [{"restart": 0}, {"restart": 1.5}, {"tol": 0}, {"tol": 1e-16}])
def test_parameters_out_of_range_are_refused(arguments):
    with pytest.raises(BadInput):
        GraphView.from_edges(["a"], ["b"]).walk("a", **arguments)


def test_an_empty_view_has_nothing_to_walk():
    view = GraphView.from_edges([], [])
    assert len(view) == 0 and view.components().tolist() == [] and view.degrees().tolist() == []
    with pytest.raises(UnknownConcept):
        view.walk("a")


def test_scores_are_a_mapping():
    scores = GraphView.from_edges(["/c/en/dog"], ["/c/en/animal"], "IsA").walk("dog")
    assert scores["dog"] == scores["/c/en/dog"] == scores["http://conceptnet.io/c/en/dog"]
    assert "dog" in scores and scores.get("unicorn") is None and len(dict(scores)) == 2
    assert scores.to_polars().columns == ["concept", "score"]
    assert scores.to_polars()["score"].is_sorted(descending=True)
    assert "dog" in scores._repr_html_() and "dog" in repr(scores)


def test_only_the_proportions_of_seeds_count_however_large_or_small():
    """Seeds of 1e308 gave nan, for their sum is no number; the same concept written two ways adds up."""
    view = GraphView.from_edges(["/c/en/cat", "/c/en/dog"], ["/c/en/animal"] * 2)
    expected = view.walk({"cat": 2, "dog": 1}).array
    for weight in (5e-324, 1e-300, 1e300, 8e307):
        np.testing.assert_array_equal(view.walk({"cat": weight, "/c/en/cat": weight, "dog": weight}).array, expected)


@pytest.mark.parametrize("weight", [10**400, "much", None], ids=["huge", "word", "none"])
def test_a_seed_whose_weight_is_no_number_is_refused(weight):
    view = GraphView.from_edges(["a"], ["b"], "IsA", [1.0])
    with pytest.raises(BadInput, match="no number"):
        view.walk({"a": weight})
