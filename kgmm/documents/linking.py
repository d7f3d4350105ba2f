"""What follows from all passages together: words' postings, the entities that passages name, and the way back.

After a change only what it touches is found anew: the passages that are new and those in which a word stands that a name
which came or went begins with. All else is carried over with new numbers, so that the result has the bits of one made anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgmm.documents import kernels
from kgmm.documents.analysis import STOP, Keys, Texts, starts_of

Edges = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8], NDArray[np.uint8]]
Postings = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32]]


@dataclass
class Linked:
    """What follows from all passages together."""

    term: Keys  #: (T,) the roots' numbers, ascending
    term_of: NDArray[np.int32]  #: (V,) a word's term, -1 for function words
    forms: NDArray[np.int64]  #: (T + 1,) where a term's words begin
    form: NDArray[np.int32]  #: these words
    posting: NDArray[np.int64]  #: (V + 1,) where a word's passages begin, function words having none
    passage: NDArray[np.int32]  #: those that have it
    often: NDArray[np.uint8]  #: how often
    length: NDArray[np.int32]  #: (P,) the passages' words, function words left out
    edge: NDArray[np.int64]  #: (P + 1,) where a passage's entities begin
    edge_entity: NDArray[np.int32]
    edge_at: NDArray[np.int32]  #: at which of its tokens it names them
    edge_length: NDArray[np.uint8]  #: in how many words; 0 for its own names
    edge_own: NDArray[np.uint8]  #: 1, 2, 3 for its own names (title, whole title, what it begins with), else 0
    back: NDArray[np.int64]  #: (E + 1,) where an entity's passages begin
    back_passage: NDArray[np.int32]  #: those first whose own name it is
    back_own: NDArray[np.int32]  #: (E,) how many these are

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}


def linked(texts: Texts) -> Linked:
    """Return what follows from all passages together."""
    rows = np.arange(len(texts))
    postings = kernels.postings(rows, texts.start, texts.token, texts.kind)
    return _linked(texts, postings, _edges(texts, rows))


def linked_again(
    texts: Texts,
    before: Texts,
    links: Linked,
    at: NDArray[np.int64],
    word: NDArray[np.int32],
    entity: NDArray[np.int32],
) -> Linked:
    """Return the same after a change.

    Args:
        texts: the passages now.
        before: those before.
        links: what followed from these.
        at: (P,) where each passage was before; beyond all of them if it is new. Those that stay keep their order.
        word: where the words before are now, -1 for those that are gone.
        entity: where the entities before are now.
    """
    new = at >= len(before)
    came = np.flatnonzero(new)
    row = np.full(len(before), -1, np.int64)
    row[at[~new]] = np.flatnonzero(~new)
    kept = (links.posting, links.passage, links.often)
    fresh = kernels.postings(came, texts.start, texts.token, texts.kind)
    length = fresh[3]
    length[~new] = links.length[at[~new]]
    postings = (*kernels.merged_postings(*kept, word, row, *fresh[:3]), length)
    begins = np.zeros(len(texts.word), np.bool_)
    begins[_beginnings(texts, before)] = True
    again = np.flatnonzero(new | kernels.having(texts.start, texts.token, begins))
    made = _edges(texts, again)
    source = at.copy()
    source[again] = len(before) + np.arange(len(again))
    start = np.concatenate([links.edge, made[0][1:] + links.edge[-1]])
    first = starts_of(start, source)

    def spliced(old: NDArray[Any], found: NDArray[Any]) -> NDArray[Any]:
        out: NDArray[Any] = kernels.gathered(start, np.concatenate([old, found]), source, first)
        return out

    which, where = spliced(entity[links.edge_entity], made[1]), spliced(links.edge_at, made[2])
    edges = first, which, where, spliced(links.edge_length, made[3]), spliced(links.edge_own, made[4])
    return _linked(texts, postings, edges)


def _beginnings(texts: Texts, before: Texts) -> NDArray[np.int64]:
    """Return the words, by place, that names begin with which are some passage's own now and were not, or the reverse."""
    touched = np.setxor1d(texts.entity[_names(texts)], before.entity[_names(before)], assume_unique=True)
    words = []
    for some in (texts, before):
        at = np.searchsorted(some.entity, touched)
        at = at[at < len(some.entity)]
        changed = np.zeros(len(some.entity) + 1, np.bool_)
        changed[at] = np.isin(some.entity[at], touched)
        words.append(some.word[some.own_first[changed[some.own] & (some.own >= 0)]])
    keys = np.unique(np.concatenate(words))
    at = np.searchsorted(texts.word, keys).astype(np.int64)
    at, keys = at[at < len(texts.word)], keys[at < len(texts.word)]
    there: NDArray[np.int64] = at[texts.word[at] == keys]
    return there


def _names(texts: Texts) -> NDArray[np.bool_]:
    """Return which entities are own names of passages, (E,)."""
    own = np.zeros(len(texts.entity), np.bool_)
    own[texts.own[texts.own >= 0]] = True
    return own


def _edges(texts: Texts, rows: NDArray[np.int64]) -> Edges:
    """Return the entities that some passages name: where each passage's begin, which, at which token, how long, how."""
    is_name = _names(texts)
    has = texts.own >= 0
    names = texts.entity[is_name]
    lengths = np.zeros(len(texts.word), np.uint16)
    bits = np.left_shift(np.uint16(1), texts.own_length[has].astype(np.uint16) - np.uint16(1))
    np.bitwise_or.at(lengths, texts.own_first[has], bits)
    given = (texts.start, texts.token, texts.how, texts.kind, texts.word, lengths, names, kernels.slots(names))
    found, at, which, length = kernels.named(rows, *given)
    entity = np.flatnonzero(is_name).astype(np.int32)[which]
    rules = (texts.rule, texts.rule_at, texts.rule_entity, texts.rule_length)
    edges: Edges = kernels.edges(rows, texts.own, found, at, entity, length, *rules)
    return edges


def _linked(texts: Texts, postings: Postings, edges: Edges) -> Linked:
    term, of = np.unique(np.where(texts.kind & STOP, np.uint64(0), texts.term), return_inverse=True)
    term_of = of.astype(np.int32)
    if len(term) and term[0] == 0:
        term, term_of = term[1:], term_of - np.int32(1)
    form = np.argsort(term_of, kind="stable").astype(np.int32)[int((term_of < 0).sum()) :]
    forms = np.searchsorted(term_of[form], np.arange(len(term) + 1)).astype(np.int64)
    back = kernels.reversed_edges(edges[0], edges[1], edges[4], len(texts.entity))
    made = (term, term_of, forms, form, *postings, *edges, *back)
    return Linked(**dict(zip([column.name for column in fields(Linked)], made, strict=True)))
