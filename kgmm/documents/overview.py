"""What a store's documents are about: names that are spoken of together, with sentences that say so; nothing is made up."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from kgmm.documents.index import Index, current
from kgmm.documents.kept import Kept
from kgmm.documents.parting import sentences
from kgmm.documents.retrieve import Names

if TYPE_CHECKING:
    from kgmm.store import LocalStore

MOST = 2000  #: names that are grouped: those that most passages speak of
TOGETHER = 2  #: passages that must speak of both for two names to be tied
NAMED = 8  #: names shown of a topic
QUOTED = 3  #: sentences


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage."""

    text: str
    title: str
    document: str
    source: str


@dataclass(frozen=True)
class Topic:
    """Names that documents speak of together."""

    names: tuple[str, ...]  #: the most central first
    passages: int  #: that speak of at least two of its names
    quotes: tuple[Quote, ...]

    def __str__(self) -> str:
        said = "".join(f"\n    “{quote.text}” ({quote.title or quote.document})" for quote in self.quotes)
        return f"{', '.join(self.names)} ({self.passages:,} passages){said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the topic as JSON-ready data."""
        return asdict(self)


def overview(store: LocalStore, count: int = 8) -> list[Topic]:
    """Return what a store's documents are about, the largest topics first; the same documents have the same topics.

    The graph of the names that most passages speak of, tied by the passages that speak of both (their number divided by
    the square root of those of each), falls into communities by Louvain's method (Blondel et al., J. Stat. Mech. 2008).
    A topic's sentences are the first ones of the passages with most of its names.

    Args:
        store: whose documents.
        count: topics returned at most.

    Example:
        >>> import tempfile, kgmm
        >>> kb = kgmm.open(tempfile.mkdtemp() + "/kb")
        >>> _ = kb.read([{"id": str(n), "text": f"In {1900 + n} Otto met Anna Bell."} for n in range(3)])
        >>> for topic in overview(kb):
        ...     print(topic.names, topic.passages)
        ('Anna Bell', 'Otto') 3
    """
    kept = Kept(store.places.documents)
    if not len(kept) or count < 1:
        return []
    index = current(store, kept)
    chosen, mentions = _mentioned(index)
    names, made = Names(index), []
    for group in _communities(mentions):
        part = mentions[:, group]
        shared = np.asarray(part.sum(axis=1)).ravel()
        speaking = np.flatnonzero(shared >= 2)
        within = np.asarray(part[speaking].sum(axis=0)).ravel()
        if not within.any():
            continue
        order = np.argsort(-within, kind="stable")[:NAMED]
        central = [group[at] for at in order.tolist() if within[at]]
        made.append((len(speaking), central, speaking[np.argsort(-shared[speaking], kind="stable")][:QUOTED]))
    made.sort(key=lambda topic: -topic[0])
    topics = []
    for passages, central, quoted in made[:count]:
        told = tuple(dict.fromkeys(names.entity(int(chosen[at]), _first(mentions, at)) for at in central))
        topics.append(Topic(told, passages, tuple(_quote(index, int(p)) for p in quoted)))
    return topics


def _mentioned(index: Index) -> tuple[NDArray[np.int64], sp.csc_matrix]:
    """Return the entities that most passages speak of, by number, and which passage speaks of which, (P, entities)."""
    links = index.links
    passages = np.diff(links.back)
    often = np.flatnonzero(passages >= TOGETHER)
    chosen = np.sort(often[np.argsort(-passages[often], kind="stable")][:MOST])
    place = np.full(len(passages), -1)
    place[chosen] = np.arange(len(chosen))
    rows = np.repeat(np.arange(len(index)), np.diff(links.edge))
    columns = place[links.edge_entity]
    fit = columns >= 0
    shape = (len(index), len(chosen))
    made = sp.csc_matrix((np.ones(int(fit.sum()), np.float64), (rows[fit], columns[fit])), shape)
    made.data[:] = 1.0  # however often a passage says a name
    return chosen, made


def _communities(mentions: sp.csc_matrix) -> list[list[int]]:
    import networkx as nx

    both = sp.triu(mentions.T @ mentions, 1).tocoo()
    passages = np.asarray(mentions.sum(axis=0)).ravel()
    graph = nx.Graph()
    graph.add_nodes_from(range(mentions.shape[1]))
    for a, b, n in sorted(zip(both.row.tolist(), both.col.tolist(), both.data.tolist(), strict=True)):
        if n >= TOGETHER:
            graph.add_edge(a, b, weight=n / float(np.sqrt(passages[a] * passages[b])))
    found = nx.community.louvain_communities(graph, seed=0)
    return sorted(sorted(group) for group in found if len(group) > 1)


def _first(mentions: sp.csc_matrix, column: int) -> int:
    return int(mentions.indices[mentions.indptr[column]])


def _quote(index: Index, passage: int) -> Quote:
    row = index.rows.slice(passage, 1).to_pylist()[0]
    start, end = next(iter(sentences(row["text"])), (0, len(row["text"])))
    return Quote(row["text"][start:end], row["title"], row["document"], row["source"])
