"""MMSS: random walk with restart from the logo (Pan, Yang and Faloutsos, ICDM 2004)."""

import numpy as np

from kgmm.stories.edges import StoryEdges
from kgmm.stories.summaries.query import Query, Ranks

TOLERANCE = 1e-9  #: bound on the L1 error of the walk


def rank(edges: StoryEdges, query: Query, restart: float = 0.65, lift: bool = False) -> Ranks:
    """Return the steady-state scores of frames and terms.

    The *restart* probability of 0.65 suits graphs as shallow as these. *lift*, off in the paper, divides each score by
    the node's degree, its share of the stationary distribution: words that every story uses fall behind.
    """
    view = edges.view
    scores = view.walk([str(node) for node in query.nodes(edges)], restart, TOLERANCE).to_numpy()
    if lift:
        scores = scores / np.maximum(view.degrees(), 1)
    return scores[edges.logo_count : edges.first_term], scores[edges.first_term :]
