"""Co-occurrence: the terms said beside the logo's terms in any frame, and the frames that say them; a baseline."""

import numpy as np

from kgmm.stories.edges import StoryEdges
from kgmm.stories.summaries.query import Query, Ranks


def rank(edges: StoryEdges, query: Query) -> Ranks:
    """Return how many of the logo's terms each frame says, and how often each term is said beside one of them."""
    own = np.zeros(len(edges.terms))
    own[edges.by_frame[query.frames(edges)].indices] = 1
    shared = np.asarray(edges.by_frame @ own, np.float64)
    return shared, np.asarray(edges.by_frame.T @ shared, np.float64)
