"""What certified rankings rest on, against dense matrices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from kgmm.graph import GraphView
from kgmm.graph.seeds import resolve
from kgmm.graph.walk import duals, sweeps, symmetric, top
from kgmm.graph.walk import settle as settling
from kgmm.graph.walk.factors import factors, level
from kgmm.graph.walk.settle import settle

from .random_graphs import as_view, graphs

RESTARTS = st.sampled_from([0.05, 0.15, 0.65])


def linked_seeds(view, seeds):
    """Return the seeds that have edges, or give the example up."""
    strengths = view.adjacency.unit_strengths
    names = {f"n{i}": w for i, w in seeds.items() if strengths[view.require(f"n{i}")] > 0}
    assume(names)
    return resolve(view, names)


def dense(view, restart):
    """Return M = D - (1 - c) A of the rows with edges, in walk order, and the layer of each row."""
    layers = view.layers
    linked = layers.linked
    a = layers.rows.to_scipy().toarray()[:linked, :linked].astype(float)
    if layers.rows.uniform:
        a = (a > 0).astype(float)
    layer = np.searchsorted(np.array(layers.bounds[1:]), np.arange(linked), side="right")
    return np.diag(layers.rows.unit_strengths[:linked]) - (1 - restart) * a, layer


def solved(view, nodes, restart):
    """Return the exact scores, in the order of the view's nodes."""
    m, _ = dense(view, restart)
    order = np.arange(len(view)) if view.layers.order is None else view.layers.order
    pulls = np.zeros(len(view))
    pulls[nodes.positions] = restart * nodes.masses
    x = np.zeros(len(view))
    linked = view.layers.linked
    x[order[:linked]] = np.linalg.solve(m, pulls[order][:linked]) * view.layers.rows.unit_strengths[:linked]
    return x


@settings(max_examples=100, deadline=None)
@given(graphs(min_nodes=2))
def test_layers_after_the_first_hold_no_edges_inside(graph):
    n, edges, _ = graph
    view = as_view(n, edges, False)
    layers = view.layers
    rows = layers.rows.to_scipy().toarray()
    for first, last in itertools.pairwise(layers.bounds[1:]):
        assert not rows[first:last, first:last].any()
    assert layers.linked == (view.degrees() > 0).sum()
    for i, cut in enumerate(layers.cut):
        end = layers.bounds[int(np.searchsorted(layers.bounds[1:], i, side="right")) + 1]
        row = layers.rows.indices[layers.rows.indptr[i] : layers.rows.indptr[i + 1]]
        assert cut - layers.rows.indptr[i] == (row < end).sum()


@settings(max_examples=100, deadline=None)
@given(graphs(min_nodes=2), RESTARTS)
def test_the_preconditioned_eigenvalues_are_at_least_the_bound(graph, restart):
    n, edges, _ = graph
    view = as_view(n, edges, False)
    layers = view.layers
    assume(layers.core)
    m, layer = dense(view, restart)
    core = layers.core
    outer = m[core:, core:]
    reduced = m[:core, :core] - m[:core, core:] @ np.linalg.solve(outer, m[core:, :core])
    pivots = layers.at(restart, factors).pivots.astype(float)
    later = layer[:core][:, None] < layer[:core][None, :]
    factor = np.diag(pivots) + np.where(later, m[:core, :core], 0)
    preconditioner = factor @ np.diag(1 / pivots) @ factor.T
    least = np.linalg.eigvals(np.linalg.solve(preconditioner, reduced)).real.min()
    assert 0 < layers.at(restart, level).least <= least * (1 + 1e-6)
    assert (np.abs(factor).sum(axis=0) <= layers.at(restart, factors).reach.astype(float) * (1 + 1e-9)).all()


@settings(max_examples=100, deadline=None)
@given(graphs(min_nodes=2), RESTARTS, st.booleans(), st.sampled_from([0, 7, 1000]))
def test_errors_stay_within_their_bounds_at_every_step(graph, restart, level, budget):
    n, edges, seeds = graph
    view = as_view(n, edges, False)
    nodes = linked_seeds(view, seeds)
    exact = solved(view, nodes, restart)
    run = symmetric.Iteration(view, nodes, restart)
    slot = np.full(n, -1, np.int32)
    run.head_start(slot, budget)
    assert (slot == -1).all()
    if level:
        run.level()
    roots = np.sqrt(view.adjacency.unit_strengths)
    for _ in range(6):
        if not run.step():
            break
        off = np.abs(run.scores() - exact)
        assert off.sum() <= run.error + 1e-13
        assert (off <= sum(run.energy()) * roots + 1e-13).all()


@settings(max_examples=60, deadline=None)
@given(graphs(min_nodes=2), RESTARTS, st.integers(0, 300), st.integers(0, 3))
def test_a_push_from_a_node_tells_its_error_up_to_the_bound(graph, restart, budget, steps):
    n, edges, seeds = graph
    view = as_view(n, edges, False)
    nodes = linked_seeds(view, seeds)
    exact = solved(view, nodes, restart)
    run = symmetric.Iteration(view, nodes, restart)
    run.head_start(np.full(n, -1, np.int32), 0)
    for _ in range(steps):
        run.step()
    z, (energy, rounding) = run.solution(), run.energy()
    order = np.arange(n) if view.layers.order is None else view.layers.order
    slot = np.full(n, -1, np.int32)
    for row in range(view.layers.linked):
        known, factor, _ = duals.dual(
            run.arrays, run.strengths, run.layers.cut, run.pivots, run.damping, row, budget, run.r, slot
        )
        bound = energy * factor + rounding * np.sqrt(run.strengths[row])
        assert abs(run.strengths[row] * z[row] + known - exact[order[row]]) <= bound + 1e-12
    assert (slot == -1).all()


@settings(max_examples=150, deadline=None)
@given(graphs(min_nodes=3), st.integers(1, 8), RESTARTS)
def test_a_settled_order_is_the_exact_one(graph, k, restart):
    n, edges, seeds = graph
    view = as_view(n, edges, False)
    nodes = linked_seeds(view, seeds)
    k = min(k, n - 1)
    found = settle(view, nodes, k, restart)
    assume(found is not None)
    places, values, apart, bound, _ = found
    exact = solved(view, nodes, restart)
    for place, (a, b) in enumerate(itertools.pairwise(places[: k + 1])):
        if apart[place]:
            assert exact[a] > exact[b] - 1e-13
        else:
            assert exact[a] == pytest.approx(exact[b], abs=1e-12)
    outside = np.delete(exact, places[:k])
    assert outside.max() <= exact[places[k - 1]] + 1e-12
    assert (np.abs(values[:k] - exact[places[:k]]) <= bound + 1e-12).all()


def test_an_order_is_settled_in_fewer_passes_than_a_walk(monkeypatch):
    random = np.random.default_rng(5)
    s, o = (random.pareto(1.2, (2, 40_000)) * 50).astype(int) % 8_000
    view = GraphView.from_edges(s, o, None, random.random(len(s)) + 0.1)
    monkeypatch.setattr(top, "_push", lambda *_: None)
    for seed in ("100", str(s[17]), "7"):
        ranking, exact = view.top(seed, 10), view.walk(seed, tol=1e-13)
        assert ranking.certified and ranking.edges_read < exact.iterations * len(view.adjacency.indices)
        assert [name for name, _ in ranking] == [name for name, _ in exact.top(10)]
        assert all(abs(score - exact[name]) <= ranking.bound for name, score in ranking)


def test_leaves_of_one_hub_tie(monkeypatch):
    monkeypatch.setattr(top, "_push", lambda *_: None)
    view = GraphView.from_edges(["hub"] * 9 + ["rim"], [f"leaf{i}" for i in range(9)] + ["hub"])
    ranking = view.top("hub", 4)
    assert ranking.certified and ranking[0][0] == "hub"
    assert ranking.ties == ((1, 2, 3, 4),)


@settings(max_examples=60, deadline=None)
@given(graphs(min_nodes=3), st.integers(1, 8), RESTARTS)
def test_an_order_settled_as_in_large_views_is_the_exact_one(graph, k, restart):
    n, edges, seeds = graph
    view = as_view(n, edges, False)
    nodes = linked_seeds(view, seeds)
    k = min(k, n - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "LARGE_FROM", 0)
        found = settle(view, nodes, k, restart)
    assume(found is not None)
    places, values, apart, bound, _ = found
    exact = solved(view, nodes, restart)
    assert all(exact[a] > exact[b] - 1e-13 for a, b, far in zip(places, places[1:], apart, strict=False) if far)
    assert np.delete(exact, places[:k]).max() <= exact[places[k - 1]] + 1e-12
    assert (np.abs(values[:k] - exact[places[:k]]) <= bound + 1e-12).all()


@settings(max_examples=100, deadline=None)
@given(graphs(), st.floats(0, 1))
def test_components_are_those_of_scipy_numbered_by_their_first_rows(graph, share):
    n, edges, _ = graph
    rows = as_view(n, edges, False).adjacency
    count = int(share * n)
    labels = sweeps.components(rows.indptr, rows.indices, count)
    known = connected_components(rows.to_scipy(), directed=False)[1][:count]
    assert labels.tolist() == np.unique(known, return_inverse=True)[1].tolist()
