"""Tf-idf: frames by cosine with the logo's own, terms by weight there; a baseline."""

import numpy as np

from kgmm.stories.edges import StoryEdges
from kgmm.stories.summaries.query import Query, Ranks


def rank(edges: StoryEdges, query: Query) -> Ranks:
    """Return each frame's cosine with the mean of the query's frames, and each term's weight in that mean."""
    table = edges.by_frame
    mentions = np.asarray(table.sum(axis=0), np.float64).ravel()
    rarity = np.log((1 + edges.frame_count) / (1 + mentions)) + 1
    weighted = table.multiply(rarity[None, :]).tocsr()
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1), np.float64).ravel())
    wanted = np.asarray(weighted[query.frames(edges)].sum(axis=0), np.float64).ravel()
    norm = lengths * np.sqrt(wanted @ wanted)
    cosine = np.divide(weighted @ wanted, norm, out=np.zeros(edges.frame_count), where=norm > 0)
    return cosine, wanted
