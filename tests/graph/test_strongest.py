"""The best ways of a walk found near its seeds are those found over the whole graph, to the last bit and statement."""

import numpy as np
import pytest

from kgmm.graph import GraphView, strongest


def view_of(seed: int, *, directed: bool, weights: str, nodes: int = 400, edges: int = 900) -> GraphView:
    draw = np.random.default_rng(seed)
    subject = (nodes * draw.random(edges) ** 2).astype(np.int32)
    target = draw.integers(0, nodes, edges).astype(np.int32)
    by = {"none": None, "few": draw.choice([0.5, 1.0, 2.0], edges), "any": draw.random(edges) + 0.1}[weights]
    relations = draw.choice(["IsA", "UsedFor"], edges).tolist()
    return GraphView.from_edges(subject, target, relations, by, directed)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weights", ["none", "few", "any"])
@pytest.mark.parametrize("thresholds", [(1e-2, 1e-3, 1e-4, 1e-5, 1e-6), (0.3, 0.05, 1e-9), (1e-9,)])
def test_near_the_seeds_is_found_what_is_found_over_all(monkeypatch, directed, weights, thresholds):
    monkeypatch.setattr(strongest, "THRESHOLDS", thresholds)
    monkeypatch.setattr(strongest, "SHARE", 1000.0)
    ways = 0
    for seed in range(6):
        view = view_of(seed, directed=directed, weights=weights)
        draw = np.random.default_rng(seed)
        seeds = np.unique(draw.integers(0, len(view), 1 + seed % 3))
        targets = draw.integers(0, len(view), 25)
        found = strongest.near(view, seeds, targets)
        assert found == strongest.over_all(view, seeds, targets)
        ways += sum(one is not None and len(one[0]) > 2 for one in found)
    assert ways > 15


def test_a_search_that_would_read_too_much_goes_over_all(monkeypatch):
    view = view_of(1, directed=False, weights="any")
    targets = list(range(60))
    known = strongest.strongest(view, np.array([3]), targets)
    monkeypatch.setattr(strongest, "SHARE", -100.0)
    assert strongest.near(view, np.array([3]), np.array(targets)) is None
    assert strongest.strongest(view, np.array([3]), targets) == known
    assert sum(path is not None for path in known) > 30


def test_a_search_reads_little_of_a_large_view(monkeypatch):
    view = view_of(2, directed=False, weights="any", nodes=30_000, edges=90_000)
    best = view.walk("77").top(10)
    monkeypatch.setattr(strongest, "over_all", None)
    found = strongest.strongest(view, np.array([view.require("77")]), [view.require(name) for name, _ in best])
    assert [path.concepts[-1] for path in found] == [name for name, _ in best]
