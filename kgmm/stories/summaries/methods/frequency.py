"""Frequency: the terms said most often where the logo is shown, and the frames that say most of them; a baseline."""

import numpy as np

from kgmm.stories.edges import StoryEdges
from kgmm.stories.summaries.query import Query, Ranks


def rank(edges: StoryEdges, query: Query) -> Ranks:
    """Return each frame's sum of its terms' counts, and each term's count, in the frames of the query."""
    counts = np.asarray(edges.by_frame[query.frames(edges)].sum(axis=0), np.float64).ravel()
    return np.asarray(edges.by_frame @ counts, np.float64), counts
