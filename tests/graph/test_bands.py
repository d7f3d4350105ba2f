"""Sums by bands are the sums by rows: every entry once, and walks that keep what they promise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kgmm.graph import GraphView, bands, build, threads


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "RENUMBER_FROM", 1)
    for name, value in (("FROM", 1), ("FEWEST", 7), ("MOST", 64)):
        monkeypatch.setattr(bands, name, value)


def drawn(seed: int, nodes: int = 900, edges: int = 3000, weighted: bool = True) -> GraphView:
    draw = np.random.default_rng(seed)
    ends = (nodes * draw.random((2, edges)) ** 2).astype(np.int64)  # some doubles, some self-loops, some nodes alone
    return GraphView.from_edges(
        *ends, weights=draw.random(edges) + 0.1 if weighted else None, concepts=[*map(str, range(nodes))]
    )


@pytest.mark.parametrize("weighted", [True, False])
def test_bands_hold_every_entry_once_and_in_order(weighted):
    view = drawn(1, weighted=weighted)
    layers, rows = view.layers, view.adjacency.to_scipy().toarray()
    found, band = np.zeros_like(rows), 0
    made = layers.bands
    for layer, cuts in enumerate(layers.blocks):
        assert [cuts[0], cuts[-1]] == list(layers.bounds[layer : layer + 2])
        for first, last in pairwise(cuts.tolist()):
            assert last - first <= 64
            low, middle, high = made.marks[band].tolist()
            columns = made.columns[low:high].astype(np.int64)
            assert (np.diff(columns) >= 0).all()
            assert (columns[: middle - low] < layers.bounds[layer + 1]).all() and (
                columns[middle - low :] >= last
            ).all()
            weights = made.weights[low:high] if len(made.weights) else np.full(high - low, view.adjacency.unit)
            np.add.at(found, (first + made.rows[low:high].astype(np.int64), columns), weights)
            band += 1
    assert band == len(made.marks) and np.array_equal(found, rows)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("restart", [0.15, 0.5, 0.01])
def test_walks_by_bands_keep_their_bound(weighted, restart, monkeypatch):
    view = drawn(2, weighted=weighted)
    monkeypatch.setattr(bands, "FROM", 10**9)
    plain = drawn(2, weighted=weighted)
    assert plain.layers.bands is None and view.layers.bands is not None
    matrix = view.to_scipy().toarray().astype(np.float64)
    strengths = matrix.sum(0)
    step = matrix / np.where(strengths > 0, strengths, 1)
    seeds = [view.concepts[i] for i in np.flatnonzero(strengths)[[0, 40, 200]]]
    start = np.zeros(len(view))
    for seed in seeds:
        start[view.require(seed)] = 1 / 3
    exact = np.linalg.solve(np.eye(len(view)) - (1 - restart) * step, restart * start)
    for tol in (1e-4, 1e-8, 1e-12):
        scores = view.walk(seeds, restart, tol)
        assert np.abs(scores.array - exact).sum() <= scores.error + 1e-14 and scores.error <= tol
    assert np.abs(plain.walk(seeds, restart, 1e-12).array - exact).sum() < 1e-11
    ranking = view.top(seeds, 15, restart)
    assert ranking.certified
    assert [exact[view.require(name)] for name, _ in ranking] == pytest.approx(np.sort(exact)[::-1][:15], abs=1e-10)


def test_walks_by_bands_are_the_same_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(threads, "WORTH_IT", 1)
    results = []
    for count in (1, 2, 3):
        monkeypatch.setenv("NUMBA_NUM_THREADS", str(count))
        view = drawn(3, 3000, 20_000)
        results.append((view.layers.bands, view.walk("5").array, list(view.walk_many(["5", "6", "7"] * 3))[4].array))
    for made, one, several in results[1:]:
        assert np.array_equal(one, results[0][1]) and np.array_equal(several, results[0][2])
        for name in ("marks", "columns", "rows", "weights"):
            assert np.array_equal(getattr(made, name), getattr(results[0][0], name))
