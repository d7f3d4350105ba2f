"""Graphs of every kind, for hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from kgmm.graph import GraphView


@st.composite
def graphs(draw, min_nodes=1, max_nodes=24):
    """Edges among n nodes with self-loops, parallel edges, isolated nodes and several components."""
    n = draw(st.integers(min_nodes, max_nodes))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node, st.floats(0.125, 8.0, width=32)), max_size=60))
    seeds = draw(st.dictionaries(node, st.floats(0.125, 4.0), min_size=1, max_size=4))
    return n, edges, seeds


def as_view(n, edges, directed):
    s, o, w = (list(column) for column in zip(*edges, strict=True)) if edges else ([], [], [])
    return GraphView.from_edges(
        np.array(s, np.int64),
        np.array(o, np.int64),
        None,
        np.array(w, np.float64),
        directed,
        concepts=[f"n{i}" for i in range(n)],
    )
