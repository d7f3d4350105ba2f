"""A small store of facts written as lines."""

from pathlib import Path

import kgmm


def told(place: Path, lines: str) -> kgmm.KnowledgeStore:
    """Return a new store of facts, each a line of subject, predicate, object and weight."""
    store = kgmm.open(place)
    store.add([(s, p, o, float(w)) for s, p, o, w in (line.split() for line in lines.strip().splitlines())])
    return store
